"""What Nuke is told to tell, and how little of masklet it starts with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import masklet
import masklet_nuke
from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from masklet_nuke import node_knobs, registration
from masklet_nuke.runtime import Runtime
from nuke_scripts import run


def test_a_nuke_with_windows_has_masklet_in_the_draw_menu(nuke: FakeNuke) -> None:
    registration.add_menus(nuke)

    (name,) = nuke.menus["Nodes"].commands
    assert name == "Draw/Masklet"


def test_what_nuke_tells_reaches_a_masklet_node_and_no_other(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    registration.start(nuke)
    group = nuke.nodes.Group()
    group.is_open = node.is_open = True
    group.addKnob(nuke.String_Knob("masklet_object_of_somebody_else"))
    nuke.artist_sets(group, "masklet_object_of_somebody_else", "text")
    nuke.press(node, "masklet_add_object")
    run(nuke, loop)

    nuke.artist_sets(node, node_knobs.OUTPUT, "object1")
    for event in ("updateUI", "onScriptSave", "onScriptLoad"):
        nuke.call_back(event, node if event == "updateUI" else nuke.root())
    run(nuke, loop)

    assert loop.openings._saved == {"session1"}


def test_nuke_starts_without_the_rest_of_masklet() -> None:
    code = """
import sys
class Stub:
    GUI = True
    def __getattr__(self, name): return lambda *args, **more: self
from masklet_nuke import registration
registration.start(Stub()); registration.add_menus(Stub())
print(sorted(name for name in sys.modules if name.startswith("masklet")))
"""
    roots = [str(Path(package.__file__).parents[1]) for package in (masklet, masklet_nuke)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {roots!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['masklet_nuke', 'masklet_nuke.api', 'masklet_nuke.registration']"


def test_what_looks_after_scripts_loads_nothing_of_the_farm_until_it_looks_there() -> None:
    code = (
        "import sys, masklet_nuke.openings; print([n for n in sys.modules if n.startswith('masklet.farm')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
