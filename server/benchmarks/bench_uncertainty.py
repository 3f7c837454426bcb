"""Does "uncertain" mean something? Precision and recall of "this frame is worse than IoU 0.75".

    python server/benchmarks/bench_uncertainty.py ../shared/data/davis_dev --scores scores.csv

Tracks every sequence twice, from the true mask and from one click on the first frame, and holds the
network's scores against the true masks. The rule of ``masklet_server/engine/presence.py`` is fitted
on twelve sequences and reported on the six of ``HELD_OUT``. Frames on which the object is rightly
called absent are left out. With ``--scores`` an existing file saves the tracking (20 minutes on one
core). The data are for evaluation only.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import platform
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import Click, FramePrompts, Mask, Presence
from masklet_server.engine.presence import CALIBRATIONS, LARGEST_PRESENCE_LOGIT, Calibration, presence_of
from masklet_server.evaluation.metrics import region_similarity
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.evaluation.trackers import network_trackers
from masklet_server.media.source import open_clip

HELD_OUT = ("bear", "dance-jump", "hockey", "mallard-fly", "scooter-gray", "stroller")
BAD_BELOW_IOU = 0.75
PROMPTS = ("mask", "click")
RIDGE = 0.01


@dataclass(frozen=True)
class Row:
    """One tracked frame."""

    sequence: str
    prompt: str
    frame: int
    iou: float
    presence_logit: float
    predicted_iou: float
    visible: bool


def main() -> None:
    """Track, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", default="masklet_embedded")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--scores", type=Path, help="read if there, else written")
    arguments = parser.parse_args()
    if arguments.scores is not None and arguments.scores.exists():
        rows = read_rows(arguments.scores)
    else:
        rows = track_all(arguments.data, arguments.weights, arguments.device)
        if arguments.scores is not None:
            write_rows(arguments.scores, rows)
    rows = [row for row in rows if row.visible or row.presence_logit > 0]
    chosen = [row for row in rows if row.sequence not in HELD_OUT]
    kept = [row for row in rows if row.sequence in HELD_OUT]
    names = sorted(path.name for path in arguments.data.iterdir() if (path / "masks").is_dir())
    begin("bench_uncertainty", weights=arguments.weights, footage=arguments.data.name, sequences=names)
    machine = {
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "weights": arguments.weights,
    }
    weights, limit = fit(chosen)
    write_line({**machine, "case": "fitted", "sum": [round(w, 3) for w in weights], "limit": limit})
    calibration = CALIBRATIONS.get(arguments.weights)
    for name, part in (("fitted on", chosen), ("held out", kept)):
        write_line({**machine, "case": f"{name}, plain rule", **report(part, verdicts(part, None))})
        write_line({**machine, "case": f"{name}, in force", **report(part, verdicts(part, calibration))})
    for prompt in PROMPTS:
        part = [row for row in kept if row.prompt == prompt]
        numbers = report(part, verdicts(part, calibration))
        write_line({**machine, "case": f"held out, from one {prompt}", **numbers})
    for sequence in HELD_OUT:
        part = [row for row in kept if row.sequence == sequence]
        write_line({**machine, "case": sequence, **report(part, verdicts(part, calibration))})


def track_all(data: Path, weights: str, device: str) -> list[Row]:
    """Rows of all sequences below ``data``."""
    make_tracker = network_trackers(weights, device=device, keep_features=True)
    rows: list[Row] = []
    for folder in sorted(path for path in data.iterdir() if (path / "masks").is_dir()):
        masks = [_read_mask(path) for path in sorted((folder / "masks").iterdir())]
        with open_clip(folder / "frames") as clip:
            first, results = clip.info.first_frame, MemoryResults()
            tracker = make_tracker(clip, results)
            alpha = Mask.from_array(masks[0].astype(np.uint8) * 255)
            results.put(tracker.prompt(FramePrompts(0, first, mask=alpha)))
            results.put(tracker.prompt(FramePrompts(1, first, (_middle(masks[0]),))))
            for index in range(1, len(masks)):
                for result in tracker.track(first + index, [0, 1], backward=False):
                    results.put(result)
                    height_px, width_px = masks[index].shape
                    logits = cv2.resize(result.logits.astype(np.float32), (width_px, height_px))
                    rows.append(
                        Row(
                            folder.name,
                            PROMPTS[result.object_id],
                            first + index,
                            region_similarity(logits > 0, masks[index]),
                            result.presence_logit,
                            result.predicted_iou,
                            bool(masks[index].any()),
                        )
                    )
    return rows


