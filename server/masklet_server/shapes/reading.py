"""Mattes read once: their contours, how soft these are, and where the object is."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.shapes.contours import Contour, contour_from_points, trace
from masklet_server.shapes.pieces import worth_a_piece
from masklet_server.shapes.samples import Array
from masklet_server.shapes.softness import ramp_px

Matte = NDArray[np.float32] | NDArray[np.uint8]

_THREADS = 2
_AHEAD = 3


@dataclass(frozen=True, eq=False)
class Outline:
    """What splines need to know of one matte.

    Attributes:
        contours: Those that become pieces, in square pixels.
        softness_px: Of each contour, the width of its soft band at evenly spaced points.
        left_out: How many contours were too small.
        inside: Where coverage is one half or more.
    """

    contours: tuple[Contour, ...]
    softness_px: tuple[Array, ...]
    left_out: int
    inside: PackedMask


@dataclass(frozen=True, eq=False)
class PackedMask:
    """A mask as a few kilobytes.

    Attributes:
        packed: The part of the picture that is not empty, compressed.
        top: Its first row.
        left: Its first column.
        shape: Its rows and columns; 0 and 0 for an empty mask.
    """

    packed: bytes
    top: int
    left: int
    shape: tuple[int, int]

    def part(self) -> NDArray[np.bool_]:
        """The part of the picture that is not empty."""
        bits = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        rows, columns = self.shape
        return np.unpackbits(bits, count=rows * columns).reshape(rows, columns).astype(np.bool_)


def packed(mask: NDArray[np.bool_]) -> PackedMask:
    """The mask ``(H, W)``, kept small."""
    left, top, columns, rows = cv2.boundingRect(mask.view(np.uint8))
    if not rows:
        return PackedMask(zlib.compress(b""), 0, 0, (0, 0))
    part = mask[top : top + rows, left : left + columns]
    return PackedMask(zlib.compress(np.packbits(part).tobytes(), 1), top, left, (rows, columns))


def outlines(
    mattes: Mapping[int, Matte],
    frames: Sequence[int],
    *,
    tolerance_px: float,
    square: Array,
    tell: Callable[[float], None],
) -> tuple[list[Outline], tuple[int, int]]:
    """The outlines of all frames, and width and height of the mattes.

    Each matte is read once, in the caller's thread, while others trace the ones before it.

    Args:
        mattes: By frame number.
        frames: Which, in order.
        tolerance_px: What is smaller than a disc of this radius becomes no piece.
        square: ``(2,)``, by what x and y are stretched to square pixels.
        tell: Gets the share of the work that is done, 0 to 1.

    Raises:
        BadInputError: Mattes differ in size or are of another type.
    """
    size_px = (0, 0)

    def read() -> Iterator[Matte]:
        nonlocal size_px
        for frame in frames:
            matte = mattes[frame]
            _check(matte, frame, size_px)
            size_px = (matte.shape[1], matte.shape[0])
            yield matte

    found: list[Outline] = []
    waiting: list[Future[Outline]] = []
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="outline") as threads:
        try:
            for matte in read():
                waiting.append(threads.submit(_outline, matte, tolerance_px, square))
                if len(waiting) > _AHEAD:
                    found.append(waiting.pop(0).result())
                    tell(len(found) / len(frames))
            while waiting:
                found.append(waiting.pop(0).result())
                tell(len(found) / len(frames))
        finally:
            for unfinished in waiting:
                unfinished.cancel()
    return found, size_px


def _check(matte: Matte, frame: int, size_px: tuple[int, int]) -> None:
    if matte.ndim != 2 or matte.dtype not in (np.float32, np.uint8) or not matte.size:
        raise BadInputError(
            f"The matte of frame {frame} is {matte.shape} {matte.dtype}. A matte has rows and columns of "
            "float32 or uint8 coverage."
        )
    if size_px not in ((0, 0), (matte.shape[1], matte.shape[0])):
        raise BadInputError(
            f"The matte of frame {frame} has {matte.shape[1]} x {matte.shape[0]} pixels, others "
            f"{size_px[0]} x {size_px[1]}. Export all mattes at the size of the plate."
        )


def _outline(matte: Matte, tolerance_px: float, square: Array) -> Outline:
    contours = trace(matte)
    wanted = worth_a_piece(contours, tolerance_px)
    inside = matte >= (128 if matte.dtype == np.uint8 else 0.5)
    return Outline(
        contours=tuple(_stretched(contour, square) for contour in wanted),
        softness_px=tuple(ramp_px(matte, contour) for contour in wanted),
        left_out=len(contours) - len(wanted),
        inside=packed(np.asarray(inside)),
    )


def _stretched(contour: Contour, square: Array) -> Contour:
    stretched = contour_from_points(contour.points * square) if np.any(square != 1) else contour
    return stretched or contour
