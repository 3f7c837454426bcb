"""A night on the farm: twelve real shots go through a job unattended, and one worker is killed in the middle.

    python server/benchmarks/bench_night.py --data /path/to/data --work /tmp/night

``--data`` holds ``davis_dev`` (DAVIS 2016, ``frames`` and ``masks`` by sequence) and ``clips`` (films of SAM
2's and EdgeTAM's demos): neither is in this repository. The same shots then go through an undisturbed job,
and some through ``masklet roto`` in one go. Prompts are boxes: around a true mask, or typed after looking.

Printed: one line of JSON for each run and each shot. ``iou`` compares mattes at half coverage.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import records

from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports
from masklet.farm.task_states import TaskPhase
from masklet.prompts import PlateShape, Shot, write_shot
from masklet.types import Box, FramePrompts, FrameRange, ObjectInfo, PromptDocument

_SEQUENCES = (
    *("bear", "bus", "car-turn", "elephant", "flamingo"),
    *("lucia", "horsejump-low", "mallard-fly", "rollerblade"),
)
_CLIPS = {
    "sam2_01_dog": {"dog": (450, 380, 704, 548), "woman": (226, 212, 460, 558)},
    "edgetam_19_cyclist": {"cyclist": (370, 316, 720, 720)},
    "sam2_05_default_juggle": {"ball": (608, 280, 698, 366), "juggler": (600, 40, 840, 680)},
}
_IN_ONE_GO = ("bear", "horsejump_low", "sam2_01_dog")


@dataclass
class Night:
    """One job of all shots.

    Attributes:
        folder: Of documents, job and versions.
        seconds: From the first task to the last.
        killed: How many workers were killed.
    """

    folder: Path
    seconds: float = 0.0
    killed: int = 0
    exit_code: int = 0
    versions: dict[str, Path] = field(default_factory=dict)


def main() -> None:
    """Run both nights and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="A folder that does not exist yet.")
    parser.add_argument("--frames", type=int, default=20, help="Of each shot.")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True)
    records.begin(
        "bench_night",
        weights="masklet_embedded",
        footage="davis_dev and films of SAM 2's and EdgeTAM's demos",
        sequences=[*_SEQUENCES, *_CLIPS],
        frames=asked.frames,
        workers=asked.workers,
    )
    nights = {}
    for name, kill in (("disturbed", True), ("undisturbed", False)):
        night = Night(asked.work / name)
        write_documents(asked.data, night.folder, asked.frames)
        run(night, asked.workers, kill=kill)
        nights[name] = night
        tell(name, night)
    for shot in sorted(nights["undisturbed"].versions):
        one, other = (night.versions.get(shot) for night in nights.values())
        if one is not None and other is not None:
            records.write_line({"record": "disturbed-undisturbed", "shot": shot, **compared(one, other)})
    for shot in _IN_ONE_GO:
        version = nights["undisturbed"].versions.get(shot)
        if version is None:
            continue
        out = asked.work / "in_one_go" / shot
        seconds = roto(nights["undisturbed"].folder / f"{shot}.masklet.json", shot, out)
        found = compared(version, out)
        records.write_line({"record": "chunks-in-one-go", "shot": shot, "roto_s": round(seconds, 1), **found})


