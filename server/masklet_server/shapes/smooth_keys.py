"""On which frames a piece needs a key where the tool draws Nuke's smooth curve between keys.

The curve at a frame depends on four keys, so no key can be chosen by looking at its neighbour alone. Few
keys are spread evenly, all are fitted together, and more come where that is too far off. Where that ends with
few of them, it is tried with fewer: evenly spread, without each, and with one in the place of two neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from masklet.interpolation import Interpolation
from masklet_server.shapes.closeness import Closeness
from masklet_server.shapes.keyframes import (
    SPARSE_SHARE,
    allowed_px,
    curves,
    drawn,
    gaps,
    keys_on_the_object,
    least_squares,
    stretches,
    with_more,
)
from masklet_server.shapes.samples import Array
from masklet_server.shapes.vertices import Fit

_RULE = Interpolation.NUKE_SMOOTH
_FIRST_EVERY = 16
_THINNED_SHARE = 0.5


def smoothly_keyed(fit: Fit, table: Array, times: Array, close: Closeness) -> tuple[NDArray[np.int64], Array]:
    """Indices of the frames that get a key, ascending, and the keys' states, ``(keys, V, 6)``.

    The first and the last frame of each stretch without a missing frame have one, since Nuke gets a curve
    for each.

    Args:
        fit: The piece, frame by frame.
        table: Its states, ``(F, V, 6)``.
        times: Frame numbers, ``(F,)``.
        close: The distance allowed; where a frame's own curves are worse, theirs is.
    """
    limits_px = allowed_px(fit, table, close)
    parts = stretches(times, _RULE)
    ends = np.unique(np.array(parts))
    keys = np.unique(
        np.concatenate(
            [
                np.rint(np.linspace(first, last, 2 + (last - first) // _FIRST_EVERY)).astype(np.int64)
                for first, last in parts
            ]
        )
    )
    while len(keys) < max(SPARSE_SHARE * len(times), 3):
        found, beyond = least_squares(fit, table, times, keys, close, limits_px, _RULE)
        if beyond.max() <= 1:
            if len(keys) > _THINNED_SHARE * len(times):
                return keys, found

            def tried(fewer: NDArray[np.int64]) -> Array | None:
                trial, off = least_squares(fit, table, times, fewer, close, limits_px, _RULE)
                return trial if off.max() <= 1 else None

            return _thinned(keys, found, ends, tried)
        more = with_more(keys, beyond)
        if len(more) == len(keys):
            break
        keys = more
    return _on_the_object(fit, table, times, ends, close, limits_px)


Keyed = tuple[NDArray[np.int64], Array]
Trial = Callable[[NDArray[np.int64]], Array | None]
"""States of the keys that hold the limits, or None where none do."""


def _thinned(keys: NDArray[np.int64], found: Array, ends: NDArray[np.int64], tried: Trial) -> Keyed:
    """As many fewer keys as hold."""
    keys, found = _evenly(keys, found, ends, tried)
    for replaced in (1, 2):
        index = 1
        while index + replaced < len(keys):
            few = keys[index : index + replaced]
            instead = [] if replaced == 1 else [int(few.sum()) // 2]
            fewer = np.unique(np.concatenate([keys[:index], instead, keys[index + replaced :]])).astype(
                np.int64
            )
            trial = None if np.isin(few, ends).any() else tried(fewer)
            if trial is not None:
                keys, found = fewer, trial
            else:
                index += 1
    return keys, found


def _evenly(keys: NDArray[np.int64], found: Array, ends: NDArray[np.int64], tried: Trial) -> Keyed:
    """The fewest evenly spread keys that hold, where these are fewer: what moves steadily wants them so."""
    low, high = len(ends), len(keys) - 1
    while low <= high:
        count = (low + high) // 2
        spread = np.rint(np.linspace(ends[0], ends[-1], count)).astype(np.int64)
        even = np.unique(np.concatenate([spread, ends]))
        trial = tried(even)
        if trial is not None and len(even) <= len(keys):
            keys, found, high = even, trial, count - 1
        else:
            low = count + 1
    return keys, found


def _on_the_object(
    fit: Fit, table: Array, times: Array, ends: NDArray[np.int64], close: Closeness, limits_px: Array
) -> tuple[NDArray[np.int64], Array]:
    """Keys with the states of their own frames: what straight lines need, and more where the curve swings."""
    keys, _ = keys_on_the_object(fit, table, times, close, limits_px)
    keys = np.unique(np.concatenate([keys, ends]))
    while True:
        between = drawn(table[keys], times, keys, _RULE)
        beyond = close.beyond(gaps(curves(between), fit.samples), limits_px)
        # With a key on every frame each has its own curves, which are within.
        wanted = np.setdiff1d(np.flatnonzero(beyond > 1), keys)
        if not wanted.size:
            return keys, table[keys]
        keys = np.unique(np.concatenate([keys, wanted]))
