"""What Nuke runs when it starts: init.py in every Nuke, menu.py in those with windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet_nuke.api import this_nuke

if TYPE_CHECKING:
    from masklet_nuke.api import Nuke

_NEW_NODE = "import masklet_nuke.registration; masklet_nuke.registration.new_node()"


def start(nuke: Nuke | None = None) -> None:
    """Begin to listen: called by init.py. A farm gets what renders need and nothing else."""
    nuke = nuke or this_nuke()
    nuke.addBeforeFrameRender(lambda: _check_frame(nuke))
    if nuke.GUI:
        from masklet_nuke.callbacks import register

        register(nuke)


def _check_frame(nuke: Nuke) -> None:
    from masklet_nuke.farm import check_frame

    check_frame(nuke)


def add_menus(nuke: Nuke | None = None) -> None:
    """Put Masklet into the Draw menu: called by menu.py."""
    nuke = nuke or this_nuke()
    nuke.menu("Nodes").addCommand("Draw/Masklet", _NEW_NODE)


def new_node() -> None:
    """Make a Masklet node below what is selected."""
    from masklet_nuke.masklet_node import make_node

    make_node(this_nuke())
