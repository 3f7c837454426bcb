"""The record of a run, ``NAME.shot.json``: beside the mattes, all that is needed to make them again.

::

    {
      "masklet_shot": 1,
      "clip": {"name": "plate.%04d.exr", "path": "/shows/a/plate.%04d.exr", "width_px": 1920,
               "height_px": 1080, "first_frame": 1001, "last_frame": 1100, "missing_frames": [],
               "pixel_aspect": 1.0, "frames_per_s": 24.0, "colour_space": "ACEScg"},
      "mattes": {"format": "exr", "raw_edges": false, "at_cuts": "stop", "first_frame": 1001,
                 "last_frame": 1100, "objects": []},
      "exports": {"tools": ["nuke"], "shapes": true, "tolerance_px": 1.0, "anchors": ["similarity"],
                  "absence": "hold"},
      "run": {"prompts_sha256": "…", "model": "…", "weights_sha256": "…", "settings": "{…}"},
      "states": [{"object": "hero", "first_frame": 1001, "last_frame": 1060, "states": ["present"]}],
      "holes": [],
      "prompts": {"masklet_prompts": 2, …}
    }
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from masklet.deliveries import RunMark
from masklet.errors import BadInputError, OutputError
from masklet.prompts import Shot, from_json, to_json
from masklet.types import FrameRange, FrameState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from masklet.holes import Hole
    from masklet.types import ClipInfo, SessionInfo

RECORD_SUFFIX = ".shot.json"
VERSION = 1
MAX_BYTES = 256 << 20
"""Prompt documents hold masks of locked frames."""
_KEY = "masklet_shot"


@dataclass(frozen=True)
class PlateRecord:
    """The plate as it was when the mattes were made.

    Attributes:
        name: For people.
        path: Where it lay, with its pattern; empty where the machine that wrote this did not have it.
        width_px: Of the display window.
        height_px: Of the display window.
        frames: First to last.
        missing_frames: Numbers inside that have no picture.
        pixel_aspect: Width of a pixel divided by its height.
        frames_per_s: None where nobody said.
        colour_space: The input space that was in force.
    """

    name: str
    path: str
    width_px: int
    height_px: int
    frames: FrameRange
    missing_frames: tuple[int, ...] = ()
    pixel_aspect: float = 1.0
    frames_per_s: float | None = None
    colour_space: str = ""


@dataclass(frozen=True)
class MatteRequest:
    """How mattes were asked for: with the prompts, the weights and the plate, all that decides about them.

    Attributes:
        frames: The range.
        matte_format: A word of :class:`masklet.events.MatteFormat`.
        raw_edges: Edges as the network gave them.
        at_cuts: A word of :class:`masklet.types.CutPolicy`.
        objects: Names of those that were written; none for all.
    """

    frames: FrameRange
    matte_format: str = "exr"
    raw_edges: bool = False
    at_cuts: str = "stop"
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportsRequest:
    """What was written for other tools.

    Attributes:
        tools: As after ``--export``.
        shapes: Splines were fitted.
        tolerance_px: Of the fit.
        anchors: Words of :class:`masklet.anchors.AnchorKind`.
        absence: A word of :class:`masklet.anchors.Absence`.
    """

    tools: tuple[str, ...] = ()
    shapes: bool = False
    tolerance_px: float = 1.0
    anchors: tuple[str, ...] = ()
    absence: str = "hold"


@dataclass(frozen=True)
class ObjectStates:
    """Consecutive frames of one object and all that is true of them."""

    name: str
    frames: FrameRange
    states: frozenset[FrameState]


@dataclass(frozen=True)
class ShotRecord:
    """What a run made its files from.

    Attributes:
        plate: The clip.
        mattes: What was asked for.
        run: Its mark, as the note and the headers have it.
        shot: The prompt document, what corrections correct and locked masks included.
        exports: For other tools.
        states: By object, then frame.
        holes: Frames without a matte, as :meth:`masklet.holes.Hole.as_json` tells them.
    """

    plate: PlateRecord
    mattes: MatteRequest
    run: RunMark
    shot: Shot
    exports: ExportsRequest = ExportsRequest()
    states: tuple[ObjectStates, ...] = ()
    holes: tuple[dict[str, Any], ...] = field(default=())


def record_name(name: str) -> str:
    """The record's file beside the mattes called ``name``."""
    return f"{name}{RECORD_SUFFIX}"


def plate_of_clip(clip: ClipInfo, path: str) -> PlateRecord:
    """What a record says of a clip that lies at ``path``."""
    return PlateRecord(
        clip.name,
        path,
        clip.display_width_px,
        clip.display_height_px,
        clip.frames,
        clip.missing_frames,
        clip.pixel_aspect,
        clip.frames_per_s,
        clip.colour_space,
    )


def states_of(session: SessionInfo) -> tuple[ObjectStates, ...]:
    """The states of a session's frames, by the names of its objects."""
    names = {item.object_id: item.name for item in session.objects}
    return tuple(
        ObjectStates(names[one.object_id], one.frames, one.states)
        for one in session.states
        if one.object_id in names
    )


