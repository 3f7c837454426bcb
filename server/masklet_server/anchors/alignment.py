"""Direct alignment of a stored appearance with a frame, free of drift and finer than a pixel.

Inverse compositional Gauss-Newton (Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 2004) over
the pixels inside the matte, with gain and offset of brightness estimated along, and Tukey's weights
against what does not belong to the surface. First on strongly smoothed pictures and few parameters,
then on sharp ones with all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.anchors.geometry import Array, carry, is_sane, linear_part, nearest_affine
from masklet_server.anchors.view import Grey, View, smeared

# Points of an appearance; a few thousand fix eight numbers to hundredths of a pixel.
_MOST_POINTS = 8000
# Smoothing of the two passes, in working pixels of the appearance's own frame.
_SIGMAS_PX = (3.0, 1.0)
_MOST_STEPS = 14
# A step that moves no corner by more than this (working pixels) is the last.
_STILL_PX = 0.005
# Tukey's constant for 95 % efficiency, and the factor from median deviation to standard deviation.
_TUKEY, _DEVIATION = 4.685, 1.4826
# Below this many visible points nothing is fitted.
_FEWEST_POINTS = 24


class Motion(Enum):
    """How a surface may move; the value is the number of parameters."""

    TRANSLATION = 2
    SIMILARITY = 4
    AFFINE = 6
    HOMOGRAPHY = 8


@dataclass(frozen=True)
class Alignment:
    """Where an appearance was found.

    Attributes:
        pose: From square coordinates of the reference frame to those of the view.
        correlation: Of the appearance with what was found, -1 to 1.
        visible: Share of the appearance that the matte shows.
        error_px: What the fit says about its own standard deviation, in square pixels of the view.
    """

    pose: Array
    correlation: float
    visible: float
    error_px: float


@dataclass(frozen=True, eq=False)
class Smear:
    """Motion blur that one side lacks: ways ``(2,)`` in square coordinates, each on its own frame.

    Attributes:
        own: How far the surface moves on the view while its shutter is open, seen on the appearance's frame.
        other: How far it moved while the appearance's own shutter was open, seen on the view.
    """

    own: Array
    other: Array


@dataclass(frozen=True, eq=False)
class _Level:
    """Grey values of an appearance at one smoothing.

    Attributes:
        sigma_px: In working pixels.
        values: ``(N,)``.
        gradients: ``(N, 2)`` per unit of the local coordinates.
        usable: ``(N,)`` 1 where the value is of the surface alone, else 0.
    """

    sigma_px: float
    values: Array
    gradients: Array
    usable: Array


class Appearance:
    """What the surface looks like on one frame whose pose is known.

    Args:
        view: The frame.
        support: ``(h, w)`` of the view's region, True where the surface is.
        pose: Of the frame.
    """

    def __init__(self, view: View, support: NDArray[np.bool_], pose: Array) -> None:
        self.view = view
        self.support = support
        self.pose = pose
        rows, columns = np.nonzero(support)
        if len(rows) > _MOST_POINTS:
            # A regular pick would resonate with regular textures.
            picked = np.sort(np.random.default_rng(0).permutation(len(rows))[:_MOST_POINTS])
            rows, columns = rows[picked], columns[picked]
        left, top = view.region[:2]
        self.points = view.square(np.stack([columns + left, rows + top], axis=1).astype(np.float64))  # (N, 2)
        self.centre = self.points.mean(axis=0) if len(rows) else np.zeros(2)
        radius = float(np.sqrt(self.points.var(axis=0).sum())) if len(rows) else 1.0
        self.radius = max(radius, 1.0)
        self._local = (self.points - self.centre) / self.radius  # (N, 2)
        self._to_local = np.array(
            [
                [1.0 / self.radius, 0.0, -self.centre[0] / self.radius],
                [0.0, 1.0 / self.radius, -self.centre[1] / self.radius],
                [0.0, 0.0, 1.0],
            ]
        )
        self._from_local = np.linalg.inv(self._to_local)
        self._rows, self._columns = rows, columns
        self._levels = [self._level(sigma, view.blurred(sigma)) for sigma in _SIGMAS_PX]

    @property
    def is_usable(self) -> bool:
        """True where there are points enough to fit a motion to."""
        return len(self.points) >= _FEWEST_POINTS

    def correlation(self, view: View, pose: Array) -> float:
        """Normalised correlation with a frame at a guessed pose, on smoothed pictures; -1 where unseen."""
        relative = pose @ np.linalg.inv(self.pose)
        if not self.is_usable or not is_sane(relative, self.centre[None]):
            return -1.0
        level = self._levels[0]
        found, weights = self._seen(view, self._smoothed(view, relative, level), relative, level)
        return _correlation(level.values, found, weights) if weights.sum() >= _FEWEST_POINTS else -1.0

    def align(self, view: View, guess: Array, motion: Motion) -> Alignment | None:
        """The pose nearest to ``guess`` at which the appearance fits a frame, or None."""
        if not self.is_usable:
            return None
        relative = guess @ np.linalg.inv(self.pose)
        if motion is not Motion.HOMOGRAPHY:
            # Steps stay within the motion's own group; the start must lie in it.
            rigid = motion.value <= Motion.SIMILARITY.value
            relative = nearest_affine(relative, self.centre, rigid=rigid)
        coarse = Motion(min(motion.value, Motion.AFFINE.value))
        passes = [(0, Motion.SIMILARITY), (0, coarse), (1, coarse), (1, motion)]
        if motion.value <= Motion.SIMILARITY.value:
            passes = [(0, motion), (1, motion)]
        found: Alignment | None = None
        for level_index, allowed in passes:
            level = self._levels[level_index]
            found = self._fit(view, self._smoothed(view, relative, level), relative, level, allowed)
            if found is None:
                return None
            relative = found.pose @ np.linalg.inv(self.pose)
        return found

    def refine(self, view: View, start: Array, motion: Motion, smear: Smear) -> Alignment | None:
        """The pose next to a good one, with the motion blur of each side given to the other."""
        relative = start @ np.linalg.inv(self.pose)
        sharp = self._levels[-1]
        own, other = smear.own * self.view.scale, smear.other * view.scale
        picture = smeared(self.view.blurred(sharp.sigma_px), own)
        level = self._level(sharp.sigma_px, picture)
        clean = smeared(self.support.astype(np.float32), own)[self._rows, self._columns] > 0.97
        level = replace(level, usable=clean.astype(np.float64))
        return self._fit(view, smeared(self._smoothed(view, relative, sharp), other), relative, level, motion)

    def _level(self, sigma_px: float, picture: Grey) -> _Level:
        """The points' values and slopes on a smoothed picture of the appearance's region."""
        rows, columns = self._rows, self._columns
        slope_x = np.asarray(cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=0.125), np.float64)
        slope_y = np.asarray(cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=0.125), np.float64)
        slopes = np.stack([slope_x[rows, columns], slope_y[rows, columns]], axis=1)  # (N, 2)
        values = picture[rows, columns].astype(np.float64)
        return _Level(sigma_px, values, slopes * self.view.scale * self.radius, np.ones(len(rows)))

    def _smoothed(self, view: View, relative: Array, level: _Level) -> Grey:
        """The view's region, as smooth as the level when seen at the appearance's size."""
        stretch = float(np.sqrt(abs(np.linalg.det(linear_part(relative, self.centre)))))
        own, other = float(self.view.scale[1]), float(view.scale[1])
        return view.blurred(min(level.sigma_px * stretch * other / own, 24.0))

    def _seen(self, view: View, picture: Grey, relative: Array, level: _Level) -> tuple[Array, Array]:
        """Values of the picture at the points, and 1 where the matte shows one, else 0: ``(N,)`` each."""
        grid, count = view.grid(carry(relative, self.points)), len(self.points)
        found, shown = view.sample_at(picture, grid, count), view.sample_at(view.solid(), grid, count)
        return found, ((np.nan_to_num(shown) > 0.6) & np.isfinite(found)) * level.usable

    def _fit(
        self, view: View, picture: Grey, relative: Array, level: _Level, motion: Motion
    ) -> Alignment | None:
        """Gauss-Newton from a start on a smoothed picture of the view, or None where it fails."""
        steepest = np.einsum("nk,nkp->np", level.gradients, _jacobian(self._local, motion))  # (N, P)
        parameters = motion.value
        design = np.column_stack([steepest, level.values, np.ones(len(level.values))])  # (N, P + 2)
        scale = float(self.view.scale[1])
        error = np.inf
        damping = 1e-4
        brightness = _Brightness(level.values)
        for _ in range(_MOST_STEPS):
            found, weights = self._seen(view, picture, relative, level)
            if weights.sum() < max(_FEWEST_POINTS, 3 * parameters):
                return None
            found = np.nan_to_num(found)
            robust = weights * brightness.trust(found, weights > 0.0)
            weighted = design * robust[:, None]
            normal = weighted.T @ design  # (P + 2, P + 2)
            normal[np.diag_indices(parameters)] *= 1.0 + damping
            try:
                solution = np.linalg.solve(normal, weighted.T @ found)
                spread = np.linalg.inv(normal)
            except np.linalg.LinAlgError:
                return None
            gain = float(solution[parameters])
            if gain < 0.05:
                return None
            step = _matrix(solution[:parameters] / gain, motion)
            if not is_sane(step, self._local[:1]):
                return None
            relative = relative @ self._from_local @ np.linalg.inv(step) @ self._to_local
            relative /= relative[2, 2]
            if not is_sane(relative, self.centre[None]):
                return None
            residual = found - design @ solution
            variance = float((robust * residual**2).sum() / max(robust.sum() - parameters, 1.0))
            # Roughly as many points as are independent after smoothing.
            independent = max(1.0, robust.sum() / max(1.0, (2.0 * level.sigma_px) ** 2))
            inflation = robust.sum() / independent
            shift = spread[:2, :2].trace() * variance * inflation / gain**2
            error = float(np.sqrt(max(shift, 0.0))) * self.radius
            if float(np.abs(step - np.eye(3)).max()) * self.radius * scale < _STILL_PX:
                break
        found, weights = self._seen(view, picture, relative, level)
        if weights.sum() < _FEWEST_POINTS:
            return None
        visible = float(weights.sum() / max(level.usable.sum(), 1.0))
        return Alignment(relative @ self.pose, _correlation(level.values, found, weights), visible, error)


class _Brightness:
    """How values of an appearance ``(N,)`` compare with those of a frame."""

    def __init__(self, own: Array) -> None:
        self._own = own
        self._seen: NDArray[np.bool_] | None = None
        self._mid = self._spread = 0.0

    def trust(self, found: Array, seen: NDArray[np.bool_]) -> Array:
        """Tukey's weights ``(N,)`` after brightness has been matched on the points that are seen."""
        if self._seen is None or not np.array_equal(self._seen, seen):
            # From step to step it is mostly the same points.
            own = self._own[seen]
            self._seen, self._mid = seen, float(np.median(own))
            self._spread = float(np.median(np.abs(own - self._mid))) + 1e-3
        other = found[seen]
        other_mid = float(np.median(other))
        gain = float(np.clip((np.median(np.abs(other - other_mid)) + 1e-3) / self._spread, 0.2, 5.0))
        residual = found - other_mid - gain * (self._own - self._mid)
        deviation = _DEVIATION * float(np.median(np.abs(residual[seen]))) + 0.5
        ratio = np.clip(np.abs(residual) / (_TUKEY * deviation), 0.0, 1.0)
        trust: Array = (1.0 - ratio**2) ** 2
        return trust


