"""What Nuke runs when it starts: init.py in every Nuke, menu.py in those with windows.

Nuke starts without the rest of masklet: it is imported when a Masklet node is first told of.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from masklet_nuke.api import this_nuke

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_nuke.api import Nuke

_NEW_NODE = "import masklet_nuke.registration; masklet_nuke.registration.new_node()"
_CALLBACKS = "masklet_nuke.callbacks"
_UID_KNOB = "masklet_uid"


def start(nuke: Nuke | None = None) -> None:
    """Begin to listen: called by init.py. A farm gets what renders need and nothing else."""
    nuke = nuke or this_nuke()
    nuke.addBeforeFrameRender(lambda: _check_frame(nuke))
    if nuke.GUI:
        nuke.addKnobChanged(_of_node(nuke, "knob_changed"), nodeClass="Group")
        nuke.addUpdateUI(_of_node(nuke, "script_changed"), nodeClass="Group")
        nuke.addOnScriptLoad(_of_script(nuke, "script_opened"))
        nuke.addOnScriptSave(_of_script(nuke, "script_saved"))
        nuke.addOnScriptClose(_of_script(nuke, "script_closed"))


def add_menus(nuke: Nuke | None = None) -> None:
    """Put Masklet into the Draw menu: called by menu.py."""
    (nuke or this_nuke()).menu("Nodes").addCommand("Draw/Masklet", _NEW_NODE)


def new_node() -> None:
    """Make a Masklet node below what is selected."""
    from masklet_nuke.masklet_node import make_node

    make_node(this_nuke())


def _check_frame(nuke: Nuke) -> None:
    from masklet_nuke.farm import check_frame

    check_frame(nuke)


def _of_node(nuke: Nuke, name: str) -> Callable[[], None]:
    def tell() -> None:
        # Every Group of the script comes by here.
        if nuke.thisNode().knob(_UID_KNOB) is not None:
            getattr(importlib.import_module(_CALLBACKS), name)()

    return tell


def _of_script(nuke: Nuke, name: str) -> Callable[[], None]:
    def tell() -> None:
        nodes = nuke.root().nodes()
        if _CALLBACKS in sys.modules or any(node.knob(_UID_KNOB) is not None for node in nodes):
            getattr(importlib.import_module(_CALLBACKS), name)()

    return tell
