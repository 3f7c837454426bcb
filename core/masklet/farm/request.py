"""What is asked of the farm: one value for the command line and for the dialog of every host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from masklet.anchors import Absence, AnchorKind
from masklet.errors import BadInputError
from masklet.events import MatteFormat
from masklet.outputs.extra_exports import ExtraExports
from masklet.types import CutPolicy, FrameRange

QUALITIES = ("own", "fast", "balanced", "best")
"""As servers take them; ``own`` is what a model was trained for."""
NO_EXTRAS = ExtraExports(False, 1.0, (), Absence.HOLD, ())


@dataclass(frozen=True)
class FarmRequest:
    """What is to be made of every shot of a job, and how the work is cut.

    Attributes:
        frames: To make; None for what each document says, which may be the whole clip.
        matte_format: What files hold the mattes.
        raw_edges: Edges as the network gave them.
        at_cuts: What tracking does where one shot ends and another begins.
        extras: Shapes, anchors and files for other tools.
        publish: Shots that pass the check become versions.
        template: Where versions go; empty for ``published`` beside the artist's document.
        values: What the template asks for, by name.
        comment: For the manifests.
        accepted: Checks whose findings are right whatever they are: said before anybody has looked.
        objects_per_task: Objects that are tracked together at most.
        chunk_s: About how long the machine is at work between two times that it keeps what is finished.
        frame_s: About how long a frame of one object takes: how work is cut, and its time limits.
        gpu_memory_gib: Of the machine's graphics card at least; 0 for any machine.
        weights: Name or file of the model; None for the server's own.
        device: ``cpu`` or ``cuda``; None lets the server choose.
        quality: How closely pictures are looked at, one of :data:`QUALITIES`; None for the workers' own.
    """

    frames: Optional[FrameRange] = None
    matte_format: MatteFormat = MatteFormat.EXR_LAYERS
    raw_edges: bool = False
    at_cuts: CutPolicy = CutPolicy.STOP
    extras: ExtraExports = field(default=NO_EXTRAS)
    publish: bool = False
    template: str = ""
    values: tuple[tuple[str, str], ...] = ()
    comment: str = ""
    accepted: tuple[str, ...] = ()
    objects_per_task: int = 4
    chunk_s: float = 300.0
    frame_s: float = 1.0
    gpu_memory_gib: float = 0.0
    weights: Optional[str] = None
    device: Optional[str] = None
    quality: Optional[str] = None

    def __post_init__(self) -> None:
        if not 1 <= self.objects_per_task <= 64:
            raise ValueError("a task tracks 1 to 64 objects together")
        if not 5.0 <= self.chunk_s <= 24 * 3600:
            raise ValueError("a chunk takes from 5 s to a day")
        if not 1e-3 <= self.frame_s <= 600:
            raise ValueError("a frame of an object takes from a thousandth of a second to 600 s")
        if not 0 <= self.gpu_memory_gib <= 1024:
            raise ValueError("a graphics card has 0 to 1024 GiB")
        if self.quality is not None and self.quality not in QUALITIES:
            raise ValueError(f"there is no quality {self.quality!r}: it is one of {', '.join(QUALITIES)}")

    @property
    def has_exports(self) -> bool:
        """True where something is written for other tools."""
        return not self.extras.is_nothing


def request_to_json(request: FarmRequest) -> dict[str, Any]:
    """The request as JSON can hold it."""
    frames, extras = request.frames, request.extras
    return {
        "frames": None if frames is None else [frames.first, frames.last],
        "format": request.matte_format.value,
        "raw_edges": request.raw_edges,
        "at_cuts": request.at_cuts.value,
        "shapes": extras.shapes,
        "tolerance_px": extras.tolerance_px,
        "anchors": [kind.value for kind in extras.anchors],
        "absence": extras.absence.value,
        "tools": list(extras.tools),
        "publish": request.publish,
        "template": request.template,
        "values": dict(request.values),
        "comment": request.comment,
        "accepted": list(request.accepted),
        "objects_per_task": request.objects_per_task,
        "chunk_s": request.chunk_s,
        "frame_s": request.frame_s,
        "gpu_memory_gib": request.gpu_memory_gib,
        "weights": request.weights,
        "device": request.device,
        "quality": request.quality,
    }


def request_from_json(content: Any) -> FarmRequest:
    """The request in parsed JSON.

    Raises:
        BadInputError: It is none, or holds a value that cannot be used.
    """
    try:
        frames = content["frames"]
        return FarmRequest(
            None if frames is None else FrameRange(int(frames[0]), int(frames[1])),
            MatteFormat(content["format"]),
            _flag(content, "raw_edges"),
            CutPolicy(content["at_cuts"]),
            ExtraExports(
                _flag(content, "shapes"),
                float(content["tolerance_px"]),
                tuple(map(AnchorKind, content["anchors"])),
                Absence(content["absence"]),
                tuple(map(str, content["tools"])),
            ),
            _flag(content, "publish"),
            str(content["template"]),
            tuple((str(name), str(value)) for name, value in content["values"].items()),
            str(content["comment"]),
            tuple(map(str, content["accepted"])),
            int(content["objects_per_task"]),
            float(content["chunk_s"]),
            float(content["frame_s"]),
            float(content["gpu_memory_gib"]),
            None if content["weights"] is None else str(content["weights"]),
            None if content["device"] is None else str(content["device"]),
            # Jobs that were submitted before there was a choice have the workers' own.
            None if content.get("quality") is None else str(content["quality"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInputError(
            f"what the job asks for cannot be understood ({error}): submit the shots again"
        ) from error


def _flag(content: Any, name: str) -> bool:
    value = content[name]
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, and has to be true or false")
    return value
