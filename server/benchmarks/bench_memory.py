"""Resident memory over a clip and time to the first mask, ours beside the official predictor's.

One JSON line per case::

    python bench_memory.py                     # both cases
    python bench_memory.py --case first_mask

Both sides run SAM 2.1 tiny with the same stand-in weights on the same folder of JPEG pictures, each
in a process of its own, so that nothing is shared. Needs the packages ``sam2`` and ``opencv``, a
folder with ``sam2.1_hiera_tiny.keys.json``, and Linux for the resident size.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.profile import EDITOR
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.parity_stand_ins import stand_in_weights
from masklet_server.model.checkpoint import prepare_for_inference
from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network
from masklet_server.tracking import ObjectFrame

_NAME = "sam2.1_hiera_tiny"
_DEFAULT_KEYS = Path(__file__).parents[2] / "tests" / "data" / "parity"
_WIDTH_PX, _HEIGHT_PX = 854, 480
_EARLY_FRAME, _LATE_FRAME = 30, 300
_SHORT_FRAMES, _LONG_FRAMES = 100, 1000
_REPEATS = 3


def main() -> None:
    """Run the cases, or one side of one of them where a parent asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=("memory", "first_mask"), action="append")
    parser.add_argument("--side", type=int, default=256, help="side of the network's input")
    parser.add_argument("--objects", type=int, default=4)
    parser.add_argument("--keys", type=Path, default=_DEFAULT_KEYS)
    parser.add_argument("--run", nargs=3, metavar=("WHO", "CASE", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        who, case, folder = given.run
        write_line(_one_side(who, case, Path(folder), given))
        return
    begin("bench_memory", footage="noise; weights are synthetic")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {}
        for frames in (_SHORT_FRAMES, _LATE_FRAME + 1, _LONG_FRAMES):
            folders[frames] = Path(scratch) / str(frames)
            write_jpegs(folders[frames], frames)
        for case in given.case or ("memory", "first_mask"):
            write_line(_memory(folders, given) if case == "memory" else _first_mask(folders, given))


def _memory(folders: dict[int, Path], given: argparse.Namespace) -> dict[str, object]:
    line: dict[str, object] = {"case": "memory", "side_px": given.side, "objects": given.objects}
    for who in ("ours", "official"):
        found = _child(who, "memory", folders[_LATE_FRAME + 1], given)
        early, late = found["early_mib"], found["late_mib"]
        line[who] = {
            f"frame_{_EARLY_FRAME}_mib": round(early, 1),
            f"frame_{_LATE_FRAME}_mib": round(late, 1),
            "ratio": round(late / early, 4),
            "kib_per_frame": round((late - early) * 1024 / (_LATE_FRAME - _EARLY_FRAME), 1),
        }
    return line


def _first_mask(folders: dict[int, Path], given: argparse.Namespace) -> dict[str, object]:
    line: dict[str, object] = {"case": "first_mask", "side_px": given.side}
    for who in ("ours", "official"):
        medians = {}
        for frames in (_SHORT_FRAMES, _LONG_FRAMES):
            runs = [_child(who, "first_mask", folders[frames], given)["seconds"] for _ in range(_REPEATS)]
            medians[frames] = statistics.median(runs)
        line[who] = {
            **{f"{frames}_frames_s": round(seconds, 3) for frames, seconds in medians.items()},
            "ratio": round(medians[_LONG_FRAMES] / medians[_SHORT_FRAMES], 3),
        }
    return line


def _child(who: str, case: str, folder: Path, given: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--run", who, case, str(folder)]
    command += ["--side", str(given.side), "--objects", str(given.objects), "--keys", str(given.keys)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one_side(who: str, case: str, folder: Path, given: argparse.Namespace) -> dict[str, float]:
    warnings.simplefilter("ignore")
    shapes = json.loads((given.keys / f"{_NAME}.keys.json").read_text(encoding="utf-8"))
    weights = stand_in_weights(shapes, 0)
    side = _Ours(weights, folder, given.side) if who == "ours" else _Official(weights, folder, given.side)
    # Both have their network loaded and have used it once: what is timed is the clip.
    if case == "first_mask":
        side.open_and_click()
        began = time.perf_counter()
        side.open_and_click()
        return {"seconds": time.perf_counter() - began}
    return side.track(given.objects)


class _Ours:
    def __init__(self, weights: dict[str, torch.Tensor], folder: Path, side_px: int) -> None:
        with torch.device("meta"):
            network = build_network(replace(PRESETS[_NAME], image_side_px=side_px))
        network.load_state_dict(weights, assign=True)
        self._network: Network = prepare_for_inference(network)
        self._folder = folder

    def open_and_click(self) -> NetworkTracker:
        tracker = NetworkTracker(self._network, JpegClip(self._folder), _Results(), profile=EDITOR)
        tracker.prompt(_click(1))
        return tracker

    def track(self, objects: int) -> dict[str, float]:
        results = _Results()
        tracker = NetworkTracker(self._network, JpegClip(self._folder), results, profile=EDITOR)
        for object_id in range(1, objects + 1):
            tracker.prompt(_click(object_id))
        sizes = {}
        for frame in range(1, _LATE_FRAME + 1):
            tracker.track(frame, range(1, objects + 1), backward=False)
            if frame in (_EARLY_FRAME, _LATE_FRAME):
                sizes[frame] = _resident_mib()
        return {"early_mib": sizes[_EARLY_FRAME], "late_mib": sizes[_LATE_FRAME]}


class _Official:
    def __init__(self, weights: dict[str, torch.Tensor], folder: Path, side_px: int) -> None:
        from bench_official import official_predictor

        self._predictor = official_predictor(_NAME, weights, device="cpu", compiled=False, side_px=side_px)
        self._folder = folder

    def open_and_click(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            state = self._predictor.init_state(str(self._folder))
            self._click(state, 1)

    def track(self, objects: int) -> dict[str, float]:
        sizes = {}
        with contextlib.redirect_stderr(io.StringIO()):
            state = self._predictor.init_state(str(self._folder))
            for object_id in range(1, objects + 1):
                self._click(state, object_id)
            for frame, *_ in self._predictor.propagate_in_video(state):
                if frame in (_EARLY_FRAME, _LATE_FRAME):
                    sizes[frame] = _resident_mib()
        return {"early_mib": sizes[_EARLY_FRAME], "late_mib": sizes[_LATE_FRAME]}

    def _click(self, state: object, object_id: int) -> None:
        click = _click(object_id).clicks[0]
        points = np.array([[click.x_px - 0.5, click.y_px - 0.5]], np.float32)
        self._predictor.add_new_points_or_box(
            state, 0, object_id, points=points, labels=np.array([1], np.int32)
        )


@dataclass
class JpegClip:
    """The folder as a clip, a picture read when it is asked for."""

    folder: Path
    info: ClipInfo = field(init=False)

    def __post_init__(self) -> None:
        last = sum(1 for _ in self.folder.glob("*.jpg")) - 1
        self.info = ClipInfo(self.folder.name, _WIDTH_PX, _HEIGHT_PX, 0, last)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture, from its file."""
        return cv2.imread(str(self.folder / f"{frame:05d}.jpg"))[..., ::-1]


class _Results:
    """Results leave the process in real use; here they are dropped, as tracking in one go needs none."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return None

    def has(self, object_id: int, frame: int) -> bool:
        return True

    def frames_of(self, object_id: int) -> tuple[int, ...]:
        return ()


def _click(object_id: int) -> FramePrompts:
    place = Click(100.5 + 90 * object_id, 120.5 + 30 * object_id)
    return FramePrompts(object_id, 0, clicks=(place,))


def write_jpegs(folder: Path, frames: int) -> None:
    """A folder of scrolling noise as both codes read it, all pictures different: nothing helps a cache."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (_HEIGHT_PX // 8, _WIDTH_PX // 8 + 1, 3), np.uint8)
    ground = cv2.resize(noise, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    for frame in range(frames):
        cv2.imwrite(str(folder / f"{frame:05d}.jpg"), np.roll(ground, 3 * frame, axis=1))


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
