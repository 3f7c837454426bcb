"""On which frames a piece needs a key, so that what runs between keys stays within the tolerance."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from masklet.interpolation import Interpolation, weights
from masklet_server.shapes import beziers
from masklet_server.shapes.closeness import Closeness
from masklet_server.shapes.samples import Array
from masklet_server.shapes.vertices import Fit

_CHECKED = 20
_FRAMES_AT_ONCE = 4
_GENEROUS = 1.6
_CALM_SHARE = 0.4
_FIRST_EVERY = 12
_WEIGHINGS = 4
_HOPELESS_SHARE = 0.15
SPARSE_SHARE = 0.75
"""Of the frames: beyond it, keys lie on the object."""


Plane = NDArray[np.float32]


def states(controls: Array) -> Array:
    """Vertex, in handle and out handle of each vertex, ``(F, V, 6)``, from curves ``(F, V, 4, 2)``."""
    vertex = controls[:, :, 0]
    into = np.roll(controls[:, :, 2], 1, axis=1) - vertex
    return np.concatenate([vertex, into, controls[:, :, 1] - vertex], axis=-1)


def curves(table: Array) -> Array:
    """The inverse of :func:`states`."""
    vertex, following = table[..., 0:2], np.roll(table, -1, axis=1)
    end = following[..., 0:2]
    return np.stack([vertex, vertex + table[..., 4:6], end + following[..., 2:4], end], axis=2)


def interpolated(found: Array, key_times: Array, wanted: Array) -> Array:
    """States at times ``wanted``, straight between those of the keys, ``(keys, V, 6)``."""
    if len(key_times) == 1:
        return np.repeat(found, len(wanted), axis=0)
    index = np.clip(np.searchsorted(key_times, wanted, side="right") - 1, 0, len(key_times) - 2)
    share = ((wanted - key_times[index]) / (key_times[index + 1] - key_times[index]))[:, None, None]
    return np.asarray(found[index] * (1 - share) + found[index + 1] * share)


def stretches(times: Array, rule: Interpolation) -> list[tuple[int, int]]:
    """First and last index of each stretch of frames that has curves of its own under a rule.

    Straight ways bridge frames that are missing; Nuke draws a curve for each range without one.
    """
    breaks = (
        np.flatnonzero(np.diff(times) > 1) + 1 if rule is Interpolation.NUKE_SMOOTH else np.array([], int)
    )
    starts = [0, *breaks.tolist()]
    return list(zip(starts, [*(start - 1 for start in starts[1:]), len(times) - 1], strict=True))


def basis(times: Array, keys: NDArray[np.int64], rule: Interpolation) -> Array:
    """What each key counts on each frame, ``(F, keys)``: times the keys' states it gives the frames'.

    Under Nuke's rule each of the :func:`stretches` needs a key.
    """
    if rule is Interpolation.LINEAR:
        return np.stack([np.interp(times, times[keys], row) for row in np.eye(len(keys))], axis=1)
    counts = np.zeros((len(times), len(keys)))
    for first, last in stretches(times, rule):
        inside = np.flatnonzero((keys >= first) & (keys <= last))
        own = times[keys[inside]].tolist()
        for frame in range(first, last + 1):
            for index, weight in weights(own, float(times[frame]), rule).items():
                counts[frame, inside[index]] = weight
    return counts


def drawn(found: Array, times: Array, keys: NDArray[np.int64], rule: Interpolation) -> Array:
    """States on all frames, ``(F, V, 6)``, from those of the keys, ``(keys, V, 6)``."""
    return np.asarray(np.einsum("fk,kvn->fvn", basis(times, keys, rule), found))


def straightly_keyed(
    fit: Fit, table: Array, times: Array, close: Closeness
) -> tuple[NDArray[np.int64], Array]:
    """Indices of the frames that get a key, ascending, and the keys' states, ``(keys, V, 6)``.

    Straight lines cut every bend on its inner side, so keys that lie on the object spend the tolerance
    twice. A first, generous choice of frames is therefore fitted to all frames by least squares, and gets
    more keys where that is still too far off.

    Args:
        fit: The piece, frame by frame.
        table: Its states, ``(F, V, 6)``.
        times: Frame numbers, ``(F,)``.
        close: The distance allowed; where a frame's own curves are worse, theirs is.
    """
    limits_px = allowed_px(fit, table, close)
    singly = _left_out_singly(fit, table, times, close, limits_px)
    keys = _chosen(fit, table, times, close, _GENEROUS * limits_px, singly <= _GENEROUS)
    if len(keys) >= _CALM_SHARE * len(times):
        # Outlines that tremble keep no frame's own place: what they do on the whole is left to least squares.
        evenly = np.linspace(0, len(times) - 1, 2 + len(times) // _FIRST_EVERY)
        keys = np.unique(np.rint(evenly)).astype(np.int64)
    while len(keys) < SPARSE_SHARE * len(times):
        found, beyond = least_squares(fit, table, times, keys, close, limits_px)
        if beyond.max() <= 1:
            return keys, found
        keys = with_more(keys, beyond)
    return keys_on_the_object(fit, table, times, close, limits_px, singly)


def allowed_px(fit: Fit, table: Array, close: Closeness) -> Array:
    """How far each frame may be off, ``(F,)``: the limit, or more where its own curves are."""
    own_px = close.limit_px * close.beyond(gaps(curves(table), fit.samples))
    return np.asarray(np.maximum(close.limit_px, 1.02 * own_px))


def keys_on_the_object(
    fit: Fit, table: Array, times: Array, close: Closeness, limits_px: Array, singly: Array | None = None
) -> tuple[NDArray[np.int64], Array]:
    """Keys with the states of their own frames, as few as straight lines between them allow."""
    if singly is None:
        singly = _left_out_singly(fit, table, times, close, limits_px)
    keys = _chosen(fit, table, times, close, limits_px, singly <= 1)
    return keys, table[keys]


def least_squares(
    fit: Fit,
    table: Array,
    times: Array,
    keys: NDArray[np.int64],
    close: Closeness,
    limits_px: Array,
    rule: Interpolation = Interpolation.LINEAR,
) -> tuple[Array, Array]:
    """The keys' states, and by what factor each frame is beyond its limit, ``(F,)``.

    Least squares under the rule by which states run between keys; frames that come out too far off then
    weigh more.
    """
    hats = basis(times, keys, rule)
    flat = table.reshape(len(table), -1)
    weight = np.ones(len(times))
    best: tuple[Array, Array] | None = None
    for _ in range(_WEIGHINGS):
        root = np.sqrt(weight)[:, None]
        solved = np.asarray(np.linalg.lstsq(root * hats, root * flat)[0], np.float64)
        solved = solved.reshape(-1, *table.shape[1:])
        between = np.einsum("fk,kvn->fvn", hats, solved)
        beyond = close.beyond(gaps(curves(between), fit.samples), limits_px)
        if best is None or beyond.max() < best[1].max():
            best = solved, beyond
        if beyond.max() <= 1 or np.mean(beyond > 1) > _HOPELESS_SHARE:
            break
        weight *= np.maximum(beyond, 0.4) ** 2
    assert best is not None
    return best


def with_more(keys: NDArray[np.int64], beyond: Array) -> NDArray[np.int64]:
    """The keys and some more, near the frames that are farthest beyond the limit, not close to each other."""
    stretches = [(float(beyond[a : b + 1].max()), a, b) for a, b in itertools.pairwise(keys.tolist())]
    added: list[int] = []
    for worst, first, last in sorted(stretches, reverse=True):
        if worst <= 1 or (added and worst < 1.4 and len(added) >= 1 + len(keys) // 8):
            break
        if last - first < 2 or any(abs(0.5 * (first + last) - other) < 2 * (last - first) for other in added):
            continue
        margin = max((last - first) // 4, 1)
        place = first + 1 + int(beyond[first + 1 : last].argmax())
        added.append(int(np.clip(place, first + margin, last - margin)))
    if not added:
        widest = int(np.diff(keys).argmax())
        added.append(int(keys[widest] + keys[widest + 1]) // 2)
    return np.unique(np.append(keys, added)).astype(np.int64)


def _left_out_singly(fit: Fit, table: Array, times: Array, close: Closeness, limits_px: Array) -> Array:
    """By what factor each frame is beyond its limit if it alone has no key, ``(F,)``; 0 at both ends."""
    beyond = np.zeros(len(times))
    if len(times) > 2:
        share = ((times[1:-1] - times[:-2]) / (times[2:] - times[:-2]))[:, None, None]
        between = table[:-2] * (1 - share) + table[2:] * share
        beyond[1:-1] = close.beyond(gaps(curves(between), fit.samples[1:-1]), limits_px[1:-1])
    return beyond


def _chosen(
    fit: Fit,
    table: Array,
    times: Array,
    close: Closeness,
    limits_px: Array,
    is_spare: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """From each key on, the next is the farthest that keeps every frame between them within its limit.

    ``is_spare``: the frames that need no key if both their neighbours have one, ``(F,)``.
    """
    count = len(times)

    def holds(first: int, last: int) -> bool:
        if last - first == 2:
            return bool(is_spare[first + 1])
        inner = np.arange(first + 1, last)
        # The middle fails first, as a rule.
        order = inner[np.argsort(np.abs(inner - (first + last) / 2))]
        ends = np.array([first, last])
        for start in range(0, len(order), _FRAMES_AT_ONCE):
            some = order[start : start + _FRAMES_AT_ONCE]
            between = interpolated(table[ends], times[ends], times[some])
            if np.any(close.beyond(gaps(curves(between), fit.samples[some]), limits_px[some]) > 1):
                return False
        return True

    keys = [0]
    while keys[-1] < count - 1:
        good, bad, stride = keys[-1] + 1, count, 2
        while bad == count and good < count - 1:
            trial = min(keys[-1] + stride, count - 1)
            if holds(keys[-1], trial):
                good, stride = trial, 2 * stride
            else:
                bad = trial
        while bad < count and bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if holds(keys[-1], middle) else (good, middle)
        keys.append(good)
    return np.array(keys)


def gaps(controls: Array, samples: Array) -> Array:
    """How far curves are from the contour, and the contour from them, ``(F, n)``."""
    frames, _, inner, _ = samples.shape
    every = max(1, round((inner - 1) / _CHECKED))
    steps = (inner - 1) // every
    path = beziers.evaluate(controls, np.arange(steps) / steps).reshape(2, frames, -1)
    places = np.rint(np.arange(steps) * (inner - 1) / steps).astype(np.int64)
    line = np.moveaxis(samples[:, :, places], -1, 0).reshape(2, frames, -1)
    # Near the origin single precision is enough.
    centre = line.mean(axis=-1, keepdims=True)
    path, line = (path - centre).astype(np.float32), (line - centre).astype(np.float32)
    reach = max(3, steps // 4 + 1)
    return np.concatenate([_gap(path, line, reach), _gap(line, path, reach)], axis=1)


def _gap(points: Plane, line: Plane, reach: int) -> Array:
    """Distances of points from the stretches of a closed line around their own index.

    Points and line are ``(2, F, n)``, the distances ``(F, n)``.
    """
    count = points.shape[-1]
    reach = min(reach, count // 2)
    x, y = points
    ring = np.arange(-reach, count + reach + 1) % count
    line_x, line_y = line[:, :, ring]
    way_x, way_y = line_x[:, 1:] - line_x[:, :-1], line_y[:, 1:] - line_y[:, :-1]
    per_square = 1 / np.maximum(way_x * way_x + way_y * way_y, np.float32(1e-9))
    least = np.full(x.shape, np.inf, np.float32)
    # Half of the work on splines is done here, so nothing is allocated in the loop.
    dx, dy, share, part = (np.empty_like(x) for _ in range(4))
    for first in range(2 * reach + 1):
        stretch = slice(first, first + count)
        np.subtract(x, line_x[:, stretch], out=dx)
        np.subtract(y, line_y[:, stretch], out=dy)
        wx, wy = way_x[:, stretch], way_y[:, stretch]
        np.multiply(dx, wx, out=share)
        share += np.multiply(dy, wy, out=part)
        share *= per_square[:, stretch]
        np.maximum(share, 0, out=share)
        np.minimum(share, 1, out=share)
        dx -= np.multiply(share, wx, out=part)
        dy -= np.multiply(share, wy, out=part)
        dx *= dx
        dy *= dy
        dx += dy
        np.minimum(least, dx, out=least)
    return np.asarray(np.sqrt(least), np.float64)
