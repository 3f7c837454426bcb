"""Vectors over time: absences filled, noise smoothed, the artist's corrections put on top.

The order matters. Smoothing sees measurements only; corrections come after it, so that it can
never move them. Absences are filled in between, from smoothed neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from masklet.anchors import Absence
from masklet_server.anchors.geometry import Array

# Speed left after each frame of extrapolation: an object does not go on for ever.
_DAMPING = 0.85
# Frames over which an effect fades out and in.
FADE_FRAMES = 6
# Neighbours from which the speed at the edge of an absence is read.
_SPEED_FRAMES = 3


def smooth(
    frames: Array, vectors: Array, seen: NDArray[np.bool_], faith: Array, sigma_frames: float
) -> Array:
    """Vectors ``(F, D)`` after a local quadratic fit with Gaussian weights (Cleveland, 1979).

    A parabola has no lag and keeps accelerations. Each unbroken stretch is smoothed by itself.

    Args:
        frames: ``(F,)`` frame numbers.
        vectors: ``(F, D)``, meaningless where not seen.
        seen: ``(F,)``.
        faith: ``(F,)`` confidence, by which neighbours weigh.
        sigma_frames: Width of the weights; 0 changes nothing.
    """
    if sigma_frames <= 0.0:
        return vectors
    smoothed = vectors.copy()
    for first, last in _stretches(seen):
        stretch = slice(first, last + 1)
        times, values, trust = frames[stretch], vectors[stretch], faith[stretch] + 0.05
        for index, time in enumerate(times):
            near = np.abs(times - time) <= 3.0 * sigma_frames
            if np.count_nonzero(near) < 4:
                continue
            offset = (times[near] - time) / sigma_frames
            weights = np.sqrt(np.exp(-0.5 * offset**2) * trust[near])
            design = np.stack([np.ones_like(offset), offset, offset**2], axis=1)
            fit = np.linalg.lstsq(design * weights[:, None], values[near] * weights[:, None], rcond=None)[0]
            smoothed[first + index] = fit[0]
    return smoothed


def fill(frames: Array, vectors: Array, seen: NDArray[np.bool_], absence: Absence) -> Array:
    """Vectors ``(F, D)`` with something on every frame.

    Before the first sighting the object is carried backwards, after it forwards.
    """
    filled = vectors.copy()
    for first, last in _stretches(~seen):
        before, after = first - 1, last + 1
        has_before, has_after = before >= 0, after < len(frames)
        gap = slice(first, last + 1)
        if absence is not Absence.EXTRAPOLATE:
            filled[gap] = vectors[before] if has_before else vectors[after]
        elif has_before and has_after:
            filled[gap] = _bridge(frames, vectors, seen, before, after)
        else:
            edge = before if has_before else after
            speed = _speed(frames, vectors, seen, edge, backward=has_before)
            away = frames[gap] - frames[edge]
            travelled = np.sign(away) * (1.0 - _DAMPING ** np.abs(away)) / (1.0 - _DAMPING) * _DAMPING
            filled[gap] = vectors[edge] + travelled[:, None] * speed
    return filled


def weights(frames: Array, seen: NDArray[np.bool_], absence: Absence) -> Array:
    """How much of the effect shows on each frame ``(F,)``."""
    shown = np.ones(len(frames))
    if absence is Absence.CUT:
        shown[~seen] = 0.0
    if absence is Absence.FADE:
        level = 1.0 if seen[0] else 0.0
        for index in range(len(frames)):
            if index:
                elapsed = (frames[index] - frames[index - 1]) / FADE_FRAMES
                level += elapsed if seen[index] else -elapsed
            level = float(np.clip(level, 0.0, 1.0))
            shown[index] = level
    return shown


def correct(frames: Array, vectors: Array, corrections: Mapping[int, Array], pinned: int | None) -> Array:
    """Vectors ``(F, D)`` through the artist's, with neighbours moved along.

    What a correction changes is carried to the next one and blended into it; before the first and
    after the last it stays as it is.

    Args:
        frames: ``(F,)`` frame numbers.
        vectors: ``(F, D)``.
        corrections: Vectors by row.
        pinned: A row that is right by definition (the reference), unless it is corrected itself.
    """
    offsets = {row: vector - vectors[row] for row, vector in corrections.items()}
    if not offsets:
        return vectors
    if pinned is not None:
        offsets.setdefault(pinned, np.zeros(vectors.shape[1]))
    rows = sorted(offsets)
    times = frames[rows]
    table = np.array([offsets[row] for row in rows])  # (K, D)
    at = np.clip(np.searchsorted(times, frames, side="right") - 1, 0, len(rows) - 1)
    following = np.minimum(at + 1, len(rows) - 1)
    length = np.maximum(times[following] - times[at], 1e-9)
    share = np.clip((frames - times[at]) / length, 0.0, 1.0)
    # Level at both ends: no kink at a correction, and no overshoot.
    share = share**2 * (3.0 - 2.0 * share)
    corrected: Array = vectors + table[at] + share[:, None] * (table[following] - table[at])
    for row, vector in corrections.items():
        corrected[row] = vector
    return corrected


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last rows of the unbroken stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _speed(frames: Array, vectors: Array, seen: NDArray[np.bool_], edge: int, *, backward: bool) -> Array:
    """Change a frame ``(D,)`` at the last (or first) sighting of a stretch, from it and its neighbours."""
    step = -1 if backward else 1
    rows = [edge]
    while len(rows) <= _SPEED_FRAMES:
        nearby = rows[-1] + step
        if not 0 <= nearby < len(frames) or not seen[nearby]:
            break
        rows.append(nearby)
    if len(rows) < 2:
        return np.zeros(vectors.shape[1])
    times = frames[rows] - frames[edge]
    slope: Array = np.polyfit(times, vectors[rows], 1)[0]
    return slope


def _bridge(frames: Array, vectors: Array, seen: NDArray[np.bool_], before: int, after: int) -> Array:
    """Hermite's cubic between two sightings, at the speeds found there: ``(gap, D)``."""
    length = frames[after] - frames[before]
    share = ((frames[before + 1 : after] - frames[before]) / length)[:, None]
    # Speeds are bounded by the way to go, or a fast exit would swing far out.
    way = np.abs(vectors[after] - vectors[before]) * 3.0
    leaving = np.clip(_speed(frames, vectors, seen, before, backward=True) * length, -way, way)
    arriving = np.clip(_speed(frames, vectors, seen, after, backward=False) * length, -way, way)
    bridged: Array = (
        (2 * share**3 - 3 * share**2 + 1) * vectors[before]
        + (share**3 - 2 * share**2 + share) * leaving
        + (3 * share**2 - 2 * share**3) * vectors[after]
        + (share**3 - share**2) * arriving
    )
    return bridged
