"""What a Nuke with windows tells masklet: a knob was changed, the script was, it was opened, it closes.

Nothing slow happens here: while it tells of a knob, Nuke executes nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet_nuke import handles, node_knobs, prompting, viewer_clicks
from masklet_nuke.inside import set_alpha
from masklet_nuke.node_knobs import is_masklet, text
from masklet_nuke.plates import masklet_nodes
from masklet_nuke.runtime import close_runtime, runtime
from masklet_nuke.undoing import at_root

if TYPE_CHECKING:
    from masklet_nuke.api import Group, Node
    from masklet_nuke.runtime import Runtime

_seen: dict[str, tuple[str, str, int]] = {}
"""By uid: the document, the object and the frame that the handles show."""
_SHOWS_ANEW = (node_knobs.OBJECT, "showPanel")


def knob_changed() -> None:
    """The artist changed a knob while its panel is open."""
    own = runtime()
    node, knob = own.nuke.thisNode(), own.nuke.thisKnob().name()
    if not is_masklet(node):
        return
    with at_root(own.nuke):
        _knob_changed(own, node, knob)


def _knob_changed(own: Runtime, node: Node, knob: str) -> None:
    try:
        if handles.is_handle(knob):
            prompting.follow_handles(own, node)
        elif knob == node_knobs.OUTPUT:
            set_alpha(cast("Group", node))
        elif knob in _SHOWS_ANEW:
            prompting.refresh(own, node)
        if knob in (node_knobs.EDIT, "showPanel"):
            if node[node_knobs.EDIT].value():
                viewer_clicks.listen(own)
            elif not any(each[node_knobs.EDIT].value() for each in masklet_nodes(own.nuke)):
                viewer_clicks.stop_listening()
    except MaskletError as error:
        own.tell(node, notice_of(error))


def script_changed() -> None:
    """Something in the script changed, or the frame did: an undo is followed, and handles stand anew."""
    own = runtime()
    node = own.nuke.thisNode()
    if not is_masklet(node):
        return
    uid = text(node, node_knobs.UID)
    if not uid:
        return
    now = (text(node, node_knobs.DOCUMENT), str(node[node_knobs.OBJECT].value()), own.nuke.frame())
    before = _seen.get(uid)
    if before == now:
        return
    _seen[uid] = now
    with at_root(own.nuke):
        try:
            if before is not None and before[0] != now[0]:
                own.after_history()
            prompting.refresh(own, node)
        except MaskletError as error:
            own.tell(node, notice_of(error))


def script_opened() -> None:
    """A script was opened: what it knows is there again, and the mouse is listened to where it says so."""
    own = runtime()
    with at_root(own.nuke):
        own.openings.opened()
        if any(node[node_knobs.EDIT].value() for node in masklet_nodes(own.nuke)):
            viewer_clicks.listen(own)


def script_saved() -> None:
    """The script on disk knows what it will come back to."""
    runtime().openings.saved()


def script_closed() -> None:
    """Another script comes, or Nuke ends."""
    _seen.clear()
    viewer_clicks.stop_listening()
    close_runtime()
