"""Photographs with instance masks, CC BY, from a folder ``images/``, ``masks/`` and ``meta.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from masklet.errors import BadInputError
from masklet_server.training.material.pictures import CutOut, Licence, Photo, Pixels

_ALIVE = frozenset({"person", "dog", "horse", "giraffe", "bird", "bear", "cat", "cow", "sheep", "elephant", "zebra"})
_SMALLEST_SHARE = 0.006


@dataclass(frozen=True)
class _Entry:
    name: str
    things: tuple[str, ...]
    picture: Pixels
    labels: Pixels


class LabelledPhotographs:
    """Photographs as scenes, and their people, animals and things as cut-outs."""

    licence = Licence(
        "coco-cc-by",
        "COCO photographs under CC BY 2.0, as found in lightly-ai/coco128_yolo",
        "CC-BY-2.0 (photographs), CC-BY-4.0 (annotations)",
        "the photographers named in meta.json; COCO Consortium",
    )
    share = 0.32

    def __init__(self, folder: Path) -> None:
        """Read ``folder``.

        Raises:
            BadInputError: The folder has no ``meta.json``.
        """
        if not (folder / "meta.json").is_file():
            raise BadInputError("The folder of photographs has no meta.json. Name the folder that holds it.")
        self._folder = folder

    def _entries(self) -> Iterator[_Entry]:
        for entry in json.loads((self._folder / "meta.json").read_text()):
            picture = cv2.imread(str(self._folder / "images" / entry["file"]), cv2.IMREAD_COLOR)
            name = Path(entry["file"]).stem
            labels = cv2.imread(str(self._folder / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
            if picture is not None and labels is not None:
                yield _Entry(name, tuple(entry["things"]), picture.astype(np.uint8), labels.astype(np.uint8))

    def cutouts(self) -> Iterator[CutOut]:
        """Objects that are large enough and not cut off by the picture's border for the most part."""
        for entry in self._entries():
            for number, thing in enumerate(entry.things, start=1):
                mask = entry.labels == number
                if mask.mean() < _SMALLEST_SHARE:
                    continue
                view = np.dstack((entry.picture, _soft(mask)))
                border = int(
                    mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
                )
                weight = (3.0 if thing in _ALIVE else 1.0) * (0.5 if border > 60 else 1.0)
                yield CutOut(f"{entry.name}/{number}-{thing}", (view,), weight * float(min(1.0, mask.mean() * 30)))

    def photos(self) -> Iterator[Photo]:
        """Every photograph, with the objects that are large enough to be targets."""
        for entry in self._entries():
            kept = np.zeros_like(entry.labels)
            count = 0
            for number, _ in enumerate(entry.things, start=1):
                mask = entry.labels == number
                if mask.mean() >= _SMALLEST_SHARE:
                    count += 1
                    kept[mask] = count
            yield Photo(entry.name, entry.picture, kept if count else None)


def _soft(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Pixels:
    """Alpha from a polygon's mask: its border lies a little outside, so draw it in and soften it."""
    inner = cv2.erode(mask.astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(inner, (0, 0), 1.0).astype(np.uint8)