def fit(rows: Sequence[Row]) -> tuple[list[float], float]:
    """Weights of a logistic regression in which every sequence counts the same, and the limit of best F1."""
    design = np.stack([_features(row) for row in rows])  # (N, 3)
    bad = np.array([row.iou < BAD_BELOW_IOU for row in rows])
    names = np.array([row.sequence for row in rows])
    share = np.array([1.0 / (names == name).sum() for name in names])
    share *= np.array([row.presence_logit > 0 for row in rows])
    weights, ridge = np.zeros(3), np.array([0.0, RIDGE, RIDGE])
    for _ in range(50):
        expected = 1.0 / (1.0 + np.exp(-design @ weights))
        gradient = design.T @ (share * (expected - bad)) + ridge * weights
        curvature = (design.T * (share * expected * (1.0 - expected))) @ design + np.diag(ridge)
        weights -= np.linalg.solve(curvature, gradient)
    sums = design @ weights
    absent = np.array([row.presence_logit <= 0 for row in rows])
    limits = np.round(np.arange(-2.0, 2.0, 0.1), 1)
    scores = [_f1((sums >= limit) | absent, bad) for limit in limits]
    return [float(weight) for weight in weights], float(limits[int(np.argmax(scores))])


def verdicts(rows: Sequence[Row], calibration: Calibration | None) -> NDArray[np.bool_]:
    """True where a row is not called present."""
    return np.array(
        [
            presence_of(row.presence_logit, row.predicted_iou, empty=False, calibration=calibration)
            is not Presence.PRESENT
            for row in rows
        ]
    )


def report(rows: Sequence[Row], flagged: NDArray[np.bool_]) -> dict[str, float | int | None]:
    """Precision, recall, and how often what was asked for happens at all."""
    bad = np.array([row.iou < BAD_BELOW_IOU for row in rows])
    right = int((flagged & bad).sum())
    return {
        "frames": len(rows),
        "worse than 0.75": round(float(bad.mean()), 3),
        "flagged": round(float(flagged.mean()), 3),
        "precision": round(right / int(flagged.sum()), 3) if flagged.any() else None,
        "recall": round(right / int(bad.sum()), 3) if bad.any() else None,
    }


def read_rows(file: Path) -> list[Row]:
    """Rows as :func:`write_rows` wrote them."""
    with file.open(newline="") as lines:
        return [
            Row(
                row["sequence"],
                row["prompt"],
                int(row["frame"]),
                float(row["iou"]),
                float(row["presence_logit"]),
                float(row["predicted_iou"]),
                row["visible"] == "True",
            )
            for row in csv.DictReader(lines)
        ]


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """Keep rows for another fit."""
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow([field.name for field in fields(Row)])
        writer.writerows(astuple(row) for row in rows)


def _features(row: Row) -> NDArray[np.float64]:
    iou = min(max(row.predicted_iou, 0.01), 0.99)
    presence = min(max(row.presence_logit, 0.0), LARGEST_PRESENCE_LOGIT)
    return np.array([1.0, presence, np.log(iou / (1.0 - iou))])


def _f1(flagged: NDArray[np.bool_], bad: NDArray[np.bool_]) -> float:
    return 2.0 * float((flagged & bad).sum()) / max(1.0, float(flagged.sum() + bad.sum()))


def _read_mask(path: Path) -> NDArray[np.bool_]:
    codes = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if codes is None:
        raise SystemExit(f"{path} is no picture")
    return codes > 127


def _middle(mask: NDArray[np.bool_]) -> Click:
    """A click where the object is thickest."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return Click(float(column) + 0.5, float(row) + 0.5)


if __name__ == "__main__":
    main()
