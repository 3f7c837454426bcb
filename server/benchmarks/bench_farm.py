"""Jobs of the farm: chunks of a long shot, every template, a job of 500 shots, and what a frame costs.

    python server/benchmarks/bench_farm.py chunks --data /path/to/data --work /tmp/chunks
    python server/benchmarks/bench_farm.py templates --work /tmp/templates --openjd /path/to/openjd
    python server/benchmarks/bench_farm.py engine --work /tmp/engine
    python server/benchmarks/bench_farm.py processor --data /path/to/data --work /tmp/processor --frames 10

``chunks`` sends a shot of DAVIS (see ``bench_night.py`` for ``--data``) through a job that keeps its masks
every few seconds and is stopped by Ctrl-C three times, and through ``masklet roto`` in one go, and compares
the mattes. ``templates`` has OpenJD's own command line (``pip install openjd-cli``) check every kind of
template and run it to its end, with real tasks on a generated clip; the one for a graphics card has to end
with a sentence where there is none. ``engine`` makes a job of 500 shots and measures what ``masklet farm
run`` does with it, tasks left out. ``processor`` has the processor seconds of each frame of one shot, by what
was done: they say what a night costs whatever else the machine does.

Printed: one line of JSON for each.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import bench_night
import records

from masklet.anchors import Absence, AnchorKind
from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports
from masklet.farm.request import FarmRequest
from masklet.farm.running.opened_job import open_bundle
from masklet.farm.running.task_board import TaskBoard
from masklet.farm.submitting import TEMPLATE_FILE, submit
from masklet.farm.task_states import TaskPhase
from masklet.outputs.extra_exports import ExtraExports
from masklet.prompts import PlateShape, Shot, write_shot
from masklet.types import Click, FramePrompts, FrameRange, ObjectInfo, PromptDocument
from masklet_server.demo.clip_writer import write_clip

_STOPS = 3
_SHOT = "bear"
_SHOTS = 500
_KINDS = {
    "mattes": FarmRequest(),
    "versions": FarmRequest(publish=True, accepted=("reviewed", "clicks")),
    "all": FarmRequest(
        extras=ExtraExports(True, 1.0, (AnchorKind.SIMILARITY,), Absence.HOLD, ("nuke",)),
        publish=True,
        accepted=("reviewed", "clicks"),
        quality="own",
    ),
    "graphics card": FarmRequest(gpu_memory_gib=8),
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["chunks", "templates", "engine", "processor"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="A folder that does not exist yet.")
    parser.add_argument("--frames", type=int, default=60, help="Of the shot in chunks, or that is measured.")
    parser.add_argument("--openjd", type=Path, help="OpenJD's command line.")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True)
    records.begin("bench_farm", weights="masklet_embedded", what=asked.what)
    if asked.what == "chunks":
        chunks(asked.data, asked.work, asked.frames)
    elif asked.what == "templates":
        templates(asked.work, asked.openjd)
    elif asked.what == "processor":
        processor(asked.data, asked.work, asked.frames)
    else:
        engine(asked.work)


def chunks(data: Path, folder: Path, frames: int) -> None:
    """A shot in chunks, stopped in between, beside the same in one go."""
    documents = folder / "documents"
    bench_night.write_documents(data, documents, frames)
    document = documents / f"{_SHOT}.masklet.json"
    job = folder / "job"
    bench_night.masklet("farm", "submit", str(document), "--job", str(job), "--chunk", "5")
    stopped = 0
    for _ in range(_STOPS):
        running = subprocess.Popen(
            bench_night.program("farm", "run", str(job)),
            stderr=subprocess.DEVNULL,
            env=bench_night.environment(),
            # Who was started in the background of a shell hears no Ctrl-C, and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        before = _tracked(job)
        while running.poll() is None and _tracked(job) <= before:
            time.sleep(0.2)
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            stopped += 1
        running.wait()
    subprocess.run(
        bench_night.program("farm", "run", str(job)),
        check=False,
        stderr=subprocess.DEVNULL,
        env=bench_night.environment(),
    )
    (report,) = shot_reports(read_job(job), JobPlaces(job / "out"))
    (mattes,) = (job / "out" / "mattes").iterdir()
    files = sorted((job / "out" / "work" / "tracks").rglob("*.json"))
    out = folder / "in_one_go"
    bench_night.roto(document, _SHOT, out)
    track = next(state for state in report.states if state.stage == "track")
    records.write_line(
        {
            "record": "long-shot-in-one-go",
            "shot": _SHOT,
            "frames": frames,
            "chunks": len(files),
            "stopped": stopped,
            "frames_reused_by_the_last": track.reused,
            **bench_night.compared(mattes, out),
        }
    )


def _tracked(job: Path) -> int:
    """Frames that are kept, of all chunks."""
    spans = (file.stem.partition(".")[2].split("_") for file in (job / "out/work/tracks").rglob("0*.json"))
    return sum(int(last) - int(first) + 1 for first, last in spans)


def templates(folder: Path, openjd: Path) -> None:
    """Every kind of template, checked and run by OpenJD's own command line."""
    clip = write_clip(folder / "plates", frame_count=3)
    frame, x_px, y_px = clip.clicks[0]
    said = PromptDocument((ObjectInfo(1, "duck", (frame,)),), (FramePrompts(1, frame, (Click(x_px, y_px),)),))
    shape = PlateShape(854, 480, FrameRange(frame, frame + 2))
    write_shot(folder / "duck.masklet.json", Shot(str(clip.pattern), said, plate=shape))
    for number, (kind, request) in enumerate(_KINDS.items()):
        bundle = submit([folder / "duck.masklet.json"], request, folder / f"job_{number}").bundle
        checked = subprocess.run(
            [openjd, "check", bundle / TEMPLATE_FILE], capture_output=True, text=True, check=False
        )
        program = Path(sys.executable).with_name("masklet")
        words = [f"Job={bundle}", f"Out={bundle / 'out'}", f"Masklet={program}"]
        ran = subprocess.run(
            [openjd, "run", bundle / TEMPLATE_FILE, *(each for word in words for each in ("-p", word))],
            capture_output=True,
            text=True,
            check=False,
            env=bench_night.environment(),
        )
        (report,) = shot_reports(read_job(bundle), JobPlaces(bundle / "out"))
        records.write_line(
            {
                "record": "template",
                "kind": kind,
                "check": checked.returncode,
                "run": ran.returncode,
                "phases": {state.stage: state.phase.value for state in report.states},
                "words": report.words if report.phase is not TaskPhase.DONE else "",
            }
        )


