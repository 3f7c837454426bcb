"""Tools brought into a composition that is open, by rules that were measured elsewhere.

Sources: davinci-resolve-mcp (Resolve 19.1 to 21.0), as facts.

- A value that is written while the composition is locked reads back and is not rendered: nothing is
written under a lock; it is for connections alone.
- An input without a modifier takes no keys: the modifier comes first.
- ``comp.Paste`` of a table fails across Python's bridge, and any name of an attribute gives a callable:
text goes through a file and Lua, and what came of it is looked up by name afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet_resolve.comp_text import PREFIX, CompText

if TYPE_CHECKING:
    from masklet_resolve.api import FusionComp, FusionTool

_UNDO = "masklet"
_LUA = """
local file, prefix = {file}, {prefix}
local chain = {{ {chain} }}
comp:StartUndo({undo})
for _, tool in pairs(comp:GetToolList(false)) do
  local name = tool:GetAttrs().TOOLS_Name
  if string.sub(name, 1, #prefix) == prefix then tool:Delete() end
end
comp:Paste(bmd.readfile(file))
local out = comp:FindTool("MediaOut1") or comp:FindTool("Saver1")
if out and #chain > 0 then
  local last = comp:FindTool(chain[#chain])
  local first = comp:FindTool(chain[1])
  if first and last then
    local before = out.Input:GetConnectedOutput()
    comp:Lock()
    if before then first.Input:ConnectTo(before) end
    out.Input:ConnectTo(last.Output)
    comp:Unlock()
  end
end
comp:EndUndo(true)
"""


class OpenComp:
    """A composition, with the rules above kept.

    Args:
        comp: Resolve's or Fusion's.
    """

    def __init__(self, comp: FusionComp) -> None:
        self._comp = comp
        self._is_locked = False

    @contextmanager
    def connecting(self) -> Iterator[FusionComp]:
        """Tools are added and connected here, and nothing redraws meanwhile; values may not be written."""
        self._comp.Lock()
        self._is_locked = True
        try:
            yield self._comp
        finally:
            self._is_locked = False
            self._comp.Unlock()

    @contextmanager
    def one_undo(self) -> Iterator[FusionComp]:
        """What happens here is one step of Fusion's undo; none where it fails."""
        self._comp.StartUndo(_UNDO)
        done = False
        try:
            yield self._comp
            done = True
        finally:
            self._comp.EndUndo(done)

    def tool(self, name: str) -> FusionTool:
        """A tool by its name.

        Raises:
            BadInputError: There is none: a call that added it did nothing.
        """
        found: Any = self._comp.FindTool(name)
        if found is None:
            raise BadInputError(
                phrase("Fusion has no tool {name} now: it did not take what was brought", name=name)
            )
        return found  # type: ignore[no-any-return]

    def write_keys(self, name: str, input_name: str, modifier: str, values: Mapping[int, Any]) -> None:
        """Key an input of a tool.

        Args:
            name: Of the tool.
            input_name: ``Center``.
            modifier: ``XYPath`` for points, ``BezierSpline`` for numbers.
            values: By the composition's frame.

        Raises:
            BadInputError: The tool is gone, or takes no such modifier.
            RuntimeError: The composition is locked: what is written now would not be rendered.
        """
        if self._is_locked:
            raise RuntimeError("values written under a lock are not rendered: leave connecting() first")
        tool = self.tool(name)
        with self.one_undo():
            if not tool.AddModifier(input_name, modifier):
                raise BadInputError(
                    phrase(
                        "{tool} takes no keys on {input}: choose another tool", tool=name, input=input_name
                    )
                )
            for frame, value in sorted(values.items()):
                tool.SetInput(input_name, value, float(frame))

    def paste(self, text: CompText, file: Path) -> None:
        """Replace what an earlier run brought by these tools, and lead the plate through them.

        Args:
            text: For this composition's time.
            file: That Lua reads them from; the caller keeps it as long as it is needed.

        Raises:
            BadInputError: Some tools are not there afterwards.
        """
        file.write_text(text.setting, encoding="utf-8", newline="\n")
        self._comp.Execute(paste_code(text, file))
        missing = [name for name in text.names if self._comp.FindTool(name) is None]
        if missing:
            raise BadInputError(
                phrase(
                    "Fusion did not take {missing} of {all} tools ({names}): paste {file} into the flow "
                    "by hand",
                    missing=len(missing),
                    all=len(text.names),
                    names=", ".join(missing[:3]),
                    file=str(file),
                )
            )


def paste_code(text: CompText, file: Path) -> str:
    """The Lua that :meth:`OpenComp.paste` has Fusion run."""
    return _LUA.format(
        file=long_string(file.as_posix()),
        prefix=long_string(PREFIX),
        undo=long_string(_UNDO),
        chain=", ".join(long_string(name) for name in text.chain),
    )


def long_string(text: str) -> str:
    """A string of Lua in brackets that its text cannot close, with nothing in it taken for an escape."""
    level = 0
    # A bracket at its end would join the closing one.
    while f"]{'=' * level}]" in f"{text}]":
        level += 1
    signs = "=" * level
    # A line feed right after the brackets is left out by Lua.
    return f"[{signs}[{text}]{signs}]" if not text.startswith("\n") else f"[{signs}[\n{text}]{signs}]"


def attach(comp: OpenComp, tool: str, positions: Mapping[int, tuple[float, float]]) -> None:
    """Have a tool of the artist's follow an anchor: its Center, keyed on every frame.

    Args:
        comp: The composition.
        tool: Its name.
        positions: By frame, as shares of the picture from its bottom left corner.
    """
    comp.write_keys(tool, "Center", "XYPath", {frame: list(point) for frame, point in positions.items()})
