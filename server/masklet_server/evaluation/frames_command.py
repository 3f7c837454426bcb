"""``masklet-server train-gather``, ``train-frames``, ``train-mix``: learning from hard frames alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masklet_server.training.composer import ClipComposer
    from masklet_server.training.material.atlas import Material

_WILD_SHARE = 0.25
"""Clips as wild as those of the training, so that nothing is unlearned; the others are as filmed."""


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the server's command line."""
    app.command("train-gather")(gather_frames)
    app.command("train-frames")(train_frames)
    app.command("train-mix")(mix)


def gather_frames(
    out: Annotated[Path, typer.Option(help="Folder of hard frames; what it holds already stays.")] = Path(
        "runs/frames"
    ),
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    pack: Annotated[Path, typer.Option(help="Material made by `masklet-server material pack`.")] = Path(
        "runs/material.pack"
    ),
    clips: Annotated[int, typer.Option(help="Clips to compose.", min=1)] = 500,
    seed: Annotated[
        int, typer.Option(help="Another one gives other clips: run several processes side by side.")
    ] = 1,
) -> None:
    """Compose clips in which an object leaves, track them, and keep the frames worth learning from."""
    from random import Random

    from masklet_server.evaluation.gathering import Gathering, gather, listening
    from masklet_server.model.checkpoint import read_checkpoint
    from masklet_server.model.store import find_weights
    from masklet_server.training.hard_frames import write_clip
    from masklet_server.training.material.pack import load_material

    gathering = Gathering()
    as_filmed, wild = _composers(load_material(pack, device="cpu"), seed)
    network = listening(read_checkpoint(find_weights(weights)), gathering.side_px)
    chance = Random(seed)
    kept = 0
    for number in range(clips):
        source = wild if chance.random() < _WILD_SHARE else as_filmed
        for part, clip in enumerate(gather(network, source, gathering, chance)):
            write_clip(clip, out / f"{seed}-{number:04d}-{part}.safetensors")
            kept += len(clip.frames)
        if number % 20 == 19:
            typer.echo(f"{number + 1} clips, {kept} frames")
    typer.echo(f"{kept} frames of {clips} clips in {out}")


def train_frames(
    frames: Annotated[Path, typer.Argument(help="Folder that `train-gather` filled.")],
    start: Annotated[str, typer.Option(help="Weights to go on from.")] = "masklet_embedded",
    out: Annotated[Path, typer.Option(help="Folder of the new weights and the log.")] = Path(
        "runs/frames-weights"
    ),
    minutes: Annotated[float, typer.Option(help="How long to learn.", min=0.01)] = 36.0,
    rate: Annotated[float, typer.Option(help="Learning rate at its peak.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Of the order of frames.")] = 1,
) -> None:
    """Go on from weights with hard frames alone; image and memory encoders stay as they are."""
    from dataclasses import replace

    from masklet_server.model.checkpoint import read_checkpoint
    from masklet_server.model.store import find_weights
    from masklet_server.training.frame_lessons import FrameLessons, learn_frames

    lessons = FrameLessons(minutes=minutes, seed=seed)
    lessons = replace(lessons, optimiser=replace(lessons.optimiser, rate=rate))
    made = learn_frames(read_checkpoint(find_weights(start)), frames, lessons, out=out, report=typer.echo)
    typer.echo(f"new weights: {made}")


def mix(
    weights: Annotated[list[str], typer.Argument(help="Two or more weights that go on from one another.")],
    out: Annotated[Path, typer.Option(help="File of the mean.")] = Path("runs/mixed.safetensors"),
    shares: Annotated[str, typer.Option(help="What each counts, such as 2,1,1; all alike without.")] = "",
) -> None:
    """Take the mean of weights: what was learned is kept, and what the start could do is not lost."""
    from masklet.errors import BadInputError
    from masklet_server.model.checkpoint import read_checkpoint, write_safetensors
    from masklet_server.model.store import find_weights
    from masklet_server.training.mixing import mixed_weights

    try:
        counts = [float(share) for share in shares.split(",")] if shares else [1.0] * len(weights)
    except ValueError as error:
        raise BadInputError(f"--shares is a list of numbers such as 2,1,1, got {shares!r}.") from error
    checkpoints = [read_checkpoint(find_weights(name)) for name in weights]
    mixed = mixed_weights(checkpoints, counts)
    licence = checkpoints[0].metadata.get("licence", "Apache-2.0")
    write_safetensors(mixed, out, checkpoints[0].config, licence=licence, half=True)
    typer.echo(f"new weights: {out}")


def _composers(material: Material, seed: int) -> tuple[ClipComposer, ClipComposer]:
    """Sources of clips as filmed, and as wild as in the training, in most of which an object leaves."""
    from dataclasses import replace

    from masklet_server.training.composer import LEAVING_AS_FILMED, ClipComposer, ComposerConfig

    leaving = (0.5, 8.0)
    filmed = replace(
        LEAVING_AS_FILMED, cast=replace(LEAVING_AS_FILMED.cast, leaving_frames=leaving, scene_share=0.1)
    )
    wild = ComposerConfig()
    wild = replace(wild, cast=replace(wild.cast, leave_share=0.85, leaving_frames=leaving))
    return (
        ClipComposer(material, device="cpu", seed=seed, config=filmed),
        ClipComposer(material, device="cpu", seed=seed + 500_000, config=wild),
    )
