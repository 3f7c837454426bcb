"""What an export writes and from what, and what may become of files that lie there already.

A *delivery* is one sequence or one file. Next to the files of a shot lies a note, ``NAME.masklet.json``,
that says of each delivery what is in it and from which run it came; :mod:`masklet.delivery_folder` keeps
it. A run writes over files of the same run only: same prompts, weights and settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from masklet.frame_runs import runs_of, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from masklet.types import FrameRange

NOTE_SUFFIX = ".masklet.json"


class Existing(Enum):
    """What becomes of files that are there under the names of an export."""

    KEEP = "keep"
    """They stay: the export stops before its first file unless they are of the same run."""
    REPLACE = "replace"
    """This run takes their place: its files are written over them, and what an earlier run of masklet left
    in the same sequence is deleted at the end. Files of others stay, and stop the export."""
    UPDATE = "update"
    """This run's files are written over those of the same frames, and all others stay. For hosts that keep
    a folder of their own and write the same mattes again and again."""


@dataclass(frozen=True)
class RunMark:
    """What decides about the contents of files: two runs with the same mark write the same.

    Attributes:
        prompts_sha256: Digest of objects, prompts and settings of mattes.
        model: Name of the weights.
        weights_sha256: Their digest.
        settings: Everything else that decides about contents, as JSON.
    """

    prompts_sha256: str = ""
    model: str = ""
    weights_sha256: str = ""
    settings: str = ""


@dataclass(frozen=True)
class Delivery:
    """One sequence, or one file, that an export is about to write.

    Attributes:
        files: Below the export's folder, with forward slashes: a name, with ``%04d`` where there is one
            file a frame.
        kind: What they are: a word of :class:`masklet.events.MatteFormat`, ``movie``, ``sheet``, or a tool.
        layers: Names of layers, as far as the files have any.
        width_px: Of their pictures; 0 where they have none.
        height_px: Of their pictures.
        frames: The range that was asked for.
    """

    files: str
    kind: str
    layers: tuple[str, ...]
    width_px: int
    height_px: int
    frames: FrameRange


@dataclass(frozen=True)
class ExportPlan:
    """What an export is about to write, told before its first file.

    Attributes:
        name: First part of all file names, and of the note's.
        run: The run's mark.
        deliveries: Everything it may write.
        checked: Whoever writes the files has looked at what is there already.
    """

    name: str
    run: RunMark
    deliveries: tuple[Delivery, ...]
    checked: bool = False


@dataclass(frozen=True)
class PastRun:
    """Files of one delivery that one run wrote, as the note tells.

    Attributes:
        mark: The run's.
        frames: On which there are files of it; its range, where the delivery is a single file.
        complete: False while it writes, and for ever where it broke off.
    """

    mark: RunMark
    frames: tuple[FrameRange, ...]
    complete: bool = True


@dataclass(frozen=True)
class PastDelivery:
    """One delivery as the note tells it.

    Attributes:
        kind: As :attr:`Delivery.kind`.
        layers: As :attr:`Delivery.layers`.
        width_px: As :attr:`Delivery.width_px`.
        height_px: As :attr:`Delivery.height_px`.
        runs: The oldest first.
        sha256: Of a single file as it was written; empty for a sequence.
    """

    kind: str
    layers: tuple[str, ...]
    width_px: int
    height_px: int
    runs: tuple[PastRun, ...]
    sha256: str = ""


def changes(
    delivery: Delivery, mark: RunMark, past: PastDelivery | None, present: Collection[int]
) -> list[str]:
    """What writing a delivery over what is there would change, in words; empty for nothing.

    Args:
        delivery: What is to be written.
        mark: From which run.
        past: What the note says of the files that are there; None where there is none.
        present: Frames of the sequence that have a file; none for a single file.
    """
    if past is None:
        return ["of an earlier run that left no note of what it wrote"]
    found = _changed_meaning(delivery, mark, past, present)
    if left := [frame for frame in present if frame not in delivery.frames]:
        found.append(f"frames {shown(runs_of(left))} of the earlier run would stay among the new ones")
    return found


def mixed(delivery: Delivery, past: PastDelivery | None, present: Collection[int]) -> list[str]:
    """What would differ between the new frames of a sequence and those that stay, in words."""
    if past is None or all(frame in delivery.frames for frame in present):
        return []
    return _changed_files(delivery, past)


def _changed_meaning(
    delivery: Delivery, mark: RunMark, past: PastDelivery, present: Collection[int]
) -> list[str]:
    found = _changed_files(delivery, past)
    is_file = "%" not in delivery.files
    others = [
        run
        for run in past.runs
        if run.mark != mark and (is_file or any(frame in span for frame in present for span in run.frames))
    ]
    if is_file and any(run.frames != (delivery.frames,) for run in past.runs):
        found.append("with another range")
    if any(run.mark.prompts_sha256 != mark.prompts_sha256 for run in others):
        found.append("made from other prompts")
    if any((run.mark.model, run.mark.weights_sha256) != (mark.model, mark.weights_sha256) for run in others):
        found.append("made with other weights")
    if any(run.mark.settings != mark.settings for run in others):
        found.append("made with other settings")
    return found


def _changed_files(delivery: Delivery, past: PastDelivery) -> list[str]:
    found = []
    if gone := [layer for layer in past.layers if layer not in delivery.layers]:
        found.append(f"the layer{'s' if len(gone) > 1 else ''} {', '.join(gone)} would be gone")
    elif added := [layer for layer in delivery.layers if layer not in past.layers]:
        found.append(f"without the layer {', '.join(added)}")
    if past.kind != delivery.kind:
        found.append(f"in the format {past.kind}, not {delivery.kind}")
    if (past.width_px, past.height_px) != (delivery.width_px, delivery.height_px):
        found.append(
            f"with {past.width_px} x {past.height_px} pixels, not {delivery.width_px} x {delivery.height_px}"
        )
    return found
