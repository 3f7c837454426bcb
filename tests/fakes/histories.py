"""Random histories of a session: what an artist may do to it, and what is left of it then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from masklet.prompts import Shot, from_json, to_json
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    Mask,
    MemoryPolicy,
    PromptDocument,
    Scribble,
)
from masklet_server.sessions.session import Session

CLIP = ClipInfo("fake.####.png", 64, 48, 1, 14, missing_frames=(9,))
FRAMES = [frame for frame in range(1, 15) if frame != 9]

Masks = dict[tuple[str, int], bytes]


async def track(session: Session, **arguments: Any) -> None:
    if any(info.prompted_frames for info in session.objects()):
        async for _ in session.tracks.track(**arguments):
            pass


def through_json(document: PromptDocument) -> PromptDocument:
    ids = {info.object_id: place for place, info in enumerate(document.objects, 1)}
    counted = PromptDocument(
        tuple(replace(info, object_id=ids[info.object_id]) for info in document.objects),
        tuple(replace(item, object_id=ids[item.object_id]) for item in document.prompts),
        tuple(replace(item, object_id=ids[item.object_id]) for item in document.locks),
        tuple(replace(item, object_id=ids[item.object_id]) for item in document.mattes),
        tuple(replace(item, object_id=ids[item.object_id]) for item in document.masks),
        tuple(replace(item, object_id=ids[item.object_id]) for item in document.policies),
    )
    return from_json(to_json(Shot("a", counted))).document


def masks(session: Session, *, fresh_only: bool = False) -> Masks:
    """By object's name and frame, the bytes of all masks, or of those that are as their prompts want them."""
    stale = {
        (state.object_id, frame)
        for state in session.states()
        if state.stale
        for frame in range(state.frames.first, state.frames.last + 1)
    }
    found: Masks = {}
    for info in session.objects():
        for frame in session.results.frames_of(info.object_id):
            result = session.results.find(info.object_id, frame)
            assert result is not None
            if not (fresh_only and (info.object_id, frame) in stale):
                found[info.name, frame] = result.logits.tobytes() + result.pointer.tobytes()
    return found


frames = st.sampled_from(FRAMES)
ranges = st.tuples(st.integers(1, 14), st.integers(1, 14)).map(lambda ends: FrameRange(min(ends), max(ends)))
objects = st.sampled_from(["hero", "hero", "hero", "ball"])
places = st.integers(0, 40)
steps = st.one_of(
    st.tuples(st.just("click"), objects, frames, places, st.booleans()),
    st.tuples(st.just("click"), objects, frames, places, st.booleans()),
    st.tuples(st.just("box"), objects, frames, places),
    st.tuples(st.just("mask"), objects, frames, places),
    st.tuples(st.just("scribble"), objects, frames, places, st.booleans()),
    st.tuples(st.just("clear"), objects, frames),
    st.tuples(st.just("lock"), objects, ranges),
    st.tuples(st.just("unlock"), objects, ranges),
    st.tuples(st.just("policy"), objects, st.sampled_from(MemoryPolicy)),
    st.tuples(st.just("track"), st.none() | ranges),
    st.tuples(st.just("track"), st.none()),
    st.tuples(st.just("track stale")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
    st.tuples(st.just("remove"), objects),
    st.tuples(st.just("park")),
    st.tuples(st.just("document")),
)


# Most of what can go wrong needs a tracked object to go wrong with.
begun = [("click", "hero", 3, 10, True), ("track", None)]
histories = st.tuples(st.sampled_from([[], begun, begun]), st.lists(steps, max_size=12)).map(
    lambda parts: [*parts[0], *parts[1]]
)


async def take(session: Session, step: tuple[Any, ...]) -> None:
    kind, *values = step
    if kind in {"undo", "redo", "park"}:
        await getattr(session, kind)()
    elif kind == "document":
        await session.set_document(through_json(session.whole_document()))
    elif kind == "track":
        await track(session, frames=values[0])
    elif kind == "track stale":
        await track(session, stale_only=True)
    else:
        name, *values = values
        known = {info.name: info.object_id for info in session.objects()}
        object_id = known.get(name)
        if kind == "remove":
            if object_id is not None:
                await session.remove_object(object_id)
            return
        if object_id is None:
            object_id = (await session.add_object(name)).object_id
        if kind in {"lock", "unlock"}:
            await session.set_lock(object_id, values[0], locked=kind == "lock")
        elif kind == "policy":
            await session.set_policy(object_id, values[0])
        elif kind == "click":
            frame, x_px, positive = values
            await session.add_click(object_id, frame, Click(float(x_px), 5.0, positive))
        else:
            x_px = values[1] if len(values) > 1 else 0
            said = {
                "clear": FramePrompts(object_id, values[0]),
                "box": FramePrompts(object_id, values[0], box=Box(float(x_px), 1.0, x_px + 9.0, 20.0)),
                "mask": FramePrompts(object_id, values[0], mask=Mask(64, 48, bytes([x_px]) * (64 * 48))),
            }
            if kind == "scribble":
                stroke = Scribble(((float(x_px), 3.0), (x_px + 8.0, 6.0)), 2.0, values[2])
                before = session.prompts_on(object_id, values[0]) or FramePrompts(object_id, values[0])
                strokes = (*before.scribbles, stroke)
                said[kind] = FramePrompts(object_id, values[0], before.clicks, scribbles=strokes)
            await session.set_prompts(said[kind])
