"""Is the mask of a first click to be trusted, and what does cleaning it give?

    python server/benchmarks/bench_first_click.py ../shared/data/davis_dev

Clicks once on ten frames of each annotated sequence and five of each generated hard clip: in the middle of
the object, and at two places not near its edge. Masks are as the network gives them, uncleaned. Reported:

- how well the network's own estimate and steadiness (``masklet_server/engine/presence.py``) tell masks below
  an IoU of 0.6, as the area under the curve, on held-out sequences;
- precision and recall of the limit in force;
- the IoU before and after cleaning by shares of the mask (``masklet_server/engine/cleaning.py``).

The sequences are for evaluation only. About two minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import Click, FramePrompts
from masklet_server.engine.cleaning import Wanted, clean_logits
from masklet_server.engine.presence import STEADY_CLICKS, steadiness
from masklet_server.engine.profile import EDITOR
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.hard.material import generated
from masklet_server.evaluation.hard.stage import GeneratedFrames, annotated
from masklet_server.evaluation.hard.weaknesses import SHORT, scenes
from masklet_server.evaluation.metrics import region_similarity
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.media.source import open_clip
from masklet_server.model.checkpoint import load_network
from masklet_server.model.network import Network
from masklet_server.tracking import FrameSource

WEIGHTS = "masklet_embedded"
HELD_OUT = ("bear", "dance-jump", "hockey", "mallard-fly", "scooter-gray", "stroller")
POOR_BELOW_IOU = 0.6
FRAMES, GENERATED_FRAMES = 10, 5
SHARES = (0.0, 0.01, 0.02, 0.05)
SEED = 7

Truths = Iterable[tuple[int, NDArray[np.bool_]]]


@dataclass(frozen=True, eq=False)
class Row:
    """One click.

    Attributes:
        sequence: Where.
        kind: ``davis_dev`` or ``generated``.
        click: Where on the plate.
        logits: ``(s, s)`` as the network gave them.
        truth: ``(height, width)``.
        predicted_iou: The network's estimate.
    """

    sequence: str
    kind: str
    click: Click
    logits: NDArray[np.float32]
    truth: NDArray[np.bool_]
    predicted_iou: float

    def iou(self, logits: NDArray[np.float32]) -> float:
        """Of a mask, at plate size."""
        height_px, width_px = self.truth.shape
        return region_similarity(cv2.resize(logits, (width_px, height_px)) > 0, self.truth)


def main() -> None:
    """Click, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    network = load_network(WEIGHTS)
    names = sorted(path.name for path in data.iterdir() if (path / "masks").is_dir())
    begin("bench_first_click", weights=WEIGHTS, footage=f"{data.name}; hard clips, seed 3", sequences=names)
    report([*filmed(network, data, names), *painted(network)])


def filmed(network: Network, data: Path, names: Sequence[str]) -> Iterator[Row]:
    """Clicks on annotated sequences."""
    for name in names:
        files = sorted((data / name / "masks").iterdir())
        chosen = [int(index) for index in np.linspace(0, len(files) - 1, FRAMES)]
        with open_clip(data / name / "frames") as clip:
            first = clip.info.first_frame
            truths = ((first + index, _read(files[index])) for index in chosen)
            yield from clicked(network, name, data.name, clip, truths)


def painted(network: Network) -> Iterator[Row]:
    """Clicks on generated clips, whose masks are exact."""
    for scene in scenes(generated(3), SHORT, clips=4, seed=3, long_frames=10):
        frames = GeneratedFrames(scene)
        truth = annotated(frames).truth
        chosen = [truth.frames[int(at)] for at in np.linspace(0, len(truth.frames) - 1, GENERATED_FRAMES)]
        truths = ((frame, next(iter(truth.read(frame).masks.values()))) for frame in chosen)
        yield from clicked(network, scene.name, "generated", frames, truths)


