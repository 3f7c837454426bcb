"""Checks of files: are they of these prompts, whole, as they were written, and younger than the plate?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.frame_runs import runs_of, shown
from masklet.prompts import read_shot
from masklet.prompts_digest import prompts_sha256
from masklet.publish.problems import Problem, Repair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from masklet.publish.collected import Collected, Part


def prompts_match(collected: Collected) -> Iterator[Problem]:
    """Every file was made of the prompts, weights and settings that the record holds."""
    run = collected.record.run
    if prompts_sha256(collected.record.shot.document) != run.prompts_sha256:
        yield Problem(
            "prompts-match",
            "the prompts in the record of the run are not those that the mattes were made of: somebody "
            "changed the record; make the mattes again",
            repair=Repair.REBUILD,
        )
    for part in collected.pictures:
        wanted = {
            "masklet/promptsSha256": run.prompts_sha256,
            "masklet/weightsSha256": run.weights_sha256,
            "masklet/settings": run.settings,
        }
        for word, what in (
            ("masklet/promptsSha256", "other prompts"),
            ("masklet/weightsSha256", "other weights"),
            ("masklet/settings", "other settings"),
        ):
            found = [frame for frame, one in part.headers.items() if one.words.get(word, "") != wanted[word]]
            if found:
                yield Problem(
                    "prompts-match",
                    f"{part.files} on {shown(runs_of(found))} was made of {what} than the record has: "
                    "make the mattes again",
                    frames=runs_of(found),
                    repair=Repair.REBUILD,
                )
    for part in collected.parts:
        if not part.is_pictures and any(
            one.mark.prompts_sha256 != run.prompts_sha256 for one in part.past.runs
        ):
            yield Problem(
                "prompts-match",
                f"{part.files} was made of other prompts than the mattes: export it again",
                repair=Repair.REBUILD,
            )
    yield from _current_prompts(collected)


def nothing_newer(collected: Collected) -> Iterator[Problem]:
    """No picture of the plate was written after its matte."""
    plate = collected.plate_files
    if not plate:
        yield Problem(
            "nothing-newer",
            f"the plate {collected.record.plate.name} is not where it was when the mattes were made, so that "
            "nobody can tell whether it has changed: put it back, or accept that",
            repair=Repair.ACCEPT,
        )
        return
    times = {frame: _written_ns(path) for frame, path in plate.items()}
    for part in collected.pictures:
        newer = [
            frame
            for frame, path in part.paths.items()
            if frame is not None and times.get(frame, times.get(None, 0)) > _written_ns(path)
        ]
        if newer:
            runs = runs_of(newer)
            yield Problem(
                "nothing-newer",
                f"the plate was written again after {part.files} on {shown(runs)}: make the mattes again, or "
                "accept that its pictures are the same",
                frames=runs,
                repair=Repair.ACCEPT,
            )


def files_as_written(collected: Collected) -> Iterator[Problem]:
    """No file is cut off, changed by hand, gone, or of a run that broke off."""
    for part in collected.parts:
        if not part.paths:
            if not part.is_pictures:
                yield Problem(
                    "files-as-written",
                    f"{part.files} is gone: export it again, or copy it back",
                    repair=Repair.REBUILD,
                )
            continue
        if any(not one.complete for one in part.past.runs):
            yield Problem(
                "files-as-written",
                f"the run that wrote {part.files} broke off: let it run to its end",
                repair=Repair.REBUILD,
            )
        yield from _damaged(part)
        yield from _changed(part)


def _damaged(part: Part) -> Iterator[Problem]:
    cut = [frame for frame, header in part.headers.items() if not header.is_whole]
    for frames, what in ((cut, "is cut off"), (list(part.unreadable), "cannot be read")):
        if frames:
            runs = runs_of(frames)
            yield Problem(
                "files-as-written",
                f"{part.files} {what} on {shown(runs)}: make the mattes again, or copy these files again",
                frames=runs,
                repair=Repair.REBUILD,
            )


def _changed(part: Part) -> Iterator[Problem]:
    path = part.paths.get(None)
    if path is None or not part.past.sha256:
        return
    if hashlib.sha256(path.read_bytes()).hexdigest() != part.past.sha256:
        yield Problem(
            "files-as-written",
            f"{part.files} was changed by hand: move your version away under another name and export again",
        )


def _current_prompts(collected: Collected) -> Iterator[Problem]:
    if collected.current_prompts is None:
        return
    try:
        now = prompts_sha256(read_shot(collected.current_prompts).document)
    except MaskletError as error:
        yield Problem("prompts-match", str(error))
        return
    if now != collected.record.run.prompts_sha256:
        yield Problem(
            "prompts-match",
            f"{collected.current_prompts.name} has changed since the mattes were made: run masklet roto with "
            "it again, then publish",
        )


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
