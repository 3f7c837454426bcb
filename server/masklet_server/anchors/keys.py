"""Keys from measurements: smoothed, filled, corrected, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet.anchors import Absence, AnchorKey
from masklet_server.anchors import series
from masklet_server.anchors.geometry import Array
from masklet_server.anchors.poses import PoseSpace

# What is left of the last confidence on the first frame of an absence, and after each further one.
_CARRIED, _FORGETTING = 0.3, 0.8


@dataclass(frozen=True, eq=False)
class Measured:
    """One frame's measurement.

    Attributes:
        vector: ``(D,)``.
        confidence: 0 to 1.
        relocked: True where a lost surface was found again.
    """

    vector: Array
    confidence: float
    relocked: bool = False


def make_keys(
    frames: Sequence[int],
    measured: Mapping[int, Measured],
    reference: int,
    space: PoseSpace,
    corrections: Mapping[int, AnchorKey],
    absence: Absence,
    smoothing_frames: float,
) -> tuple[AnchorKey, ...]:
    """A key for each of the frames, which ascend and include the reference."""
    times = np.array(frames, np.float64)  # (F,)
    seen = np.array([frame in measured for frame in frames])
    row = frames.index(reference)
    corrected = {frames.index(frame): space.vector_of_key(key) for frame, key in corrections.items()}
    vectors, faith = _gathered(frames, measured, space, seen, row)
    vectors = series.smooth(times, vectors, seen, faith, smoothing_frames)
    # Nothing has moved on the reference frame, by definition; smoothing may not say otherwise.
    pinned = row if space.kind.follows_surface and bool(seen[row]) else None
    if pinned is not None and smoothing_frames > 0.0:
        vectors = vectors + space.vector(np.eye(3)) - vectors[row]
    if seen.any():
        vectors = series.fill(times, vectors, seen, absence)
    vectors = series.correct(times, vectors, corrected, pinned)
    keyed = np.isin(np.arange(len(frames)), list(corrected))
    weights = series.weights(times, seen | keyed, absence)
    confidence = np.where(keyed, 1.0, _confidences(seen, faith))
    rotations_deg = space.rotations_deg(vectors, row)
    jumps_px = _jumps_px(frames, measured, space, vectors, seen)
    return tuple(
        space.key(
            frame,
            vectors[index],
            float(rotations_deg[index]),
            confidence=float(confidence[index]),
            weight=float(weights[index]),
            held=not bool(seen[index] or keyed[index]),
            keyed=bool(keyed[index]),
            jump_px=0.0 if keyed[index] else jumps_px[index],
        )
        for index, frame in enumerate(frames)
    )


def _gathered(
    frames: Sequence[int],
    measured: Mapping[int, Measured],
    space: PoseSpace,
    seen: NDArray[np.bool_],
    row: int,
) -> tuple[Array, Array]:
    """Vectors ``(F, D)`` and confidence ``(F,)``; unseen rows hold the pose of the reference."""
    vectors = np.repeat(space.vector(np.eye(3))[None], len(frames), axis=0)  # (F, D)
    faith = np.zeros(len(frames))
    for index, frame in enumerate(frames):
        if frame in measured:
            vectors[index], faith[index] = measured[frame].vector, measured[frame].confidence
    rows = np.flatnonzero(seen)
    if len(rows):
        vectors[rows] = space.unwound(vectors[rows], int(np.searchsorted(rows, row)))
    return vectors, np.clip(faith, 0.0, 1.0)


def _confidences(seen: NDArray[np.bool_], faith: Array) -> Array:
    """Confidence ``(F,)``: measured where seen, fading with the distance from the last sighting elsewhere."""
    confidence = faith.copy()
    for index in range(len(seen)):
        if not seen[index]:
            before = confidence[index - 1] if index else 0.0
            confidence[index] = before * (_CARRIED if index and seen[index - 1] else _FORGETTING)
    return confidence


def _jumps_px(
    frames: Sequence[int],
    measured: Mapping[int, Measured],
    space: PoseSpace,
    vectors: Array,
    seen: NDArray[np.bool_],
) -> list[float]:
    """How far the anchor leaps, in stored pixels, where it returns or was found again; 0 elsewhere."""
    places = [space.place_px(vector) for vector in vectors]
    jumps_px = [0.0] * len(frames)
    for index in range(1, len(frames)):
        returns = bool(seen[index]) and not bool(seen[index - 1])
        found_again = frames[index] in measured and measured[frames[index]].relocked
        if returns or found_again:
            jumps_px[index] = float(np.hypot(*(places[index] - places[index - 1])))
    return jumps_px
