"""A test for the real application: ``python -m masklet_resolve.selftest FOLDER``.

FOLDER is that of a run with ``--export json`` of the clip under the playhead. In a copy of a project: a
bin, a clip matte, a composition and markers are made and left for you to look at. Prints a table that can
be sent to us.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import MaskletError
from masklet.version import VERSION
from masklet_resolve import fusionscript
from masklet_resolve.bringing_back import Wanted, bring_to_comp, bring_to_timeline, read_results
from masklet_resolve.clips import comp_start
from masklet_resolve.comp_text import PREFIX
from masklet_resolve.fusion_comps import OpenComp
from masklet_resolve.markers import OWN
from masklet_resolve.matte_clips import MatteWay
from masklet_resolve.starting import Taken, take


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    holds: bool
    seen: str


def run(folder: Path, scripts: Any = None) -> list[Line]:
    """Everything, a line each; what fails keeps nothing after it from being tried."""
    lines: list[Line] = []

    def check(what: str, work: Callable[[], str]) -> None:
        try:
            lines.append(Line(what, True, work()))
        except (MaskletError, AssertionError, RuntimeError, AttributeError, TypeError, ValueError) as error:
            lines.append(Line(what, False, f"{type(error).__name__}: {error}"))

    said: list[str] = []
    taken: list[Taken] = []
    module = scripts if scripts is not None else fusionscript.load()

    def take_it() -> str:
        taken.append(take(said.append, module))
        return "; ".join(said)

    check("the clip is taken", take_it)
    if not taken:
        return lines
    one = taken[0]
    scene, _ = read_results(folder)
    if one.comp is not None:
        check("tools are pasted", lambda: str(bring_to_comp(one.comp, one.clip, scene, folder, "Loader1")))
    else:
        for way, parts in (
            ("mattes are a clip matte", Wanted(MatteWay.CLIP_MATTE, comp=False, markers=False)),
            ("mattes are on the track above", Wanted(MatteWay.TRACK, comp=False, markers=False)),
            ("the composition is there", Wanted(None, comp=True, markers=False)),
            ("the composition is replaced by a second run", Wanted(None, comp=True, markers=False)),
            ("markers are set", Wanted(None, comp=False, markers=True)),
        ):
            check(way, lambda parts=parts: _brought(one, scene, folder, parts))  # type: ignore[misc]
        check("markers are ours", lambda: _markers(one))
    check("the composition begins with its clip", lambda: _time(one))
    check("values between keys", lambda: _keys(one))
    return lines


def table(lines: list[Line]) -> str:
    """For a terminal, and to be sent."""
    head = f"masklet {VERSION}, Python {platform.python_version()}, {platform.platform()}"
    return "\n".join([head, *(f"{'ok ' if one.holds else 'BAD'}  {one.what}: {one.seen}" for one in lines)])


def _brought(taken: Taken, scene: Any, folder: Path, wanted: Wanted) -> str:
    brought = bring_to_timeline(taken.application, taken.clip, taken.item, scene, folder, wanted)
    assert not brought.failed, "; ".join(brought.failed)
    return "; ".join(map(str, brought.done)) or "nothing to bring"


def _markers(taken: Taken) -> str:
    from masklet_resolve.connecting import current_timeline

    _, timeline = current_timeline(taken.application)
    own = [
        one for one in (timeline.GetMarkers() or {}).values() if str(one.get("customData")).startswith(OWN)
    ]
    return f"{len(own)} of {len(timeline.GetMarkers() or {})} markers"


def _comp(taken: Taken) -> Any:
    return taken.comp if taken.comp is not None else taken.item.GetFusionCompByIndex(1)


def _time(taken: Taken) -> str:
    attributes = dict(_comp(taken).GetAttrs() or {})
    names = ("COMPN_GlobalStart", "COMPN_GlobalEnd", "COMPN_RenderStart", "COMPN_RenderEnd")
    return ", ".join(f"{name} {attributes.get(name)}" for name in names)


def _keys(taken: Taken) -> str:
    """A number keyed 0 and 10 on frames 0 and 10 is 5 in the middle, where keys are straight."""
    comp = _comp(taken)
    start = comp_start(comp)
    name = f"{PREFIX}selftest"
    # Through Lua, as everything that is added.
    comp.Execute(f'local t = comp:AddTool("Transform"); t:SetAttrs({{TOOLS_Name = "{name}"}})')
    OpenComp(comp).write_keys(name, "Angle", "BezierSpline", {start: 0.0, start + 10: 10.0})
    tool = comp.FindTool(name)
    values = [float(tool.GetInput("Angle", float(start + frame))) for frame in (0, 5, 10)]
    assert values[0] == 0.0, values
    assert values[2] == 10.0, values
    return f"0, {values[1]:.3f} and 10 on frames 0, 5 and 10"


def main() -> int:
    """Run it and print the table."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    lines = run(Path(sys.argv[1]))
    print(table(lines))  # noqa: T201
    return 0 if all(one.holds for one in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