def _jacobian(local: Array, motion: Motion) -> Array:
    """How points ``(N, 2)`` move with each parameter, at rest: ``(N, 2, P)``."""
    x, y = local[:, 0], local[:, 1]
    one, nil = np.ones_like(x), np.zeros_like(x)
    if motion is Motion.TRANSLATION:
        columns = [(one, nil), (nil, one)]
    elif motion is Motion.SIMILARITY:
        columns = [(one, nil), (nil, one), (x, y), (-y, x)]
    else:
        columns = [(one, nil), (nil, one), (x, nil), (y, nil), (nil, x), (nil, y)]
    if motion is Motion.HOMOGRAPHY:
        columns += [(-x * x, -x * y), (-x * y, -y * y)]
    return np.stack([np.stack(column, axis=1) for column in columns], axis=2)


def _matrix(parameters: Array, motion: Motion) -> Array:
    """The motion of these parameters as a 3 x 3 matrix."""
    step = np.eye(3)
    step[:2, 2] = parameters[:2]
    if motion is Motion.SIMILARITY:
        a, b = parameters[2:]
        step[:2, :2] += [[a, -b], [b, a]]
    elif motion.value >= Motion.AFFINE.value:
        step[:2, :2] += parameters[2:6].reshape(2, 2)
    if motion is Motion.HOMOGRAPHY:
        step[2, :2] = parameters[6:]
    return step


def _correlation(own: Array, other: Array, weights: Array) -> float:
    """Weighted normalised correlation; 0 where one side is flat."""
    total = weights.sum()
    other = np.nan_to_num(other)
    own = own - (weights @ own) / total
    other = other - (weights @ other) / total
    energy = float((weights @ own**2) * (weights @ other**2))
    return float(weights @ (own * other)) / float(np.sqrt(energy)) if energy > 1e-6 * total**2 else 0.0