def clicked(network: Network, name: str, kind: str, source: FrameSource, truths: Truths) -> Iterator[Row]:
    """Single clicks on some frames of a clip."""
    plain = replace(EDITOR, hole_area_px=0, speck_area_px=0, first_share=0.0)
    tracker = NetworkTracker(network, source, MemoryResults(), profile=plain)
    draw = np.random.default_rng(SEED)
    for frame, truth in truths:
        for number, click in enumerate(places(truth, draw)):
            found = tracker.prompt(FramePrompts(number, frame, (click,)))
            tracker.remove(number)
            logits = found.logits.astype(np.float32)
            yield Row(name, kind, click, logits, truth, found.predicted_iou)


def places(truth: NDArray[np.bool_], draw: np.random.Generator) -> Iterator[Click]:
    """The middle of an object, and two places that are not near its edge; none of something tiny."""
    if truth.sum() < 100:
        return
    depth = cv2.distanceTransform(np.pad(truth.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = np.argwhere(depth >= max(1.0, 0.3 * depth.max()))
    chosen = [np.unravel_index(int(depth.argmax()), depth.shape)]
    chosen += [tuple(inside[draw.integers(len(inside))]) for _ in range(2)]
    for row, column in chosen:
        yield Click(float(column) + 0.5, float(row) + 0.5)


def report(rows: Sequence[Row]) -> None:
    """Print what the rows tell."""
    limit = STEADY_CLICKS[WEIGHTS]
    for kind in ("davis_dev", "generated"):
        part = [row for row in rows if row.kind == kind]
        iou = np.array([row.iou(row.logits) for row in part])
        steady = np.array([steadiness(row.logits) for row in part])
        own = np.array([row.predicted_iou for row in part])
        poor = iou < POOR_BELOW_IOU
        write_line(
            {
                "case": f"all clicks on {kind}",
                "clicks": len(part),
                "mean_iou": round(float(iou.mean()), 3),
                "poor": round(float(poor.mean()), 3),
                "auc_steadiness": round(under_the_curve(steady, poor), 3),
                "auc_predicted_iou": round(under_the_curve(own, poor), 3),
            }
        )
        held = np.array([kind == "generated" or row.sequence in HELD_OUT for row in part])
        for least in (0.3, limit, 0.44):
            told = steady < least
            write_line(
                {"case": f"called poor on {kind}, held out", "limit": least, **rates(told[held], poor[held])}
            )
        for share in SHARES:
            gains = np.array([row.iou(cleaned(row, share)) for row in part]) - iou
            write_line(
                {
                    "case": f"cleaned on {kind}",
                    "share": share,
                    "mean_gain": round(float(gains.mean()), 4),
                    "worst": round(float(gains.min()), 3),
                    "better_by_0.02": round(float((gains > 0.02).mean()), 3),
                    "worse_by_0.02": round(float((gains < -0.02).mean()), 3),
                }
            )


def cleaned(row: Row, share: float) -> NDArray[np.float32]:
    """Its logits as the editor cleans them, with this share."""
    side = row.logits.shape[0]
    height_px, width_px = row.truth.shape
    cell = int(row.click.y_px * side / height_px), int(row.click.x_px * side / width_px)
    areas = {"hole_area_px": EDITOR.hole_area_px, "speck_area_px": EDITOR.speck_area_px}
    return clean_logits(row.logits, **areas, share=share, wanted=Wanted(inside=(cell,)))


def rates(told: NDArray[np.bool_], poor: NDArray[np.bool_]) -> dict[str, float]:
    """How often it is told, how often rightly, and how many of the poor ones are."""
    right = float((told & poor).sum())
    return {
        "told": round(float(told.mean()), 3),
        "poor": round(float(poor.mean()), 3),
        "precision": round(right / max(1.0, float(told.sum())), 3),
        "recall": round(right / max(1.0, float(poor.sum())), 3),
    }


def under_the_curve(values: NDArray[np.float64], poor: NDArray[np.bool_]) -> float:
    """How often a poor mask has the lower value of a poor and a good one."""
    ranks = np.argsort(np.argsort(values)).astype(np.float64)
    bad, good = float(poor.sum()), float((~poor).sum())
    return 1.0 - (float(ranks[poor].sum()) - bad * (bad - 1) / 2) / max(1.0, bad * good)


def _read(path: Path) -> NDArray[np.bool_]:
    codes = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if codes is None:
        raise SystemExit(f"{path} is no picture")
    return np.asarray(codes > 127)


if __name__ == "__main__":
    main()
