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
    ways = np.diff(samples, axis=2)
    steps = np.hypot(ways[..., 0], ways[..., 1])
    along = np.concatenate([np.zeros((*steps.shape[:2], 1)), np.cumsum(steps, axis=2)], axis=2)
    length = np.maximum(along[..., -1:], 1e-9)
    u = along / length  # (F, V, K)
    controls = _free(samples, _bernstein(u), length)
    u = _reparametrised(controls, samples, u)
    controls = _free(samples, _bernstein(u), length)
    leaving, arriving = _directions(controls, samples, corners)
    for _ in range(_ROUNDS):
        controls = _along(samples, _bernstein(u), leaving, arriving, length)
        u = _reparametrised(controls, samples, u)
    off = evaluate(controls, u) - samples
    return controls, np.asarray(np.hypot(off[..., 0], off[..., 1]))


def evaluate(controls: Array, u: Array) -> Array:
    """Points ``(F, V, K, 2)`` of curves ``(F, V, 4, 2)`` at ``u`` from 0 to 1, ``(F, V, K)``."""
    return np.asarray(_bernstein(u) @ controls)


def _bernstein(u: Array) -> Array:
    v = 1 - u
    weights = np.empty((*u.shape, 4))  # (F, V, K, 4)
    uu, vv = u * u, v * v
    weights[..., 0] = vv * v
    weights[..., 1] = 3 * u * vv
    weights[..., 2] = 3 * uu * v
    weights[..., 3] = uu * u
    return weights


def _free(samples: Array, weights: Array, length: Array) -> Array:
    """Both inner control points by least squares."""
    start, end = samples[:, :, 0], samples[:, :, -1]
    transposed = weights.swapaxes(-1, -2)
    common = transposed @ weights  # (F, V, 4, 4)
    right = transposed @ samples  # (F, V, 4, 2)
    first = right[:, :, 1] - common[:, :, 1, :1] * start - common[:, :, 1, 3:] * end
    last = right[:, :, 2] - common[:, :, 2, :1] * start - common[:, :, 2, 3:] * end
    a, b, c = common[:, :, 1, 1:2] + 1e-6, common[:, :, 1, 2:3], common[:, :, 2, 2:3] + 1e-6
    determinant = a * c - b * b
    inner = [(c * first - b * last) / determinant, (a * last - b * first) / determinant]
    # A handle longer than its piece of contour makes loops.
    for index, corner in enumerate((start, end)):
        handle = inner[index] - corner
        reach = np.hypot(handle[..., 0], handle[..., 1])[..., None]
        inner[index] = corner + handle * np.minimum(1, length / np.maximum(reach, 1e-9))
    return np.stack([start, *inner, end], axis=2)


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


def _along(samples: Array, weights: Array, leaving: Array, arriving: Array, length: Array) -> Array:
    """Handle lengths along given directions by least squares."""
    start, end = samples[:, :, 0], samples[:, :, -1]
    transposed = weights.swapaxes(-1, -2)
    common = transposed @ weights
    right = transposed @ samples
    near = (common[..., 0] + common[..., 1])[..., None]  # (F, V, 4, 1)
    far = (common[..., 2] + common[..., 3])[..., None]
    rest = right - near * start[:, :, None] - far * end[:, :, None]
    a, c = common[:, :, 1, 1:2], common[:, :, 2, 2:3]
    b = -common[:, :, 1, 2:3] * (leaving * arriving).sum(axis=-1, keepdims=True)
    # A pull towards a third of the length keeps handles calm where the samples leave them open.
    calm = 0.003 * (a + c)
    third = length / 3
    d = (leaving * rest[:, :, 1]).sum(axis=-1, keepdims=True) + calm * third
    e = -(arriving * rest[:, :, 2]).sum(axis=-1, keepdims=True) + calm * third
    a, c = a + calm, c + calm
    determinant = np.maximum(a * c - b * b, 1e-12)
    out = np.clip((c * d - b * e) / determinant, 0.02 * length, 0.9 * length)
    into = np.clip((a * e - b * d) / determinant, 0.02 * length, 0.9 * length)
    return np.stack([start, start + out * leaving, end - into * arriving, end], axis=2)


def _reparametrised(controls: Array, samples: Array, u: Array) -> Array:
    """One Gauss-Newton step of each sample towards its nearest place on the curve."""
    derivative = _derivative(controls, u)
    offset = evaluate(controls, u) - samples
    x, y = derivative[..., 0], derivative[..., 1]
    step = (offset[..., 0] * x + offset[..., 1] * y) / np.maximum(x * x + y * y, 1e-9)
    moved = np.clip(u - step, 0, 1)
    moved[..., 0], moved[..., -1] = 0, 1
    return np.asarray(moved)


def _derivative(controls: Array, u: Array) -> Array:
    steps = 3 * np.diff(controls, axis=2)  # (F, V, 3, 2)
    v = 1 - u
    weights = np.empty((*u.shape, 3))
    weights[..., 0] = v * v
    weights[..., 1] = 2 * u * v
    weights[..., 2] = u * u
    return np.asarray(weights @ steps)
