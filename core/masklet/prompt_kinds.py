"""What can be said about an object on a frame; coordinates are those of :mod:`masklet.types`."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Click:
    """A point that belongs to the object, or that does not.

    Attributes:
        x_px: Position from the left edge of the plate.
        y_px: Position from the top edge of the plate.
        positive: True on the object, False on something that must not be part of it.
    """

    x_px: float
    y_px: float
    positive: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x_px) and math.isfinite(self.y_px)):
            raise ValueError(
                f"a click needs finite coordinates, got ({self.x_px}, {self.y_px}): "
                "click again inside the picture"
            )

    def moved(self, across: float, down: float, x_px: float, y_px: float) -> Click:
        """The same in the pixels of another picture: scaled, then moved."""
        return Click(self.x_px * across + x_px, self.y_px * down + y_px, self.positive)


@dataclass(frozen=True)
class Box:
    """A rectangle around the object, edges in pixels."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float

    def __post_init__(self) -> None:
        edges = (self.left_px, self.top_px, self.right_px, self.bottom_px)
        if not all(math.isfinite(edge) for edge in edges):
            raise ValueError(f"a box needs finite edges, got {edges}: draw it again inside the picture")
        if self.right_px <= self.left_px or self.bottom_px <= self.top_px:
            raise ValueError(
                f"a box needs left < right and top < bottom, got {edges}: draw it from corner to corner"
            )

    def moved(self, across: float, down: float, x_px: float, y_px: float) -> Box:
        """The same in the pixels of another picture: scaled, then moved."""
        return Box(
            self.left_px * across + x_px,
            self.top_px * down + y_px,
            self.right_px * across + x_px,
            self.bottom_px * down + y_px,
        )


MAX_SCRIBBLE_POINTS = 4096
"""Of one stroke: a hand that draws for half a minute."""
MAX_SCRIBBLE_WIDTH_PX = 16384.0


@dataclass(frozen=True)
class Scribble:
    """A freehand stroke on the object, or on what must not be part of it.

    It says two things: what it covers is inside (or outside), and what looks like that belongs (or does
    not). The network is shown points along it, and the pixels that it covers are obeyed on its frame.

    Attributes:
        points_px: ``(x, y)`` along the stroke, from the plate's top-left corner; one point is a dab.
        width_px: Of the brush.
        positive: True on the object, False on something that must not be part of it.
    """

    points_px: tuple[tuple[float, float], ...]
    width_px: float
    positive: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.points_px) <= MAX_SCRIBBLE_POINTS:
            raise ValueError(
                f"a stroke has 1 to {MAX_SCRIBBLE_POINTS} points, got {len(self.points_px)}: draw it in parts"
            )
        if not all(math.isfinite(x_px) and math.isfinite(y_px) for x_px, y_px in self.points_px):
            raise ValueError("a stroke needs finite coordinates: draw it again inside the picture")
        if not 0.0 < self.width_px <= MAX_SCRIBBLE_WIDTH_PX:
            raise ValueError(
                f"a stroke is wider than 0 and at most {MAX_SCRIBBLE_WIDTH_PX:g} pixels, got "
                f"{self.width_px:g}: choose another brush"
            )

    def moved(self, across: float, down: float, x_px: float, y_px: float) -> Scribble:
        """The same in the pixels of another picture: scaled, then moved. Its width grows with the area."""
        return Scribble(
            tuple((x * across + x_px, y * down + y_px) for x, y in self.points_px),
            min(MAX_SCRIBBLE_WIDTH_PX, self.width_px * math.sqrt(abs(across * down))),
            self.positive,
        )

    def sampled(self, most: int) -> tuple[tuple[float, float], ...]:
        """At most so many positions along the stroke, in the middles of equal parts.

        They are no closer than its width: of a dab there is one.
        """
        ends = list(zip(self.points_px, self.points_px[1:]))  # noqa: B905 (Python 3.9)
        lengths = [math.dist(start, end) for start, end in ends]
        total_px = sum(lengths)
        count = max(1, min(most, 1 + int(total_px / self.width_px)))
        wanted = [total_px * (index + 0.5) / count for index in range(count)]
        found: list[tuple[float, float]] = []
        passed_px = 0.0
        for (start, end), length_px in zip(ends, lengths):  # noqa: B905
            while len(found) < count and length_px > 0 and wanted[len(found)] <= passed_px + length_px:
                share = (wanted[len(found)] - passed_px) / length_px
                found.append((start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
            passed_px += length_px
        # Of a dab, and of what rounding left over at the end.
        return tuple(found) + (self.points_px[-1],) * (count - len(found))
