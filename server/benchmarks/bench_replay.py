"""Do the same prompts give the same mattes? Sessions against documents replayed, restarts, undo and parking.

    python server/benchmarks/bench_replay.py DAVIS_FOLDER --limit 16 >> replay.jsonl

One session a sequence has four objects that begin with one click on the first frame and are tracked. In the
middle one is corrected by a click on it, one by a click beside it, one by a box and one by a drawn mask;
two frames are locked, and what became stale is tracked again. These mattes are then compared, at the
network's own resolution, with those after each of:

replay      the document through JSON into a new session, tracked from end to end
restart     the same with weights that were loaded anew, the range tracked in two parts, backwards first
again       the session tracked once more from end to end
park        the device's memory given back, and tracked once more
remove      every object removed, and the removals taken back
redo        the corrections taken back, tracked, made again, tracked
command     the document of before the corrections, then each of them after tracking up to its frame; without
            the locks, so frames from these on are left out

The worst IoU of any frame of any object is written. The data are for evaluation only.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.prompts import Shot, from_json, to_json
from masklet.types import Click, ClipInfo, FramePrompts, FrameRange, Mask, PromptDocument
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.interaction import next_click, tight_box
from masklet_server.evaluation.trackers import network_trackers
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore

KINDS = ("positive", "negative", "box", "mask")

Masks = dict[tuple[str, int], NDArray[np.bool_]]


class Source:
    """A clip of the data set that can be closed."""

    def __init__(self, clip: AnnotatedClip) -> None:
        self._source = clip.limited_source
        self.info: ClipInfo = self._source.info

    def read(self, frame: int) -> Any:
        """The picture of ``frame``."""
        return self._source.read(frame)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Case:
    """A sequence, its true masks of one object, and where it is corrected."""

    clip: AnnotatedClip
    first: Click
    frame: int
    truth: NDArray[np.bool_]

    def correction(self, kind: str, object_id: int, mask: NDArray[np.bool_]) -> FramePrompts:
        """What is said on the frame, of which ``mask`` is tracked, given the kind."""
        if kind == "box":
            return FramePrompts(object_id, self.frame, box=tight_box(self.truth))
        if kind == "mask":
            drawn = Mask.from_array(self.truth.astype(np.uint8) * 255)
            return FramePrompts(object_id, self.frame, mask=drawn)
        return FramePrompts(object_id, self.frame, (_click(self.truth, mask, positive=kind == "positive"),))


def main() -> None:
    """Compare, and write the worst figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", default="masklet_embedded")
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--sequences", default="")
    arguments = parser.parse_args()
    sequences = tuple(filter(None, arguments.sequences.split(",")))
    clips = open_dataset(arguments.data, sequences=sequences, frame_limit=arguments.limit)
    begin(
        "bench_replay",
        weights=arguments.weights,
        footage=arguments.data.name,
        sequences=[clip.name for clip in clips],
        limit=arguments.limit,
    )
    for clip in clips:
        worst = asyncio.run(compared(case_of(clip), arguments.weights))
        ious = {way: round(iou, 5) for way, iou in worst.items()}
        write_line({"sequence": clip.name, "frames": len(clip.frames), **ious})


