"""What runs for the plate that is open, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet_panel.panel_host import PanelPlate
from masklet_panel.plate_model import PlateModel
from masklet_panel.shown_values import Progress

if TYPE_CHECKING:
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.workbench import Work


class WorkingModel(PlateModel):
    """A plate with work on it."""

    _began: tuple[Job, float] | None = None

    # Work.

    @property
    def job(self) -> Job | None:
        """What the artist waits for; None for nothing."""
        return self.loop.job_of(self._plate)

    @property
    def progress(self) -> Progress | None:
        """How far it is."""
        job = self.job
        if job is None:
            self._began = None
            return None
        now_s = time.monotonic()
        if self._began is None or self._began[0] is not job:
            self._began = (job, now_s)
        spent_s = now_s - self._began[1]
        rate = job.done / spent_s if job.done and spent_s > 0.5 else 0.0
        left_s = (job.total - job.done) / rate if rate and job.total else None
        return Progress(job.name, job.done, job.total, rate, left_s)

    def start(
        self,
        name: str,
        work: Work,
        *,
        on_made: Callable[[object], None] | None = None,
        on_end: Callable[[MaskletError | None, Job], None] | None = None,
        is_long: bool = True,
    ) -> Job | None:
        """Run work on the plate in a thread; None where it cannot be used, which is told.

        Args:
            name: "Tracking".
            work: As :meth:`masklet.hosting.workbench.Workbench.start`.
            on_made: Given what the work was for.
            on_end: Called at the end, with the error that ended it, which was told already.
            is_long: Show progress, and let Esc cancel it.
        """
        if self._plate is None:
            return None
        started: list[Job] = []

        def made(plate: PanelPlate, value: object) -> None:
            if on_made is not None:
                on_made(value)

        def ended(error: MaskletError | None) -> None:
            self.work_changed.emit()
            if on_end is not None:
                on_end(error, started[0])

        try:
            job = self.loop.start(
                self._plate, name, work, wait=False, is_long=is_long, on_made=made, on_end=ended
            )
        except MaskletError as error:
            self.tell(notice_of(error))
            return None
        started.append(job)
        self.work_changed.emit()
        return job

    def cancel(self) -> None:
        """Stop what the artist waits for; what is done is kept."""
        for job in self.loop.board.jobs:
            if job.is_long or job.total:
                job.cancel()
        self.work_changed.emit()
