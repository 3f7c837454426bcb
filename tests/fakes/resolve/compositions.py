"""A composition of the stand-in in Lua, as Python meets Fusion's: through a bridge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

LUA = Path(__file__).with_name("fusion.lua")


class FakeTool:
    """A tool on the other side."""

    def __init__(self, tool: Any, comp: FakeComp) -> None:
        self.tool, self._comp = tool, comp

    def GetAttrs(self) -> Mapping[str, Any]:
        return dict(self.tool.GetAttrs(self.tool))

    def AddModifier(self, input: str, modifier: str) -> bool:
        return bool(self.tool.AddModifier(self.tool, input, modifier))

    def SetInput(self, name: str, value: Any, time: float) -> None:
        given = self._comp.lua.table(*value) if isinstance(value, list) else value
        self.tool.SetInput(self.tool, name, given, time)

    def GetInput(self, name: str, time: float) -> Any:
        found = self.tool.GetInput(self.tool, name, time)
        return list(found.values()) if hasattr(found, "values") else found

    def keys(self, name: str) -> dict[float, Any]:
        """Of an input, by frame; none without a modifier."""
        keys = self.tool["__keys"][name]
        return {} if keys is None else {frame: self.GetInput(name, frame) for frame in list(keys)}


class FakeComp:
    """A composition that begins at a frame of its own."""

    def __init__(self, start: int = 0, length: int = 100) -> None:
        lupa = pytest.importorskip("lupa.lua51")
        self.lua = lupa.LuaRuntime(unpack_returned_tuples=True)
        self.lua.execute(LUA.read_text(encoding="utf-8"))
        self.comp = self.lua.globals().new_comp(start, length)

    def add(self, text: str) -> None:
        """Have tools of a setting's text there from the beginning."""
        self.comp.Load(self.comp, self.lua.globals().bmd.readstring(text))

    def GetAttrs(self) -> Mapping[str, Any]:
        return dict(self.comp.GetAttrs(self.comp))

    def FindTool(self, name: str) -> FakeTool | None:
        found = self.comp.FindTool(self.comp, name)
        return None if found is None else FakeTool(found, self)

    def Execute(self, code: str) -> None:
        self.comp.Execute(self.comp, code)

    def Paste(self, given: object) -> bool:
        # A table does not cross the bridge (davinci-resolve-mcp).
        raise TypeError("a table cannot be pasted from Python")

    def StartUndo(self, name: str) -> None:
        self.comp.StartUndo(self.comp, name)

    def EndUndo(self, keep: bool) -> None:
        self.comp.EndUndo(self.comp, keep)

    def Lock(self) -> None:
        self.comp.Lock(self.comp)

    def Unlock(self) -> None:
        self.comp.Unlock(self.comp)

    @property
    def names(self) -> list[str]:
        """Of all tools."""
        return list(self.comp.Names(self.comp).values())

    @property
    def way(self) -> list[str]:
        """The tools that a render goes through, from its end."""
        return list(self.comp.Way(self.comp).values())

    @property
    def unrendered(self) -> list[str]:
        """Values that were written under a lock."""
        return list(self.comp.unrendered.values())

    def body(self, name: str) -> Any:
        """The text's table of a tool."""
        return self.comp.FindTool(self.comp, name)["__body"]


def imported(path: str, start: int, length: int) -> FakeComp | None:
    """What ``ImportFusionComp`` makes of a file; None for what is no composition."""
    comp = FakeComp(start, length)
    table = comp.lua.globals().bmd.readfile(path)
    if table is None or table["__kind"] != "Composition":
        return None
    comp.comp.Load(comp.comp, table)
    return comp
