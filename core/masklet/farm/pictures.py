"""What is seen in pictures: the server's package measures, and findings become checks like publishing's."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.farm.prompt_marks import box_of, marks_of, prompts_of
from masklet.farm.quality import BoxFit, Measure, Point, findings
from masklet.frame_runs import counted
from masklet.publish.collected import Role
from masklet.publish.problems import Check
from masklet.transport.server_program import server_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from masklet.publish.collected import Collected, Part
    from masklet.publish.problems import Problem
    from masklet.types import FramePrompts, PromptDocument

QUALITY = {
    "prompts": "Mattes match the prompts",
    "absent": "The object is there",
    "area": "No sudden change of size",
    "jump": "No sudden change of place",
    "flicker": "No flicker beyond the plate's motion",
    "surroundings": "Nothing of what lies around the object",
}
"""Checks that look at pictures, beside those of publishing."""
_MEASURE_S = 3600.0


def quality_checks(collected: Collected) -> tuple[Check, ...]:
    """The checks that look at pictures, for one shot.

    Raises:
        MaskletError: They cannot be looked at.
    """
    measured = _measured(collected)
    document = collected.record.shot.document
    found: list[Problem] = []
    for name in collected.objects:
        found += found_in(measured.get(name, {}), document, name)

    def of(name: str, collected: Collected) -> Iterator[Problem]:
        del collected
        return (problem for problem in found if problem.check == name)

    return tuple(Check(name, label, partial(of, name)) for name, label in QUALITY.items())


def found_in(told: Mapping[str, Any], document: PromptDocument, name: str) -> tuple[Problem, ...]:
    """What is wrong with the mattes of an object.

    Args:
        told: What was measured, by frame.
        document: What was said.
        name: Of the object.
    """
    said = prompts_of(document, name)
    measures = {int(frame): _measure(each) for frame, each in told.items() if "area" in each}
    prompted = frozenset(item.frame for item in said)
    return tuple(findings(name, measures, _agreements(said, told), prompted))


def _measure(told: Mapping[str, Any]) -> Measure:
    return Measure(
        float(told["area"]),
        (float(told["x"]), float(told["y"])) if "x" in told else None,
        (float(told["moved_x"]), float(told["moved_y"])) if "moved_x" in told else None,
        None if told["flicker"] is None else float(told["flicker"]),
        None if told.get("around") is None else float(told["around"]),
    )


def _agreements(said: Iterable[FramePrompts], own: Mapping[str, Any]) -> tuple[Point | BoxFit, ...]:
    """How mattes agree with all that was said."""
    found: list[Point | BoxFit] = []
    for item in said:
        told = own.get(str(item.frame), {})
        under = iter(told.get("under", ()))
        for mark in marks_of(item):
            covered = [float(each) for each in islice(under, len(mark.points_px))]
            if covered:
                found.append(Point(item.frame, mark.positive, sum(covered) / len(covered)))
        if "box" in told:
            found.append(BoxFit(item.frame, float(told["box"]["iou"]), float(told["box"]["beside"])))
    return tuple(found)


def _measured(collected: Collected) -> dict[str, dict[str, Any]]:
    """What the server's package measures; a process of its own, as the client has no imaging."""
    record = collected.record
    reading = record.shot.reading
    said = {
        name: [item for item in prompts_of(record.shot.document, name) if item.frame in record.mattes.frames]
        for name in collected.objects
    }
    asked = {
        "clip": record.plate.path or record.shot.clip,
        "reading": {
            "colour": reading.colour_space,
            "first_frame": reading.first_frame,
            "frame_rate": reading.frame_rate,
            "layer": reading.layer,
            "view": reading.view,
            "overscan": False,
        },
        "frames": [record.mattes.frames.first, record.mattes.frames.last],
        "mattes": {name: _files(collected, name) for name in collected.objects},
        "points": {
            name: {
                str(item.frame): [list(point) for mark in marks_of(item) for point in mark.points_px]
                for item in items
            }
            for name, items in said.items()
        },
        "boxes": {
            name: {str(item.frame): list(box) for item in items if (box := box_of(item)) is not None}
            for name, items in said.items()
        },
        "prompted": {name: [item.frame for item in items] for name, items in said.items()},
    }
    try:
        done = subprocess.run(
            server_program("farm"),
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=_MEASURE_S,
        )
    except subprocess.TimeoutExpired:
        raise BadInputError(
            f"the pictures of {counted(len(record.mattes.frames))} could not be looked at within an hour: "
            "see to the share, then run masklet farm retry"
        ) from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BadInputError(f"the pictures cannot be looked at: {reason}")
    content: dict[str, dict[str, Any]] = json.loads(done.stdout)["objects"]
    return content


def _files(collected: Collected, name: str) -> dict[str, tuple[str, str]]:
    """Where the matte of an object lies, by frame: file and channel."""
    layer = collected.layer_of[name]
    for part in collected.pictures:
        if part.role is Role.MATTES and layer in part.layers:
            channel = {"exr": f"{layer}.A", "exr-per-object": "A"}.get(part.kind, "Y")
            return _by_frame(part, channel)
    return {}


def _by_frame(part: Part, channel: str) -> dict[str, tuple[str, str]]:
    return {str(frame): (str(path), channel) for frame, path in part.paths.items() if frame is not None}
