"""Which point of a contour is which on the next frame.

Three steps, each for all pairs of neighbouring frames at once. A similarity takes up what the
whole object does. Dynamic time warping (Sakoe and Chiba, 1978) around the closed line finds the order
of what remains. Then the displacement that is stiffest along the line, while it ends on the other line, says
how far each point went: a line alone does not tell motion along itself, so the stretches that do tell it,
corners and bends, decide for their neighbours (Hildreth, 1984). This is what keeps vertices from sliding.

Shape letters in this package: H and W are the height and width of the plate, F frames, P pairs of frames,
N samples along a contour, M material nodes, V vertices, K samples between two vertices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from masklet_server.shapes.contours import Contour
from masklet_server.shapes.motion import similarity
from masklet_server.shapes.samples import Array, Samples, sampled
from masklet_server.shapes.warping import torn_share, warp

_MIN_SAMPLES, _MAX_SAMPLES = 16, 256
_SAMPLE_PX = 3.0
_PAIRS_AT_ONCE = 32
_STIFFNESS = 40.0
_ALONG_WEIGHT = 0.002
_SOLVER_ROUNDS = 50
_FINE = 4
_WINDOW = 20


@dataclass(frozen=True, eq=False)
class Match:
    """How one contour goes over into the next.

    Attributes:
        arc_px: ``(N + 1,)`` for N evenly spaced points of the first contour, and its first point once more,
            the length along the second where they are found; strictly ascending, one round long.
        torn: Share of both lines that has no counterpart on the other.
    """

    arc_px: Array
    torn: float


def match(contours: Sequence[Contour], width_px: float, height_px: float) -> list[Match]:
    """How each contour goes over into its successor: one match fewer than contours."""
    longest_px = max(contour.length_px for contour in contours)
    count = int(np.clip(longest_px / _SAMPLE_PX, _MIN_SAMPLES, _MAX_SAMPLES))
    matches: list[Match] = []
    for first in range(0, len(contours) - 1, _PAIRS_AT_ONCE):
        part = contours[first : first + _PAIRS_AT_ONCE + 1]
        matches += _match_part(part, count, (width_px, height_px))
    return matches


def _match_part(contours: Sequence[Contour], count: int, size_px: tuple[float, float]) -> list[Match]:
    both = sampled(contours, count, size_px)
    source, target = both[:-1], both[1:]
    moved, turn = similarity(source, target)
    normals = np.einsum("pij,pnj->pni", turn, source.normals)
    carried = Samples(moved, normals, source.border, source.step_px)
    low, high = warp(carried, target)
    torn = torn_share(low, high, source.border, target.border)

    fine = sampled(contours[1:], count * _FINE, size_px)
    middle = 0.5 * (low + high)
    goals = _stiff(carried, target, middle)
    arcs = _landed(goals, carried.normals, fine, middle * _FINE)
    matches = []
    for pair, contour in enumerate(contours[1:]):
        arc_px = ascending(arcs[pair] * fine.step_px[pair], contour.length_px)
        matches.append(Match(np.append(arc_px, arc_px[0] + contour.length_px), float(torn[pair])))
    return matches


def ascending(arc_px: Array, length_px: float) -> Array:
    """Lengths along a closed line of ``length_px``, made strictly ascending within one round."""
    count = len(arc_px)
    rounds = np.concatenate([arc_px - length_px, arc_px, arc_px + length_px])
    upper = np.maximum.accumulate(rounds)
    lower = np.minimum.accumulate(rounds[::-1])[::-1]
    level = (0.5 * (upper + lower))[count : 2 * count + 1]
    # Nodes that fall together could never part again, so a little room is left between them.
    least_px = 0.04 * length_px / count
    steps = np.maximum(np.diff(level), least_px)
    steps *= length_px / steps.sum()
    shifts = np.concatenate([[0.0], np.cumsum(steps)[:-1]]) + level[0]
    return np.asarray(shifts + np.median(level[:-1] - shifts))


def _stiff(source: Samples, target: Samples, middle: Array) -> Array:
    """Where each source sample goes, ``(P, N, 2)``: onto the other line with the stiffest displacement."""
    count = middle.shape[1]
    lower = np.floor(middle)
    share = (middle - lower)[..., None]
    here = np.mod(lower, count).astype(np.int64)[..., None]
    there = (here + 1) % count
    goal = np.take_along_axis(target.points, here, 1) * (1 - share)
    goal += np.take_along_axis(target.points, there, 1) * share
    normal = np.take_along_axis(target.normals, here, 1)
    gap = goal - source.points
    far = np.linalg.norm(gap, axis=-1)
    trust = 1 / (1 + np.square(far / (4 * np.median(far, axis=1, keepdims=True) + 2)))
    # (P, N, 2, 2): the full pull across the line, a weak one along it; all of it on the border of the frame.
    along = np.where(source.border, 1.0, _ALONG_WEIGHT)[..., None, None]
    pull = (1 - along) * normal[..., :, None] * normal[..., None, :] + along * np.eye(2)
    pull *= trust[..., None, None]
    bond = np.where(source.border != np.roll(source.border, -1, axis=1), 0.01, _STIFFNESS)[..., None]

    return source.points + _solved(pull, bond[..., 0], gap)


def _solved(pull: Array, bond: Array, gap: Array) -> Array:
    """Conjugate gradients for all pairs at once: the stiffest shifts ``(P, N, 2)`` that give in to the pull.

    Args:
        pull: ``(P, N, 2, 2)``, symmetric: how strongly, and in which direction, a sample is held to its goal.
        bond: ``(P, N)``: the stiffness between each sample and the next.
        gap: ``(P, N, 2)`` from each sample to its goal.
    """
    straight = np.stack([pull[..., 0, 0], pull[..., 1, 1]])  # x and y as planes, (2, P, N)
    across = pull[..., 0, 1]
    pairs, count = bond.shape
    stretch = np.empty((2, pairs, count + 1))

    def pulled(shift: Array) -> Array:
        np.subtract(shift[..., 1:], shift[..., :-1], out=stretch[..., 1:-1])
        np.subtract(shift[..., 0], shift[..., -1], out=stretch[..., -1])
        stretch[..., 1:] *= bond
        stretch[..., 0] = stretch[..., -1]
        image = straight * shift
        image += across * shift[::-1]
        image += stretch[..., :-1]
        image -= stretch[..., 1:]
        return image

    goal = np.moveaxis(gap, -1, 0)
    rest = straight * goal + across * goal[::-1]
    shift = np.zeros_like(rest)
    direction = rest.copy()
    energy = np.einsum("cpn,cpn->p", rest, rest)
    for _ in range(_SOLVER_ROUNDS):
        image = pulled(direction)
        length = energy / np.maximum(np.einsum("cpn,cpn->p", direction, image), 1e-12)
        shift += length[:, None] * direction
        image *= length[:, None]
        rest -= image
        new_energy = np.einsum("cpn,cpn->p", rest, rest)
        direction *= (new_energy / np.maximum(energy, 1e-12))[:, None]
        direction += rest
        energy = new_energy
        if energy.max() < 1e-6:
            break
    return np.moveaxis(shift, 0, -1)


def _landed(goals: Array, normals: Array, fine: Samples, middle: Array) -> Array:
    """Where on the finely sampled second lines the goals lie, ``(P, N)``, counted in their samples."""
    count = fine.points.shape[1]
    around = np.arange(-_WINDOW, _WINDOW + 1)
    candidates = np.rint(middle).astype(np.int64)[..., None] + around  # (P, N, window)
    pair = np.arange(len(goals))[:, None, None]
    wrapped = np.mod(candidates, count)
    offset = goals[:, :, None] - fine.points[pair, wrapped]  # (P, N, window, 2)
    facing = np.einsum("pnwc,pnc->pnw", fine.normals[pair, wrapped], normals)
    cost = np.square(offset).sum(axis=-1) + np.square(fine.step_px)[:, None, None] * (1 - facing)
    best = cost.argmin(axis=2)[..., None]
    offset = np.take_along_axis(offset, best[..., None], axis=2)[:, :, 0]
    nearest = np.take_along_axis(wrapped, best, axis=2)
    normal = fine.normals[pair, nearest][:, :, 0]
    along = np.stack([-normal[..., 1], normal[..., 0]], axis=-1)
    beyond = np.einsum("pnc,pnc->pn", offset, along) / fine.step_px[:, None]
    landed = np.take_along_axis(candidates, best, axis=2)[..., 0] + np.clip(beyond, -0.5, 0.5)
    return np.asarray(landed, np.float64)
