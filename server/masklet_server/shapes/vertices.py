"""Where on a piece its vertices sit: at corners, and between them as many as the tolerance asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes import beziers
from masklet_server.shapes.closeness import Closeness
from masklet_server.shapes.life import Life
from masklet_server.shapes.samples import Array, quantile

MAX_VERTICES = 240

_LEVEL_SHARE, _PEAK_SHARE = 0.25, 0.7
# Of an edge that trembles: what counts is how far a curve is off over all frames together.
_RAGGED_LEVEL_SHARE, _RAGGED_PEAK_SHARE, _RAGGED_FRAMES = 0.5, 2.0, 0.9
_CORNER_RAD = 0.75
_MIN_VERTICES = 4
_LOOKED_AT = 14
_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Fit:
    """A life as Bezier paths, frame by frame.

    Attributes:
        arcs: ``(F, V)``: length along each contour at which a vertex sits.
        controls: ``(F, V, 4, 2)``: the curve from each vertex to the next.
        samples: ``(F, V, K, 2)``: the contour from each vertex to the next.
    """

    arcs: Array
    controls: Array
    samples: Array


def fitted(life: Life, close: Closeness) -> Fit | None:
    """The life with vertices that use up a part of the tolerance; the rest is for time.

    Returns:
        None for a life of several frames that would need more than ``MAX_VERTICES``.
    """
    frames = _telling_frames(life)
    few = Life(life.hole, life.first, tuple(life.contours[f] for f in frames), life.nodes[frames])
    bend_px = _bend_px(life, close.limit_px)
    corner_places = _corner_places(few, bend_px)
    places, corners = _started(corner_places, few)
    places, corners, is_enough = _split(few, places, corners, close, bend_px)
    if not is_enough and len(life.contours) > 1:
        return None
    places, corners = _thinned(few, places, corners, close, bend_px)

    arcs = _snapped(life, life.arcs(places), corners, bend_px)
    samples = _between(life, arcs)
    controls, _ = beziers.fit(samples, corners)
    return Fit(arcs, controls, samples)


def _telling_frames(life: Life) -> NDArray[np.int64]:
    count = len(life.contours)
    spread = np.linspace(0, count - 1, min(count, _LOOKED_AT))
    return np.unique(np.append(np.rint(spread), np.argmax(life.lengths_px))).astype(np.int64)


def _bend_px(life: Life, tolerance_px: float) -> float:
    """Over what length a line must bend to count as a corner."""
    return float(np.clip(5 * tolerance_px, 1.5, max(float(life.lengths_px.min()) / 24, 0.5)))


def _turn_rad(life: Life, arcs: Array, bend_px: float) -> Array:
    """By what angle each contour turns within ``bend_px`` before and after, ``(F, V)``, 0 to pi."""
    here = life.at(arcs)
    before = here - life.at(arcs - bend_px)
    after = life.at(arcs + bend_px) - here
    cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    return np.asarray(np.abs(np.arctan2(cross, (before * after).sum(axis=-1))))


def _corner_places(life: Life, bend_px: float) -> Array:
    """Nodes that are corners on most frames, the sharpest of each neighbourhood."""
    turn = np.median(_turn_rad(life, life.nodes, bend_px), axis=0)  # (M,)
    spacing_px = float(life.lengths_px.mean()) / len(turn)
    apart = max(1, int(np.ceil(1.5 * bend_px / spacing_px)))
    around = np.stack([np.roll(turn, shift) for shift in range(-apart, apart + 1)])
    first = turn > np.max(around[apart + 1 :], axis=0)
    return np.flatnonzero((turn >= _CORNER_RAD) & (turn >= around.max(axis=0)) & first).astype(np.float64)


def _started(corner_places: Array, life: Life) -> tuple[Array, NDArray[np.bool_]]:
    count = life.nodes.shape[1]
    places = corner_places
    if not places.size:
        places = np.array([0.0])
    corners = np.ones(len(places), np.bool_) if corner_places.size else np.zeros(1, np.bool_)
    while len(places) < _MIN_VERTICES:
        gaps = np.diff(np.append(places, places[0] + count))
        widest = int(gaps.argmax())
        added = places[widest] + gaps[widest] / 2
        places, corners = _with(places, corners, np.array([added % count]))
    return places, corners


def _with(places: Array, corners: NDArray[np.bool_], added: Array) -> tuple[Array, NDArray[np.bool_]]:
    joined = np.append(places, added)
    flags = np.append(corners, np.zeros(len(added), np.bool_))
    order = np.argsort(joined)
    return joined[order], flags[order]


def _split(
    life: Life, places: Array, corners: NDArray[np.bool_], close: Closeness, bend_px: float
) -> tuple[Array, NDArray[np.bool_], bool]:
    """More vertices wherever a curve is off, and whether their limit allowed for all that are needed."""
    count = life.nodes.shape[1]
    for _ in range(_ROUNDS):
        error_px, worst, gaps = _errors(life, places, corners, close, bend_px)
        mean_px = gaps / count * life.lengths_px.mean()
        wanted = np.flatnonzero((error_px > close.limit_px) & (mean_px > 2.5) & (gaps > 1e-3))
        if not wanted.size:
            return places, corners, True
        room = max(MAX_VERTICES - len(places), 0)
        if len(wanted) > room and len(life.contours) > 1:
            return places, corners, False
        wanted = wanted[np.argsort(-error_px[wanted])][:room]
        added = np.mod(places[wanted] + gaps[wanted] * np.clip(worst[wanted], 0.35, 0.65), count)
        places, corners = _with(places, corners, added)
    return places, corners, True


def _thinned(
    life: Life, places: Array, corners: NDArray[np.bool_], close: Closeness, bend_px: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Without the vertices whose neighbours' curves do as well."""
    for _ in range(_ROUNDS):
        if len(places) <= _MIN_VERTICES:
            break
        without_px = _errors_without(life, places, corners, close, bend_px)
        without_px[corners] = np.inf
        spare: list[int] = []
        taken: set[int] = set()
        for index in np.argsort(without_px):
            if without_px[index] > close.limit_px or len(places) - len(spare) <= _MIN_VERTICES:
                break
            near = {(int(index) + step) % len(places) for step in (-2, -1, 0, 1, 2)}
            if not near & taken:
                spare.append(int(index))
                taken.add(int(index))
        if not spare:
            break
        kept_places, kept_corners = np.delete(places, spare), np.delete(corners, spare)
        places, corners = kept_places, kept_corners
    return places, corners


