"""Jobs behind a dialog for the farm, and what is told when its results have come.

What submits and looks is imported in the thread of its job, so that hosts start without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from masklet.hosting.notices import Notice
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.farm.sheet import FarmSheet
    from masklet.hosting.work.connection import ConnectionSettings


def proposed(document: Path, settings: ConnectionSettings, tool: str = "") -> FarmSheet:
    """A sheet for a document, whose mattes are to be made as its artist has seen them.

    Args:
        document: That is submitted.
        settings: Of the host: its own server's model and quality are those of the artist. A server elsewhere
            has its own, which the dialog then asks for.
        tool: Whom shapes and anchors are written for; empty for the usual one.
    """
    from masklet.farm.sheet import sheet_for
    from masklet.settings import read_settings

    sheet = sheet_for(document, tool) if tool else sheet_for(document)
    if settings.address:
        return sheet
    here = read_settings()
    weights, quality = settings.weights or here.weights or "", settings.quality or here.quality
    return sheet.with_value("weights", weights).with_value("quality", quality or sheet.quality)


def submit_job(
    sheet: FarmSheet,
    plate_uid: str,
    *,
    on_told: Callable[[str], None],
    on_end: Callable[[Optional[MaskletError]], None],
) -> Job:
    """Submit a shot: its plate's files are looked at, away from the main thread.

    Args:
        sheet: What was chosen.
        plate_uid: Whose bar shows it.
        on_told: Called in the main thread with a sentence about the job.
        on_end: Called in the main thread at the end.
    """

    def work(job: Job) -> Iterator[object]:
        from masklet.farm.sheet import submit_sheet

        yield submit_sheet(sheet)[1]

    job = Job(
        phrase("Submitting to the farm"), work, on_event=lambda told: on_told(_sentence(told)), on_end=on_end
    )
    job.plate_uid, job.is_long = plate_uid, True
    return job


def homecoming(document: Path) -> Notice | None:
    """What the farm made of a document, once; None where there is nothing new. It never raises."""
    from masklet.farm.notes import look_home, note_told

    coming = look_home(document)
    if coming is None or not coming.is_news:
        return None
    note_told(document, coming)
    told = phrase("The farm's check did not pass: {reason}", reason=coming.words)
    if not coming.was_checked:
        told = phrase("The farm could not make this: {reason}", reason=coming.words)
    elif coming.version is not None:
        told = phrase("The farm has made a version of this: {folder}", folder=coming.version)
    elif coming.passed and coming.mattes is not None:
        told = phrase("The farm has made the mattes: {folder}", folder=coming.mattes)
    if coming.is_outdated:
        told = phrase("{told} (the prompts were changed since they were submitted)", told=told)
    return Notice(told, is_alarm=not coming.passed, stays=True)


def homecoming_job(document: Path, plate_uid: str, *, on_notice: Callable[[Notice], None]) -> Job:
    """Look whether the farm has made something of a document, in a thread: it lies on a share.

    Args:
        document: As it was submitted.
        plate_uid: Whose.
        on_notice: Called in the main thread where there is news.
    """

    def work(job: Job) -> Iterator[object]:
        notice = homecoming(document)
        if notice is not None:
            yield notice

    def tell(notice: object) -> None:
        assert isinstance(notice, Notice)
        on_notice(notice)

    job = Job(phrase("Looking at the farm"), work, on_event=tell)
    job.plate_uid = plate_uid
    return job


def _sentence(told: object) -> str:
    assert isinstance(told, str)
    return told
