"""The way home: beside a prompt document, a note says which job makes its mattes.

``NAME.farm.json`` lies beside ``NAME``. A host or the panel that opens the document finds the results by it,
and notes that it has shown them. Whatever is wrong with a note, the document opens.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.farm.job import read_document, read_job
from masklet.farm.places import JobPlaces
from masklet.farm.task_states import TaskPhase, read_state
from masklet.farm.template import stages
from masklet.prompts import read_shot
from masklet.prompts_digest import prompts_sha256
from masklet.publish.shot_record import read_json, read_object, write_whole

if TYPE_CHECKING:
    from typing import Any

    from masklet.farm.job import FarmJob, FarmShot
    from masklet.types import PromptDocument

SUFFIX = ".farm.json"
_KEY = "masklet_farm_note"


@dataclass(frozen=True)
class Homecoming:
    """What the farm made of a document.

    Attributes:
        shot: Its name in the job.
        bundle: The job.
        passed: The check found nothing wrong.
        words: What became of it, a sentence.
        mattes: The folder with the mattes; None where there are none.
        version: The folder of the version; None where none was published.
        was_checked: The check has looked at it; else something failed, and the words say what.
        is_news: Nobody was told yet.
        is_outdated: The document says something else by now than what was submitted.
    """

    shot: str
    bundle: Path
    passed: bool
    words: str
    mattes: Path | None
    version: Path | None
    was_checked: bool
    is_news: bool
    is_outdated: bool = False


def note_path(document: Path) -> Path:
    """The note beside a document."""
    return document.with_name(f"{document.name}{SUFFIX}")


def note_submission(document: Path, bundle: Path, shot: str) -> None:
    """Say beside a document that a job makes its mattes. A folder that is closed to us gets no note."""
    content = {_KEY: 1, "job": str(bundle), "shot": shot, "told": ""}
    with suppress(MaskletError):
        write_whole(note_path(document), (json.dumps(content, indent=1) + "\n").encode())


def look_home(document: Path) -> Homecoming | None:
    """What the farm has made of a document; None where no job was submitted, or it is not done yet.

    It never raises: a document opens whatever lies beside it.
    """
    note = _read(note_path(document))
    if note is None:
        return None
    bundle, name = Path(str(note.get("job", ""))), str(note.get("shot", ""))
    try:
        job, places = read_job(bundle), JobPlaces(bundle / "out")
        result = _outcome(job, name, places)
        told = Path(str(result.get("mattes") or ".."))
        # A result that was changed by hand must not bring home what the job has not made.
        folder = None if told.is_absolute() or ".." in told.parts else places.out / told
        version = Path(str(result["version"])) if result.get("version") else None
        words = str(result["words"])
        return Homecoming(
            name,
            bundle,
            bool(result["passed"]),
            words,
            folder if folder is not None and folder.is_dir() else None,
            version if version is not None and version.is_dir() else None,
            bool(result.get("was_checked", True)),
            note.get("told") != _mark(result),
            _says_else(document, bundle, job.shot(name)),
        )
    except (MaskletError, KeyError, TypeError, ValueError, AttributeError):
        return None


def note_told(document: Path, coming: Homecoming) -> None:
    """Somebody was told of it."""
    note = _read(note_path(document))
    if note is None:
        return
    with suppress(MaskletError, KeyError, OSError):
        result = _outcome(read_job(coming.bundle), coming.shot, JobPlaces(coming.bundle / "out"))
        content = {**note, "told": _mark(result)}
        write_whole(note_path(document), (json.dumps(content, indent=1) + "\n").encode())


def _says_else(document: Path, bundle: Path, shot: FarmShot) -> bool:
    """True where an artist went on prompting after the submission."""
    # Neither can be read where somebody is writing or has tidied up: what came of it is news all the same.
    with suppress(MaskletError):
        now, then = (_said(each.document) for each in (read_shot(document), read_document(bundle, shot)))
        return now != then
    return False


def _said(document: PromptDocument) -> str:
    """What was said, without what a server answered to it."""
    plain = tuple(replace(item, base=None) for item in document.prompts)
    return prompts_sha256(replace(document, prompts=plain, masks=()))


def _outcome(job: FarmJob, name: str, places: JobPlaces) -> dict[str, Any]:
    """What became of a shot: its result, or the words of a task before or after its check that failed.

    Raises:
        BadInputError: Nothing yet.
    """
    shot = job.shot(name)
    for stage in stages(job):
        for number in [piece.number for piece in shot.pieces] if stage == "track" else [0]:
            state = read_state(places.states, name, stage, number)
            if state.phase is TaskPhase.FAILED and stage != "check":
                return {"key": state.words, "passed": False, "words": state.words, "was_checked": False}
    return read_object(places.result(name), "the result")


def _mark(result: dict[str, Any]) -> str:
    return f"{result.get('key', '')}:{result.get('version', '')}:{result.get('passed', '')}"


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = read_json(path, "the note of the farm")
    except BadInputError:
        return None
    return content if isinstance(content, dict) and content.get(_KEY) == 1 else None
