"""The life of a piece: one closed line through time, with the same points marked on every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.contours import Contour
from masklet_server.shapes.matching import Match, ascending, match
from masklet_server.shapes.pieces import Strand
from masklet_server.shapes.samples import Array

_TORN = 0.15
_NODE_PX = 2.0
_MIN_NODES, _MAX_NODES = 32, 512


@dataclass(frozen=True, eq=False)
class Life:
    """Contours of consecutive frames and how they correspond.

    Attributes:
        hole: Whether the object lies outside.
        first: Index of the first frame.
        contours: One per frame.
        nodes: ``(F, M)``: the length along each frame's contour at which a node lies, strictly ascending,
            within one round; column by column the same points of the object.
        matches: From each frame to the next.
    """

    hole: bool
    first: int
    contours: tuple[Contour, ...]
    nodes: Array
    matches: tuple[Match, ...] = ()

    @cached_property
    def lengths_px(self) -> Array:
        """Length of each frame's contour, ``(F,)``."""
        return np.array([contour.length_px for contour in self.contours])

    def arcs(self, places: Array) -> Array:
        """Lengths along each frame's contour, ``(F, V)``, at places ``(V,)`` counted in nodes."""
        count = self.nodes.shape[1]
        rounds, inside = np.divmod(places, count)
        closed = np.concatenate([self.nodes, self.nodes[:, :1] + self.lengths_px[:, None]], axis=1)
        index = np.minimum(np.floor(inside).astype(np.int64), count - 1)
        share = inside - index
        arcs = closed[:, index] * (1 - share) + closed[:, index + 1] * share
        return np.asarray(arcs + rounds * self.lengths_px[:, None])

    def at(self, arcs: Array) -> Array:
        """Points on each frame's contour at lengths ``(F, ...)``: ``(F, ..., 2)``."""
        lengths, starts, along, places = self._line
        shape = (-1,) + (1,) * (arcs.ndim - 1)
        lengths, starts = lengths.reshape(shape), starts.reshape(shape)
        return np.interp(np.mod(arcs, lengths) + starts, along, places)[..., None].view(np.float64)

    @cached_property
    def _line(self) -> tuple[Array, Array, Array, NDArray[np.complex128]]:
        """All contours one after the other, to be read in one go.

        Lengths and starts of the contours on that line, ``(F,)``, and its points: where, and x + iy.
        """
        lengths = self.lengths_px
        # A gap, so that the end of one contour is not the start of the next.
        starts = np.concatenate([[0.0], np.cumsum(lengths[:-1] + 1.0)])
        along = [contour.arc_px + start for contour, start in zip(self.contours, starts, strict=True)]
        return lengths, starts, np.concatenate(along), np.concatenate([c.path for c in self.contours])


def lives(strand: Strand, width_px: float, height_px: float) -> Iterator[Life]:
    """The strand, cut where its line tears: where much of it appears or vanishes at once."""
    contours = strand.contours
    matches = match(contours, width_px, height_px) if len(contours) > 1 else []
    start = 0
    for end in range(1, len(contours) + 1):
        if end == len(contours) or matches[end - 1].torn > _TORN:
            part, links = tuple(contours[start:end]), tuple(matches[start : end - 1])
            yield Life(strand.hole, strand.first + start, part, _followed(part, links), links)
            start = end


def halves(life: Life) -> tuple[Life, Life]:
    """The life in two, cut where its line tears most, rather in the middle than near an end."""
    count = len(life.contours)
    torn = np.array([link.torn for link in life.matches])
    middling = 1 - np.abs(np.arange(1, count) / count - 0.5)
    cut = 1 + int(((torn + 0.02) * middling).argmax())
    first, second = life.contours[:cut], life.contours[cut:]
    before, after = life.matches[: cut - 1], life.matches[cut:]
    return (
        Life(life.hole, life.first, first, _followed(first, before), before),
        Life(life.hole, life.first + cut, second, _followed(second, after), after),
    )


def _followed(contours: tuple[Contour, ...], matches: Sequence[Match]) -> Array:
    """Nodes spread evenly where the line is longest, and carried from there to both ends."""
    lengths = [contour.length_px for contour in contours]
    origin = int(np.argmax(lengths))
    count = int(np.clip(lengths[origin] / _NODE_PX, _MIN_NODES, _MAX_NODES))
    nodes = np.zeros((len(contours), count))
    nodes[origin] = np.arange(count) / count * lengths[origin]
    for index in range(origin, len(contours) - 1):
        arc_px = matches[index].arc_px
        evenly = np.linspace(0, lengths[index], len(arc_px))
        nodes[index + 1] = _carried(nodes[index], evenly, arc_px)
    for index in range(origin, 0, -1):
        arc_px = matches[index - 1].arc_px
        evenly = np.linspace(0, lengths[index - 1], len(arc_px))
        nodes[index - 1] = _carried(nodes[index], arc_px, evenly)
    return nodes


def _carried(nodes: Array, before: Array, after: Array) -> Array:
    """Lengths taken through a map of one round onto one round, given at its knots."""
    rounds, inside = np.divmod(nodes - before[0], before[-1] - before[0])
    carried = np.interp(inside + before[0], before, after) + rounds * (after[-1] - after[0])
    return ascending(carried, float(after[-1] - after[0]))
