"""Nodes that refuse what Nuke's refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fakes.nuke.classes import CLASSES, COMMON, MAX_INPUTS
from fakes.nuke.knobs import FakeKnob
from fakes.nuke.rotopaint import FakeCurves
from fakes.nuke_tree import read_knobs

if TYPE_CHECKING:
    from fakes.nuke.application import FakeNuke

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class FakeFormat:
    """DOC: the whole picture; proxy mode changes it nowhere."""

    def __init__(self, width: int, height: int, pixel_aspect: float = 1.0) -> None:
        self._size = width, height, pixel_aspect

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def pixelAspect(self) -> float:
        return self._size[2]


class FakeNode:
    """A node.

    Attributes:
        picture: What a Read's files hold; tests set it. Others have their first input's.
        is_open: True while its panel is.
    """

    def __init__(self, application: FakeNuke, kind: str, parent: FakeNode | None) -> None:
        self.application = application
        self.parent = parent
        self.kind = kind
        self.is_there = True
        self.is_open = False
        self.picture: FakeFormat | None = None
        self._name = kind
        self._inputs: list[FakeNode | None] = []
        self.user_knobs: list[str] = []
        self.children: list[FakeNode] = []
        self._knobs: dict[str, Any] = {}
        if kind != "Root":
            self._put(FakeKnob("name"))
        for make in (*COMMON, *CLASSES[kind]):
            knob: Any = make()
            self._put(FakeCurves() if knob.name() == "curves" else knob)

    def _put(self, knob: Any) -> None:
        knob.node = self
        self._knobs[knob.name()] = knob

    def check(self) -> None:
        """What every call begins with."""
        self.application.check_thread()
        if not self.is_there:
            # KNOWN: what scripts get of a node that was deleted, or that an undo has taken.
            raise ValueError("A PythonObject is not attached to a node")

    def Class(self) -> str:
        self.check()
        return self.kind

    def name(self) -> str:
        self.check()
        return self._name

    def fullName(self) -> str:
        self.check()
        above = self.parent
        return self._name if above is None or above.kind == "Root" else f"{above.fullName()}.{self._name}"

    def setName(self, name: str, uncollide: bool = True) -> None:
        self.check()
        if not _NAME.fullmatch(name):
            # DOC: names hold letters, digits and underscores and begin with no digit.
            raise ValueError(f"{name!r} is no name of a node")
        taken = {other._name for other in self.application.siblings(self)}
        if name in taken and not uncollide:
            raise ValueError(f"{name} is taken")
        stem, number = name.rstrip("0123456789") or name, 1
        while name in taken:
            name, number = f"{stem}{number}", number + 1
        before = self._name
        self._name = name
        self.application.note(lambda: setattr(self, "_name", before), "name")

    def knob(self, name: str) -> Any:
        self.check()
        return self._knobs.get(name)

    def knobs(self) -> Mapping[str, Any]:
        self.check()
        return dict(self._knobs)

    def __getitem__(self, name: str) -> Any:
        self.check()
        if name not in self._knobs:
            # KNOWN: "NameError: knob x does not exist".
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def addKnob(self, knob: Any) -> None:
        self.check()
        if knob.name() in self._knobs:
            raise ValueError(f"knob {knob.name()} is there already")
        self._put(knob)
        self.user_knobs.append(knob.name())
        self.application.note(lambda: self._forget(knob.name()), "add knob")

    def _forget(self, name: str) -> None:
        self._knobs.pop(name, None)
        self.user_knobs.remove(name)

    def readKnobs(self, text: str) -> None:
        self.check()
        for name, tree in read_knobs(text):
            if name not in self._knobs:
                # KNOWN: "no such knob", as for scripts of another version.
                raise RuntimeError(f"{self._name}: no such knob {name}")
            self._knobs[name].take(tree)

    def inputs(self) -> int:
        self.check()
        return len(self._inputs)

    def input(self, index: int) -> FakeNode | None:
        self.check()
        found = self._inputs[index] if index < len(self._inputs) else None
        return found if found is not None and found.is_there else None

    def setInput(self, index: int, node: Any) -> bool:
        self.check()
        inside = sum(child.kind == "Input" for child in self.nodes()) if self.kind == "Group" else 1
        if index >= MAX_INPUTS.get(self.kind, inside):
            # DOC: False where the node has no such input; a Group has one for each Input inside of it.
            return False
        if node is not None:
            node.check()
            if node.parent is not self.parent:
                raise RuntimeError("nodes of different groups cannot be connected")
        before = list(self._inputs)
        self._inputs += [None] * (index + 1 - len(self._inputs))
        self._inputs[index] = node
        self.application.note(lambda: setattr(self, "_inputs", before), "input")
        return True

    def dependent(self) -> Sequence[FakeNode]:
        self.check()
        return [other for other in self.application.siblings(self) if self in other._inputs]

    def format(self) -> FakeFormat:
        self.check()
        if self.picture is not None:
            return self.picture
        above = self._source()
        return FakeFormat(2048, 1556) if above is None else above.format()

    def width(self) -> int:
        # KNOWN: in proxy mode the size of what is worked on, not of the format.
        return round(self.format().width() * self.application.scale)

    def _source(self) -> FakeNode | None:
        if self.kind == "Input" and self.parent is not None:
            return self.parent.input(0)
        return self.input(0)

    def firstFrame(self) -> int:
        return self._range()[0]

    def lastFrame(self) -> int:
        return self._range()[1]

    def _range(self) -> tuple[int, int]:
        self.check()
        if self.kind == "Read":
            shift = 0
            first, last = (int(self._knobs[name].value()) for name in ("first", "last"))
            mode, frame = self._knobs["frame_mode"].value(), self._knobs["frame"].value()
            # DOC: "start at" puts the first frame there. FIELD: an offset is added to the files' numbers.
            if mode == "start at" and frame:
                shift = int(frame) - first
            elif mode == "offset" and frame:
                shift = int(frame)
            return first + shift, last + shift
        above = self._source()
        if above is None:
            root = self.application.root()
            return int(root["first_frame"].value()), int(root["last_frame"].value())
        first, last = above._range()
        if self.kind == "TimeOffset":
            # DOC: a positive value adds frames to the head.
            shift = int(self._knobs["time_offset"].value())
            return first + shift, last + shift
        return first, last

    def xpos(self) -> int:
        return int(self["xpos"].value())

    def ypos(self) -> int:
        return int(self["ypos"].value())

    def setXYpos(self, x: int, y: int) -> None:
        self["xpos"].setValue(x)
        self["ypos"].setValue(y)

    def setSelected(self, selected: bool) -> None:
        self["selected"].setValue(selected)

    def isSelected(self) -> bool:
        return bool(self["selected"].value())

    def begin(self) -> FakeNode:
        self.check()
        if self.kind not in ("Group", "Root"):
            raise AttributeError("begin")
        self.application.context.append(self)
        return self

    def end(self) -> None:
        self.application.context.pop()

    def nodes(self) -> Sequence[FakeNode]:
        self.check()
        return [child for child in self.children if child.is_there]
