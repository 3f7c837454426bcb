"""Following the surface inside the mattes, frame after frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from masklet_server.anchors.alignment import Alignment, Appearance, Motion, Smear
from masklet_server.anchors.expectation import Expectation, moved_with_outline
from masklet_server.anchors.features import motion_between
from masklet_server.anchors.geometry import (
    Array,
    carry,
    is_sane,
    linear_part,
    nearest_affine,
    pose_about,
    turn_and_scale,
)
from masklet_server.anchors.relock import Landmarks
from masklet_server.anchors.view import View

# Correlations: at or above, the fit is taken without another look; below, the surface is looked for
# everywhere; below, it was not found.
_GOOD, _DOUBTFUL, _LOST = 0.9, 0.6, 0.4
# A newer appearance replaces the first one only where it fits better by this: each change costs drift.
_BETTER = 0.04
# An appearance is kept where the older ones fit worse than this; at most so many of them.
_FADING = 0.85
_MOST_APPEARANCES = 12
# Share of the expected area below which the visible rest says nothing of the whole.
_SLIVER = 0.04
# Blurred by motion: correlation up to which, and way in working pixels from which, it is worth a look.
_SHARP, _SMEARED_PX = 0.985, 4.0
# Shares of a frame for which a shutter may be open.
_SHUTTERS = (0.25, 0.5, 0.75, 1.0)
# Share of the expected area below which the centre of what shows says nothing of the whole's.
_PARTIAL = 0.7
# Correlation from which a point that was hidden is taken for seen again.
_ALIKE = 0.8
# Share of a point's surroundings below which the point is hidden.
_HIDDEN = 0.35
# What a pose guessed from the matte's outline is worth.
_OUTLINE_CONFIDENCE = 0.15


@dataclass(frozen=True, eq=False)
class Sighting:
    """The surface's pose on one frame.

    Attributes:
        pose: ``(3, 3)`` from the reference frame.
        confidence: 0 to 1.
        relocked: True where the surface was lost on the frame before and found again.
    """

    pose: Array
    confidence: float
    relocked: bool = False


class SurfaceTracker:
    """Follows the surface of one object away from the reference frame, in one direction.

    Args:
        view: The reference frame.
        support: ``(h, w)`` of its region, True on the surface to follow.
        motion: How the surface may move.
        pivot: ``(2,)`` the anchor's place on the reference frame, square coordinates.
        near: Features come only from this near to the pivot (square coordinates); None for all of the object.
    """

    def __init__(
        self,
        view: View,
        support: NDArray[np.bool_],
        motion: Motion,
        pivot: Array,
        *,
        near: float | None = None,
    ) -> None:
        self._near = near
        self._motion = motion
        self._pivot = pivot
        self._reference = Appearance(view, support, np.eye(3))
        self._appearances = [self._reference]
        self._expectation = Expectation(view)
        self._landmarks: dict[int, Landmarks] = {}
        self._view = view
        self._pose = np.eye(3)
        self._velocity = np.eye(3)
        self._good_pose: tuple[View, Array] | None = None
        self._lost = False
        # How far the reference moved while its shutter was open, for a shutter open all the time.
        self._reference_way: Array | None = None
        self._shutter: float | None = None

    def step(self, view: View) -> Sighting | None:
        """The surface on the next frame; None where too little of it shows to tell.

        A frame on which the object cannot be seen at all is not given; see :meth:`pass_by`.
        """
        if not self._reference.is_usable:
            return self._by_outline(view)
        best = self._best_of(view, self._guesses(view))
        if best is None or best.correlation < _DOUBTFUL or self._lost:
            best = _better(best, self._found_again(view))
        # Whoever is lost sees likenesses everywhere.
        least = _DOUBTFUL if self._lost else _LOST
        if best is None or best.correlation < least or best.visible < _SLIVER:
            return self._by_outline(view)
        return self._taken(view, best)

    def follow(self, view: View, hint: Array) -> Sighting | None:
        """The surface on the next frame, sought around a pose from elsewhere too; None if it is not there."""
        best = None
        if self._reference.is_usable:
            best = self._best_of(view, [*self._guesses(view), hint])
        if best is None or best.visible < _HIDDEN or not self._is_plausible(best, hint):
            self.pass_by()
            return None
        return self._taken(view, best)

    def _is_plausible(self, found: Alignment, hint: Array) -> bool:
        """False for what fits so-so and is not where it was expected: another place that looks alike."""
        if found.correlation >= _GOOD and not self._lost:
            return True
        pivot = self._pivot
        away = carry(found.pose, pivot[None])[0] - carry(hint, pivot[None])[0]
        growth = np.linalg.det(linear_part(found.pose, pivot)) / np.linalg.det(linear_part(hint, pivot))
        nearby = float(np.hypot(*away)) < 0.5 * (self._near or np.inf) and 0.5 < growth < 2.0
        return nearby and found.correlation >= (_ALIKE if self._lost else _DOUBTFUL)

    def _taken(self, view: View, best: Alignment) -> Sighting:
        """An alignment that holds, as the state from which the next frame starts."""
        best = self._with_motion_blur(view, best)
        relocked, self._lost = self._lost, False
        self._velocity = best.pose @ np.linalg.inv(self._pose) if not relocked else np.eye(3)
        self._view, self._pose = view, best.pose
        self._keep_appearance(view, best)
        return Sighting(best.pose, _confidence(best), relocked)

    def pass_by(self) -> None:
        """The object is not on this frame: the next sighting starts from stored appearance."""
        self._lost = True
        self._velocity = np.eye(3)

    def _guesses(self, view: View) -> list[Array]:
        """Poses to start from."""
        steady = self._velocity @ self._pose
        centre = view.centre
        shifted = _shift(centre - self._view.centre) @ self._pose
        guesses = [steady, shifted]
        if not self._lost:
            scores = [self._reference.correlation(view, guess) for guess in guesses]
            start = guesses[int(np.argmax(scores))] @ np.linalg.inv(self._pose)
            around = None if self._near is None else (carry(self._pose, self._pivot[None])[0], self._near)
            motion = motion_between(self._view, view, start, around=around)
            if motion is not None:
                guesses.insert(0, motion @ self._pose)
        return [guess for guess in guesses if is_sane(guess, self._reference.centre[None])]

    def _best_of(self, view: View, guesses: list[Array]) -> Alignment | None:
        """The best alignment from any guess, by the oldest appearance that serves."""
        if not guesses:
            return None
        best: Alignment | None = None
        for appearance in self._by_age(view, guesses[0]):
            scores = [appearance.correlation(view, guess) for guess in guesses]
            found = self._aligned(appearance, view, guesses[int(np.argmax(scores))])
            if found is not None and (best is None or found.correlation > best.correlation + _BETTER):
                best = found
            if best is not None and best.correlation >= _GOOD:
                break
        return best

    def _aligned(self, appearance: Appearance, view: View, guess: Array) -> Alignment | None:
        """The alignment with as much freedom as the object bears.

        What is no plane bends a perspective beyond measure; a similarity of it still makes sense.
        """
        found = None
        for motion in sorted({self._motion, Motion.SIMILARITY}, key=lambda each: -each.value):
            found = appearance.align(view, guess, motion)
            if found is not None and not self._expectation.allows(view, found.pose):
                found = None
            if found is not None and found.correlation >= _DOUBTFUL:
                break
        return found

    def _with_motion_blur(self, view: View, found: Alignment) -> Alignment:
        """The alignment again, with each side given the other's motion blur, where that fits better.

        How long the shutter was open is tried, and then remembered.
        """
        centre = self._reference.centre
        start = carry(self._pose, centre[None])[0]
        way = (carry(found.pose, centre[None])[0] - start) / max(1, abs(view.frame - self._view.frame))
        if self._lost or found.correlation > _SHARP or np.hypot(*(way * view.scale)) < _SMEARED_PX:
            return found
        linear = linear_part(found.pose, centre)
        own = np.linalg.solve(linear, way)
        other = linear @ (own if self._reference_way is None else self._reference_way)
        if self._reference_way is None:
            self._reference_way = own
        best, shutter = found, self._shutter
        for share in _SHUTTERS:
            if self._shutter is not None and abs(share - self._shutter) > 0.3:
                continue
            smear = Smear(share * own, share * other)
            refined = self._reference.refine(view, found.pose, self._motion, smear)
            if refined is None or not self._expectation.allows(view, refined.pose):
                continue
            if 1.0 - refined.correlation < 0.8 * (1.0 - best.correlation):
                best, shutter = refined, share
        self._shutter = shutter
        return best

    def _by_age(self, view: View, guess: Array) -> list[Appearance]:
        """The first appearance, then of the others the two that promise most."""
        others = sorted(self._appearances[1:], key=lambda kept: -kept.correlation(view, guess))
        return [self._reference, *others[:2]]

    def _found_again(self, view: View) -> Alignment | None:
        """The surface wherever it is: by landmarks, then by turning it about the matte's centre."""
        target = Landmarks(view, view.crop(view.matte) >= 64)
        best: Alignment | None = None
        guesses = []
        for index, appearance in enumerate(self._appearances):
            if index not in self._landmarks:
                self._landmarks[index] = Landmarks(appearance.view, appearance.support)
            motion = self._landmarks[index].motion_to(target)
            if motion is not None:
                guesses.append(motion @ appearance.pose)
        if guesses:
            best = self._best_of(view, guesses)
        if best is None or best.correlation < _DOUBTFUL:
            turns = [self._outline_pose(view, angle) for angle in np.radians(np.arange(-180, 180, 15))]
            promising = max(turns, key=lambda turn: self._reference.correlation(view, turn))
            best = _better(best, self._aligned(self._reference, view, promising))
        return best

    def _outline_pose(self, view: View, angle_rad: float) -> Array:
        """The pose that the outline's centre and area suggest, turned by an angle."""
        reference = self._reference.view
        scale = float(np.clip(np.sqrt(view.area / max(reference.area, 1e-6)), 0.3, 3.0))
        return pose_about(reference.centre, view.centre, turn_and_scale(angle_rad, scale))

    def _by_outline(self, view: View) -> Sighting | None:
        """The last pose moved, turned and scaled as the outline did."""
        expected = self._reference.view.area * abs(np.linalg.det(linear_part(self._pose, self._pivot)))
        if view.area < _SLIVER * expected:
            self.pass_by()
            return None
        if view.area < _PARTIAL * expected and not self._lost:
            # Something covers it: the rest's centre would pull the anchor away from where it was going.
            self._view, self._pose, self._lost = view, self._velocity @ self._pose, True
            return Sighting(self._pose, _OUTLINE_CONFIDENCE)
        moved = moved_with_outline(self._view, view, only_shift=self._motion is Motion.TRANSLATION)
        # Not the shear and perspective of a fit that has gone: they would only grow.
        last = nearest_affine(self._pose, self._reference.view.centre, rigid=True)
        pose = moved @ last
        self._lost = True
        if not is_sane(pose, self._pivot[None]):
            return None
        self._view, self._pose, self._velocity = view, pose, np.eye(3)
        return Sighting(pose, _OUTLINE_CONFIDENCE)

    def _keep_appearance(self, view: View, found: Alignment) -> None:
        """Remember how the surface looks now, where what is remembered begins to differ."""
        if found.correlation >= _GOOD:
            self._good_pose = (view, found.pose)
            return
        if found.correlation >= _FADING or self._good_pose is None:
            return
        kept_view, kept_pose = self._good_pose
        self._good_pose = None
        support = self._carried_support(kept_view, kept_pose)
        appearance = Appearance(kept_view, support, kept_pose)
        if appearance.is_usable and len(self._appearances) < _MOST_APPEARANCES:
            self._appearances.append(appearance)

    def _carried_support(self, view: View, pose: Array) -> NDArray[np.bool_]:
        """Where the reference's support lies in another view's region, as far as its matte shows it."""
        reference = self._reference
        left, top, right, bottom = view.region
        rows, columns = np.mgrid[top:bottom, left:right]
        places = view.square(np.stack([columns.reshape(-1), rows.reshape(-1)], axis=1).astype(np.float64))
        backward = np.asarray(np.linalg.inv(pose), np.float64)
        origin = carry(backward, np.asarray(places, np.float64))
        covered = reference.view.sample(reference.support.astype(np.float32), origin)
        inside = (np.nan_to_num(covered) > 0.5).reshape(rows.shape)
        return np.asarray(inside & (view.solid() > 0.5), np.bool_)


def _confidence(found: Alignment) -> float:
    """From correlation, the share that shows, and the fit's own error."""
    likeness = float(np.clip((found.correlation - 0.3) / 0.55, 0.0, 1.0))
    share = float(np.sqrt(min(1.0, found.visible / 0.3)))
    sharpness = 1.0 / (1.0 + (found.error_px / 0.5) ** 2)
    return likeness * share * sharpness


def _better(one: Alignment | None, other: Alignment | None) -> Alignment | None:
    if one is None or other is None:
        return one or other
    return replace(other) if other.correlation > one.correlation + 0.02 else one


def _shift(by: Array) -> Array:
    pose = np.eye(3)
    pose[:2, 2] = by
    return pose
