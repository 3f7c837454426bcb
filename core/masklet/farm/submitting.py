"""From prompt documents to a job: everything that can be wrong is said now, and not at night."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_files import find_clip
from masklet.errors import BadInputError, MaskletError, NotPromptedError, OutputError
from masklet.farm.job import FarmJob, FarmShot, is_job_name, write_job
from masklet.farm.notes import note_submission
from masklet.farm.pieces import cut_into_pieces
from masklet.farm.plate_prints import plate_prints
from masklet.farm.template import job_template
from masklet.frame_runs import part_in, runs_of, shown
from masklet.names import checked_stem
from masklet.prompts import read_shot
from masklet.publish.integrating import check_template
from masklet.publish.shot_record import write_whole
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from masklet.clip_files import ClipFiles
    from masklet.farm.request import FarmRequest
    from masklet.prompts import Shot

TEMPLATE_FILE = "template.json"
PARAMETERS_FILE = "parameter_values.json"
ASSETS_FILE = "asset_references.json"
MOST_CHARACTERS = 1_000_000
"""Of a template that AWS Deadline Cloud takes, as its interface of December 2026 says. Some 600 shots."""
_SUFFIXES = (".masklet.json", ".prompts.json", ".json")
_NAME_CHARACTERS = 32


@dataclass(frozen=True)
class Submitted:
    """A job that was made.

    Attributes:
        bundle: Its folder, as OpenJD's tools take it.
        job: What is in it.
        notes: What was assumed, or is worth a look, a sentence each.
    """

    bundle: Path
    job: FarmJob
    notes: tuple[str, ...]


def submit(
    documents: Sequence[Path],
    request: FarmRequest,
    bundle: Path,
    *,
    clips: Mapping[Path, str] | None = None,
    doubts: Mapping[Path, Mapping[str, str]] | None = None,
    name: str | None = None,
) -> Submitted:
    """Make a job of prompt documents, and note beside each where its results will be.

    Args:
        documents: One for each shot.
        request: What is made of all of them.
        bundle: A folder that does not exist yet, on a disk that all workers share.
        clips: Plates of documents whose own word does not find them.
        doubts: Why what was proposed for objects of a document may be something else, by their names: the
            check asks somebody to look.
        name: Of the job, for people; else the folder's.

    Raises:
        BadInputError: A document cannot be used; the message names it, and nothing was made.
        OutputError: The folder is there already, or cannot be made.
    """
    if not documents:
        raise BadInputError("there are no shots to submit: name their prompt documents")
    if any(braces in f"{request.weights} {request.device}" for braces in ("{{", "}}")):
        raise BadInputError(
            "engines read {{ and }} as an expression: call the weights by a name without them"
        )
    bundle = _whole(bundle)
    if bundle.exists():
        raise OutputError(f"{bundle} is there already: name another folder with --job")
    request, notes = _with_whole_paths(request)
    taken: set[str] = set()
    found: list[tuple[FarmShot, bytes]] = []
    for document in documents:
        if _whole(document) in {Path(shot.home) for shot, _ in found}:
            raise BadInputError(f"{document.name} is named twice: name each document once")
        try:
            shot, data, told = _shot(_whole(document), request, (clips or {}).get(document), taken)
        except MaskletError as error:
            raise BadInputError(f"{document.name}: {error}") from error
        shot = replace(shot, doubts=dict((doubts or {}).get(document, {})))
        taken.add(shot.name.lower())
        found.append((shot, data))
        notes += [f"{shot.name}: {sentence}" for sentence in (*told, *shot.doubts.values())]
    job = FarmJob(
        name or bundle.name,
        request,
        tuple(shot for shot, _ in found),
        _user(),
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    try:
        (bundle / "shots").mkdir(parents=True)
        (bundle / "out").mkdir()
    except OSError as error:
        raise OutputError(f"{bundle} cannot be made ({error.strerror}): choose another with --job") from error
    try:
        for shot, data in found:
            write_whole(bundle / shot.document, data)
        for file, content in _openjd_files(bundle, job).items():
            text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
            if file == TEMPLATE_FILE and len(text) > MOST_CHARACTERS:
                notes.append(
                    f"AWS Deadline Cloud takes templates of {MOST_CHARACTERS} characters and this one has "
                    f"{len(text)}: for it submit the shots in several jobs"
                )
            write_whole(bundle / file, f"{text}\n".encode())
        write_job(bundle, job)
    except OutputError:
        # Half a job would be in the way of the next try.
        shutil.rmtree(bundle, ignore_errors=True)
        raise
    for shot in job.shots:
        note_submission(Path(shot.home), bundle, shot.name)
    return Submitted(bundle, job, tuple(notes))


def _openjd_files(bundle: Path, job: FarmJob) -> dict[str, object]:
    """What makes the folder a job bundle, as Deadline Cloud calls it."""
    plates = sorted({str(Path(shot.clip).parent) for shot in job.shots})
    weights = job.request.weights
    files = [weights] if weights is not None and Path(weights).is_absolute() else []
    return {
        TEMPLATE_FILE: job_template(job),
        PARAMETERS_FILE: {
            "parameterValues": [
                {"name": "Job", "value": str(bundle)},
                {"name": "Out", "value": str(bundle / "out")},
                {"name": "Masklet", "value": "masklet"},
            ]
        },
        ASSETS_FILE: {
            "assetReferences": {
                "inputs": {"filenames": files, "directories": [str(bundle / "shots"), *plates]},
                "outputs": {"directories": [str(bundle / "out")]},
                "referencedPaths": [],
            }
        },
    }


def _whole(path: Path) -> Path:
    """A path that means the same wherever a worker runs; links stay, as they may be the share's own."""
    return Path(os.path.abspath(path))


