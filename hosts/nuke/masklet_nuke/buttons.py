"""The scripts of a Masklet node's buttons: each works on its own node, and tells what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from masklet.errors import BadInputError, MaskletError
from masklet.phrases import phrase, text_of
from masklet.types import Direction
from masklet_nuke import (
    farm_dialog,
    finding,
    panel_pane,
    prompting,
    publish_dialog,
    result_commands,
    tracking,
)
from masklet_nuke.api import Node
from masklet_nuke.rendering import alpha_of
from masklet_nuke.runtime import Runtime, runtime
from masklet_nuke.undoing import at_root
from masklet_nuke.upstream import plate_input


def _button(act: Callable[[Runtime, Node], None]) -> Callable[[], None]:
    @wraps(act)
    def pressed() -> None:
        own = runtime()
        node = own.nuke.thisNode()
        try:
            if "." in node.fullName():
                raise BadInputError(
                    phrase(
                        "{name} lies inside of a group, where it cannot be found again: put it on the "
                        "script's top level",
                        name=node.name(),
                    )
                )
            with at_root(own.nuke):
                act(own, node)
        except MaskletError as error:
            if not own.host.has_interface:
                own.nuke.tprint(f"masklet: {text_of(error)}")
                raise
            own.nuke.message(text_of(error))

    return pressed


@_button
def add_object(own: Runtime, node: Node) -> None:
    """Ask for a name, and add an object."""
    prompting.add_object(own, node, _asked(own, phrase("Name of the object (empty: the next free one)")))


@_button
def rename_object(own: Runtime, node: Node) -> None:
    """Ask for another name of the active object."""
    name = _asked(own, phrase("New name of the object"))
    if name:
        prompting.rename_object(own, node, name)


@_button
def remove_object(own: Runtime, node: Node) -> None:
    """Remove the active object."""
    prompting.remove_object(own, node)


@_button
def clear_frame(own: Runtime, node: Node) -> None:
    """Take back what was said on this frame."""
    prompting.clear_frame(own, node)


@_button
def mask_from_alpha(own: Runtime, node: Node) -> None:
    """Take the input's alpha for the object's mask."""
    prompting.active_uid(node)
    prompting.set_mask(own, node, alpha_of(own.nuke, plate_input(node), own.nuke.frame(), node))


@_button
def mask_from_roto(own: Runtime, node: Node) -> None:
    """Take the selected Roto's shapes for the object's mask."""
    prompting.active_uid(node)
    rotos = [each for each in own.nuke.selectedNodes() if each.Class() in ("Roto", "RotoPaint")]
    if len(rotos) != 1:
        raise BadInputError(phrase("select one Roto in the node graph, then press this button again"))
    prompting.set_mask(own, node, alpha_of(own.nuke, rotos[0], own.nuke.frame(), node))


@_button
def track(own: Runtime, node: Node) -> None:
    """Track both ways."""
    tracking.track(own, node, Direction.BOTH)


@_button
def track_backward(own: Runtime, node: Node) -> None:
    """Track to earlier frames."""
    tracking.track(own, node, Direction.BACKWARD)


@_button
def track_forward(own: Runtime, node: Node) -> None:
    """Track to later frames."""
    tracking.track(own, node, Direction.FORWARD)


@_button
def track_changed(own: Runtime, node: Node) -> None:
    """Track what prompts have overtaken."""
    tracking.track(own, node, Direction.BOTH, changed_only=True)


@_button
def stop(own: Runtime, node: Node) -> None:
    """Stop what runs."""
    tracking.stop(own)


@_button
def previous_bad(own: Runtime, node: Node) -> None:
    """Go to the bad frame before."""
    tracking.go_to_bad_frame(own, node, backward=True)


@_button
def next_bad(own: Runtime, node: Node) -> None:
    """Go to the next bad frame."""
    tracking.go_to_bad_frame(own, node, backward=False)


@_button
def find_again(own: Runtime, node: Node) -> None:
    """Look where the object may be on this frame."""
    finding.find_again(own, node)


@_button
def take_place(own: Runtime, node: Node) -> None:
    """Click the object at the chosen place."""
    finding.take_place(own, node)


@_button
def lock(own: Runtime, node: Node) -> None:
    """Lock the run of frames around this one."""
    prompting.set_lock(own, node, locked=True)


@_button
def unlock(own: Runtime, node: Node) -> None:
    """Unlock it."""
    prompting.set_lock(own, node, locked=False)


@_button
def get_mattes(own: Runtime, node: Node) -> None:
    """Write and show the mattes."""
    result_commands.get_mattes(own, node)


@_button
def make_roto(own: Runtime, node: Node) -> None:
    """Make a Roto."""
    result_commands.make_roto(own, node)


@_button
def make_anchor(own: Runtime, node: Node) -> None:
    """Make nodes that follow the object."""
    result_commands.make_anchor(own, node)


@_button
def make_stabiliser(own: Runtime, node: Node) -> None:
    """Make nodes that hold it still."""
    result_commands.make_anchor(own, node, stabilise=True)


@_button
def make_cryptomatte(own: Runtime, node: Node) -> None:
    """Write a Cryptomatte."""
    result_commands.make_cryptomatte(own, node)


@_button
def attach(own: Runtime, node: Node) -> None:
    """Have the selected nodes follow."""
    result_commands.attach(own, node)


@_button
def publish(own: Runtime, node: Node) -> None:
    """Check the mattes and publish them."""
    publish_dialog.publish(own, node)


@_button
def submit_to_farm(own: Runtime, node: Node) -> None:
    """Make a job of the shot."""
    farm_dialog.submit(own, node)


@_button
def open_panel(own: Runtime, node: Node) -> None:
    """Dock the panel."""
    panel_pane.open_panel(own, node)


def _asked(own: Runtime, question: str) -> str:
    return (own.nuke.getInput(question) or "").strip() if own.host.has_interface else ""
