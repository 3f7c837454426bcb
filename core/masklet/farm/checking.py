"""The task that looks at what was made, and says whether it is good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.farm.model_mark import read_mark
from masklet.farm.pictures import QUALITY, quality_checks
from masklet.farm.places import result_key
from masklet.farm.results import ShotResult, keep_result, read_result
from masklet.farm.said_checks import SAID, said_checks
from masklet.farm.task import check_plate
from masklet.publish.checks import CHECKS
from masklet.publish.collected import collect
from masklet.publish.problems import Repair, accept
from masklet.publish.shot_record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from masklet.farm.task import FarmTask, Teller
    from masklet.publish.collected import Collected
    from masklet.publish.problems import Problem

CHECK_NAMES = (*(check.name for check in CHECKS), *SAID, *QUALITY)
"""All that may be accepted."""


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
    checks = (*CHECKS, *said_checks(task.shot.doubts), *quality_checks(collected))
    accepted = {*task.job.request.accepted, *accepted_later(task)}
    for check in checks:
        right = [one for one in check.problems(collected) if one.repair is Repair.ACCEPT]
        # Its pictures are those of the submission: whatever clocks say, nothing is newer.
        if right and (check.name in accepted or (check.name == "nothing-newer" and collected.plate_files)):
            collected = accept(collected, right)
    problems = [problem for check in checks for problem in check.problems(collected)]
    result = _result(task, collected, problems)
    before = read_result(task.places, task.shot.name)
    if not problems and before is not None and before.passed and before.key == result.key:
        # Another worker was quicker, and may have published by now: what it says of a version stays.
        result = replace(result, version=before.version, words=before.words)
    keep_result(task.places, result)
    teller.progress(2, 2)
    if problems:
        raise QualityError(result.words)
    return result


def made_mattes(task: FarmTask) -> Path:
    """The folder of the shot's mattes.

    Raises:
        BadInputError: There is none.
    """
    mark = read_mark(task.places.weights)
    if mark is not None:
        folder = task.places.mattes(task.shot, result_key(task.job, task.shot, mark))
        if folder.is_dir():
            return folder
    raise BadInputError(f"there are no mattes of {task.shot.name}: run masklet farm retry")


def accepted_later(task: FarmTask) -> tuple[str, ...]:
    """What somebody accepted after having seen the report."""
    path = task.places.accepted(task.shot.name)
    if not path.is_file():
        return ()
    return tuple(map(str, read_object(path, "what was accepted").get("checks", ())))


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
