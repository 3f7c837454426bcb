"""OpenTimelineIO: the clip with a marker for each stretch worth knowing, and its mattes, as ``.otio``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.patterns import FramePattern
from masklet.types import FrameState

if TYPE_CHECKING:
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet.types import FrameRange

# The most urgent state of a range gives it its colour and comes first in this order.
_COLOURS = {
    FrameState.STALE: "ORANGE",
    FrameState.ABSENT: "RED",
    FrameState.UNCERTAIN: "YELLOW",
    FrameState.RIVAL: "MAGENTA",
    FrameState.LOCKED: "BLUE",
    FrameState.CORRECTED: "GREEN",
    FrameState.PRESENT: "WHITE",
}

_HOLE_COLOUR = "BLACK"


def write_otio(scene: ExchangeScene) -> str:
    """A timeline of one clip whose markers are the states; ranges count frames of the plate.

    Mattes lie on tracks of their own above it, switched off, so that they do not hide the picture.
    """
    clip = scene.clip
    markers = []
    for one in scene.states:
        shown = [state for state in _COLOURS if state in one.states]
        markers.append(
            {
                "OTIO_SCHEMA": "Marker.2",
                "name": f"{scene.name_of(one.object_id)}: {', '.join(state.value for state in shown)}",
                "color": _COLOURS[shown[0]],
                "marked_range": _span(scene, one.frames),
                "metadata": {
                    "masklet": {
                        "object": scene.name_of(one.object_id),
                        "states": [state.value for state in shown],
                    }
                },
            }
        )
    for hole in scene.holes:
        markers.append(
            {
                "OTIO_SCHEMA": "Marker.2",
                "name": f"{hole.object_name}: no matte, {hole.words}",
                "color": _HOLE_COLOUR,
                "marked_range": _span(scene, hole.frames),
                "metadata": {"masklet": {"object": hole.object_name, "no_matte": hole.reason.value}},
            }
        )
    whole = _span(scene, clip.frames)
    media = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": clip.name,
        "available_range": whole,
        "metadata": {},
        "name": clip.name,
    }
    item = {
        "OTIO_SCHEMA": "Clip.2",
        "name": clip.name,
        "source_range": whole,
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
        "markers": markers,
        "effects": [],
        "metadata": {},
        "enabled": True,
    }
    tracks = [
        _track("plate", [item]),
        *(_track(mattes.files, _matte_items(scene, mattes), enabled=False) for mattes in scene.mattes),
    ]
    stack: dict[str, Any] = {
        "OTIO_SCHEMA": "Stack.1",
        "name": "tracks",
        "children": tracks,
        "markers": [],
        "effects": [],
        "metadata": {},
        "source_range": None,
        "enabled": True,
    }
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": clip.name,
        "global_start_time": None,
        "tracks": stack,
        "metadata": {"masklet": {"frame_rate": "assumed" if scene.rate_is_assumed else "of the clip"}},
    }
    return json.dumps(timeline, indent=1, ensure_ascii=False) + "\n"


def _track(name: str, children: list[dict[str, Any]], *, enabled: bool = True) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": name,
        "kind": "Video",
        "children": children,
        "markers": [],
        "effects": [],
        "metadata": {},
        "source_range": None,
        "enabled": enabled,
    }


def _matte_items(scene: ExchangeScene, mattes: MatteSequence) -> list[dict[str, Any]]:
    """A clip for each run of files, each where the plate has its frames, with gaps between."""
    found: list[dict[str, Any]] = []
    names = FramePattern.parse(mattes.files)
    assert names is not None, "mattes have a frame field"
    at = scene.clip.first_frame
    for frames in mattes.frames:
        if frames.first > at:
            found.append(
                {
                    "OTIO_SCHEMA": "Gap.1",
                    "name": "",
                    "source_range": _range(0, frames.first - at, scene.rate),
                    "markers": [],
                    "effects": [],
                    "metadata": {},
                    "enabled": True,
                }
            )
        span = _range(frames.first, len(frames), scene.rate)
        media = {
            "OTIO_SCHEMA": "ImageSequenceReference.1",
            "target_url_base": _url(mattes.folder),
            "name_prefix": names.prefix,
            "name_suffix": names.suffix,
            "start_frame": frames.first,
            "frame_step": 1,
            "rate": scene.rate,
            "frame_zero_padding": names.padding,
            "missing_frame_policy": "error",
            "available_range": span,
            "metadata": {},
            "name": mattes.files,
        }
        found.append(
            {
                "OTIO_SCHEMA": "Clip.2",
                "name": mattes.files,
                "source_range": span,
                "media_references": {"DEFAULT_MEDIA": media},
                "active_media_reference_key": "DEFAULT_MEDIA",
                "markers": [],
                "effects": [],
                "metadata": {"masklet": {"layers": list(mattes.layers)}},
                "enabled": True,
            }
        )
        at = frames.last + 1
    return found


def _url(folder: str) -> str:
    if not folder:
        return ""
    path = Path(folder)
    return f"{path.as_uri() if path.is_absolute() else folder}/"


def _span(scene: ExchangeScene, frames: FrameRange) -> dict[str, Any]:
    """From a picture's own time to that of the one behind the last."""
    start, end = scene.units(frames.first), scene.units(frames.last + 1)
    return _range(scene.clip.first_frame + start, end - start, scene.rate)


def _range(first: float, length: float, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(first)},
        "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(length)},
    }
