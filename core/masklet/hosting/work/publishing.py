"""Jobs behind a dialog for publishing: files are copied, and mattes made again, away from the main thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Optional

from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase
from masklet.publish.sheet import PublishSheet, publish_sheet, rebuilt

if TYPE_CHECKING:
    from masklet.errors import MaskletError

    Ended = Callable[[Optional[MaskletError]], None]
    """Told in the main thread how it ended."""


def publish_job(
    sheet: PublishSheet, plate_uid: str, *, comment: str, on_told: Callable[[str], None], on_end: Ended
) -> Job:
    """Publish a sheet.

    Args:
        sheet: That is ready.
        plate_uid: Whose bar shows it.
        comment: For the manifest.
        on_told: Called in the main thread with what the integrator tells.
        on_end: Called in the main thread at the end.
    """

    def work(job: Job) -> Iterator[object]:
        yield publish_sheet(sheet, comment=comment, on_progress=job.count)

    return _job(phrase("Publishing"), work, plate_uid, lambda told: on_told(str(told)), on_end)


def rebuild_job(
    sheet: PublishSheet, plate_uid: str, *, on_sheet: Callable[[PublishSheet], None], on_end: Ended
) -> Job:
    """Make a sheet's mattes again.

    Args:
        sheet: Whose mattes are not as they should be.
        plate_uid: Whose bar shows it.
        on_sheet: Called in the main thread with the sheet as it is then.
        on_end: Called in the main thread at the end.
    """

    def work(job: Job) -> Iterator[object]:
        yield rebuilt(sheet)

    def done(made: object) -> None:
        assert isinstance(made, PublishSheet)
        on_sheet(made)

    return _job(phrase("Making mattes again"), work, plate_uid, done, on_end)


def _job(
    name: str,
    work: Callable[[Job], Iterator[object]],
    plate_uid: str,
    on_event: Callable[[object], None],
    on_end: Ended,
) -> Job:
    job = Job(name, work, on_event=on_event, on_end=on_end)
    job.plate_uid, job.is_long = plate_uid, True
    return job
