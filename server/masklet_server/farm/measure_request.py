"""What is to be measured, as the job's check asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError
from masklet.types import FrameRange

BoxEdges = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True)
class MatteFile:
    """Where the matte of one object on one frame lies."""

    path: Path
    channel: str


@dataclass(frozen=True)
class MeasureRequest:
    """What is measured.

    Attributes:
        clip: The plate.
        reading: Words of :func:`masklet_server.media.source.open_clip`.
        frames: The range.
        mattes: By object, then frame.
        points: By object and frame: x and y in pixels of the plate, below which the matte is read.
        boxes: By object and frame: left, top, right and bottom as drawn, in pixels of the plate.
        prompted: By object: frames that it was prompted on, where it looks as the artist saw it.
    """

    clip: str
    reading: Mapping[str, Any]
    frames: FrameRange
    mattes: Mapping[str, Mapping[int, MatteFile]]
    points: Mapping[str, Mapping[int, Sequence[tuple[float, float]]]]
    boxes: Mapping[str, Mapping[int, BoxEdges]] = field(default_factory=dict)
    prompted: Mapping[str, Sequence[int]] = field(default_factory=dict)


def request_from_json(content: Any) -> MeasureRequest:
    """The request in parsed JSON.

    Raises:
        BadInputError: It is none.
    """
    try:
        first, last = content["frames"]
        return MeasureRequest(
            str(content["clip"]),
            dict(content["reading"]),
            FrameRange(int(first), int(last)),
            {
                str(name): {
                    int(frame): MatteFile(Path(path), str(channel))
                    for frame, (path, channel) in files.items()
                }
                for name, files in content["mattes"].items()
            },
            {
                str(name): {
                    int(frame): [(float(x_px), float(y_px)) for x_px, y_px in points]
                    for frame, points in frames.items()
                }
                for name, frames in content["points"].items()
            },
            {
                str(name): {int(frame): _edges(edges) for frame, edges in frames.items()}
                for name, frames in content["boxes"].items()
            },
            {str(name): [int(frame) for frame in frames] for name, frames in content["prompted"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"this is no request to measure mattes ({error})") from error


def _edges(content: Any) -> BoxEdges:
    left, top, right, bottom = map(float, content)
    return left, top, right, bottom