def write_documents(data: Path, folder: Path, frames: int) -> None:
    """A prompt document for each shot."""
    folder.mkdir(parents=True)
    for sequence in _SEQUENCES:
        pictures = sorted((data / "davis_dev" / sequence / "frames").glob("*.jpg"))
        height_px, width_px = cv2.imread(str(pictures[0])).shape[:2]
        # In the middle, so that tracking goes both ways from there.
        frame = frames // 2
        mask = cv2.imread(str(data / "davis_dev" / sequence / "masks" / f"{frame:05d}.png"), 0) > 127
        rows, columns = np.nonzero(mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        name = sequence.replace("-", "_")
        _write(
            folder / f"{name}.masklet.json",
            str(pictures[0].parent / "%05d.jpg"),
            {name: box},
            frame,
            PlateShape(width_px, height_px, FrameRange(0, len(pictures) - 1)),
            FrameRange(0, frames - 1),
        )
    for clip, objects in _CLIPS.items():
        path = data / "clips" / f"{clip}.mp4"
        film = cv2.VideoCapture(str(path))
        size = [int(film.get(each)) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
        count = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
        plate = PlateShape(size[0], size[1], FrameRange(0, count - 1))
        _write(folder / f"{clip}.masklet.json", str(path), objects, 0, plate, FrameRange(0, frames - 1))


def _write(
    file: Path,
    clip: str,
    boxes: dict[str, tuple[int, int, int, int]],
    frame: int,
    plate: PlateShape,
    frames: FrameRange,
) -> None:
    infos = tuple(ObjectInfo(place, name, (frame,)) for place, name in enumerate(boxes, 1))
    prompts = tuple(
        FramePrompts(info.object_id, frame, box=Box(*map(float, boxes[info.name]))) for info in infos
    )
    write_shot(file, Shot(clip, PromptDocument(infos, prompts), frames, plate=plate))


def run(night: Night, workers: int, *, kill: bool) -> None:
    """Submit the shots and run the job; kill a worker once a third of the shots are done."""
    job = night.folder / "job"
    documents = sorted(str(file) for file in night.folder.glob("*.masklet.json"))
    masklet(
        "farm", "submit", *documents, "--job", str(job), "--publish", "--chunk", "5", "--accept", "reviewed"
    )
    started_s = time.monotonic()
    log = (night.folder / "run.log").open("w")
    running = subprocess.Popen(
        program("farm", "run", str(job), "--workers", str(workers)),
        stdout=log,
        stderr=log,
        env=environment(),
    )
    while running.poll() is None:
        time.sleep(0.2)
        if kill and not night.killed and (worker := tracking_worker(job, running.pid)):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                night.killed += 1
    night.seconds = time.monotonic() - started_s
    night.exit_code = running.returncode
    for report in shot_reports(read_job(job), JobPlaces(job / "out")):
        if report.result is not None and report.result.version:
            night.versions[report.shot.name] = Path(report.result.version)


def tracking_worker(job: Path, parent: int) -> int | None:
    """The process of a worker in the middle of a piece, when a third of the shots are done; else None."""
    reports = shot_reports(read_job(job), JobPlaces(job / "out"))
    if sum(report.phase is TaskPhase.DONE for report in reports) < len(reports) // 3:
        return None
    for report in reports:
        for state in report.states:
            if (
                state.stage == "track"
                and state.phase is TaskPhase.RUNNING
                and state.done / (state.total or 1) > 0.3
            ):
                children = [
                    int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent_of(int(pid)) == parent
                ]
                # Any of them: with two workers it is this one or one that tracks another shot.
                return min(children, default=None)
    return None


def parent_of(pid: int) -> int:
    """The process that started a process; 0 where there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def tell(name: str, night: Night) -> None:
    """What became of a night."""
    reports = shot_reports(read_job(night.folder / "job"), JobPlaces(night.folder / "job" / "out"))
    records.write_line(
        {
            "record": name,
            "shots": len(reports),
            "versions": len(night.versions),
            "workers_killed": night.killed,
            "tasks_begun_again": sum(report.attempts for report in reports),
            "frames_reused": sum(state.reused for report in reports for state in report.states),
            "wall_s": round(night.seconds, 1),
            "exit_code": night.exit_code,
            "report": (night.folder / "job" / "out" / "report.html").is_file(),
        }
    )
    for report in reports:
        stages = {state.stage: 0.0 for state in report.states}
        for state in report.states:
            stages[state.stage] += state.seconds
        problems = [] if report.result is None else [check for check, _ in report.result.problems]
        frames = len(report.shot.frames)
        objects = len({item for piece in report.shot.pieces for item in piece.objects})
        records.write_line(
            {
                "record": f"{name}-shot",
                "shot": report.shot.name,
                "phase": report.phase.value,
                "frames": frames,
                "objects": objects,
                "seconds": {stage: round(value, 1) for stage, value in stages.items()},
                "problems": problems,
                "words": report.words if report.phase is not TaskPhase.DONE else "",
            }
        )


def compared(one: Path, other: Path) -> dict[str, float | int]:
    """Mattes of the same names in two folders: how many are the same bytes, and IoU."""
    files = sorted(path.name for path in one.glob("*_mattes.*.exr"))
    same, worst, scores = 0, 1.0, []
    for name in files:
        first, second = (folder / name for folder in (one, other))
        if not second.is_file():
            scores.append(0.0)
            continue
        if first.read_bytes() == second.read_bytes():
            same += 1
        a, b = (oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT) >= 0.5 for path in (first, second))
        for layer in range(a.shape[-1]):
            union = int((a[..., layer] | b[..., layer]).sum())
            scores.append(float((a[..., layer] & b[..., layer]).sum() / union) if union else 1.0)
    worst = min(scores, default=0.0)
    mean = sum(scores) / max(len(scores), 1)
    return {"files": len(files), "same_bytes": same, "iou_mean": round(mean, 6), "iou_worst": round(worst, 6)}


def roto(document: Path, name: str, out: Path) -> float:
    """The same shot by ``masklet roto``, in one go; how long it took."""
    shot = json.loads(document.read_text())
    span = f"{shot['track']['first']}-{shot['track']['last']}"
    out.parent.mkdir(parents=True, exist_ok=True)
    copy = out.parent / f"{name}.json"
    copy.write_text(document.read_text())
    started_s = time.monotonic()
    words = [shot["clip"], "--prompts", str(copy), "--out", str(out), "--name", name, "--range", span]
    masklet("roto", *words, "--farm")
    return time.monotonic() - started_s


def masklet(*words: str) -> None:
    """Run masklet to its end."""
    subprocess.run(program(*words), check=True, stdout=subprocess.DEVNULL, env=environment())


def program(*words: str) -> list[str]:
    """The command line that runs masklet."""
    return [sys.executable, "-m", "masklet", *words]


def environment() -> dict[str, str]:
    """For it: one thread each, as there are some workers."""
    return {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}


if __name__ == "__main__":
    main()
