"""Plates and prompt documents for jobs: small files, no picture in them is ever decoded."""

from __future__ import annotations

from pathlib import Path

from masklet.prompts import PlateShape, Shot, write_shot
from masklet.types import Click, FramePrompts, FrameRange, ObjectInfo, PromptDocument


def write_plate(folder: Path, first: int = 1001, last: int = 1012) -> Path:
    """Files that are named like a sequence; their pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(first, last + 1):
        (folder / f"plate.{frame}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"%d" % frame * 50)
    return folder / "plate.%04d.png"


def write_document(
    file: Path,
    clip: str,
    *,
    objects: dict[str, tuple[int, ...]] | None = None,
    frames: FrameRange | None = None,
    plate: FrameRange = FrameRange(1001, 1012),  # noqa: B008 (frozen)
) -> Path:
    """A prompt document: a click for each object on each of its frames."""
    said = objects or {"hero": (1004,)}
    infos = tuple(ObjectInfo(place, name, frames) for place, (name, frames) in enumerate(said.items(), 1))
    prompts = tuple(
        FramePrompts(info.object_id, frame, (Click(20.0, 10.0),))
        for info in infos
        for frame in info.prompted_frames
    )
    shot = Shot(clip, PromptDocument(infos, prompts), frames, plate=PlateShape(64, 36, plate))
    write_shot(file, shot)
    return file
