"""``masklet demo``: the whole way on a clip of our own, with its true masks to compare with."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from masklet.better_weights import tell_of_better
from masklet.commands.options import DeviceOption, QualityOption, WeightsOption, connect_as_asked
from masklet.commands.progress import Progress
from masklet.deliveries import Existing
from masklet.errors import OutputError, ServerUnreachableError
from masklet.events import OverlayKind, TrackStarted
from masklet.extras import server_sentence
from masklet.patterns import frame_in
from masklet.transport.server_program import server_program
from masklet.types import MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    quality: QualityOption = None,
) -> None:
    """Render a clip, click its object, track it, write mattes, and compare with the true masks."""
    progress = Progress()
    progress.say("rendering the demo clip")
    clip = render_clip(out / "clip", frames)
    progress.say("starting a server")
    with (
        connect_as_asked(None, weights=weights, device=device, quality=quality) as server,
        server.open(clip.pattern) as session,
    ):
        result = cut_out(session, clip, progress)
        # The demo's own folder: what another demo left there, with other weights say, makes room.
        mattes = session.export(
            out / "mattes",
            base_name="duck",
            existing=Existing.REPLACE,
            on_progress=progress.writing,
            on_look=progress.looking,
        )
        looks = [
            file
            for kind in OverlayKind
            for file in session.export_overlay(
                out, kind=kind, base_name="duck", existing=Existing.REPLACE
            ).files
        ]
        used = server.info().model
    written = compare(clip, mattes.files)
    lines = [
        f"{used.name}, one click on frame {clip.clicks[0][0]}",
        f"IoU with the true masks, masks while tracking: {summary(result.iou)}",
        f"IoU with the true masks, mattes as written: {summary(written)}",
        f"first click to mask {1e3 * result.click_s:.0f} ms, tracking {result.track_fps:.1f} fps",
        f"{len(mattes.files)} EXR files in {out / 'mattes'}",
        *(f"look at {file}" for file in looks),
    ]
    Console(highlight=False, soft_wrap=True).print("\n".join(lines), markup=False)
    tell_of_better(used.name, progress.say)


@dataclass(frozen=True)
class DemoClip:
    """The rendered clip.

    Attributes:
        pattern: Of its pictures.
        truth: The archive of its true masks, by frame.
        clicks: Frame, x and y in pixels.
    """

    pattern: str
    truth: Path
    clicks: tuple[tuple[int, float, float], ...]


def render_clip(folder: Path, frames: int) -> DemoClip:
    """Render the clip.

    Raises:
        OutputError: The folder cannot be written.
        ServerUnreachableError: The server's package, which renders, is not installed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}): choose another with --out") from error
    made = _ask_server_package(str(folder), str(frames))
    return DemoClip(made["clip"], Path(made["truth"]), tuple(tuple(click) for click in made["clicks"]))


def compare(clip: DemoClip, mattes: Sequence[Path]) -> dict[int, float]:
    """IoU of the written mattes with the true masks, by frame.

    Raises:
        ServerUnreachableError: The server's package, which reads EXR, is not installed.
    """
    pairs = [f"{frame_in(path.name)}={path}" for path in mattes]
    scores = _ask_server_package("compare", str(clip.truth), *pairs)
    return {int(frame): score for frame, score in scores.items()}


def summary(iou: dict[int, float]) -> str:
    """Mean and worst of scores by frame, in words."""
    worst = min(iou, key=lambda frame: iou[frame])
    return f"mean {sum(iou.values()) / len(iou):.3f}, worst {iou[worst]:.3f} (frame {worst})"


def _ask_server_package(*arguments: str) -> dict[str, Any]:
    """What the server's demo module prints; a process of its own, because the client needs no imaging."""
    lacking = server_sentence()
    if lacking is not None:
        raise ServerUnreachableError(lacking)
    done = subprocess.run(
        server_program("demo", *arguments),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServerUnreachableError(
            f"the demo clip cannot be made or read ({reason}): install with pip install 'masklet[server]'"
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def cut_out(session: Session, clip: DemoClip, progress: Progress) -> DemoResult:
    """Click, track the whole clip and compare every frame with the truth."""
    import numpy as np

    with np.load(clip.truth) as archive:
        truth = {int(frame): archive[frame] for frame in archive.files}
    duck = session.object("duck")
    started_s = time.perf_counter()
    for frame, x_px, y_px in clip.clicks:
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
