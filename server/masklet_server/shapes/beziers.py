"""Cubic Bezier curves through the points of a contour: fitting, and how far they are off.

The handles come from least squares (Schneider, Graphics Gems, 1990): first both free, then, where
a vertex is no corner, along one line through it, with only their lengths free.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.samples import Array

_ROUNDS = 2


def fit(samples: Array, corners: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Closed paths through contours, all frames at once.

    Args:
        samples: ``(F, V, K, 2)``: K points along the contour from each vertex to the next, both included.
        corners: ``(V,)``, true where the path may bend at a vertex.

    Returns:
        Control points, ``(F, V, 4, 2)``, and the distance of each sample from its curve, ``(F, V, K)``.
    """
    steps = np.linalg.norm(np.diff(samples, axis=2), axis=-1)
    along = np.concatenate([np.zeros((*steps.shape[:2], 1)), np.cumsum(steps, axis=2)], axis=2)
    length = np.maximum(along[..., -1:], 1e-9)
    u = along / length  # (F, V, K)
    controls = _free(samples, u, length)
    u = _reparametrised(controls, samples, u)
    controls = _free(samples, u, length)
    leaving, arriving = _directions(controls, samples, corners)
    for _ in range(_ROUNDS):
        controls = _along(samples, u, leaving, arriving, length)
        u = _reparametrised(controls, samples, u)
    return controls, np.asarray(np.linalg.norm(evaluate(controls, u) - samples, axis=-1))


def evaluate(controls: Array, u: Array) -> Array:
    """Points ``(F, V, K, 2)`` of curves ``(F, V, 4, 2)`` at ``u`` from 0 to 1, ``(F, V, K)``."""
    return np.asarray(_bernstein(u) @ controls)


def _bernstein(u: Array) -> Array:
    v = 1 - u
    return np.stack([v**3, 3 * u * v**2, 3 * u**2 * v, u**3], axis=-1)  # (F, V, K, 4)


def _free(samples: Array, u: Array, length: Array) -> Array:
    """Both inner control points by least squares."""
    weights = _bernstein(u)
    ends = np.stack([samples[:, :, 0], samples[:, :, -1]], axis=2)  # (F, V, 2, 2)
    rest = samples - weights[..., [0, 3]] @ ends
    inner = weights[..., 1:3]
    transposed = inner.swapaxes(-1, -2)
    left = transposed @ inner + 1e-6 * np.eye(2)
    found = np.linalg.solve(left, transposed @ rest)  # (F, V, 2, 2)
    # A handle longer than its piece of contour makes loops.
    for index in (0, 1):
        handle = found[:, :, index] - ends[:, :, index]
        reach = np.linalg.norm(handle, axis=-1, keepdims=True)
        found[:, :, index] = ends[:, :, index] + handle * np.minimum(1, length / np.maximum(reach, 1e-9))
    return np.concatenate([ends[:, :, :1], found, ends[:, :, 1:]], axis=2)


def _directions(controls: Array, samples: Array, corners: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Unit vectors in which curves leave their first vertex and arrive at their last, ``(F, V, 2)`` each."""
    out = controls[:, :, 1] - controls[:, :, 0]
    into = np.roll(controls[:, :, 3] - controls[:, :, 2], 1, axis=1)  # at the same vertex
    chord = samples[:, :, 1] - np.roll(samples[:, :, -2], 1, axis=1)
    common = _unit(out + into + 1e-3 * chord)
    bends = corners[None, :, None]
    leaving = np.where(bends, _unit(out + 1e-3 * (samples[:, :, 1] - samples[:, :, 0])), common)
    back = samples[:, :, -1] - samples[:, :, -2]
    arriving = np.where(bends, _unit(into + 1e-3 * np.roll(back, 1, axis=1)), common)
    return leaving, np.roll(arriving, -1, axis=1)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _along(samples: Array, u: Array, leaving: Array, arriving: Array, length: Array) -> Array:
    """Handle lengths along given directions by least squares."""
    weights = _bernstein(u)
    start, end = samples[:, :, :1], samples[:, :, -1:]
    fixed = (weights[..., 0] + weights[..., 1])[..., None] * start
    fixed = fixed + (weights[..., 2] + weights[..., 3])[..., None] * end
    rest = samples - fixed
    first = weights[..., 1:2] * leaving[:, :, None]  # (F, V, K, 2)
    last = -weights[..., 2:3] * arriving[:, :, None]
    a, b, c = ((p * q).sum(axis=(-1, -2)) for p, q in ((first, first), (first, last), (last, last)))
    # A pull towards a third of the length keeps handles calm where the samples leave them open.
    calm = 0.003 * (a + c)[..., None]
    third = length / 3
    d = (first * rest).sum(axis=(-1, -2))[..., None] + calm * third
    e = (last * rest).sum(axis=(-1, -2))[..., None] + calm * third
    a, b, c = a[..., None] + calm, b[..., None], c[..., None] + calm
    determinant = np.maximum(a * c - b * b, 1e-12)
    out = np.clip((c * d - b * e) / determinant, 0.02 * length, 0.9 * length)
    into = np.clip((a * e - b * d) / determinant, 0.02 * length, 0.9 * length)
    return np.stack(
        [start[:, :, 0], start[:, :, 0] + out * leaving, end[:, :, 0] - into * arriving, end[:, :, 0]], 2
    )


def _reparametrised(controls: Array, samples: Array, u: Array) -> Array:
    """One Gauss-Newton step of each sample towards its nearest place on the curve."""
    derivative = _derivative(controls, u)
    offset = evaluate(controls, u) - samples
    step = (offset * derivative).sum(axis=-1) / np.maximum(np.square(derivative).sum(axis=-1), 1e-9)
    moved = np.clip(u - step, 0, 1)
    moved[..., 0], moved[..., -1] = 0, 1
    return np.asarray(moved)


def _derivative(controls: Array, u: Array) -> Array:
    steps = 3 * np.diff(controls, axis=2)  # (F, V, 3, 2)
    v = 1 - u
    weights = np.stack([v**2, 2 * u * v, u**2], axis=-1)
    return np.asarray(weights @ steps)
