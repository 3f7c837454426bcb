"""From a sequence of mattes to the splines of an object, and to what they achieve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.shapes import ObjectShapes
from masklet_server.shapes.assembly import Drawn, assembled
from masklet_server.shapes.contours import Contour, contour_from_points, trace
from masklet_server.shapes.keyframes import apart, curves, interpolated, keyed, states
from masklet_server.shapes.life import Life, halves, lives
from masklet_server.shapes.pieces import strands, worth_a_piece
from masklet_server.shapes.report import measured
from masklet_server.shapes.samples import Array
from masklet_server.shapes.softness import ramp_px
from masklet_server.shapes.vertices import Fit, fitted

Matte = NDArray[np.float32] | NDArray[np.uint8]

_TRACED, _FITTED = 0.4, 0.8
_BEYOND_REACH = 2.0


def fit_shapes(
    mattes: Mapping[int, Matte],
    *,
    name: str,
    tolerance_px: float = 1.0,
    pixel_aspect: float = 1.0,
    on_progress: Callable[[float], None] | None = None,
) -> ObjectShapes:
    """The splines of one object.

    Args:
        mattes: By frame number, ``(H, W)`` coverage: 0 to 1 in float32, or 0 to 255 in uint8. Frames
            that are missing in between are bridged, and nothing is drawn on them. Each matte is read twice.
        name: Of the object.
        tolerance_px: How far a path may lie from where the coverage crosses one half, in pixels of the plate.
        pixel_aspect: Width of a pixel divided by its height; motion is judged in square pixels.
        on_progress: Gets the share of the work that is done, 0 to 1; what it raises
            (:class:`masklet.errors.CancelledError`) ends the work.

    Raises:
        BadInputError: The tolerance or the pixel aspect is not a positive number, there are no mattes, or
            they differ in size or are of another type.
    """
    tell = on_progress or (lambda share: None)
    width_px, height_px = _checked(mattes, tolerance_px, pixel_aspect)
    frames = sorted(mattes)
    # Whatever the aspect, one unit is at most one stored pixel in x and in y, so the tolerance holds in both.
    square = np.array([max(pixel_aspect, 1.0), max(1 / pixel_aspect, 1.0)])

    kept: list[list[Contour]] = []
    softness: dict[int, Array] = {}
    left_out = 0
    for index, frame in enumerate(frames):
        contours = trace(mattes[frame])
        wanted = worth_a_piece(contours, tolerance_px)
        left_out += len(contours) - len(wanted)
        stretched = []
        for contour in wanted:
            stretched.append(_stretched(contour, square))
            softness[id(stretched[-1])] = ramp_px(mattes[frame], contour)
        kept.append(stretched)
        tell(_TRACED * (index + 1) / len(frames))

    times = np.array(frames)
    size_px = (width_px * square[0], height_px * square[1])
    drawn: list[Drawn] = []
    found = strands(kept)
    for index, strand in enumerate(found):
        share = _TRACED + (_FITTED - _TRACED) * index / len(found)
        for life in lives(strand, *size_px):
            for part, fit in _within_reach(life, tolerance_px, partial(tell, share)):
                drawn.append(_drawn(part, fit, times, softness, tolerance_px, square))
    shapes = assembled(drawn, frames, name=name, size_px=(width_px, height_px), pixel_aspect=pixel_aspect)
    largest_px = max((piece.apart_px for piece in drawn), default=0.0)
    return measured(
        shapes,
        mattes,
        tolerance_px=tolerance_px,
        largest_distance_px=largest_px,
        left_out=left_out,
        tell=lambda share: tell(_FITTED + (1 - _FITTED) * share),
    )


def _checked(mattes: Mapping[int, Matte], tolerance_px: float, pixel_aspect: float) -> tuple[int, int]:
    """Width and height of the mattes."""
    if not (math.isfinite(tolerance_px) and tolerance_px > 0):
        raise BadInputError(
            f"Splines need a tolerance above 0 pixels, got {tolerance_px:g}. Set 1 for a close fit or more "
            "for fewer keyframes."
        )
    if not (math.isfinite(pixel_aspect) and pixel_aspect > 0):
        raise BadInputError(
            f"A pixel aspect is a number above 0, got {pixel_aspect:g}. Use 1 for square pixels."
        )
    if not mattes:
        raise BadInputError("There are no mattes to make splines from. Track the object first.")
    size: tuple[int, int] | None = None
    for frame, matte in mattes.items():
        if matte.ndim != 2 or matte.dtype not in (np.float32, np.uint8) or not matte.size:
            raise BadInputError(
                f"The matte of frame {frame} is {matte.shape} {matte.dtype}. A matte has rows and columns of "
                "float32 or uint8 coverage."
            )
        size = size or (matte.shape[1], matte.shape[0])
        if (matte.shape[1], matte.shape[0]) != size:
            raise BadInputError(
                f"The matte of frame {frame} has {matte.shape[1]} x {matte.shape[0]} pixels, others "
                f"{size[0]} x {size[1]}. Export all mattes at the size of the plate."
            )
    assert size is not None
    return size


def _stretched(contour: Contour, square: Array) -> Contour:
    stretched = contour_from_points(contour.points * square) if np.any(square != 1) else contour
    return stretched or contour


def _within_reach(life: Life, tolerance_px: float, check: Callable[[], None]) -> Iterator[tuple[Life, Fit]]:
    """The life, in parts where no reasonable number of vertices holds the tolerance all through."""
    check()
    fit = fitted(life, tolerance_px)
    if fit is not None and (
        len(life.contours) == 1 or apart(fit.controls, fit.samples).max() <= _BEYOND_REACH * tolerance_px
    ):
        yield life, fit
        return
    for part in halves(life):
        yield from _within_reach(part, tolerance_px, check)


def _drawn(
    life: Life,
    fit: Fit,
    times: NDArray[np.int64],
    softness: Mapping[int, Array],
    tolerance_px: float,
    square: Array,
) -> Drawn:
    """One life as keys of vertices, in the plate's pixels."""
    own_times = times[life.first : life.first + len(life.contours)].astype(np.float64)
    table = states(fit.controls)
    keys, found = keyed(fit, table, own_times, tolerance_px)
    reached = interpolated(found, own_times[keys], own_times)
    apart_px = float(apart(curves(reached), fit.samples).max())
    feather_px = _feather(life, fit.arcs, softness)
    plate = found / np.tile(square, 3)
    return Drawn(life, np.concatenate([plate, feather_px[keys][..., None]], axis=-1), keys, apart_px)


def _feather(life: Life, arcs: Array, softness: Mapping[int, Array]) -> Array:
    """Feather of each vertex on each frame, ``(F, V)``, calmed over neighbours and time."""
    rows = []
    for contour, arc_px in zip(life.contours, arcs, strict=True):
        measured_px = softness[id(contour)]
        calm_px = np.median([np.roll(measured_px, shift) for shift in (-2, -1, 0, 1, 2)], axis=0)
        places = np.arange(len(calm_px)) / len(calm_px) * contour.length_px
        rows.append(np.interp(arc_px, places, calm_px, period=contour.length_px))
    feather_px = np.stack(rows)
    padded = np.pad(feather_px, ((2, 2), (0, 0)), mode="edge")
    count = len(feather_px)
    return np.asarray(np.mean([padded[shift : shift + count] for shift in range(5)], axis=0))
