"""Find Again: places on a frame that look like the object, as handles and as a choice, and taking one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.hosting.found_places import accepted, found_sentence, place_label
from masklet.hosting.notices import Notice
from masklet.hosting.work.finding import FoundPlaces
from masklet.phrases import phrase
from masklet_nuke import handles, node_knobs, plates
from masklet_nuke.prompting import active_uid, change, plate_frame
from masklet_nuke.rendering import ensure_rendered
from masklet_nuke.tracking import check_free
from masklet_nuke.undoing import no_step

if TYPE_CHECKING:
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime


def find_again(runtime: Runtime, node: Node) -> None:
    """Look where the active object may be on the frame that shows; nothing is said by it."""
    from masklet.hosting.work import finding

    check_free(runtime, node)
    uid, frame = active_uid(node), plate_frame(runtime, node)
    ensure_rendered(runtime.nuke, node)
    _show(runtime, node, None)
    runtime.start(
        node,
        phrase("Finding again"),
        lambda plate, job, server: finding.find_again(plate, job, server, uid, frame),
        wait=not runtime.host.has_interface,
        on_made=lambda plate, value: _found(runtime, plate, value),
    )


def take_place(runtime: Runtime, node: Node) -> None:
    """Say that the object is at the place that the node's choice names, on the frame that was looked at."""
    found, uid = runtime.found, active_uid(node)
    if found is None or found.uid != uid:
        raise BadInputError(phrase("press Find Again first, on a frame that shows the object"))
    number = list(node[node_knobs.PLACE].values()).index(str(node[node_knobs.PLACE].value())) + 1
    change(
        runtime,
        node,
        "take place",
        lambda said: tuple(accepted(one, found, number) if one.uid == uid else one for one in said),
    )
    _show(runtime, node, None)
    runtime.dismiss(node)


def _found(runtime: Runtime, node: Node, value: object) -> None:
    if not isinstance(value, FoundPlaces):
        return
    _show(runtime, node, value if value.places else None)
    name = next((said.name for said in runtime.host.document(node) if said.uid == value.uid), "")
    frame = plates.frame_map(node).script_frame(value.frame)
    runtime.tell(node, Notice(found_sentence(name, frame, value), is_alarm=False))


def _show(runtime: Runtime, node: Node, found: FoundPlaces | None) -> None:
    """Have the choice and the handles be of these places; no step of undo."""
    runtime.found = found
    labels = [] if found is None else [str(place_label(found, n)) for n in range(1, len(found.places) + 1)]
    places = [] if found is None else [place.click for place in found.places]
    with no_step(runtime.nuke):
        node[node_knobs.PLACE].setValues(labels or [node_knobs.NO_PLACE])
        node[node_knobs.PLACE].setValue((labels or [node_knobs.NO_PLACE])[0])
        handles.show_places(runtime.nuke, node, places, plates.space_of(node))
