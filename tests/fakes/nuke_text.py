"""A reader of Nuke's node text, written from the grammar, to prove what the writer wrote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fakes.exchange_scenes import Vertex
from fakes.nuke_tree import Tree, read_words


@dataclass(frozen=True)
class NukeNode:
    kind: str
    knobs: dict[str, Tree]

    @cached_property
    def beziers(self) -> list[NukeBezier]:
        """Of a Roto, read once."""
        return read_beziers(self.knobs["curves"])


def read_nodes(text: str) -> list[NukeNode]:
    """All nodes of a script, their knobs as words or nested lists."""
    nodes = []
    words = read_words(text)
    assert words[:1] == ["version"]
    rest = words[3:]
    for kind, body in zip(rest[::2], rest[1::2], strict=True):
        assert isinstance(kind, str)
        assert isinstance(body, list)
        knobs: dict[str, Tree] = {}
        for name, value in zip(body[::2], body[1::2], strict=True):
            assert isinstance(name, str)
            knobs[name] = value
        nodes.append(NukeNode(kind, knobs))
    return nodes


def read_curve(curve: Tree) -> dict[int, float]:
    """``curve L x1 10 x2 11`` as values by frame."""
    assert isinstance(curve, list)
    assert curve[0] == "curve"
    values = {}
    words = [word for word in curve[2:] if isinstance(word, str)]
    for at, value in zip(words[::2], words[1::2], strict=True):
        assert at.startswith("x")
        values[int(at[1:])] = float(value)
    return values


@dataclass(frozen=True)
class NukeBezier:
    """One curve of a Roto node: slots by vertex and side, each a pair of channels."""

    name: str
    first: int
    last: int
    feather_px: float
    times: list[int]
    slots: list[tuple[list[list[float]], list[list[float]]]]

    def value(self, slot: int, axis: int, frame: float, *, stored_slopes: bool = False) -> float:
        """A channel as Nuke evaluates it: a cubic with slopes of its own, or with those that are stored.

        Measured in Nuke 17.1 through its API: the default type ignores what is stored. The slope is that from
        the key before to the key after; at the ends half of thrice the chord less the neighbour's slope.
        """
        keys = self.slots[slot][axis]
        if len(keys) == 1 or frame <= self.times[0]:
            return keys[0][0]
        if frame >= self.times[-1]:
            return keys[-1][0]
        index = max(i for i, time in enumerate(self.times) if time <= frame)
        start, end = self.times[index], self.times[index + 1]
        length = end - start
        s = (frame - start) / length
        a, b = keys[index][0], keys[index + 1][0]
        leaving, arriving = (
            length * (keys[key][side] if stored_slopes else self._slope(keys, key))
            for key, side in ((index, 3), (index + 1, 1))
        )
        return (
            (2 * s**3 - 3 * s**2 + 1) * a
            + (s**3 - 2 * s**2 + s) * leaving
            + (-2 * s**3 + 3 * s**2) * b
            + (s**3 - s**2) * arriving
        )

    def _slope(self, keys: list[list[float]], key: int) -> float:
        def chord(a: int, b: int) -> float:
            return (keys[b][0] - keys[a][0]) / (self.times[b] - self.times[a])

        last = len(keys) - 1
        if last == 1:
            return chord(0, 1)
        if key == 0:
            return (3 * chord(0, 1) - chord(0, 2)) / 2
        if key == last:
            return (3 * chord(last - 1, last) - chord(last - 2, last)) / 2
        return chord(key - 1, key + 1)


def read_beziers(curves: Tree) -> list[NukeBezier]:
    """The curves of a ``curves`` knob."""
    found: list[NukeBezier] = []
    _collect(curves, found)
    return found


def _collect(tree: Tree, found: list[NukeBezier]) -> None:
    if isinstance(tree, str):
        return
    if tree and tree[0] == "curvegroup":
        found.append(_bezier(tree))
        return
    for item in tree:
        _collect(item, found)


def _bezier(tree: list[Tree]) -> NukeBezier:
    _, name, flags, kind, shape, transform, attributes = tree
    assert (flags, kind) == ("512", "bezier")
    assert isinstance(shape, list)
    assert isinstance(attributes, list)
    assert isinstance(transform, list)
    assert transform[0] == "tx"
    contour, feather = shape
    assert feather == "idem"
    assert isinstance(contour, list)
    assert contour[:2] == ["cc", ["f", "8192"]]
    points = contour[2]
    assert isinstance(points, list)
    assert points[0] == "px"
    times = [int(str(time)) for time in points[1]] if isinstance(points[1], list) else [int(points[1])]
    slots = [_slot(slot) for slot in points[2:]]
    assert len(slots) % 3 == 0
    words = [str(word) for word in attributes[1:]]
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given["fx"] == given["fy"]
    # How far the edge is softened to either side of the path.
    feather_px = 2 * float(given["fx"])
    return NukeBezier(str(name), int(given["ltn"]), int(given["ltm"]), feather_px, times, slots)


def _slot(slot: Tree) -> tuple[list[list[float]], list[list[float]]]:
    assert isinstance(slot, list)
    if all(isinstance(word, str) for word in slot):
        x, y = (float(str(word)) for word in slot)
        return [[x]], [[y]]
    channels = []
    for channel in slot:
        assert isinstance(channel, list)
        keys = []
        for key in channel:
            assert isinstance(key, list)
            keys.append([0.0 if word == "-" else float(str(word)) for word in key])
        channels.append(keys)
    return channels[0], channels[1]


def read_paths(nodes: list[NukeNode], frame: int, height_px: int) -> list[tuple[bool, list[Vertex]]]:
    """Paths in the plate's coordinates, in the order in which the Merges put them together.

    The Rotos were written last first. True for those that take away.
    """
    return [(hole, _path(bezier, frame, height_px)) for hole, bezier in _alive(nodes, frame)]


def read_feathers_px(nodes: list[NukeNode], frame: int) -> list[float]:
    """The full width of the soft band of each of these paths."""
    return [bezier.feather_px for _, bezier in _alive(nodes, frame)]


def _alive(nodes: list[NukeNode], frame: int) -> list[tuple[bool, NukeBezier]]:
    rotos = [node for node in nodes if node.kind == "Roto"]
    return [
        ("holes" in str(node.knobs["name"]), bezier)
        for node in reversed(rotos)
        for bezier in node.beziers
        if bezier.first <= frame <= bezier.last
    ]


def _path(bezier: NukeBezier, frame: int, height_px: int) -> list[Vertex]:
    path = []
    for slot in range(0, len(bezier.slots), 3):
        in_x, in_y, x, y, out_x, out_y = (
            bezier.value(slot + part, axis, frame) for part in range(3) for axis in range(2)
        )
        path.append((x, height_px - y, in_x, -in_y, out_x, -out_y))
    return path