def engine(folder: Path) -> None:
    """What a job of many shots costs beside its tasks."""
    plates = folder / "plates"
    plates.mkdir()
    for frame in range(1001, 1013):
        (plates / f"plate.{frame}.png").write_bytes(b"%d" % frame * 50)
    said = PromptDocument((ObjectInfo(1, "it", (1004,)),), (FramePrompts(1, 1004, (Click(20.0, 10.0),)),))
    shape = PlateShape(64, 36, FrameRange(1001, 1012))
    documents = [folder / f"shot_{number:03d}.masklet.json" for number in range(_SHOTS)]
    for document in documents:
        write_shot(document, Shot(str(plates / "plate.%04d.png"), said, plate=shape))
    told: dict[str, float | int | str] = {"record": "engine", "shots": _SHOTS}
    started_s = time.perf_counter()
    bundle = submit(documents, FarmRequest(publish=True), folder / "job").bundle
    told["submit_s"] = round(time.perf_counter() - started_s, 2)
    told["template_characters"] = len((bundle / TEMPLATE_FILE).read_text())
    started_s = time.perf_counter()
    opened = open_bundle(bundle)
    told["open_s"] = round(time.perf_counter() - started_s, 2)
    started_s = time.perf_counter()
    board = TaskBoard(opened, read_job(bundle))
    told["board_s"] = round(time.perf_counter() - started_s, 2)
    for task in board:
        board.wait(task)
    started_s = time.perf_counter()
    for _ in range(100):
        board.ready()
    told["give_out_ms"] = round(10 * (time.perf_counter() - started_s), 2)
    started_s = time.perf_counter()
    shot_reports(read_job(bundle), JobPlaces(bundle / "out"))
    told["read_states_s"] = round(time.perf_counter() - started_s, 2)
    records.write_line(told)


def processor(data: Path, folder: Path, frames: int) -> None:
    """Run one shot with everything on one worker, and print what processors did by step.

    Steps that a server works for are its own seconds; ``check`` and ``others`` are those of their processes,
    with their start.
    """
    documents = folder / "documents"
    bench_night.write_documents(data, documents, frames)
    job = folder / "job"
    extra = ["--shapes", "--anchors", "similarity", "--export", "nuke", "--accept", "reviewed"]
    bench_night.masklet("farm", "submit", str(documents / f"{_SHOT}.masklet.json"), "--job", str(job), *extra)
    running = subprocess.Popen(
        bench_night.program("farm", "run", str(job)),
        stderr=subprocess.DEVNULL,
        env=bench_night.environment(),
    )
    spent: dict[str, float] = {}
    before, places = 0.0, JobPlaces(job / "out")
    while True:
        ended, _, others = os.wait4(running.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(0.1)
        now = _server_seconds(running.pid)
        for report in shot_reports(read_job(job), places):
            for state in report.states:
                if state.phase is TaskPhase.RUNNING and now > before:
                    spent[state.stage] = spent.get(state.stage, 0.0) + now - before
        before = max(before, now)
    words = ["--job", str(job), "--out", str(job / "out"), "--shot", _SHOT, "--stage", "check"]
    checking = subprocess.Popen(
        bench_night.program("farm", "task", *words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=bench_night.environment(),
    )
    check = os.wait4(checking.pid, 0)[2]
    records.write_line(
        {
            "record": "processor",
            "shot": _SHOT,
            "frames": frames,
            "objects": 1,
            "seconds_a_frame": {stage: round(seconds / frames, 3) for stage, seconds in spent.items()},
            "check_s": round(check.ru_utime + check.ru_stime, 2),
            "others_s": round(others.ru_utime + others.ru_stime, 2),
        }
    )


def _server_seconds(run: int) -> float:
    """Processor seconds of the servers of a run's workers."""
    total = 0.0
    for entry in os.listdir("/proc"):
        try:
            if (
                not entry.isdigit()
                or b"masklet_server.cli" not in Path(f"/proc/{entry}/cmdline").read_bytes()
            ):
                continue
            keeper = Path(f"/proc/{bench_night.parent_of(int(entry))}/environ").read_bytes()
            owner = keeper.split(b"MASKLET_FARM_OWNER=")
            if len(owner) < 2 or bench_night.parent_of(int(owner[1].split(b"\0")[0])) != run:
                continue
            times = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[11:13]
            total += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            continue
    return total


if __name__ == "__main__":
    main()