def _with_whole_paths(request: FarmRequest) -> tuple[FarmRequest, list[str]]:
    """The same with places that other machines find: workers run elsewhere than here. And a word of it.

    Raises:
        BadInputError: The template for versions cannot be used.
    """
    notes = []
    if request.template:
        template = Path(request.template).expanduser().as_posix()
        check_template(template, dict(request.values))
        if not Path(template).is_absolute() and not template.startswith(("{folder}", "{parent}")):
            here = Path.cwd().as_posix().replace("{", "{{").replace("}", "}}")
            template = f"{here}/{template}"
        request = replace(request, template=template)
    if request.weights is not None and (file := Path(request.weights).expanduser()).is_file():
        request = replace(request, weights=str(file.absolute()))
        notes.append(f"all workers have to see the weights {request.weights}")
    return request, notes


def _shot(
    document: Path, request: FarmRequest, clip: str | None, taken: set[str]
) -> tuple[FarmShot, bytes, tuple[str, ...]]:
    shot = read_shot(document)
    if not shot.document.prompts:
        raise NotPromptedError("nothing says what to cut out: click an object first")
    plate = plate_path(document, clip or shot.clip)
    files = find_clip(plate, first_frame=shot.reading.first_frame)
    frames, notes = _frames(shot, files, request)
    notes += _written_later(document, files)
    notes += shot.notes
    data = document.read_bytes()
    name = _name(document, taken)
    steps = max(1.0, request.chunk_s / request.frame_s) * 4
    pieces = cut_into_pieces(
        shot.document,
        frames,
        shot.direction,
        objects_per_task=request.objects_per_task,
        steps_per_task=steps,
    )
    if not pieces:
        raise NotPromptedError(f"no prompt leads to {frames.worded}: give another --range")
    return (
        FarmShot(
            name,
            f"shots/{name}.masklet.json",
            hashlib.sha256(data).hexdigest(),
            str(plate),
            str(document),
            frames,
            _inside(plate_prints(files), shot, frames),
            pieces,
        ),
        data,
        tuple(notes),
    )


def plate_path(document: Path, clip: str) -> Path:
    """The plate as an absolute path: relative ones are looked for beside the document, then from here."""
    path = Path(clip).expanduser()
    if path.is_absolute():
        return path
    beside = document.parent / path
    try:
        find_clip(beside)
    except MaskletError:
        return path.absolute()
    return Path(os.path.abspath(beside))


def _frames(shot: Shot, files: ClipFiles, request: FarmRequest) -> tuple[FrameRange, list[str]]:
    """What is made of the shot, and what is worth saying of it."""
    wanted = request.frames or shot.frames
    if files.movie is not None:
        if wanted is None:
            if shot.plate is None:
                raise BadInputError("nothing says how long the movie is: give --range")
            wanted = shot.plate.frames
        return wanted, []
    there = FrameRange(min(files.pictures), max(files.pictures))
    if wanted is None:
        wanted = there
    notes = []
    if shot.plate is not None and shot.plate.frames != there:
        notes.append(
            f"the prompts were made on a plate of {shot.plate.frames.shown}, and there are {there.shown} now"
        )
    inside = part_in(wanted, there)
    if inside != wanted:
        raise BadInputError(
            f"the plate has {there.worded} and not {wanted.shown}: give another --range, or put the rest "
            "there"
        )
    missing = [frame for frame in range(wanted.first, wanted.last + 1) if frame not in files.pictures]
    if missing:
        notes.append(f"the plate has no picture on {shown(runs_of(missing))}: there will be no matte there")
    lost = sorted({item.frame for item in shot.document.prompts if item.frame not in files.pictures})
    if lost:
        raise BadInputError(
            f"the plate has no picture on {shown(runs_of(lost))}, where prompts are: put them back, or "
            "prompt another frame"
        )
    return wanted, notes


def _written_later(document: Path, files: ClipFiles) -> list[str]:
    """Pictures that call themselves younger than the prompts. A word, no more: clocks differ."""
    said_ns = document.stat().st_mtime_ns
    later = [frame for frame, path in files.pictures.items() if path.stat().st_mtime_ns > said_ns]
    if not later:
        return []
    return [f"the plate was written after the prompts on {shown(runs_of(later))}: see that they still fit"]


def _inside(prints: dict[int, str], shot: Shot, frames: FrameRange) -> dict[int, str]:
    """Of the frames that the shot has to do with; a movie is one file."""
    said = [item.frame for item in shot.document.prompts]
    used = FrameRange(min(frames.first, *said), max(frames.last, *said))
    kept = {frame: each for frame, each in prints.items() if frame in used}
    return kept or prints


def _name(document: Path, taken: set[str]) -> str:
    stem = document.name
    for suffix in _SUFFIXES:
        if stem.endswith(suffix) and stem != suffix:
            stem = stem[: -len(suffix)]
            break
    plain = re.sub(r"[^A-Za-z0-9_]", "_", checked_stem(stem))[:_NAME_CHARACTERS]
    name, count = plain, 1
    # Some disks and engines do not tell capitals from small letters.
    while name.lower() in taken:
        count += 1
        name = f"{plain}_{count}"
    if not is_job_name(name):
        raise BadInputError(f"{document.name} makes no name for a shot: rename it")
    return name


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
