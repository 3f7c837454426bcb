"""The morning's page: every shot of a job, what became of it, and what to do. One file, no scripts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Optional
from urllib.parse import quote

from masklet.errors import MaskletError
from masklet.farm.results import ShotResult, read_result
from masklet.farm.task_states import TaskPhase, TaskState, read_state
from masklet.farm.template import stages
from masklet.publish.shot_record import write_whole

if TYPE_CHECKING:
    from masklet.farm.job import FarmJob, FarmShot
    from masklet.farm.places import JobPlaces

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #222; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 0 0 .3rem }
.shot { border: 1px solid #ddd; border-left: .4rem solid #999; padding: .8rem 1rem; margin: 1rem 0 }
.good { border-left-color: #2a7d4f } .bad { border-left-color: #b3372c } .open { border-left-color: #c98a12 }
.words { margin: .2rem 0 } .small { color: #666; font-size: .88rem } img { max-width: 100%; margin-top: .6rem
} code { background: #f3f3f3; padding: 0 .25rem }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } .shot { border-color: #444 }
  code { background: #2a2a2a } .small { color: #999 } }
"""


@dataclass(frozen=True)
class ShotReport:
    """A shot as it stands.

    Attributes:
        shot: Which.
        states: Of its tasks, in their order.
        result: Of its check; None where it was not checked yet.
    """

    shot: FarmShot
    states: tuple[TaskState, ...]
    result: Optional[ShotResult]

    @property
    def phase(self) -> TaskPhase:
        """All tasks together."""
        phases = {state.phase for state in self.states}
        for phase in (TaskPhase.FAILED, TaskPhase.STOPPED, TaskPhase.RUNNING):
            if phase in phases:
                return phase
        return TaskPhase.DONE if phases == {TaskPhase.DONE} else TaskPhase.WAITING

    @property
    def words(self) -> str:
        """What became of it, or what goes on."""
        for state in self.states:
            if state.phase in (TaskPhase.FAILED, TaskPhase.STOPPED):
                return state.words
        if self.phase is TaskPhase.DONE and self.result is not None:
            return self.result.words
        for state in self.states:
            if state.phase is TaskPhase.RUNNING:
                share = f", {100 * state.done // state.total} %" if state.total else ""
                return f"{state.stage}{share}: {state.words}"
        begun = [state.stage for state in self.states if state.phase is TaskPhase.DONE]
        return f"waiting after {begun[-1]}" if begun else "waiting"

    @property
    def seconds(self) -> float:
        """How long machines were at it."""
        return sum(state.seconds for state in self.states)

    @property
    def attempts(self) -> int:
        """Tasks that were begun again, and how often."""
        return sum(max(0, state.attempt - 1) for state in self.states)


def shot_reports(job: FarmJob, places: JobPlaces) -> tuple[ShotReport, ...]:
    """All shots as they stand, in the order of submission."""
    found = []
    for shot in job.shots:
        states = []
        for stage in stages(job):
            numbers = [piece.number for piece in shot.pieces] if stage == "track" else [0]
            states += [read_state(places.states, shot.name, stage, number) for number in numbers]
        found.append(ShotReport(shot, tuple(states), read_result(places, shot.name)))
    return tuple(found)


def summed_up(reports: tuple[ShotReport, ...]) -> str:
    """The job in a sentence."""
    count = len(reports)
    done = sum(report.phase is TaskPhase.DONE for report in reports)
    bad = sum(report.phase in (TaskPhase.FAILED, TaskPhase.STOPPED) for report in reports)
    versions = sum(bool(report.result and report.result.version) for report in reports)
    parts = [f"{done} of {count} shots are done"]
    if versions:
        parts.append(f"{versions} published")
    if bad:
        parts.append(f"{bad} need somebody")
    if count - done - bad:
        parts.append(f"{count - done - bad} are not done yet")
    return ", ".join(parts)


def write_report(job: FarmJob, places: JobPlaces) -> bool:
    """Write the page of the job anew; False where it cannot be written, which loses nothing: it is a view."""
    with suppress(MaskletError, OSError):
        write_whole(places.report, page(job, shot_reports(job, places)).encode())
        return True
    return False


def page(job: FarmJob, reports: tuple[ShotReport, ...]) -> str:
    """The page as HTML."""
    shots = "\n".join(_shot(report) for report in reports)
    by = f"submitted by {escape(job.submitted_by)}, {escape(job.submitted_at)}" if job.submitted_by else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(job.name)}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>{escape(job.name)}: {escape(summed_up(reports))}</h1>
<p class="small">{by}</p>
{shots}
</body></html>
"""


def _shot(report: ShotReport) -> str:
    shot, result = report.shot, report.result
    kind = {TaskPhase.DONE: "good", TaskPhase.FAILED: "bad", TaskPhase.STOPPED: "bad"}.get(
        report.phase, "open"
    )
    lines = [f'<div class="shot {kind}"><h2>{escape(shot.name)}</h2>']
    if result is not None and result.problems and report.phase is TaskPhase.FAILED:
        lines += [
            f'<p class="words">{escape(words)} <code>{escape(check)}</code></p>'
            for check, words in result.problems
        ]
    else:
        lines.append(f'<p class="words">{escape(report.words)}</p>')
    if result is not None and result.version:
        lines.append(f'<p class="words"><code>{escape(result.version)}</code></p>')
    again = f", {report.attempts} begun again" if report.attempts else ""
    objects = sorted({name for piece in shot.pieces for name in piece.objects})
    lines.append(
        f'<p class="small">{escape(", ".join(objects))}; {shot.frames.worded}; {report.seconds:.0f} s of work'
        f"{again}; prompts: {escape(shot.home)}</p>"
    )
    if result is not None and result.sheet:
        source = quote(f"{result.mattes}/{result.sheet}")
        lines.append(f'<a href="{source}"><img src="{source}" alt="frames with the mattes over them"></a>')
    lines.append("</div>")
    return "\n".join(lines)
