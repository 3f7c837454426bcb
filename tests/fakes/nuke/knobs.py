"""Knobs that refuse what Nuke's refuse."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fakes.nuke.curves import Curve, Number, number_from, numbers_from
from fakes.nuke_tree import Tree, read_tree

if TYPE_CHECKING:
    from fakes.nuke.nodes import FakeNode


class FakeKnob:
    """A knob that holds a text.

    Args:
        name: As scripts call it.
        label: As artists see it.
    """

    kind = "String_Knob"

    def __init__(self, name: str, label: str = "", value: Any = None) -> None:
        if not name or not all(c.isalnum() or c == "_" for c in name) or name[0].isdigit():
            # KNOWN: names of user knobs are words of Tcl; others cannot be referred to.
            raise ValueError(f"{name!r} is no name of a knob")
        self._name = name
        self.label = label or name
        self.flags = 0
        self.visible = True
        self.tooltip = ""
        self.node: FakeNode | None = None
        self.raw: Any = self.default()
        if value is not None:
            self.raw = self.checked(value)

    def default(self) -> Any:
        return ""

    def checked(self, value: Any) -> Any:
        if not isinstance(value, str):
            # KNOWN: "TypeError: … argument 1 must be str" from text knobs.
            raise TypeError(f"{self._name} takes a text, not {type(value).__name__}")
        return value

    def name(self) -> str:
        return self._name

    def value(self) -> Any:
        self._check()
        return self.raw

    def setValue(self, value: Any, *where: int) -> bool:
        self._check()
        self._store(self.checked(value))
        return True

    def getValueAt(self, frame: float, index: int = 0) -> float:
        raise AttributeError("getValueAt")

    def toScript(self) -> str:
        self._check()
        return str(self.raw)

    def fromScript(self, text: str) -> bool:
        self._check()
        self.take(read_tree(text) if text.strip() else "")
        return True

    def take(self, tree: Tree) -> None:
        """What a script says of the knob."""
        if isinstance(tree, list):
            raise TypeError(f"{self._name}: a text is expected")
        self._store(self.checked(tree))

    def isAnimated(self) -> bool:
        return False

    def setFlag(self, flag: int) -> None:
        self.flags |= flag

    def setLabel(self, label: str) -> None:
        self._check()
        self.label = label

    def setVisible(self, visible: bool) -> None:
        self._check()
        self.visible = visible

    def setTooltip(self, text: str) -> None:
        self.tooltip = text

    def values(self) -> list[str]:
        raise AttributeError("values")

    def setValues(self, values: Sequence[str]) -> None:
        raise AttributeError("setValues")

    def copied(self) -> FakeKnob:
        other = copy.copy(self)
        other.node = None
        other.raw = copy.deepcopy(self.raw)
        return other

    def _check(self) -> None:
        if self.node is not None:
            self.node.check()

    def _store(self, raw: Any) -> None:
        before = self.raw
        self.raw = raw
        if self.node is not None and before != raw:
            self.node.application.note(lambda: setattr(self, "raw", before), f"{self._name}")


class FakeBoolean(FakeKnob):
    kind = "Boolean_Knob"

    def default(self) -> Any:
        return False

    def checked(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float)):
            return bool(value)
        if value in ("true", "false", "1", "0"):
            return value in ("true", "1")
        raise TypeError(f"{self._name} is on or off, not {value!r}")


class FakeEnumeration(FakeKnob):
    """A choice of words."""

    kind = "Enumeration_Knob"

    def __init__(self, name: str, label: str, choices: Sequence[str]) -> None:
        self.choices = list(choices)
        super().__init__(name, label)

    def default(self) -> Any:
        return self.choices[0] if self.choices else ""

    def checked(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return self.choices[value]
        if value not in self.choices:
            # KNOWN: a word that is none of the choices is refused; which error it is was not found out.
            raise ValueError(f"{self._name} has no choice {value!r}")
        return value

    def values(self) -> list[str]:
        return list(self.choices)

    def setValues(self, values: Sequence[str]) -> None:
        self._check()
        self.choices = list(values)
        if self.raw not in self.choices:
            self.raw = self.default()


class FakeArray(FakeKnob):
    """Numbers, each of them animated or not."""

    kind = "Array_Knob"

    def __init__(self, name: str, label: str = "", value: Any = None, *, count: int = 1) -> None:
        self.count = count
        super().__init__(name, label, value)

    def default(self) -> Any:
        return [0.0] * self.count

    def checked(self, value: Any) -> Any:
        values = list(value) if isinstance(value, (list, tuple)) else [value] * self.count
        if len(values) != self.count or not all(isinstance(each, (int, float)) for each in values):
            raise TypeError(f"{self._name} takes {self.count} numbers, not {value!r}")
        return [float(each) for each in values]

    def setValue(self, value: Any, *where: int) -> bool:
        self._check()
        if not where:
            self._store(self.checked(value))
            return True
        index = where[0]
        if not 0 <= index < self.count:
            raise IndexError(f"{self._name} has {self.count} numbers")
        raw = list(self.raw)
        raw[index] = float(value)
        self._store(raw)
        return True

    def value(self) -> Any:
        self._check()
        frame = 0 if self.node is None else self.node.application.current_frame
        found = [self._at(index, frame) for index in range(self.count)]
        return found[0] if self.count == 1 else found

    def getValueAt(self, frame: float, index: int = 0) -> float:
        self._check()
        return self._at(index, frame)

    def isAnimated(self) -> bool:
        return any(isinstance(each, Curve) for each in self.raw)

    def toScript(self) -> str:
        self._check()
        return " ".join(each.text() if isinstance(each, Curve) else f"{each:.10g}" for each in self.raw)

    def fromScript(self, text: str) -> bool:
        self._check()
        tree = read_tree("{" + text + "}")
        self.take(tree if isinstance(tree, list) and len(tree) != 1 else tree[0])
        return True

    def take(self, tree: Tree) -> None:
        try:
            self._store(numbers_from(tree, self.count))
        except ValueError as error:
            raise RuntimeError(f"{self._name}: {error}") from error

    def _at(self, index: int, frame: float) -> float:
        each: Number = self.raw[index]
        return each.at(frame) if isinstance(each, Curve) else float(each)


class FakeXY(FakeArray):
    kind = "XY_Knob"

    def __init__(self, name: str, label: str = "", value: Any = None) -> None:
        super().__init__(name, label, value, count=2)


class FakeTree(FakeKnob):
    """A knob whose text is a tree: ``curves`` of a Roto, ``tracks`` of a Tracker."""

    kind = "Tree_Knob"

    def checked(self, value: Any) -> Any:
        raise TypeError(f"{self._name} takes no values")

    def take(self, tree: Tree) -> None:
        if not isinstance(tree, list):
            raise TypeError(f"{self._name}: a tree is expected")
        self._store(tree)


class FakeTracks(FakeTree):
    """``tracks`` of a Tracker4. KNOWN: numbers are counted through its rows, 31 a track."""

    def getValueAt(self, frame: float, index: int = 0) -> float:
        self._check()
        rows = self.raw[2]
        each = number_from(rows[index // 31][index % 31])
        return each.at(frame) if isinstance(each, Curve) else each


class FakeChannel(FakeKnob):
    """One channel. KNOWN: only of layers that the script knows, which ``nuke.Layer`` adds to."""

    kind = "Channel_Knob"

    def checked(self, value: Any) -> Any:
        layer = str(super().checked(value)).partition(".")[0]
        if self.node is not None and layer not in self.node.application.layers:
            raise RuntimeError(f"{self._name}: there is no channel {value}")
        return value


class FakeButton(FakeKnob):
    kind = "PyScript_Knob"


class FakeTab(FakeKnob):
    kind = "Tab_Knob"


class FakeText(FakeKnob):
    kind = "Text_Knob"


class FakeFile(FakeKnob):
    kind = "File_Knob"
