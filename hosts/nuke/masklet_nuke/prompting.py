"""What an artist says: objects, clicks, boxes, masks. Each is one step of undo, and is sent to the server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.hosting.notices import notice_of
from masklet.hosting.prompting import box_inside, check_inside, taken_back
from masklet.hosting.reviewing import lock_range
from masklet.names import checked_object_name, free_object_name
from masklet.phrases import phrase
from masklet.said.documents import SaidObject, find, new_uid, with_box, with_click, with_lock, with_prompts
from masklet.types import Box, Click, FramePrompts, FrameRange
from masklet_nuke import documents, handles, node_knobs, plates
from masklet_nuke.masklet_node import refresh_choices
from masklet_nuke.undoing import no_step, one_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.mask import Mask
    from masklet.said.documents import Document
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime


def active_uid(node: Node) -> str:
    """Of the object that clicks go to.

    Raises:
        BadInputError: There is none.
    """
    said = documents.objects(node)
    uid = plates.chosen_uid(node, [one.uid for one in said], [one.name for one in said])
    if not uid:
        raise BadInputError(phrase("there is no object yet: press Add Object first"))
    return uid


def plate_frame(runtime: Runtime, node: Node) -> int:
    """The plate's own number of the picture that shows now."""
    return plates.frame_map(node).plate_frame(runtime.nuke.frame())


def change(runtime: Runtime, node: Node, name: str, edit: Callable[[Document], Document]) -> None:
    """Change what is said, as one step of undo, and have the server follow.

    Raises:
        MaskletError: The change is refused; then nothing was changed.
    """
    runtime.host.adopt(node)
    changed = edit(documents.document(node))
    with one_step(runtime.nuke, f"masklet: {name}"):
        documents.take(node, changed)
    refresh(runtime, node)
    try:
        runtime.synchronise(node, wait=not runtime.host.has_interface)
    except MaskletError as error:
        if not runtime.host.has_interface:
            raise
        runtime.tell(node, notice_of(error))


def refresh(runtime: Runtime, node: Node) -> None:
    """Have menus and handles show what is said now, on the current frame."""
    refresh_choices(runtime.nuke, node)
    if node.input(0) is None:
        return
    said = documents.objects(node)
    uid = plates.chosen_uid(node, [one.uid for one in said], [one.name for one in said])
    frame = plate_frame(runtime, node)
    handles.show(runtime.nuke, node, find(said, uid), frame, plates.space_of(node))


def add_object(runtime: Runtime, node: Node, name: str = "") -> None:
    """A new object, which clicks go to from now on."""
    taken = [said.name for said in documents.objects(node)]
    given = checked_object_name(name, taken) if name else free_object_name(taken)
    change(runtime, node, "add object", lambda said: (*said, SaidObject(new_uid(), given)))
    with no_step(runtime.nuke):
        node[node_knobs.OBJECT].setValue(given)
    refresh(runtime, node)


def rename_object(runtime: Runtime, node: Node, name: str) -> None:
    """Give the active object another name."""
    uid = active_uid(node)
    others = [said.name for said in documents.objects(node) if said.uid != uid]
    given = checked_object_name(name, others)
    old = next(said.name for said in documents.objects(node) if said.uid == uid)
    is_shown = str(node[node_knobs.OUTPUT].value()) == old
    change(
        runtime, node, "rename object", lambda said: _with(said, uid, lambda one: replace(one, name=given))
    )
    with no_step(runtime.nuke):
        node[node_knobs.OBJECT].setValue(given)
        if is_shown:
            node[node_knobs.OUTPUT].setValue(given)


def remove_object(runtime: Runtime, node: Node) -> None:
    """Take the active object away; what was made of it stays."""
    uid = active_uid(node)
    change(runtime, node, "remove object", lambda said: tuple(one for one in said if one.uid != uid))