def holes_to_json(holes: Iterable[Hole]) -> tuple[dict[str, Any], ...]:
    """Holes as a record keeps them."""
    return tuple(hole.as_json() for hole in holes)


def record_to_json(record: ShotRecord) -> dict[str, Any]:
    """The record as JSON can hold it."""
    plate = record.plate
    return {
        _KEY: VERSION,
        "clip": {
            "name": plate.name,
            "path": plate.path,
            "width_px": plate.width_px,
            "height_px": plate.height_px,
            "first_frame": plate.frames.first,
            "last_frame": plate.frames.last,
            "missing_frames": list(plate.missing_frames),
            "pixel_aspect": plate.pixel_aspect,
            "frames_per_s": plate.frames_per_s,
            "colour_space": plate.colour_space,
        },
        "mattes": {
            "format": record.mattes.matte_format,
            "raw_edges": record.mattes.raw_edges,
            "at_cuts": record.mattes.at_cuts,
            "first_frame": record.mattes.frames.first,
            "last_frame": record.mattes.frames.last,
            "objects": list(record.mattes.objects),
        },
        "exports": {
            **asdict(record.exports),
            "tools": list(record.exports.tools),
            "anchors": list(record.exports.anchors),
        },
        "run": asdict(record.run),
        "states": [
            {
                "object": one.name,
                "first_frame": one.frames.first,
                "last_frame": one.frames.last,
                "states": [state.value for state in FrameState if state in one.states],
            }
            for one in record.states
        ],
        "holes": list(record.holes),
        "prompts": json.loads(to_json(record.shot)),
    }


def record_from_json(content: Any) -> ShotRecord:
    """The record in parsed JSON.

    Raises:
        BadInputError: It is none, of a later version, or damaged.
    """
    if not isinstance(content, dict) or not isinstance(content.get(_KEY), int):
        raise BadInputError("this is no record of a run: masklet roto writes one beside the mattes")
    if content[_KEY] > VERSION:
        raise BadInputError(
            f"the record of the run has version {content[_KEY]} and this masklet knows {VERSION}: update it"
        )
    try:
        clip, mattes, exports, run = (content[part] for part in ("clip", "mattes", "exports", "run"))
        rate = clip["frames_per_s"]
        return ShotRecord(
            PlateRecord(
                str(clip["name"]),
                str(clip["path"]),
                int(clip["width_px"]),
                int(clip["height_px"]),
                _range(clip),
                tuple(int(frame) for frame in clip["missing_frames"]),
                float(clip["pixel_aspect"]),
                None if rate is None else float(rate),
                str(clip["colour_space"]),
            ),
            MatteRequest(
                _range(mattes),
                str(mattes["format"]),
                bool(mattes["raw_edges"]),
                str(mattes["at_cuts"]),
                tuple(map(str, mattes["objects"])),
            ),
            RunMark(
                str(run["prompts_sha256"]),
                str(run["model"]),
                str(run["weights_sha256"]),
                str(run["settings"]),
            ),
            from_json(json.dumps(content["prompts"])),
            ExportsRequest(
                tuple(map(str, exports["tools"])),
                bool(exports["shapes"]),
                float(exports["tolerance_px"]),
                tuple(map(str, exports["anchors"])),
                str(exports["absence"]),
            ),
            tuple(
                ObjectStates(str(one["object"]), _range(one), frozenset(map(FrameState, one["states"])))
                for one in content["states"]
            ),
            tuple(dict(hole) for hole in content["holes"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            f"the record of the run cannot be understood ({error}): write the mattes again with masklet roto"
        ) from error


def write_record(path: Path, record: ShotRecord) -> bytes:
    """Write the record, whole or not at all; returns what was written.

    Raises:
        OutputError: It cannot be written.
    """
    data = (json.dumps(record_to_json(record), indent=1, ensure_ascii=False) + "\n").encode()
    write_whole(path, data)
    return data


def read_record(path: Path) -> ShotRecord:
    """The record in a file.

    Raises:
        BadInputError: It cannot be read or is none.
    """
    return record_from_json(read_json(path, "the record of the run"))


def read_json(path: Path, what: str) -> Any:
    """JSON out of a file.

    Raises:
        BadInputError: It cannot be read, is too large, or is no JSON; the message begins with ``what``.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInputError(f"{what} {path.name} is larger than any can be: write it again")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(
            f"{what} {path.name} cannot be read ({error.strerror}): check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{what} {path.name} is damaged: write it again") from error


def read_object(path: Path, what: str) -> dict[str, Any]:
    """An object of JSON out of a file; errors as in :func:`read_json`, for other JSON as well."""
    content = read_json(path, what)
    if not isinstance(content, dict):
        raise BadInputError(f"{what} {path.name} is damaged: write it again")
    return content


def write_whole(path: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all.

    Raises:
        OutputError: They cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink()
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written ({error.strerror}): check that its folder exists, that you may "
            "write there and that the disk has space"
        ) from error


def _range(content: dict[str, Any]) -> FrameRange:
    return FrameRange(int(content["first_frame"]), int(content["last_frame"]))
