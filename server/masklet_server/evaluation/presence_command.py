"""``masklet-server evaluate-presence``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masklet_server.evaluation.presence import PresenceCounts


def evaluate_presence(
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    pack: Annotated[Path, typer.Option(help="Material made by `masklet-server material pack`.")] = Path(
        "runs/material.pack"
    ),
    clips: Annotated[int, typer.Option(help="Clips to generate.")] = 24,
    frames: Annotated[int, typer.Option(help="Frames of each clip.")] = 32,
    clip_side: Annotated[int, typer.Option(help="Side of the clips in pixels.")] = 384,
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once", help="Objects leave and come back within a frame or two, not in three to eight."
        ),
    ] = False,
    as_trained: Annotated[
        bool,
        typer.Option(
            "--as-trained", help="Clips as wild as those of the training, not as lively as footage."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Another one gives other clips.")] = 20261,
    side: Annotated[int | None, typer.Option(help="Side of the network's input in pixels.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
    profile: Annotated[str, typer.Option(help="editor, reference or benchmark.")] = "editor",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Measure on generated clips whether absent objects are called absent and found again."""
    from rich.console import Console

    from masklet.errors import BadInputError
    from masklet_server.evaluation.presence import PresenceCounts, generate_clips, measure_presence
    from masklet_server.evaluation.report import measured_with, write_json
    from masklet_server.evaluation.trackers import network_trackers
    from masklet_server.training.composer import LEAVING, LEAVING_AS_FILMED, LEAVING_AT_ONCE, ClipComposer
    from masklet_server.training.material.pack import load_material

    if not pack.is_file():
        raise BadInputError(
            f"there is no material at {pack.name}: make it with masklet-server material pack."
        )
    console = Console()
    make_tracker = network_trackers(weights, profile=profile, side_px=side, device=device)
    # Look-alikes stay, as they are the trap.
    source = ClipComposer(
        load_material(pack, device="cpu"),
        device="cpu",
        seed=seed,
        config=LEAVING if as_trained else LEAVING_AT_ONCE if at_once else LEAVING_AS_FILMED,
    )
    total = PresenceCounts()
    with console.status("generating and tracking") as status:
        generated = generate_clips(source, clips=clips, frames=frames, side_px=clip_side)
        for number, clip in enumerate(generated, start=1):
            total = total + measure_presence(clip, make_tracker)
            status.update(f"{number} of {clips} clips")
    figures = _figures(total)
    for name, value in figures.items():
        console.print(f"{name}: {value}")
    if json_file is not None:
        write_json(
            json_file,
            {
                "weights": Path(weights).name,
                "as_trained": as_trained,
                "at_once": at_once,
                "frames": frames,
                "seed": seed,
                "clips": clips,
                **figures,
                **measured_with(weights),
            },
        )


def _figures(counts: PresenceCounts) -> dict[str, float | int | None]:
    def percent(share: float | None) -> float | None:
        return None if share is None else round(100 * share, 1)

    return {
        "absent_precision": percent(counts.precision),
        "absent_recall": percent(counts.recall),
        "found_again": percent(counts.found_share),
        "mean_iou": percent(counts.mean_iou),
        "objects": counts.objects,
        "present_frames": counts.present,
        "absent_frames": counts.absent,
        "returns": counts.returns,
    }
