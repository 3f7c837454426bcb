"""Tracked masks as tasks keep them: a file for some frames of a piece, there whole or not at all.

A chunk is what a prompt document keeps of locked frames, without what calms them. A task that goes on after
another one locks these masks on its session, and tracks from there as if it had made them itself.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, OutputError
from masklet.farm.share import make_folder
from masklet.frame_runs import runs_joined, runs_minus
from masklet.prompt_json import masks_from_json, masks_to_json
from masklet.publish.shot_record import read_json
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from masklet.farm.pieces import Piece
    from masklet.types import LockedMask

_KEY = "masklet_farm_chunk"


@dataclass(frozen=True)
class Chunk:
    """Frames of a piece that are tracked.

    Attributes:
        frames: All of them, those without a mask too.
        masks: By the names of objects.
    """

    frames: FrameRange
    masks: Mapping[str, tuple[LockedMask, ...]]


def keep_chunk(folder: Path, piece: Piece, chunk: Chunk) -> None:
    """Write it; where another worker has written the same meanwhile, that one stays.

    Raises:
        OutputError: The share is full, or may not be written to.
    """
    content = {
        _KEY: 1,
        "piece": piece.number,
        "frames": [chunk.frames.first, chunk.frames.last],
        "objects": {
            name: masks_to_json(replace(mask, around=None, looks=None) for mask in masks)
            for name, masks in chunk.masks.items()
        },
    }
    path = folder / f"{piece.number:03d}.{chunk.frames.first}_{chunk.frames.last}.json"
    temporary = folder / f".{path.name}.{uuid.uuid4().hex}"
    make_folder(folder)
    try:
        try:
            with temporary.open("x", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink()
    except OSError as error:
        raise OutputError(
            f"the tracked frames {chunk.frames.shown} cannot be kept ({error.strerror}): make room on the "
            "share or open it for the farm's user, then run masklet farm retry; what was kept before stays"
        ) from error


def read_chunks(folder: Path, piece: Piece) -> tuple[Chunk, ...]:
    """All chunks of a piece, by their frames; damaged ones are as if they were not there."""
    try:
        paths = sorted(folder.glob(f"{piece.number:03d}.*.json"))
    except OSError:
        return ()
    found = []
    for path in paths:
        with suppress(BadInputError, KeyError, TypeError, ValueError, AttributeError):
            content = read_json(path, "tracked masks")
            if content[_KEY] != 1 or set(content["objects"]) != set(piece.objects):
                continue
            first, last = content["frames"]
            found.append(
                Chunk(
                    FrameRange(int(first), int(last)),
                    {
                        name: tuple(masks_from_json(place, masks))
                        for place, (name, masks) in enumerate(content["objects"].items(), 1)
                    },
                )
            )
    return tuple(sorted(found, key=lambda chunk: chunk.frames.first))


def left_of(frames: FrameRange, chunks: Iterable[Chunk]) -> tuple[FrameRange, ...]:
    """What of some frames is in no chunk."""
    return runs_minus((frames,), runs_joined(chunk.frames for chunk in chunks))
