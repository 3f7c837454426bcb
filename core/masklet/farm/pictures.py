"""What is seen in pictures: the server's package measures, and findings become checks like publishing's."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError, ServerUnreachableError
from masklet.farm.quality import Measure, Point, clicks_of, findings
from masklet.frame_runs import counted
from masklet.publish.collected import Role
from masklet.publish.problems import Check
from masklet.transport.server_program import server_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from masklet.publish.collected import Collected, Part
    from masklet.publish.problems import Problem

QUALITY = {
    "prompts": "Mattes match the prompts",
    "absent": "The object is there",
    "area": "No sudden change of size",
    "jump": "No sudden change of place",
    "flicker": "No flicker beyond the plate's motion",
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
        clicks = clicks_of(document, name)
        own = measured.get(name, {})
        points = tuple(
            Point(frame, positive, coverage)
            for frame, said in clicks.items()
            if str(frame) in own
            for (_, _, positive), coverage in zip(said, own[str(frame)].get("under", ()))  # noqa: B905 (3.9)
        )
        ids = {info.object_id for info in document.objects if info.name == name}
        prompted = frozenset(item.frame for item in document.prompts if item.object_id in ids)
        measures = {int(frame): _measure(told) for frame, told in own.items() if "area" in told}
        found += findings(name, measures, points, prompted)

    def of(name: str, collected: Collected) -> Iterator[Problem]:
        del collected
        return (problem for problem in found if problem.check == name)

    return tuple(Check(name, label, partial(of, name)) for name, label in QUALITY.items())


def _measure(told: Mapping[str, Any]) -> Measure:
    return Measure(
        float(told["area"]),
        (float(told["x"]), float(told["y"])) if "x" in told else None,
        (float(told["moved_x"]), float(told["moved_y"])) if "moved_x" in told else None,
        None if told["flicker"] is None else float(told["flicker"]),
    )


def _measured(collected: Collected) -> dict[str, dict[str, Any]]:
    """What the server's package measures; a process of its own, as the client has no imaging."""
    record = collected.record
    reading = record.shot.reading
    document = record.shot.document
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
                str(frame): [[x_px, y_px] for x_px, y_px, _ in said]
                for frame, said in clicks_of(document, name).items()
                if frame in record.mattes.frames
            }
            for name in collected.objects
        },
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
        raise ServerUnreachableError(
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
