"""What people do with a job that was submitted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from masklet.commands.exits import ExitCode
from masklet.commands.options import JsonOption
from masklet.commands.progress import Progress
from masklet.commands.summary import print_json
from masklet.errors import BadInputError

if TYPE_CHECKING:
    from masklet.farm.report import ShotReport

JobArgument = Annotated[Path, typer.Argument(metavar="JOB", help="The folder that submit made.")]
ShotsOption = Annotated[
    Optional[list[str]], typer.Option("--shot", metavar="NAME", help="Only this shot; repeat it for more.")
]
_WATCH_S = 2.0
_QUIET_S = 300.0


def add_job_commands(farm: typer.Typer) -> None:
    """Register them."""
    for command in (run, watch, retry, cancel, report):
        farm.command()(command)


def run(
    job: JobArgument,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Each has a server of its own.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Run a job on this machine, and go on where it was stopped.

    Ctrl-C stops it; what is finished is kept.
    """
    from masklet.farm.running.run import JobRun

    progress = Progress()
    with progress.bar("tracking") as bar:
        before = [0]

        def tell(done: int, total: int) -> None:
            bar.total(total)
            bar.step(done - before[0])
            before[0] = done

        is_done = JobRun(job, workers, progress.say, tell).run()
    reports = _reports(job)
    for each in reports:
        progress.say(f"{each.shot.name}: {each.words}")
    progress.say(f"look at {_places(job).report}")
    _end(reports, is_done=is_done, as_json=as_json)


def watch(job: JobArgument) -> None:
    """Tell how a job comes along, on whatever engine, until it is done or was cancelled."""
    progress = Progress()
    told: dict[str, str] = {}
    heard: dict[str, tuple[int, float]] = {}
    while True:
        reports = _reports(job)
        for each in reports:
            words = f"{each.words}{_silence(each, heard)}"
            if told.get(each.shot.name) != words:
                progress.say(f"{each.shot.name}: {words}")
                told[each.shot.name] = words
        phases = {each.phase.value for each in reports}
        if phases <= {"done", "failed", "stopped"}:
            break
        if "running" not in phases and _places(job).cancelled.exists():
            progress.say("the job was cancelled; masklet farm run goes on")
            break
        time.sleep(_WATCH_S)
    _end(reports, is_done=all(each.phase.value == "done" for each in reports), as_json=False)


def retry(
    job: JobArgument,
    shots: ShotsOption = None,
    accepting: Annotated[
        Optional[list[str]],
        typer.Option("--accept", metavar="CHECK", help="You have looked and it is right: such as flicker."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Do again what failed or was stopped; what is finished is not done twice.

    masklet farm retry tuesday --shot bear --accept flicker
    """
    from masklet.farm.checking import check_acceptable
    from masklet.farm.job import read_job
    from masklet.farm.retrying import make_ready
    from masklet.farm.running.only_run import check_no_run

    check_acceptable(accepting or ())
    if accepting and not shots:
        raise BadInputError("--accept is for shots that you have looked at: name them with --shot")
    found = read_job(job)
    for name in shots or ():
        found.shot(name)
    check_no_run(_places(job))
    make_ready(found, _places(job), tuple(shots or ()), tuple(accepting or ()))
    run(job, workers, as_json)


def cancel(job: JobArgument) -> None:
    """Have all workers stop after the frame in hand and keep what is finished, on whatever engine."""
    from masklet.farm.job import read_job
    from masklet.farm.share import keep_file

    read_job(job)
    places = _places(job)
    keep_file(places.cancelled, b"")
    Progress().say("workers stop after the frame in hand; masklet farm run goes on from there")


def report(job: JobArgument, as_json: JsonOption = False) -> None:
    """Tell what became of every shot, and write the page of the job."""
    from masklet.farm.job import read_job
    from masklet.farm.report import summed_up, write_report

    reports = _reports(job)
    progress = Progress()
    for each in reports:
        progress.say(f"{each.shot.name}: {each.words}")
    progress.say(summed_up(reports))
    if write_report(read_job(job), _places(job)):
        progress.say(f"look at {_places(job).report}")
    else:
        progress.say(f"{_places(job).report} cannot be written: make room on the share, or open it for you")
    _end(reports, is_done=all(each.phase.value == "done" for each in reports), as_json=as_json)


def _places(job: Path) -> Any:
    from masklet.farm.places import JobPlaces

    return JobPlaces(job.absolute() / "out")


def _reports(job: Path) -> tuple[ShotReport, ...]:
    from masklet.farm.job import read_job
    from masklet.farm.report import shot_reports

    return shot_reports(read_job(job), _places(job))


def _silence(report: ShotReport, heard: dict[str, tuple[int, float]]) -> str:
    """Where a task that runs has told nothing for long, by this machine's clock alone."""
    for state in report.states:
        if state.phase.value != "running":
            continue
        beat, since_s = heard.get(state.file_name, (-1, 0.0))
        if beat != state.beat:
            heard[state.file_name] = (state.beat, time.monotonic())
        elif time.monotonic() - since_s > _QUIET_S:
            return f"; no word from {state.worker} for {_QUIET_S / 60:.0f} min, it may be lost"
    return ""


def _end(reports: tuple[ShotReport, ...], *, is_done: bool, as_json: bool) -> None:
    code = ExitCode.DONE if is_done else ExitCode.FAILED
    if as_json:
        print_json(
            {
                "ok": is_done,
                "exit_code": int(code),
                "shots": [
                    {
                        "name": each.shot.name,
                        "phase": each.phase.value,
                        "words": each.words,
                        "problems": [
                            {"check": check, "words": words}
                            for check, words in (each.result.problems if each.result else ())
                        ],
                        "mattes": each.result.mattes if each.result else "",
                        "version": each.result.version if each.result else "",
                        "seconds": round(each.seconds, 1),
                        "begun_again": each.attempts,
                    }
                    for each in reports
                ],
            }
        )
    if code:
        raise typer.Exit(int(code))