def add_click(runtime: Runtime, node: Node, x_px: float, y_px: float, *, positive: bool) -> None:
    """A click on the frame that shows, in pixels of the plate; the first one makes an object."""
    space = plates.space_of(node)
    # Nuke does not say how far a plate reaches beyond its format; the server does, where a click is too far.
    if not node_knobs.has_overscan(node):
        check_inside(x_px, y_px, width_px=space.width_px, height_px=space.height_px)
    if not documents.objects(node):
        add_object(runtime, node)
    uid, frame = active_uid(node), plate_frame(runtime, node)
    click = Click(x_px, y_px, positive=positive)
    change(runtime, node, "click", lambda said: _with(said, uid, lambda one: with_click(one, frame, click)))


def set_box(runtime: Runtime, node: Node, one: tuple[float, float], two: tuple[float, float]) -> None:
    """A box between two places of the plate, on the frame that shows."""
    space = plates.space_of(node)
    (left_px, right_px), (top_px, bottom_px) = sorted((one[0], two[0])), sorted((one[1], two[1]))
    if node_knobs.has_overscan(node):
        if left_px == right_px or top_px == bottom_px:
            raise BadInputError(phrase("the box has no area: drag from corner to corner"))
        box = Box(left_px, top_px, right_px, bottom_px)
    else:
        size_px = {"width_px": space.width_px, "height_px": space.height_px}
        box = box_inside(left_px, top_px, right_px, bottom_px, **size_px)
    if not documents.objects(node):
        add_object(runtime, node)
    uid, frame = active_uid(node), plate_frame(runtime, node)
    change(runtime, node, "box", lambda said: _with(said, uid, lambda each: with_box(each, frame, box)))


def clear_frame(runtime: Runtime, node: Node) -> None:
    """Take back what is said of the active object on the frame that shows."""
    uid, frame = active_uid(node), plate_frame(runtime, node)
    change(runtime, node, "clear frame", lambda said: _with(said, uid, lambda one: taken_back(one, frame)))


def set_mask(runtime: Runtime, node: Node, mask: Mask) -> None:
    """A mask drawn by hand in place of what is said of the active object on the frame that shows.

    Raises:
        BadInputError: The frame is locked.
    """
    uid, frame = active_uid(node), plate_frame(runtime, node)

    def drawn(one: SaidObject) -> SaidObject:
        if one.is_locked(frame):
            raise BadInputError(
                phrase("frame {frame} is locked for {name}: unlock it first", frame=frame, name=one.name)
            )
        return with_prompts(one, FramePrompts(0, frame, mask=mask))

    change(runtime, node, "mask", lambda said: _with(said, uid, drawn))


def set_lock(runtime: Runtime, node: Node, *, locked: bool) -> FrameRange:
    """Lock or unlock the run of equal frames around the one that shows; the run, as the plate counts."""
    uid, frame = active_uid(node), plate_frame(runtime, node)
    frames = lock_range(frame, runtime.memory(node).book.at(uid, frame))
    change(
        runtime,
        node,
        "lock" if locked else "unlock",
        lambda said: _with(said, uid, lambda one: with_lock(one, frames, locked=locked)),
    )
    return frames


def follow_handles(runtime: Runtime, node: Node) -> None:
    """A handle was dragged: say what it says now, and send it once it has come to rest.

    Called while Nuke tells of a knob, so that nothing slow happens here.
    """
    said_now = documents.objects(node)
    moved = handles.dragged(node, said_now, plates.space_of(node))
    if moved is None:
        return
    said, prompts = moved
    if said.is_locked(prompts.frame):
        refresh(runtime, node)
        return
    documents.take_objects(node, _with(said_now, said.uid, lambda one: with_prompts(one, prompts)))
    runtime.request_synchronise(node)


def _with(document: Document, uid: str, edit: Callable[[SaidObject], SaidObject]) -> Document:
    return tuple(edit(said) if said.uid == uid else said for said in document)
