"""States of frames as markers of the timeline: those that are worth a look, and those that are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.frame_runs import part_in
from masklet.phrases import Phrase, phrase
from masklet.types import FrameState
from masklet_resolve.clips import check_steady

if TYPE_CHECKING:
    from masklet.exchange.scene import ExchangeScene
    from masklet_resolve.api import Timeline
    from masklet_resolve.clips import TakenClip

OWN = "masklet:"
"""Begins the custom data of our markers, by which they are known again."""
_COLOURS = {
    FrameState.STALE: "Red",
    FrameState.UNCERTAIN: "Yellow",
    FrameState.ABSENT: "Sky",
    FrameState.LOCKED: "Green",
    FrameState.CORRECTED: "Blue",
}
"""The gravest first: a frame of the timeline has one marker."""


def mark_states(timeline: Timeline, clip: TakenClip, scene: ExchangeScene) -> Phrase:
    """Replace our markers of this clip; those of the artist stay, and ours step aside for them."""
    place = clip.place
    assert place is not None, "only a timeline has markers"
    check_steady(clip)
    own = f"{OWN}{clip.name}:"
    taken = dict(timeline.GetMarkers() or {})
    for frame, marker in list(taken.items()):
        if str(marker.get("customData", "")).startswith(own) and timeline.DeleteMarkerAtFrame(frame):
            del taken[frame]
    frames = {int(frame) for frame in taken}
    made, left_out = 0, 0
    for at, length, colour, name, note in _wanted(clip, scene):
        # Markers count from the timeline's start, not in its own numbers.
        first = place.first - place.timeline_first + at
        free = next((frame for frame in range(first, first + length) if frame not in frames), None)
        if free is not None and timeline.AddMarker(
            free, colour, name, note, first + length - free, f"{own}{name}"
        ):
            frames.add(free)
            made += 1
        else:
            left_out += 1
    if left_out:
        return phrase(
            "{made} markers were set; {left} had no frame of their own beside those that are there",
            made=made,
            left=left_out,
        )
    return phrase("{made} markers were set", made=made)


def _wanted(clip: TakenClip, scene: ExchangeScene) -> list[tuple[int, int, str, str, str]]:
    """Frame from the clip's start, length, colour, name and note of each marker, by frame."""
    found = []
    for one in scene.states:
        part = part_in(one.frames, clip.used)
        state = next((state for state in _COLOURS if state in one.states), None)
        if part is None or state is None:
            continue
        if state in (FrameState.UNCERTAIN, FrameState.STALE) and FrameState.LOCKED in one.states:
            state = FrameState.LOCKED
        at = clip.time.comp_of(part.first) - clip.time.comp_first
        length = max(1, clip.time.comp_of(part.last + 1) - clip.time.comp_first - at)
        name = f"{scene.name_of(one.object_id)} {state.value}"
        note = f"{part.first}-{part.last}" if part.last > part.first else str(part.first)
        found.append((at, length, _COLOURS[state], name, note))
    return sorted(found)
