"""What became of a shot: one small file each, for the report and for the way home."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.farm.share import keep_file
from masklet.publish.shot_record import read_json

if TYPE_CHECKING:
    from masklet.farm.places import JobPlaces


@dataclass(frozen=True)
class ShotResult:
    """What became of a shot.

    Attributes:
        shot: Its name.
        key: Of its mattes.
        passed: The check found nothing, or nothing that was not accepted.
        words: That in a sentence.
        problems: Name of the check and words of each.
        mattes: Their folder, below the output folder.
        sheet: The contact sheet, in the folder of the mattes; empty for none.
        version: The folder of the version; empty for none.
    """

    shot: str
    key: str
    passed: bool
    words: str
    problems: tuple[tuple[str, str], ...] = ()
    mattes: str = ""
    sheet: str = ""
    version: str = ""


def keep_result(places: JobPlaces, result: ShotResult) -> None:
    """Write it, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    path = places.result(result.shot)
    content = {
        "shot": result.shot,
        "key": result.key,
        "passed": result.passed,
        "words": result.words,
        "problems": [{"check": check, "words": words} for check, words in result.problems],
        "mattes": result.mattes,
        "sheet": result.sheet,
        "version": result.version,
    }
    keep_file(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_result(places: JobPlaces, shot: str) -> ShotResult | None:
    """The result of a shot; None where there is none yet, or none that can be read."""
    path = places.result(shot)
    if not path.is_file():
        return None
    try:
        content = read_json(path, "the result")
        return ShotResult(
            shot,
            str(content["key"]),
            bool(content["passed"]),
            str(content["words"]),
            tuple((str(one["check"]), str(one["words"])) for one in content["problems"]),
            str(content["mattes"]),
            str(content["sheet"]),
            str(content["version"]),
        )
    except (BadInputError, KeyError, TypeError, ValueError):
        return None