def case_of(clip: AnnotatedClip) -> Case:
    """The first object, clicked in its middle on its first frame, and corrected half-way."""
    start, middle = clip.annotated_frames[0], clip.annotated_frames[len(clip.annotated_frames) // 2]
    first = clip.truth.read(start).masks
    object_id = next(owner for owner, mask in first.items() if mask.any())
    click = next_click(np.zeros_like(first[object_id]), first[object_id])
    assert click is not None
    truth = clip.truth.read(middle).masks[object_id]
    return Case(clip, click, middle, truth if truth.any() else first[object_id])


async def compared(case: Case, weights: str) -> dict[str, float]:
    """The worst IoU of each way back to the same mattes."""
    factory = network_trackers(weights, device="cpu")
    scheduler = Scheduler()
    store = SessionStore(factory, scheduler)
    again = SessionStore(network_trackers(weights, device="cpu"), scheduler)
    try:
        return await _compared(case, lambda each: each.open("bench", lambda: Source(case.clip)), store, again)
    finally:
        await store.leave_all()
        await again.close_all()
        await scheduler.close()


async def _compared(
    case: Case,
    opened: Callable[[SessionStore], Awaitable[Session]],
    store: SessionStore,
    again: SessionStore,
) -> dict[str, float]:
    session = await opened(store)
    for kind in KINDS:
        object_id = (await session.add_object(kind)).object_id
        await session.add_click(object_id, case.clip.frames[0], case.first)
    await track(session)
    before = through_json(session)
    said = []
    for info in session.objects():
        tracked = masks(session)[info.name, case.frame]
        prompts = case.correction(info.name, info.object_id, _at_size(tracked, case.truth.shape))
        said.append((info.name, prompts))
        await session.set_prompts(prompts)
    corrected_edits = len(said)
    last = case.clip.frames[-1]
    for info in session.objects():
        await session.set_lock(info.object_id, FrameRange(last - 2, last - 1), locked=True)
    await track(session, stale_only=True)
    approved, document = masks(session), through_json(session)
    worst: dict[str, float] = {}

    other = await opened(store)
    await other.set_document(document)
    await track(other)
    worst["replay"] = worst_iou(approved, masks(other))
    await other.close()

    other = await opened(again)
    await other.set_document(document)
    await track(other, frames=FrameRange(case.frame, last))
    await track(other, frames=FrameRange(case.clip.frames[0], case.frame))
    worst["restart"] = worst_iou(approved, masks(other))
    await other.close()

    other = await opened(again)
    infos = await other.set_document(before)
    ids = {info.name: info.object_id for info in infos}
    for name, prompts in said:
        await track(other, frames=FrameRange(case.frame, case.frame), object_ids=(ids[name],))
        await other.set_prompts(
            FramePrompts(ids[name], case.frame, prompts.clicks, prompts.box, prompts.mask)
        )
    await track(other)
    worst["command"] = worst_iou(approved, masks(other), but=range(last - 2, last + 1))
    await other.close()

    await track(session)
    worst["again"] = worst_iou(approved, masks(session))
    await session.park()
    await track(session)
    worst["park"] = worst_iou(approved, masks(session))
    removed = [info.object_id for info in session.objects()]
    for object_id in removed:
        await session.remove_object(object_id)
    for _ in removed:
        await session.undo()
    worst["remove"] = worst_iou(approved, masks(session))
    edits = corrected_edits + len(removed)
    for _ in range(edits):
        await session.undo()
    await track(session, stale_only=True)
    for _ in range(edits):
        await session.redo()
    await track(session, stale_only=True)
    worst["redo"] = worst_iou(approved, masks(session))
    return worst


async def track(session: Session, **arguments: Any) -> None:
    """Track to the end."""
    async for _ in session.track(**arguments):
        pass


def masks(session: Session) -> Masks:
    """All masks by object's name and frame, at the network's resolution."""
    found: Masks = {}
    for info in session.objects():
        for frame in session.results.frames_of(info.object_id):
            result = session.results.find(info.object_id, frame)
            if result is not None:
                found[info.name, frame] = result.logits > 0
    return found


def through_json(session: Session) -> PromptDocument:
    """The session's document as a file keeps it."""
    return from_json(to_json(Shot("bench", session.whole_document()))).document


def worst_iou(some: Masks, others: Masks, *, but: range = range(0)) -> float:
    """The least IoU of masks of the same frames; 0 where one has a mask and the other none."""
    ious = []
    for key in some.keys() | others.keys():
        if key[1] in but:
            continue
        if key not in some or key not in others:
            return 0.0
        union = int((some[key] | others[key]).sum())
        ious.append(int((some[key] & others[key]).sum()) / union if union else 1.0)
    return min(ious)


def _click(truth: NDArray[np.bool_], mask: NDArray[np.bool_], *, positive: bool) -> Click:
    """The middle of what is missing, or of what is too much; where nothing is, of the object or beside it."""
    wanted = (truth & ~mask) if positive else (mask & ~truth)
    if not wanted.any():
        wanted = truth if positive else ~truth
    click = next_click(np.zeros_like(wanted), wanted)
    assert click is not None
    return Click(click.x_px, click.y_px, positive)


def _at_size(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows = (np.arange(shape[0]) * mask.shape[0]) // shape[0]
    columns = (np.arange(shape[1]) * mask.shape[1]) // shape[1]
    return mask[np.ix_(rows, columns)]


if __name__ == "__main__":
    main()
