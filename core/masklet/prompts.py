"""The prompt document: a JSON file from which the same mattes can be made again.

It holds what the artist said, what each correction corrects (``base``) and the masks of locked frames:
with the plate, the weights and the settings all that the mattes depend on. Coordinates and frame numbers
are those of :mod:`masklet.types`, so the file is valid on any machine that has the plate. Version 1 had
neither bases nor masks; :attr:`Shot.notes` says what a document of that version cannot bring back. Version
3 has strokes, and is written only where there are some.

::

    {
      "masklet_prompts": 2,
      "clip": "plate.%04d.exr",
      "plate": {"width_px": 1920, "height_px": 1080, "first": 1001, "last": 1100},
      "colour_space": null,
      "first_frame": null,
      "frame_rate": null,
      "layer": null,
      "view": null,
      "overscan": false,
      "track": {"first": 1001, "last": 1100, "direction": "both"},
      "objects": [
        {"name": "hero", "locks": [[1030, 1040]], "matte": {"grow_px": -1.5}, "frames": [
          {"frame": 1001,
           "clicks": [{"x_px": 640.0, "y_px": 360.0, "positive": true}],
           "box": {"left_px": 600.0, "top_px": 300.0, "right_px": 700.0, "bottom_px": 420.0},
           "source": "a model of the studio 1.2"},
          {"frame": 1020,
           "clicks": [{"x_px": 600.0, "y_px": 300.0, "positive": false}],
           "base": {"columns": 128, "rows": 128, "logits_base64": "eJz…", "presence": "present",
                    "presence_logit": 7.5, "predicted_iou": 0.9, "pointer_base64": ""}},
          {"frame": 1040,
           "scribbles": [{"points_px": [[600.0, 300.0], [640.0, 320.0]], "width_px": 12.0,
                          "positive": true}]},
          {"frame": 1050,
           "mask": {"width_px": 1920, "height_px": 1080, "alpha_zlib_base64": "eJz…"}}
        ],
         "masks": [{"frame": 1030, "stale": false, "columns": 128, "rows": 128, "logits_base64": "eJz…",
                    "presence": "present", "presence_logit": 7.5, "predicted_iou": 0.9,
                    "pointer_base64": "AAA…", "looks": [],
                    "around": [{"frame": 1031}, {"frame": 1029, "columns": 128, …}]}]}
      ]
    }

Masks of more than 8 bits also have ``"depth": "16"`` or ``"depth": "half"``; see
:class:`masklet.types.MaskDepth`. ``around`` is what calms a locked frame, as it was when that was approved;
a frame without a mask of its own is the locked one of that number. See :class:`masklet.types.LockedMask`.
"""

from __future__ import annotations

import binascii
import json
import uuid
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import BadInputError, OutputError
from masklet.matte_settings import MatteSettings
from masklet.prompt_json import frame_from_json, frame_to_json, masks_from_json, masks_to_json
from masklet.types import (
    Direction,
    FrameRange,
    LockedMask,
    LockedRange,
    MemoryPolicy,
    ObjectInfo,
    ObjectMatte,
    ObjectPolicy,
    PromptDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 3
_WITHOUT_SCRIBBLES = 2
_KEY = "masklet_prompts"


@dataclass(frozen=True)
class PlateShape:
    """Size and range of the plate that prompts were made on."""

    width_px: int
    height_px: int
    frames: FrameRange


@dataclass(frozen=True)
class Shot:
    """A clip, what was said about it, and what to track.

    Attributes:
        clip: As the person named it; where it lies may differ on another machine.
        document: Objects and prompts; ids count from 1 in the order of the objects.
        frames: None for the whole clip.
        direction: Which way to track.
        reading: How the clip is read where the files do not say. A first frame is the one that the
            prompts count from.
        plate: What the prompts were made on; None where the document does not say.
        notes: What a document of an earlier version does not hold, a sentence each.
    """

    clip: str
    document: PromptDocument
    frames: FrameRange | None = None
    direction: Direction = Direction.BOTH
    reading: ClipReading = AS_FILES_SAY
    plate: PlateShape | None = None
    notes: tuple[str, ...] = ()


def to_json(shot: Shot) -> str:
    """The document as text, the same for the same shot on every machine."""
    track: dict[str, Any] = {"direction": shot.direction.value}
    if shot.frames is not None:
        track = {"first": shot.frames.first, "last": shot.frames.last, **track}
    objects = [
        {
            "name": info.name,
            **_finish_to_json(shot.document, info.object_id),
            "frames": [
                frame_to_json(prompts)
                for prompts in sorted(shot.document.prompts, key=lambda prompts: prompts.frame)
                if prompts.object_id == info.object_id and not prompts.is_empty
            ],
            **_masks(shot.document, info.object_id),
        }
        for info in shot.document.objects
    ]
    content = {
        # The earliest version that says it all, so that an earlier masklet refuses no more than it must.
        _KEY: VERSION if any(item.scribbles for item in shot.document.prompts) else _WITHOUT_SCRIBBLES,
        "clip": shot.clip,
        "plate": None if shot.plate is None else _plate_to_json(shot.plate),
        **_reading_to_json(shot.reading),
        "track": track,
        "objects": objects,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str) -> Shot:
    """The shot in a document.

    Raises:
        BadInputError: The text is no prompt document, of a later version, or holds a value that
            makes no prompt; the message names the place.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInputError(
            f"the prompt document is not JSON (line {error.lineno}): save it again with --prompts"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get(_KEY), int):
        raise BadInputError("this is no prompt document of masklet: save one with masklet roto --prompts")
    if content[_KEY] > VERSION:
        raise BadInputError(
            f"the prompt document has version {content[_KEY]} and this masklet knows {VERSION}: update it"
        )
    place = "the prompt document"
    try:
        objects, prompts = [], []
        locks: list[LockedRange] = []
        mattes: list[ObjectMatte] = []
        masks: list[LockedMask] = []
        policies: list[ObjectPolicy] = []
        for object_id, item in enumerate(content["objects"], 1):
            place = f"object {object_id} of the prompt document"
            frames = [frame_from_json(object_id, frame) for frame in item["frames"]]
            prompts.extend(sorted(frames, key=lambda prompts: prompts.frame))
            prompted = tuple(sorted(frame.frame for frame in frames))
            objects.append(ObjectInfo(object_id, str(item["name"]), prompted))
            for first, last in item.get("locks", ()):
                locks.append(LockedRange(object_id, FrameRange(int(first), int(last))))
            if item.get("matte"):
                mattes.append(ObjectMatte(object_id, MatteSettings(**item["matte"])))
            if item.get("policy"):
                policies.append(ObjectPolicy(object_id, MemoryPolicy(item["policy"])))
            masks.extend(masks_from_json(object_id, item.get("masks", ())))
        place = "how the clip is read, in the prompt document,"
        reading = _reading_from_json(content)
        place = "the plate in the prompt document"
        plate = _plate_from_json(content["plate"]) if content.get("plate") else None
        place = "what to track in the prompt document"
        track = content.get("track") or {}
        document = PromptDocument(
            tuple(objects), tuple(prompts), tuple(locks), tuple(mattes), tuple(masks), tuple(policies)
        )
        return Shot(
            clip=str(content["clip"]),
            document=document,
            frames=FrameRange(int(track["first"]), int(track["last"])) if "first" in track else None,
            direction=Direction(track.get("direction", "both")),
            reading=reading,
            plate=plate,
            notes=tuple(_notes(document)) if content[_KEY] == 1 else (),
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, zlib.error) as error:
        raise BadInputError(f"{place} cannot be understood ({error}): correct it or save it again") from error


def read_shot(file: Path) -> Shot:
    """The shot in a file.

    Raises:
        BadInputError: The file cannot be read or is no prompt document.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"the prompt document {file} cannot be read: check the path") from error
    return from_json(text)


