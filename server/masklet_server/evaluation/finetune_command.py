"""``masklet-server finetune``: weights made better on a show's own footage, measured before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from masklet_server.evaluation.clips import AnnotatedClip
    from masklet_server.evaluation.scores import Figures
    from masklet_server.training.composer import ClipComposer


def finetune(
    data: Annotated[
        Path, typer.Option(help="Footage with masks: SA-V's layout, as `dataset export` writes it.")
    ],
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    out: Annotated[Path, typer.Option(help="Folder of the new weights, checkpoint and log.")] = Path(
        "runs/finetuned"
    ),
    freeze: Annotated[
        str, typer.Option(help="Parts to leave alone: trunk, neck, prompts, decoder, memory.")
    ] = "trunk",
    steps: Annotated[int, typer.Option(help="Batches to train on.", min=1)] = 400,
    rate: Annotated[float, typer.Option(help="Learning rate at its peak.")] = 3e-5,
    frames: Annotated[str, typer.Option(help="Clip lengths in frames.")] = "2,4",
    side: Annotated[int | None, typer.Option(help="Side of the network's input in pixels.")] = None,
    step_megapixels: Annotated[float, typer.Option(help="Batch by pixels of all frames of a step.")] = 4.0,
    mask_share: Annotated[
        float, typer.Option(help="Objects prompted by a mask, not by a click or a box.", min=0.0, max=1.0)
    ] = 0.5,
    aside: Annotated[
        str, typer.Option(help="Videos kept out of training and measured before and after.")
    ] = "",
    rest: Annotated[
        Path | None, typer.Option(help="Other annotated sequences that must not get worse, measured too.")
    ] = None,
    known: Annotated[
        Path | None, typer.Option(help="Pack of training material mixed in, against forgetting.")
    ] = None,
    known_share: Annotated[float, typer.Option(help="Share of batches made of that.")] = 0.3,
    seed: Annotated[int, typer.Option(help="Another one gives other clips.")] = 1,
    device: Annotated[str | None, typer.Option(help="cuda or cpu; a GPU by default.")] = None,
) -> None:
    """Fine-tune weights of the family on annotated footage, with parts of the network frozen."""
    from masklet_server.evaluation.datasets import open_dataset
    from masklet_server.model.checkpoint import read_checkpoint
    from masklet_server.model.store import find_weights
    from masklet_server.training.distributed import join_team
    from masklet_server.training.finetune import FineTuning, fine_tune
    from masklet_server.training.footage import FootageClips, MixedClips

    kept_aside = _names(aside)
    tuning = FineTuning(
        name=out.name,
        steps=steps,
        frames=tuple(int(length) for length in _names(frames)),
        side_px=side,
        rate=rate,
        freeze=_names(freeze),
        step_megapixels=step_megapixels,
        mask_share=mask_share,
        seed=seed,
    )
    shots = [AnnotatedShot(clip) for clip in open_dataset(data, without=kept_aside)]
    measured = {"aside": open_dataset(data, sequences=kept_aside)} if kept_aside else {}
    if rest is not None:
        measured["rest"] = open_dataset(rest)

    start = read_checkpoint(find_weights(weights))
    team = join_team(device)
    footage = FootageClips(shots, device=team.device, seed=seed * 1000 + team.rank)
    source = (
        footage
        if known is None
        else MixedClips(footage, _composed(known, str(team.device), seed), known_share=known_share, seed=seed)
    )
    before = first_mask_figures(weights, measured, str(team.device), side)
    made = fine_tune(start, source, team, tuning, folder=out, report=typer.echo)
    if team.leads:
        after = first_mask_figures(str(made), measured, str(team.device), side)
        for name, figure in after.items():
            typer.echo(f"{name}: J&F {before[name].j_and_f:.1f} before, {figure.j_and_f:.1f} after")
        typer.echo(f"new weights: {made}")
    team.disband()


class AnnotatedShot:
    """An annotated clip as the trainer takes footage."""

    def __init__(self, clip: AnnotatedClip) -> None:
        self._clip = clip

    @property
    def name(self) -> str:
        """Of the sequence."""
        return self._clip.name

    @property
    def frames(self) -> Sequence[int]:
        """Annotated frames, ascending."""
        return self._clip.annotated_frames

    def picture(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The ``(h, w, 3)`` picture."""
        return self._clip.limited_source.read(frame)

    def masks(self, frame: int) -> Mapping[int, NDArray[np.bool_]]:
        """``(h, w)`` masks by object id.

        Raises:
            BadInputError: The annotation is broken.
        """
        return self._clip.read_truth(frame).masks


def first_mask_figures(
    weights: str, measured: Mapping[str, Sequence[AnnotatedClip]], device: str, side_px: int | None
) -> dict[str, Figures]:
    """Mean scores of each set of clips, prompted by the true first mask."""
    from masklet_server.evaluation.evaluator import Assignment, evaluate_clip
    from masklet_server.evaluation.protocols import ProtocolName
    from masklet_server.evaluation.scores import figures
    from masklet_server.evaluation.trackers import network_trackers

    if not measured:
        return {}
    make_tracker = network_trackers(weights, side_px=side_px, device=device)
    assignment = Assignment(ProtocolName.MASK, baselines=False)
    found = {}
    for name, clips in measured.items():
        outcomes = [evaluate_clip(clip, assignment, make_tracker)[0].outcome for clip in clips]
        found[name] = figures([one for outcome in outcomes for one in outcome.objects])
    return found


def _composed(pack: Path, device: str, seed: int) -> ClipComposer:
    from masklet_server.training.composer import ClipComposer
    from masklet_server.training.material.pack import load_material

    return ClipComposer(load_material(pack, device=device), device=device, seed=seed)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
