"""Layers beside those of an earlier run: its objects are made again, with the new ones, in the same files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from masklet.errors import BadInputError
from masklet.publish.collected import find_records
from masklet.publish.shot_record import RECORD_SUFFIX, ShotRecord, read_record, record_name
from masklet.types import FramePrompts, FrameRange, LockedMask, LockedRange, ObjectMatte, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from masklet.prompts import Shot


_SaidT = TypeVar("_SaidT", FramePrompts, LockedRange, ObjectMatte, LockedMask)


def earlier_run(folder: Path, name: str | None) -> tuple[str, ShotRecord]:
    """The run whose mattes lie in a folder, and what its files are called.

    The same prompts give the same mattes, so what its record says is enough to make its layers again.

    Args:
        folder: Where to.
        name: First part of file names; None where there is one run.

    Raises:
        BadInputError: There is no record, or there are several; or it cannot be read.
    """
    names = (name,) if name is not None else find_records(folder) if folder.is_dir() else ()
    if len(names) > 1:
        raise BadInputError(f"{folder} holds several runs ({', '.join(names)}): say which with --name")
    if not names or not (folder / record_name(names[0])).is_file():
        raise BadInputError(
            f"--merge adds to the mattes of an earlier run, and {folder} holds no record of one (a file "
            f"NAME{RECORD_SUFFIX}): check --out and --name, or leave --merge out"
        )
    return names[0], read_record(folder / record_name(names[0]))


def merged_shot(saved: Shot | None, record: ShotRecord) -> Shot:
    """A document with the objects of an earlier run beside its own; of those in both it has the last word."""
    if saved is None:
        return record.shot
    earlier, own = record.shot.document, saved.document
    names = {info.name for info in own.objects}
    first = max((info.object_id for info in own.objects), default=0) + 1
    more = [info for info in earlier.objects if info.name not in names]
    ids = {info.object_id: first + place for place, info in enumerate(more)}
    return replace(
        saved,
        document=PromptDocument(
            (*own.objects, *(replace(info, object_id=ids[info.object_id]) for info in more)),
            (*own.prompts, *(_of(each, ids) for each in earlier.prompts if each.object_id in ids)),
            (*own.locks, *(_of(each, ids) for each in earlier.locks if each.object_id in ids)),
            (*own.mattes, *(_of(each, ids) for each in earlier.mattes if each.object_id in ids)),
            (*own.masks, *(_of(each, ids) for each in earlier.masks if each.object_id in ids)),
        ),
    )


def merged_range(asked: FrameRange | None, record: ShotRecord) -> FrameRange:
    """The frames of a run that merges.

    Raises:
        BadInputError: It would leave files of the earlier run without the new layers.
    """
    earlier = record.mattes.frames
    if asked is None:
        return earlier
    if not (asked.first <= earlier.first and earlier.last <= asked.last):
        raise BadInputError(
            f"the run that is there has {earlier.worded}, and a merge makes all of them again: leave --range "
            "out, or name at least these"
        )
    return asked


def check_alike(record: ShotRecord, *, matte_format: str, raw_edges: bool, at_cuts: str) -> None:
    """See that a run asks for mattes of the kind that is there.

    Raises:
        BadInputError: It asks for others.
    """
    there = record.mattes
    asked = {"--format": matte_format, "--raw-edges": raw_edges, "--at-cuts": at_cuts}
    had = {"--format": there.matte_format, "--raw-edges": there.raw_edges, "--at-cuts": there.at_cuts}
    other = [flag for flag in asked if asked[flag] != had[flag]]
    if other:
        raise BadInputError(
            f"the mattes that are there were made with another {other[0]}: ask for the same, or write into "
            "the next version (--version)"
        )


def _of(item: _SaidT, ids: Mapping[int, int]) -> _SaidT:
    return replace(item, object_id=ids[item.object_id])
