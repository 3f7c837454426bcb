"""``nuke.rotopaint``: shapes that draw between keys as was measured in Nuke 17.1.

FIELD (measured through this API by others): keys of the default type are smooth cubics, whatever slopes they
store; tangents are relative to their point; ``addPositionKey`` takes a vector; lifetimes are the attributes
``ltt``, ``ltn`` and ``ltm``, by default 0, 1 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from masklet.interpolation import Interpolation, weights

if TYPE_CHECKING:
    from fakes.nuke.nodes import FakeNode


@dataclass(frozen=True)
class CVec3:
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


@dataclass
class AnimControlPoint:
    """A point over time; both axes are keyed together here."""

    still: CVec3 = CVec3()
    keys: dict[float, CVec3] = field(default_factory=dict)
    rule: ClassVar[Interpolation] = Interpolation.NUKE_SMOOTH

    def addPositionKey(self, time: float, position: CVec3) -> None:
        if not isinstance(position, CVec3):
            raise TypeError("a position is a CVec3")
        self.keys[float(time)] = position

    def setPosition(self, position: CVec3) -> None:
        # DOC: has no effect when the point has keys.
        if not self.keys:
            self.still = position

    def getPosition(self, time: float) -> CVec3:
        times = sorted(self.keys)
        if not times:
            return self.still
        counted = weights(times, time, self.rule)
        points = [(self.keys[times[index]], share) for index, share in counted.items()]
        return CVec3(sum(p.x * s for p, s in points), sum(p.y * s for p, s in points))


class ShapeControlPoint:
    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self.center = AnimControlPoint(CVec3(x, y))
        self.leftTangent = AnimControlPoint()
        self.rightTangent = AnimControlPoint()
        self.featherCenter = AnimControlPoint()


class Attributes:
    _KNOWN = frozenset(
        ["vis", "opc", "bm", "inv", "fx", "fy", "ff", "fo", "ltt", "ltn", "ltm", "r", "g", "b", "a"]
    )

    def __init__(self) -> None:
        self.values: dict[str, float] = {"ltt": 0.0, "ltn": 1.0, "ltm": 1.0, "fx": 0.0, "fy": 0.0}

    def set(self, name: str, value: float) -> None:
        if name not in self._KNOWN:
            raise KeyError(f"shapes have no attribute {name!r}")
        self.values[name] = float(value)

    def getValue(self, time: float, name: str) -> float:
        del time
        return self.values[name]


class Shape:
    def __init__(self, knob: FakeCurves, type: str = "bezier") -> None:
        if type not in ("bezier", "bspline"):
            raise ValueError(f"no kind of shape: {type}")
        self.name = "Shape"
        self.points: list[ShapeControlPoint] = []
        self.attributes = Attributes()
        self._knob = knob

    def append(self, point: ShapeControlPoint) -> None:
        self.points.append(point)

    def getAttributes(self) -> Attributes:
        return self.attributes

    def __iter__(self) -> Iterator[ShapeControlPoint]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> ShapeControlPoint:
        return self.points[index]


class Layer:
    def __init__(self, knob: FakeCurves) -> None:
        self.name = "Root"
        self.shapes: list[Shape] = []
        self._knob = knob

    def append(self, shape: Shape) -> None:
        self._knob.touch()
        taken = {other.name for other in self.shapes}
        name, number = shape.name, 1
        # KNOWN: names of elements are made different, as those of nodes.
        while shape.name in taken:
            shape.name, number = f"{name}{number}", number + 1
        self.shapes.append(shape)

    def remove(self, index: int) -> None:
        # DOC: an IndexError where there is none.
        self._knob.touch()
        self.shapes = [shape for at, shape in enumerate(self.shapes) if at != range(len(self.shapes))[index]]

    def __iter__(self) -> Iterator[Shape]:
        return iter(list(self.shapes))

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> Shape:
        return self.shapes[index]


class FakeCurves:
    """The ``curves`` knob of a Roto."""

    kind = "Curves_Knob"

    def __init__(self, name: str = "curves") -> None:
        self._name = name
        self.node: FakeNode | None = None
        self.rootLayer = Layer(self)
        self.changes = 0
        self.visible = True

    def name(self) -> str:
        return self._name

    def touch(self) -> None:
        """Note the shapes for an undo."""
        if self.node is not None:
            self.node.check()
            before = list(self.rootLayer.shapes)
            self.node.application.note(lambda: setattr(self.rootLayer, "shapes", before), "curves")

    def toElement(self, name: str) -> Shape:
        for shape in self.rootLayer:
            if shape.name == name:
                return shape
        raise ValueError(f"no such element: {name}")

    def changed(self) -> None:
        self.touch()
        self.changes += 1

    def toScript(self) -> str:
        return repr([(shape.name, len(shape)) for shape in self.rootLayer])

    def copied(self) -> FakeCurves:
        other = FakeCurves(self._name)
        other.rootLayer.shapes = list(self.rootLayer.shapes)
        return other

    def take(self, tree: Any) -> None:
        raise NotImplementedError("this stand-in takes shapes from the API alone")
