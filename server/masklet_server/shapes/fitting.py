"""From a sequence of mattes to the splines of an object, and to what they achieve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.frame_runs import runs_without
from masklet.interpolation import Interpolation
from masklet.shapes import ObjectShapes
from masklet.types import FrameRange
from masklet_server.shapes.assembly import Drawn, assembled
from masklet_server.shapes.closeness import Closeness, closeness, raggedness_px
from masklet_server.shapes.keyframes import curves, drawn, gaps, states, straightly_keyed
from masklet_server.shapes.life import Life, halves, lives
from masklet_server.shapes.pieces import lasting, strands
from masklet_server.shapes.reading import Matte, outlines
from masklet_server.shapes.report import measured
from masklet_server.shapes.samples import Array
from masklet_server.shapes.smooth_keys import smoothly_keyed
from masklet_server.shapes.vertices import Fit, fitted

_TRACED, _FITTED = 0.4, 0.8
_BEYOND_REACH = 2.0
LEAST_TOLERANCE_PX = 0.001
"""Far below what any matte tells; for less there are more points than pixels, and numbers overflow."""


def fit_shapes(
    mattes: Mapping[int, Matte],
    *,
    name: str,
    tolerance_px: float = 1.0,
    pixel_aspect: float = 1.0,
    interpolation: Interpolation = Interpolation.LINEAR,
    asked: FrameRange | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> ObjectShapes:
    """The splines of one object.

    Args:
        mattes: By frame number, ``(H, W)`` coverage: 0 to 1 in float32, or 0 to 255 in uint8. Frames
            that are missing in between are bridged, and nothing is drawn on them. Each matte is read once.
        name: Of the object.
        tolerance_px: How far a path may lie from where the coverage crosses one half, in pixels of the plate;
            where that edge trembles from frame to frame, what 95 % of a path keep, and some more
            (:mod:`masklet_server.shapes.closeness`). The report tells the largest distance.
        pixel_aspect: Width of a pixel divided by its height; motion is judged in square pixels.
        interpolation: How the tool that gets the splines draws between keys: the tolerance holds under this.
        asked: The range that the splines are for; the report names its frames without a matte. From the
            first matte to the last when None.
        on_progress: Gets the share of the work that is done, 0 to 1; what it raises
            (:class:`masklet.errors.CancelledError`) ends the work.

    Raises:
        BadInputError: The tolerance or the pixel aspect is not a positive number, there are no mattes, or
            they differ in size or are of another type.
    """
    tell = on_progress or (lambda share: None)
    _check(tolerance_px, pixel_aspect)
    if not mattes:
        raise BadInputError("There are no mattes to make splines from. Track the object first.")
    frames = sorted(mattes)
    # Whatever the aspect, one unit is at most one stored pixel in x and in y, so the tolerance holds in both.
    square = np.array([max(pixel_aspect, 1.0), max(1 / pixel_aspect, 1.0)])
    read, (width_px, height_px) = outlines(
        mattes, frames, tolerance_px=tolerance_px, square=square, tell=lambda share: tell(_TRACED * share)
    )
    kept = [outline.contours for outline in read]
    softness = {
        id(contour): widths_px
        for outline in read
        for contour, widths_px in zip(outline.contours, outline.softness_px, strict=True)
    }

    times = np.array(frames)
    size_px = (width_px * square[0], height_px * square[1])
    made: list[Drawn] = []
    found = strands(kept)
    lasted = lasting(found, kept)
    fleeting = sum(len(strand.contours) for strand in found) - sum(len(strand.contours) for strand in lasted)
    whole = [life for strand in lasted for life in lives(strand, *size_px)]
    ragged_px = raggedness_px(whole)
    for index, life in enumerate(whole):
        share = _TRACED + (_FITTED - _TRACED) * index / len(whole)
        close = closeness(life, tolerance_px, ragged_px, size_px)
        for part, fit in _within_reach(life, close, partial(tell, share)):
            made.append(_drawn(part, fit, times, softness, close, square, interpolation))
    shapes = assembled(
        made,
        frames,
        name=name,
        size_px=(width_px, height_px),
        pixel_aspect=pixel_aspect,
        interpolation=interpolation,
    )
    return measured(
        shapes,
        {frame: outline.inside for frame, outline in zip(frames, read, strict=True)},
        tolerance_px=tolerance_px,
        largest_distance_px=max((piece.apart_px for piece in made), default=0.0),
        largest_between_keys_px=max((piece.between_keys_px for piece in made), default=0.0),
        interpolation=interpolation,
        left_out=fleeting + sum(outline.left_out for outline in read),
        gaps=runs_without(asked or FrameRange(frames[0], frames[-1]), frames),
        tell=lambda share: tell(_FITTED + (1 - _FITTED) * share),
    )


def _check(tolerance_px: float, pixel_aspect: float) -> None:
    if math.isfinite(tolerance_px) and 0 < tolerance_px < LEAST_TOLERANCE_PX:
        raise BadInputError(
            f"No edge is known to {tolerance_px:g} pixels. Give splines a tolerance of "
            f"{LEAST_TOLERANCE_PX:g} or more."
        )
    if not (math.isfinite(tolerance_px) and tolerance_px > 0):
        raise BadInputError(
            f"Splines need a tolerance above 0 pixels, got {tolerance_px:g}. Set 1 for a close fit or more "
            "for fewer keyframes."
        )
    if not (math.isfinite(pixel_aspect) and pixel_aspect > 0):
        raise BadInputError(
            f"A pixel aspect is a number above 0, got {pixel_aspect:g}. Use 1 for square pixels."
        )


def _within_reach(life: Life, close: Closeness, check: Callable[[], None]) -> Iterator[tuple[Life, Fit]]:
    """The life, in parts where no reasonable number of vertices keeps close all through."""
    check()
    fit = fitted(life, close)
    if fit is not None and (
        len(life.contours) == 1 or close.beyond(gaps(fit.controls, fit.samples)).max() <= _BEYOND_REACH
    ):
        yield life, fit
        return
    for part in halves(life):
        yield from _within_reach(part, close, check)


def _drawn(
    life: Life,
    fit: Fit,
    times: NDArray[np.int64],
    softness: Mapping[int, Array],
    close: Closeness,
    square: Array,
    rule: Interpolation,
) -> Drawn:
    """One life as keys of vertices, in the plate's pixels."""
    own_times = times[life.first : life.first + len(life.contours)].astype(np.float64)
    table = states(fit.controls)
    choose = smoothly_keyed if rule is Interpolation.NUKE_SMOOTH else straightly_keyed
    keys, found = choose(fit, table, own_times, close)
    apart_px = gaps(curves(drawn(found, own_times, keys, rule)), fit.samples).max(axis=1)
    between_keys_px = np.delete(apart_px, keys)
    feather_px = _feather(life, fit.arcs, softness)
    plate = found / np.tile(square, 3)
    return Drawn(
        life,
        np.concatenate([plate, feather_px[keys][..., None]], axis=-1),
        keys,
        apart_px=float(apart_px.max()),
        between_keys_px=float(between_keys_px.max(initial=0.0)),
    )


def _feather(life: Life, arcs: Array, softness: Mapping[int, Array]) -> Array:
    """Feather of each vertex on each frame, ``(F, V)``, calmed over neighbours and time."""
    rows = []
    for contour, arc_px in zip(life.contours, arcs, strict=True):
        measured_px = softness[id(contour)]
        around = (np.arange(len(measured_px))[:, None] + np.arange(-2, 3)) % len(measured_px)
        calm_px = np.sort(measured_px[around], axis=1)[:, 2]
        places = np.arange(len(calm_px)) / len(calm_px) * contour.length_px
        rows.append(np.interp(arc_px, places, calm_px, period=contour.length_px))
    feather_px = np.stack(rows)
    padded = np.pad(feather_px, ((2, 2), (0, 0)), mode="edge")
    count = len(feather_px)
    return np.asarray(np.mean([padded[shift : shift + count] for shift in range(5)], axis=0))
