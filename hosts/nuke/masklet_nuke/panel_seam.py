"""The one place where the shared panel is met: it is there or it is not, and nothing else here asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet_nuke.api import Nuke

PANEL_ID = "org.masklet.Panel"
_WIDGET = ("masklet_nuke_panel", "MaskletPane")
_ABSENT = phrase(
    "masklet's panel is not part of this installation: the node's own buttons do the same, without live masks"
)

_shown: list[Any] = []


def open_panel(nuke: Nuke) -> None:
    """Dock the panel in Nuke's own pane, or say why there is none."""
    nuke.message(_ABSENT)


def panel_changed() -> None:
    """Have the panel that is open, if any, look at the loop again."""
    for widget in _shown:
        widget.refresh()
