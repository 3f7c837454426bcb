"""What the farm's check finds in true masks, and in the same masks spoilt: false alarms, and what is missed.

    python server/benchmarks/bench_check.py --data /path/to/davis_dev

``--data`` holds sequences of DAVIS 2016 (``frames`` and ``masks``), which are not in this repository. So many
frames are taken of each, and the middle one counts as prompted, with a box around its true mask. Three ways
of being wrong are tried, each on all frames but the prompted one, or on all: the mask left lying beside the
object (``beside``), grown to about twice its area (``grown``), and without its lower half (``half``). No
network runs.

Printed: a line of JSON for each sequence with the names of the checks that found something, and one that
counts sequences by check.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import records
from numpy.typing import NDArray

from masklet.farm.pictures import found_in
from masklet.types import Box, FramePrompts, FrameRange, ObjectInfo, PromptDocument
from masklet_server.farm.measure_request import MatteFile, MeasureRequest
from masklet_server.farm.measuring import measure

Bits = NDArray[np.bool_]


def main() -> None:
    """Check all sequences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=40)
    asked = parser.parse_args()
    sequences = sorted(path for path in asked.data.iterdir() if (path / "masks").is_dir())
    records.begin(
        "bench_check", footage="davis_dev", sequences=[path.name for path in sequences], frames=asked.frames
    )
    sums: dict[str, dict[str, int]] = {}
    for sequence in sequences:
        found = {}
        for word, spoil in _WAYS.items():
            for steadily in (False, True) if spoil is not None else (False,):
                checks = checked(sequence, asked.frames, spoil, steadily=steadily)
                key = word + (" on all" if steadily else "")
                found[key] = sorted(checks)
                own = sums.setdefault(key, {"any": 0})
                for check in (*checks, *(["any"] if checks else [])):
                    own[check] = own.get(check, 0) + 1
        records.write_line({"record": "sequence", "sequence": sequence.name, **found})
    records.write_line({"record": "found", "of": len(sequences), **sums})


def checked(sequence: Path, frames: int, spoil: Callable[[Bits], Bits] | None, *, steadily: bool) -> set[str]:
    """The names of the checks that find something in a sequence."""
    masks = sorted((sequence / "masks").glob("*.png"))[:frames]
    middle = len(masks) // 2
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for frame, path in enumerate(masks):
            true = cv2.imread(str(path), 0) > 127
            if frame == middle:
                rows, columns = np.nonzero(true)
            used = true if spoil is None or (frame == middle and not steadily) else spoil(true)
            files[frame] = MatteFile(Path(folder) / f"{frame:05d}.png", "Y")
            cv2.imwrite(str(files[frame].path), used.astype(np.uint8) * 255)
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        box = tuple(map(float, edges))
        request = MeasureRequest(
            str(sequence / "frames" / "%05d.jpg"),
            {},
            FrameRange(0, len(masks) - 1),
            {"it": files},
            {},
            {"it": {middle: box}},
            {"it": [middle]},
        )
        told = measure(request)["objects"]["it"]
    document = PromptDocument((ObjectInfo(1, "it", (middle,)),), (FramePrompts(1, middle, box=Box(*box)),))
    return {problem.check for problem in found_in(told, document, "it")}


def _beside(mask: Bits) -> Bits:
    columns = np.nonzero(mask)[1]
    if not len(columns):
        return mask
    width = int(columns.max() - columns.min() + 1)
    to_right = columns.max() + width < mask.shape[1]
    moved = np.roll(mask, width if to_right else -width, 1)
    if to_right:
        moved[:, :width] = False
    else:
        moved[:, -width:] = False
    return moved


def _grown(mask: Bits) -> Bits:
    reach = max(1, int(0.2 * mask.sum() ** 0.5))
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0


def _half(mask: Bits) -> Bits:
    rows = np.nonzero(mask)[0]
    left = mask.copy()
    if len(rows):
        left[int(np.median(rows)) :] = False
    return left


_WAYS: dict[str, Callable[[Bits], Bits] | None] = {
    "true": None,
    "beside": _beside,
    "grown": _grown,
    "half": _half,
}


if __name__ == "__main__":
    main()
