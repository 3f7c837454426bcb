"""What the buttons for tracking and review do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.hosting.notices import Notice
from masklet.hosting.reviewing import (
    Extent,
    bad_frame_sentence,
    no_bad_frame_sentence,
    track_request,
    track_sentence,
)
from masklet.phrases import phrase
from masklet_nuke import documents, node_knobs, plates
from masklet_nuke.prompting import plate_frame, refresh
from masklet_nuke.rendering import ensure_rendered
from masklet_nuke.undoing import no_step

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.types import Direction
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime


def track(runtime: Runtime, node: Node, direction: Direction, *, changed_only: bool = False) -> None:
    """Follow all objects from their prompts; a plate that is no file is rendered first."""
    from masklet.hosting.work import plate_work

    check_free(runtime, node)
    if not any(said.frames for said in documents.objects(node)):
        raise BadInputError(
            phrase("nothing was said yet: turn on edit and Ctrl-click the object in the viewer")
        )
    ensure_rendered(runtime.nuke, node)
    request = track_request(Extent.CLIP, direction, plate_frame(runtime, node), stale_only=changed_only)
    memory = runtime.memory(node)
    memory.left_out = ()
    uid = runtime.host.uid(node)

    def ended(error: MaskletError | None) -> None:
        again = runtime.host.find(uid)
        if again is None or error is not None:
            return
        frames = plates.frame_map(again)
        cuts = [frames.script_frame(cut) for cut in runtime.memory(again).cuts]
        runtime.tell(again, Notice(track_sentence(runtime.memory(again), done=job_done(), cuts=cuts), False))

    def job_done() -> int:
        return max(
            (job.done for job in runtime.board.jobs if job.plate_uid == uid and job.is_long), default=1
        )

    runtime.start(
        node,
        phrase("Tracking"),
        lambda plate, job, server: plate_work.track(plate, job, server, request),
        wait=not runtime.host.has_interface,
        on_end=ended,
    )


def stop(runtime: Runtime) -> None:
    """Stop what runs, and keep what is done."""
    for job in runtime.board.jobs:
        if job.is_long or job.total:
            job.cancel()


def go_to_bad_frame(runtime: Runtime, node: Node, *, backward: bool) -> None:
    """Go to the nearest frame that is uncertain or out of date, and make its object the active one."""
    said = documents.objects(node)
    memory = runtime.memory(node)
    found = memory.book.next_bad(
        [one.uid for one in said], plate_frame(runtime, node), backward=backward, clip=memory.clip
    )
    if found is None:
        runtime.tell(node, Notice(no_bad_frame_sentence(backward=backward), is_alarm=False))
        return
    uid, frame = found
    name = next(one.name for one in said if one.uid == uid)
    with no_step(runtime.nuke):
        node[node_knobs.OBJECT].setValue(name)
    runtime.nuke.frame(plates.frame_map(node).script_frame(frame))
    refresh(runtime, node)
    sentence = bad_frame_sentence(name, runtime.memory(node).book.at(uid, frame))
    runtime.tell(node, Notice(sentence, is_alarm=False))


def check_free(runtime: Runtime, node: Node) -> None:
    """Refuse while something runs for a plate.

    Raises:
        BadInputError: Something does.
    """
    if runtime.job_of(node) is not None:
        raise BadInputError(phrase("something is still running for this plate: wait for it, or press Stop"))
