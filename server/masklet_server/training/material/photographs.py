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

Bits = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
_ALIVE = frozenset(
    {"person", "dog", "horse", "giraffe", "bird", "bear", "cat", "cow", "sheep", "elephant", "zebra"}
)
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
        """Objects that are large enough; people and animals more often, what the border cuts less often."""
        for entry in self._entries():
            for number, thing in enumerate(entry.things, start=1):
                mask = entry.labels == number
                if mask.mean() < _SMALLEST_SHARE:
                    continue
                mask = refined(entry.picture, mask)
                border = int(mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum())
                weight = (3.0 if thing in _ALIVE else 1.0) * (0.5 if border > 60 else 1.0)
                weight *= min(1.0, float(mask.mean()) * 30.0)
                yield CutOut(
                    f"{entry.name}/{number}-{thing}", (np.dstack((entry.picture, _soft(mask))),), weight
                )

    def photos(self) -> Iterator[Photo]:
        """Every photograph, with the objects that are large enough to be targets."""
        for entry in self._entries():
            kept = np.zeros_like(entry.labels)
            count = 0
            for number, _ in enumerate(entry.things, start=1):
                mask = entry.labels == number
                if mask.mean() < _SMALLEST_SHARE:
                    continue
                count += 1
                kept[refined(entry.picture, mask) & ((entry.labels == 0) | mask)] = count
            yield Photo(entry.name, entry.picture, kept if count else None)


def refined(picture: Pixels, mask: Bits, *, band_px: int = 5) -> Bits:
    """Move a polygon's border to the edge that the picture shows, within ``band_px``.

    GrabCut (Rother et al., 2004) decides inside the band only. Where it would change much, as with wheels
    and branches, the polygon stays.

    Args:
        picture: (H, W, 3), BGR.
        mask: (H, W).
        band_px: How far the border may move.

    Returns:
        (H, W).
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band_px + 1, 2 * band_px + 1))
    inner = cv2.erode(mask.astype(np.uint8), kernel) > 0
    outer = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    if inner.sum() < 50:
        return mask
    rows, columns = np.flatnonzero(outer.any(1)), np.flatnonzero(outer.any(0))
    window = np.s_[max(0, rows[0] - 20) : rows[-1] + 20, max(0, columns[0] - 20) : columns[-1] + 20]
    belief = np.full(mask.shape, cv2.GC_BGD, np.uint8)
    belief[outer], belief[mask], belief[inner] = cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD
    part = np.ascontiguousarray(belief[window])
    background, object_ = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    crop = np.ascontiguousarray(picture[window])
    cv2.grabCut(crop, part, (0, 0, 1, 1), background, object_, 3, cv2.GC_INIT_WITH_MASK)
    better = np.zeros_like(mask)
    better[window] = (part == cv2.GC_FGD) | (part == cv2.GC_PR_FGD)
    overlap = (better & mask).sum() / max(1, (better | mask).sum())
    return better if overlap > 0.8 else mask


def _soft(mask: Bits) -> Pixels:
    """Alpha from a mask: drawn in by half a pixel, so that no background shows, and softened."""
    return (
        cv2.GaussianBlur(np.where(mask, 255, 0).astype(np.float32) * 1.15 - 20.0, (0, 0), 0.9)
        .clip(0, 255)
        .astype(np.uint8)
    )
