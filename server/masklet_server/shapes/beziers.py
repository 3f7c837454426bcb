"""Cubic Bezier curves through the points of a contour: fitting, and how far they are off.

The handles come from least squares (Schneider, Graphics Gems, 1990): first both free, then, where
a vertex is no corner, along one line through it, with only their lengths free.

Inside, x and y are planes of their own, ``(2, F, V, ...)``, so that every sum runs along memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.samples import Array

_ROUNDS = 2

Weights = tuple[Array, Array, Array, Array]


def fit(samples: Array, corners: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Closed paths through contours, all frames at once.

    Args:
        samples: ``(F, V, K, 2)``: K points along the contour from each vertex to the next, both included.
        corners: ``(V,)``, true where the path may bend at a vertex.

    Returns:
        Control points, ``(F, V, 4, 2)``, and the distance of each sample from its curve, ``(F, V, K)``.
    """
    planes = np.ascontiguousarray(np.moveaxis(samples, -1, 0))  # (2, F, V, K)
    ways = np.diff(planes)
    u = np.zeros(planes.shape[1:])
    np.cumsum(np.hypot(ways[0], ways[1]), axis=-1, out=u[..., 1:])
    length = np.maximum(u[..., -1], 1e-9)  # (F, V)
    u /= length[..., None]
    controls = _free(planes, _bernstein(u), length)
    u = _reparametrised(controls, planes, u)
    controls = _free(planes, _bernstein(u), length)
    leaving, arriving = _directions(controls, planes, corners)
    for _ in range(_ROUNDS):
        controls = _along(planes, _bernstein(u), leaving, arriving, length)
        u = _reparametrised(controls, planes, u)
    off = _evaluated(controls, u) - planes
    return np.moveaxis(controls, 0, -1), np.asarray(np.hypot(off[0], off[1]))


def evaluate(controls: Array, u: Array) -> Array:
    """Points of curves ``(F, V, 4, 2)`` at the same places ``(K,)``, 0 to 1, on each: ``(2, F, V, K)``."""
    points = np.tensordot(controls, np.stack(_bernstein(u)), axes=(2, 0))  # (F, V, 2, K)
    return np.moveaxis(points, 2, 0)


def _bernstein(u: Array) -> Weights:
    v = 1 - u
    uu, vv = u * u, v * v
    return vv * v, 3 * u * vv, 3 * uu * v, uu * u


def _powers(controls: Array) -> Weights:
    """Coefficients of the third to the zeroth power of u, ``(2, F, V, 1)`` each."""
    start, out, into, end = np.moveaxis(controls, -1, 0)[..., None]
    first = 3 * (out - start)
    second = 3 * (into - out) - first
    return end - start - first - second, second, first, start


def _evaluated(controls: Array, u: Array) -> Array:
    third, second, first, start = _powers(controls)
    return np.asarray(((third * u + second) * u + first) * u + start)


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("...k,...k->...", a, b))


def _free(planes: Array, weights: Weights, length: Array) -> Array:
    """Both inner control points by least squares, ``(2, F, V, 4)`` with the outer ones."""
    start, end = planes[..., 0], planes[..., -1]
    at_start, out, into, at_end = weights
    first = _dot(out, planes) - _dot(out, at_start) * start - _dot(out, at_end) * end
    last = _dot(into, planes) - _dot(into, at_start) * start - _dot(into, at_end) * end
    a, b, c = _dot(out, out) + 1e-6, _dot(out, into), _dot(into, into) + 1e-6
    determinant = a * c - b * b
    inner = [(c * first - b * last) / determinant, (a * last - b * first) / determinant]
    # A handle longer than its piece of contour makes loops.
    for index, corner in enumerate((start, end)):
        handle = inner[index] - corner
        reach = np.hypot(handle[0], handle[1])
        inner[index] = corner + handle * np.minimum(1, length / np.maximum(reach, 1e-9))
    return np.stack([start, *inner, end], axis=-1)


def _directions(controls: Array, planes: Array, corners: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Unit vectors in which curves leave their first vertex and arrive at their last, ``(2, F, V)`` each."""
    out = controls[..., 1] - controls[..., 0]
    into = np.roll(controls[..., 3] - controls[..., 2], 1, axis=-1)  # at the same vertex
    chord = planes[..., 1] - np.roll(planes[..., -2], 1, axis=-1)
    common = _unit(out + into + 1e-3 * chord)
    leaving = np.where(corners, _unit(out + 1e-3 * (planes[..., 1] - planes[..., 0])), common)
    back = planes[..., -1] - planes[..., -2]
    arriving = np.where(corners, _unit(into + 1e-3 * np.roll(back, 1, axis=-1)), common)
    return leaving, np.roll(arriving, -1, axis=-1)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.hypot(vectors[0], vectors[1]), 1e-9))


def _along(planes: Array, weights: Weights, leaving: Array, arriving: Array, length: Array) -> Array:
    """Handle lengths along given directions by least squares: control points, ``(2, F, V, 4)``."""
    start, end = planes[..., 0], planes[..., -1]
    at_start, out, into, at_end = weights
    a, both, c = _dot(out, out), _dot(out, into), _dot(into, into)
    rest_out = _dot(out, planes) - (_dot(out, at_start) + a) * start - (both + _dot(out, at_end)) * end
    rest_into = _dot(into, planes) - (_dot(into, at_start) + both) * start - (c + _dot(into, at_end)) * end
    b = -both * (leaving * arriving).sum(axis=0)
    # A pull towards a third of the length keeps handles calm where the samples leave them open.
    calm = 0.003 * (a + c)
    third = length / 3
    d = (leaving * rest_out).sum(axis=0) + calm * third
    e = -(arriving * rest_into).sum(axis=0) + calm * third
    a, c = a + calm, c + calm
    determinant = np.maximum(a * c - b * b, 1e-12)
    reach_out = np.clip((c * d - b * e) / determinant, 0.02 * length, 0.9 * length)
    reach_into = np.clip((a * e - b * d) / determinant, 0.02 * length, 0.9 * length)
    return np.stack([start, start + reach_out * leaving, end - reach_into * arriving, end], axis=-1)


def _reparametrised(controls: Array, planes: Array, u: Array) -> Array:
    """One Gauss-Newton step of each sample towards its nearest place on the curve, ``(F, V, K)``."""
    third, second, first, start = _powers(controls)
    off = third * u
    speed = 3 * off
    off += second
    off *= u
    off += first
    off *= u
    off += start
    off -= planes
    speed += 2 * second
    speed *= u
    speed += first
    off *= speed
    speed *= speed
    moved = u - (off[0] + off[1]) / np.maximum(speed[0] + speed[1], 1e-9)
    np.maximum(moved, 0, out=moved)
    np.minimum(moved, 1, out=moved)
    moved[..., 0], moved[..., -1] = 0, 1
    return np.asarray(moved)
