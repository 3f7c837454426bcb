"""A job: the shots of a night, what is asked of them, and how the work is cut. It lies in the bundle.

``job.json`` and the documents in ``shots`` are all that tasks read. Tasks of an engine carry no more than the
name of a shot and the number of a piece.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.farm.pieces import Piece, Way
from masklet.farm.request import FarmRequest, request_from_json, request_to_json
from masklet.prompts import from_json
from masklet.publish.shot_record import read_json, write_whole
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from masklet.prompts import Shot

JOB_FILE = "job.json"
VERSION = 1
_KEY = "masklet_farm_job"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True)
class FarmShot:
    """One shot of a job.

    Attributes:
        name: Of its steps, folders and files; no two shots share one.
        document: The copy of the prompt document, below the bundle.
        document_sha256: Of that file.
        clip: Where the plate lies.
        home: The artist's own prompt document, beside which the way to the results is noted.
        frames: To make.
        plate: Prints of the plate's files by frame; see :mod:`masklet.farm.plate_prints`.
        pieces: The tasks that track it.
        doubts: Why what was proposed for an object may be something else, by its name.
    """

    name: str
    document: str
    document_sha256: str
    clip: str
    home: str
    frames: FrameRange
    plate: Mapping[int, str]
    pieces: tuple[Piece, ...]
    doubts: Mapping[str, str] = field(default_factory=dict)

    def piece(self, number: int) -> Piece:
        """The piece of a number.

        Raises:
            BadInputError: The shot has none.
        """
        for piece in self.pieces:
            if piece.number == number:
                return piece
        raise BadInputError(f"the shot {self.name} has no piece {number}: the template was changed by hand")


@dataclass(frozen=True)
class FarmJob:
    """Shots and what is made of them.

    Attributes:
        name: For people.
        request: What is made.
        shots: In the order of submission.
        submitted_by: The user.
        submitted_at: Date and time in UTC, ISO 8601; for people alone.
    """

    name: str
    request: FarmRequest
    shots: tuple[FarmShot, ...]
    submitted_by: str = ""
    submitted_at: str = ""

    def shot(self, name: str) -> FarmShot:
        """The shot of a name.

        Raises:
            BadInputError: The job has none.
        """
        for shot in self.shots:
            if shot.name == name:
                return shot
        raise BadInputError(
            f"the job has no shot {name!r}, but {', '.join(shot.name for shot in self.shots)}"
        )


def is_job_name(name: str) -> bool:
    """True for what every engine and every disk takes as a name."""
    return _NAME.fullmatch(name) is not None


def job_to_json(job: FarmJob) -> dict[str, Any]:
    """The job as JSON can hold it."""
    return {
        _KEY: VERSION,
        "name": job.name,
        "submitted_by": job.submitted_by,
        "submitted_at": job.submitted_at,
        "request": request_to_json(job.request),
        "shots": [
            {
                "name": shot.name,
                "document": shot.document,
                "document_sha256": shot.document_sha256,
                "clip": shot.clip,
                "home": shot.home,
                "frames": [shot.frames.first, shot.frames.last],
                "plate": {str(frame): print_ for frame, print_ in shot.plate.items()},
                "pieces": [
                    {
                        "number": piece.number,
                        "objects": list(piece.objects),
                        "ways": [[way.frames.first, way.frames.last, way.backward] for way in piece.ways],
                    }
                    for piece in shot.pieces
                ],
                "doubts": dict(shot.doubts),
            }
            for shot in job.shots
        ],
    }


def job_from_json(content: Any) -> FarmJob:
    """The job in parsed JSON.

    Raises:
        BadInputError: It is none, of a later version, or damaged.
    """
    if not isinstance(content, dict) or not isinstance(content.get(_KEY), int):
        raise BadInputError(f"this is no {JOB_FILE} of a job: make one with masklet farm submit")
    if content[_KEY] > VERSION:
        raise BadInputError(
            f"the job has version {content[_KEY]} and this masklet knows {VERSION}: update it"
        )
    try:
        shots = tuple(_shot_from_json(shot) for shot in content["shots"])
        names = [shot.name for shot in shots]
        job = FarmJob(
            str(content["name"]),
            request_from_json(content["request"]),
            shots,
            str(content["submitted_by"]),
            str(content["submitted_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInputError(
            f"{JOB_FILE} cannot be understood ({error}), it was changed by hand or cut off: submit the shots "
            "again"
        ) from error
    if len(set(names)) < len(names) or not all(map(is_job_name, names)):
        raise BadInputError(f"{JOB_FILE} has names of shots that no job has: submit the shots again")
    return job


def write_job(bundle: Path, job: FarmJob) -> None:
    """Write it into a bundle, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_whole(
        bundle / JOB_FILE, (json.dumps(job_to_json(job), indent=1, ensure_ascii=False) + "\n").encode()
    )


def read_job(bundle: Path) -> FarmJob:
    """The job of a bundle.

    Raises:
        BadInputError: There is none, or it cannot be understood.
    """
    if not (bundle / JOB_FILE).is_file():
        raise BadInputError(f"{bundle} holds no {JOB_FILE}: name the folder that masklet farm submit made")
    return job_from_json(read_json(bundle / JOB_FILE, "the job"))


def read_document(bundle: Path, shot: FarmShot) -> Shot:
    """The prompt document of a shot, as it was submitted.

    Raises:
        BadInputError: It is gone, or was changed since.
    """
    try:
        data = (bundle / shot.document).read_bytes()
    except OSError as error:
        raise BadInputError(
            f"the prompts of {shot.name} are gone from the job ({error.strerror}): submit the shot again"
        ) from error
    if hashlib.sha256(data).hexdigest() != shot.document_sha256:
        raise BadInputError(
            f"the prompts of {shot.name} in the job were changed by hand: submit the shot again, from its "
            "own document"
        )
    return from_json(data.decode("utf-8"))


def _shot_from_json(content: Any) -> FarmShot:
    document = str(content["document"])
    if Path(document).is_absolute() or ".." in Path(document).parts:
        raise ValueError("a document outside of the job")
    first, last = content["frames"]
    return FarmShot(
        str(content["name"]),
        document,
        str(content["document_sha256"]),
        str(content["clip"]),
        str(content["home"]),
        FrameRange(int(first), int(last)),
        {int(frame): str(print_) for frame, print_ in content["plate"].items()},
        tuple(
            Piece(
                int(piece["number"]),
                tuple(map(str, piece["objects"])),
                tuple(
                    Way(FrameRange(int(low), int(high)), bool(backward))
                    for low, high, backward in piece["ways"]
                ),
            )
            for piece in content["pieces"]
        ),
        {str(name): str(words) for name, words in content.get("doubts", {}).items()},
    )
