"""``masklet demo``: the whole way on a clip of our own, with its true masks to compare with."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from masklet.commands.options import DeviceOption, WeightsOption, connect_as_asked
from masklet.commands.progress import Progress
from masklet.errors import OutputError, ServerUnreachableError
from masklet.events import OverlayKind, TrackStarted
from masklet.types import MaskUpdate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from masklet.session import Session


@dataclass(frozen=True)
class DemoResult:
    """How well and how fast the demo's object was cut out.

    Attributes:
        iou: Intersection over union with the true mask, by frame.
        click_s: From the click to its mask, the first one of a fresh server.
        track_fps: Frames per second of the track, from request to mask.
    """

    iou: dict[int, float]
    click_s: float
    track_fps: float


def add_commands(app: typer.Typer) -> None:
    """Register ``demo``."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where everything goes.")] = Path(
        "out/demo"
    ),
    frames: Annotated[int, typer.Option(min=1, help="Length of the clip.")] = 36,
    weights: WeightsOption = None,
    device: DeviceOption = None,
) -> None:
    """Render a clip, click its object, track it, write mattes, and compare with the true masks."""
    progress = Progress()
    progress.say("rendering the demo clip")
    clip, truth, clicks = render_clip(out / "clip", frames)
    progress.say("starting a server")
    with connect_as_asked(None, weights=weights, device=device) as server, server.open(clip) as session:
        result = cut_out(session, clicks, truth, progress)
        mattes = session.export(out / "mattes", base_name="duck", on_progress=progress.writing)
        looks = [
            file
            for kind in OverlayKind
            for file in session.export_overlay(out, kind=kind, base_name="duck").files
        ]
        model = server.info().model.name
    scores = list(result.iou.values())
    worst = min(result.iou, key=lambda frame: result.iou[frame])
    mean = sum(scores) / len(scores)
    lines = [
        f"{model}, one click on frame {clicks[0][0]}",
        f"IoU with the true masks: mean {mean:.3f}, worst {min(scores):.3f} (frame {worst})",
        f"first click to mask {1e3 * result.click_s:.0f} ms, tracking {result.track_fps:.1f} fps",
        f"{len(mattes.files)} EXR files in {out / 'mattes'}",
        *(f"look at {file}" for file in looks),
    ]
    Console(highlight=False, soft_wrap=True).print("\n".join(lines), markup=False)


def render_clip(
    folder: Path, frames: int
) -> tuple[str, dict[int, NDArray[np.bool_]], list[tuple[int, float, float]]]:
    """Render the clip and return its pattern, its true masks by frame, and where to click.

    Raises:
        OutputError: The folder cannot be written.
        ServerUnreachableError: The server's package, which renders, is not installed.
    """
    import numpy as np

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}): choose another with --out") from error
    done = subprocess.run(
        [sys.executable, "-m", "masklet_server.demo", str(folder), str(frames)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServerUnreachableError(
            f"the demo clip could not be rendered ({reason}): install with pip install 'masklet[server]'"
        )
    made: dict[str, Any] = json.loads(done.stdout)
    with np.load(made["truth"]) as archive:
        truth = {int(frame): archive[frame] for frame in archive.files}
    return made["clip"], truth, [tuple(click) for click in made["clicks"]]


def cut_out(
    session: Session,
    clicks: list[tuple[int, float, float]],
    truth: dict[int, NDArray[np.bool_]],
    progress: Progress,
) -> DemoResult:
    """Click, track the whole clip and compare every frame with the truth."""
    duck = session.object("duck")
    started_s = time.perf_counter()
    for frame, x_px, y_px in clicks:
        duck.click(frame=frame, x_px=x_px, y_px=y_px)
    click_s = time.perf_counter() - started_s
    iou: dict[int, float] = {}
    started_s = time.perf_counter()
    with progress.bar("tracking") as bar:
        for event in session.track().events():
            if isinstance(event, TrackStarted):
                bar.total(event.steps)
            elif isinstance(event, MaskUpdate):
                inside = event.mask.as_array() >= 128
                iou[event.frame] = overlap(inside, truth[event.frame])
                bar.step()
    track_s = time.perf_counter() - started_s
    return DemoResult(iou, click_s, len(iou) / track_s)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int((first | second).sum())
    return float((first & second).sum() / union) if union else 1.0
