"""The tasks that look at what was made, and publish what is good."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError, MaskletError, ServerUnreachableError
from masklet.farm.places import result_key
from masklet.farm.quality import Measure, Point, clicks_of, findings
from masklet.farm.results import ShotResult, keep_result, read_result
from masklet.farm.task import check_plate
from masklet.frame_runs import counted
from masklet.publish.checks import CHECKS
from masklet.publish.collected import Role, collect
from masklet.publish.integrating import TemplateIntegrator
from masklet.publish.manifest import read_manifest
from masklet.publish.problems import Check, Repair, accept
from masklet.publish.publishing import publish
from masklet.publish.shot_record import read_object
from masklet.transport.server_program import server_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from masklet.farm.task import FarmTask, Teller
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
CHECK_NAMES = (*(check.name for check in CHECKS), *QUALITY)
"""All that may be accepted."""
_MEASURE_S = 3600.0


def check_acceptable(words: Iterable[str]) -> None:
    """See that there are checks of these names.

    Raises:
        BadInputError: There is none of one.
    """
    for word in words:
        if word not in CHECK_NAMES:
            raise BadInputError(f"there is no check {word!r}: accept one of {', '.join(CHECK_NAMES)}")


class QualityError(MaskletError):
    """A shot is not good enough; the findings say why."""

    kind = "quality"


def check_shot(task: FarmTask, teller: Teller) -> ShotResult:
    """Check the mattes of a shot, and keep what was found.

    Raises:
        QualityError: Something is wrong that nobody accepted. The result is kept.
        MaskletError: There are no mattes, or they cannot be read.
    """
    teller.progress(0, 2, "looking at files")
    check_plate(task)
    collected = collect(made_mattes(task), task.shot.name)
    teller.progress(1, 2, "looking at pictures")
    checks = (*CHECKS, *quality_checks(collected))
    accepted = {*task.job.request.accepted, *accepted_later(task)}
    for check in checks:
        right = [one for one in check.problems(collected) if one.repair is Repair.ACCEPT]
        # Its pictures are those of the submission: whatever clocks say, nothing is newer.
        if right and (check.name in accepted or (check.name == "nothing-newer" and collected.plate_files)):
            collected = accept(collected, right)
    problems = [problem for check in checks for problem in check.problems(collected)]
    result = _result(task, collected, problems)
    keep_result(task.places, result)
    teller.progress(2, 2)
    if problems:
        raise QualityError(result.words)
    return result


def publish_shot(task: FarmTask, teller: Teller) -> ShotResult:
    """Make a version of a shot that was checked; the same mattes never become two.

    Raises:
        MaskletError: It was not checked, or cannot be published.
    """
    result = read_result(task.places, task.shot.name)
    mattes = made_mattes(task)
    collected = collect(mattes, task.shot.name)
    request = task.job.request
    if request.template:
        integrator = TemplateIntegrator(request.template, dict(request.values))
    else:
        # Beside the prompts of the artist, and not beside the folders of the job.
        home = Path(task.shot.home).parent.as_posix().replace("{", "{{").replace("}", "}}")
        integrator = TemplateIntegrator(f"{home}/published/{{name}}/v{{version:03d}}", {})
    if result is None or not result.passed or result.key != mattes.name.rpartition(".")[2]:
        raise BadInputError(f"{task.shot.name} was not checked, or did not pass: run masklet farm retry")
    there = _published(collected, integrator)
    if there is None:
        published, told = publish(
            collected,
            integrator,
            comment=request.comment,
            on_progress=lambda done, total: teller.progress(done, total, "publishing"),
        )
        there = published.folder
        teller.say(told)
    result = replace(result, version=str(there), words=f"published as {there.name}")
    keep_result(task.places, result)
    return result


def made_mattes(task: FarmTask) -> Path:
    """The folder of the shot's mattes.

    Raises:
        BadInputError: There is none.
    """
    told = task.places.weights
    if told.is_file():
        sha256 = str(read_object(told, "the job's weights").get("sha256"))
        folder = task.places.mattes(task.shot, result_key(task.job, task.shot, sha256))
        if folder.is_dir():
            return folder
    raise BadInputError(f"there are no mattes of {task.shot.name}: run masklet farm retry")


def accepted_later(task: FarmTask) -> tuple[str, ...]:
    """What somebody accepted after having seen the report."""
    path = task.places.accepted(task.shot.name)
    if not path.is_file():
        return ()
    return tuple(map(str, read_object(path, "what was accepted").get("checks", ())))


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


def _result(task: FarmTask, collected: Collected, problems: list[Problem]) -> ShotResult:
    sheets = [
        part.paths[None].name for part in collected.parts if part.kind == "sheet" and part.paths.get(None)
    ]
    worst = "; ".join(dict.fromkeys(problem.words for problem in problems))
    return ShotResult(
        task.shot.name,
        collected.folder.name.rpartition(".")[2],
        not problems,
        worst or "checked: nothing is wrong",
        tuple((problem.check, problem.words) for problem in problems),
        collected.folder.relative_to(task.places.out.resolve()).as_posix(),
        sheets[0] if sheets else "",
    )


def _published(collected: Collected, integrator: TemplateIntegrator) -> Path | None:
    """The version that has these mattes already, where an attempt before this one made it."""
    versions = integrator.next_place(collected).folder.parent
    wanted = collected.record.run
    for folder in sorted(versions.glob("v*"), reverse=True) if versions.is_dir() else ():
        try:
            record = read_manifest(folder).record
        except MaskletError:
            continue
        if (record.run, record.mattes, record.exports) == (
            wanted,
            collected.record.mattes,
            collected.record.exports,
        ):
            return folder
    return None
