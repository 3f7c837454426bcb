"""Values of knobs as Nuke writes them: numbers, and curves whose letter says how they run between keys."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Union

from fakes.nuke_tree import Tree


@dataclass
class Curve:
    """``curve L x1 10 x5 12``. DOC (curve expressions): L runs straight, K holds, no letter is smooth."""

    letter: str
    keys: dict[float, float] = field(default_factory=dict)

    def at(self, frame: float) -> float:
        times = sorted(self.keys)
        if not times:
            return 0.0
        after = bisect_right(times, frame)
        if after == 0:
            return self.keys[times[0]]
        before = times[after - 1]
        if after == len(times) or self.letter == "K" or before == frame:
            return self.keys[before]
        share = (frame - before) / (times[after] - before)
        if self.letter == "L":
            return self.keys[before] * (1 - share) + self.keys[times[after]] * share
        raise NotImplementedError("this stand-in draws no smooth curves of knobs: write them with L or K")

    def text(self) -> str:
        return f"{{curve {self.letter} " + " ".join(f"x{t:g} {v:.10g}" for t, v in self.keys.items()) + "}"


# Runs in the Pythons of Nuke, 3.9 among them.
Number = Union[float, Curve]


def number_from(tree: Tree) -> Number:
    """One component of an array knob.

    Raises:
        ValueError: It is no number and no curve.
    """
    if isinstance(tree, str):
        return float(tree)
    if tree[:1] != ["curve"]:
        raise ValueError(f"neither a number nor a curve: {tree!r}")
    words = [str(word) for word in tree[1:]]
    letter = words.pop(0) if words and not words[0].startswith("x") else ""
    keys: dict[float, float] = {}
    frame = 0.0
    for word in words:
        if word.startswith("x"):
            frame = float(word[1:])
        else:
            keys[frame] = float(word)
            # DOC: a value without a frame of its own is that of the next frame.
            frame += 1
    return Curve(letter, keys)


def numbers_from(tree: Tree, count: int) -> list[Number]:
    """All components: ``1``, ``{1 2}``, ``{{curve …} {curve …}}``; one value counts for all."""
    if isinstance(tree, str) or tree[:1] == ["curve"]:
        parts: list[Tree] = [tree]
    else:
        parts = list(tree)
    found = [number_from(part) for part in parts]
    if len(found) == 1:
        found *= count
    if len(found) != count:
        raise ValueError(f"{count} numbers are expected, not {len(found)}")
    return found