def write_shot(file: Path, shot: Shot) -> None:
    """Write the document, whole or not at all.

    Raises:
        OutputError: The folder is missing, read-only or full.
    """
    try:
        temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        try:
            temporary.write_text(to_json(shot), encoding="utf-8")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"the prompt document {file} cannot be written ({error.strerror}): check folder, rights and space"
        ) from error


def _notes(document: PromptDocument) -> Iterator[str]:
    """What a document without bases and masks cannot bring back."""
    name_of = {info.object_id: info.name for info in document.objects}
    for object_id, name in name_of.items():
        frames = [item for item in document.prompts if item.object_id == object_id]
        corrected = [str(item.frame) for item in frames if item.only_corrects]
        if len(frames) > 1 and corrected:
            yield (
                f"{name}: the document is of an earlier version and does not say what the clicks on "
                f"{', '.join(corrected)} corrected: look at these frames again"
            )
    for lock in document.locks:
        yield (
            f"{name_of[lock.object_id]}: the document is of an earlier version and holds no masks of what is "
            f"locked on {lock.frames.worded}: it will be tracked anew"
        )


def _masks(document: PromptDocument, object_id: int) -> dict[str, Any]:
    masks = masks_to_json(kept for kept in document.masks if kept.object_id == object_id)
    return {"masks": masks} if masks else {}


def _finish_to_json(document: PromptDocument, object_id: int) -> dict[str, Any]:
    """Locks, matte settings and policy of an object, as far as it has any."""
    content: dict[str, Any] = {}
    locks = [lock.frames for lock in document.locks if lock.object_id == object_id]
    if locks:
        content["locks"] = [[frames.first, frames.last] for frames in locks]
    for matte in document.mattes:
        if matte.object_id == object_id and not matte.settings.is_plain:
            plain = asdict(MatteSettings())
            content["matte"] = {
                name: value for name, value in asdict(matte.settings).items() if value != plain[name]
            }
    for own in document.policies:
        if own.object_id == object_id and own.policy is not MemoryPolicy.EDITOR:
            content["policy"] = own.policy.value
    return content


def _plate_to_json(plate: PlateShape) -> dict[str, int]:
    return {
        "width_px": plate.width_px,
        "height_px": plate.height_px,
        "first": plate.frames.first,
        "last": plate.frames.last,
    }


def _plate_from_json(content: dict[str, Any]) -> PlateShape:
    width_px, height_px = int(content["width_px"]), int(content["height_px"])
    if width_px < 1 or height_px < 1:
        raise ValueError(f"a plate of {width_px} x {height_px} pixels")
    return PlateShape(width_px, height_px, FrameRange(int(content["first"]), int(content["last"])))


def _reading_to_json(reading: ClipReading) -> dict[str, Any]:
    """As it was said; which frames are used follows from the rest of the document."""
    return {name: value for name, value in asdict(reading).items() if name != "frames"}


def _reading_from_json(content: dict[str, Any]) -> ClipReading:
    space, first, rate = (content.get(key) for key in ("colour_space", "first_frame", "frame_rate"))
    layer, view = content.get("layer"), content.get("view")
    return ClipReading(
        None if space is None else str(space),
        None if first is None else int(first),
        None if rate is None else float(rate),
        layer=None if layer is None else str(layer),
        view=None if view is None else str(view),
        overscan=bool(content.get("overscan", False)),
    )