def _errors(
    life: Life, places: Array, corners: NDArray[np.bool_], close: Closeness, bend_px: float
) -> tuple[Array, Array, Array]:
    """Per curve ``(V,)``: the tolerance it needs, where along it it is worst, and its length in nodes."""
    arcs = _snapped(life, life.arcs(places), corners, bend_px)
    samples = _between(life, arcs)
    _, off_px = beziers.fit(samples, corners)
    # Pixels make steps of up to half a pixel in any line; no curve shall follow those.
    squares = np.square(off_px).mean(axis=-1)  # (F, V)
    if close.everywhere:
        need_px = np.maximum(np.sqrt(squares) / _LEVEL_SHARE, off_px.max(axis=-1) / _PEAK_SHARE)
        frame = need_px.argmax(axis=0)
        error_px, course = need_px.max(axis=0), off_px[frame, np.arange(len(places))]
    else:
        peak_px = quantile(off_px.max(axis=-1), _RAGGED_FRAMES, axis=0) / _RAGGED_PEAK_SHARE
        error_px = np.maximum(np.sqrt(squares.mean(axis=0)) / _RAGGED_LEVEL_SHARE, peak_px)
        course = np.square(off_px).mean(axis=0)
    worst = course.argmax(axis=-1) / (off_px.shape[2] - 1)
    gaps = np.diff(np.append(places, places[0] + life.nodes.shape[1]))
    return error_px, worst, gaps


def _errors_without(
    life: Life, places: Array, corners: NDArray[np.bool_], close: Closeness, bend_px: float
) -> Array:
    """Per vertex: the tolerance that is needed if it and every other one go, ``(V,)``."""
    result = np.full(len(places), np.inf)
    for parity in (0, 1):
        gone = np.arange(parity, len(places) - (len(places) % 2), 2)
        gone = gone[~corners[gone]]
        if not gone.size or len(places) - len(gone) < 2:
            continue
        kept = np.setdiff1d(np.arange(len(places)), gone)
        error_px, _, _ = _errors(life, places[kept], corners[kept], close, bend_px)
        left_of = np.searchsorted(kept, gone) - 1
        result[gone] = error_px[left_of]
    return result


def _snapped(life: Life, arcs: Array, corners: NDArray[np.bool_], bend_px: float) -> Array:
    """Arcs with each corner moved, by less than ``bend_px``, to where its contour turns most."""
    if not corners.any():
        return arcs
    offsets = np.linspace(-1, 1, 13) * bend_px
    around = arcs[:, corners][..., None] + offsets  # (F, corners, offsets)
    turn = _turn_rad(life, around.reshape(len(arcs), -1), bend_px).reshape(around.shape)
    best = (turn - 0.02 * np.abs(offsets / bend_px)).argmax(axis=-1)
    moved = arcs.copy()
    moved[:, corners] = np.take_along_axis(around, best[..., None], axis=-1)[..., 0]
    # Two corners must not change places.
    closed = np.concatenate([moved, moved[:, :1] + life.lengths_px[:, None]], axis=1)
    crossed = (np.diff(closed, axis=1) <= 0).any(axis=1)
    moved[crossed] = arcs[crossed]
    return moved


def _between(life: Life, arcs: Array) -> Array:
    """The contours from vertex to vertex, ``(F, V, K, 2)``."""
    inner = int(np.clip(2048 // arcs.shape[1], 12, 40))
    following = np.concatenate([arcs[:, 1:], arcs[:, :1] + life.lengths_px[:, None]], axis=1)
    share = np.linspace(0, 1, inner)
    return life.at(arcs[..., None] * (1 - share) + following[..., None] * share)
