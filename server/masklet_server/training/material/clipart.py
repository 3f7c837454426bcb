"""Pictures of the Open Clip Art Library, dedicated to the public domain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from masklet_server.training.material.pictures import CutOut, Licence, Photo, order_of

_THEMES = frozenset(
    {"animals", "buildings", "computer", "containers", "electronics", "food"}
    | {"office", "people", "plants", "recreation", "tools", "transportation"}
)


class ClipArt:
    """Drawn things with alpha, without signs, letters, frames and thin lines."""

    licence = Licence(
        "openclipart", "Debian openclipart-png", "Public domain", "Open Clip Art Library contributors"
    )
    share = 0.08

    def __init__(self, folder: Path, *, limit: int = 700) -> None:
        """Read the unpacked package below ``folder``, at most ``limit`` of them."""
        self._folder = folder
        self._limit = limit

    def cutouts(self) -> Iterator[CutOut]:
        """Single views."""
        paths = [path for path in self._folder.rglob("*.png") if _THEMES & set(path.parts)]
        count = 0
        for path in sorted(paths, key=lambda path: order_of(path.name)):
            picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if (
                picture is None
                or picture.dtype != np.uint8
                or picture.shape[-1] != 4
                or min(picture.shape[:2]) < 120
            ):
                continue
            solid = picture[..., 3] > 128
            if not 0.2 < solid.mean() < 0.85 or picture[solid][:, :3].std() < 25.0:
                continue
            count += 1
            yield CutOut(f"{path.parent.name}/{path.stem}", (_shrunk(picture.astype(np.uint8)),))
            if count == self._limit:
                return

    def photos(self) -> Iterator[Photo]:
        """None."""
        return iter(())


def _shrunk(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Very large drawings at most 600 px on a side."""
    scale = 600 / max(picture.shape[:2])
    if scale >= 1.0:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
