"""Fluent emoji by Microsoft: rendered still pictures and animations, MIT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from masklet_server.training.material.pictures import CutOut, Licence, Photo, order_of

_TONES = re.compile(r"1f3f[b-f]")
# Flags and keycaps are rectangles with letters: little to learn from.
_DULL = re.compile(r"^1f1[e-f]|20e3")


def _files(folder: Path) -> list[Path]:
    """One file per emoji: of several skin tones one is kept, chosen by name."""
    chosen: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.webp"), key=lambda path: order_of(path.name)):
        base = _TONES.sub("", path.stem)
        if not _DULL.search(path.stem) and (base not in chosen or len(_TONES.findall(path.stem)) == 1):
            chosen[base] = path
    return sorted(chosen.values(), key=lambda path: order_of(path.stem))


class StillEmoji:
    """Still pictures, 256 px."""

    licence = Licence(
        "fluent-emoji-3d",
        "npm @lobehub/fluent-emoji-3d",
        "MIT",
        "Fluent Emoji, Microsoft Corporation; LobeHub",
    )
    share = 0.10

    def __init__(self, folder: Path, *, limit: int = 600) -> None:
        """Read the unpacked package below ``folder``, at most ``limit`` of them."""
        self._folder = folder
        self._limit = limit

    def cutouts(self) -> Iterator[CutOut]:
        """Single views."""
        for path in _files(self._folder)[: self._limit]:
            picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if picture is not None and picture.ndim == 3 and picture.shape[2] == 4:
                yield CutOut(path.stem, (picture.astype(np.uint8),))

    def photos(self) -> Iterator[Photo]:
        """None."""
        return iter(())


class MovingEmoji:
    """Animations, 256 px: articulated and non-rigid motion with exact alpha."""

    licence = Licence(
        "fluent-emoji-anim",
        "npm @lobehub/fluent-emoji-anim-1 to -4",
        "MIT",
        "Fluent Emoji, Microsoft Corporation; LobeHub",
    )
    share = 0.20

    def __init__(self, folder: Path, *, limit: int = 280, frames: int = 9, stride: int = 4) -> None:
        """Read the unpacked packages below ``folder``; keep every ``stride``-th frame, ``frames`` in all."""
        self._folder = folder
        self._limit = limit
        self._frames = frames
        self._stride = stride

    def cutouts(self) -> Iterator[CutOut]:
        """Frames in order."""
        count = 0
        for path in _files(self._folder):
            if count == self._limit:
                return
            read, animation = cv2.imreadanimation(str(path))
            views = tuple(animation.frames[:: self._stride][: self._frames]) if read else ()
            if len(views) == self._frames and all(view.shape[2] == 4 for view in views):
                count += 1
                yield CutOut(path.stem, tuple(view.astype(np.uint8) for view in views))

    def photos(self) -> Iterator[Photo]:
        """None."""
        return iter(())
