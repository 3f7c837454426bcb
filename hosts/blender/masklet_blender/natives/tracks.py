"""Anchors as tracks of a movie clip, as if Blender's own tracker had followed them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.phrases import phrase

from .tags import read_property

if TYPE_CHECKING:
    import bpy

    from masklet.anchors import AnchorTrack

    from .coordinates import FrameMap, PlateSpace

PROPERTY = "masklet_tracks"
"""Custom property of the clip: owner to track name, as JSON. Tracks themselves cannot carry properties."""


def find_track(clip: bpy.types.MovieClip, owner: str) -> bpy.types.MovieTrackingTrack | None:
    """The track that was made for ``owner``; None where there is none any more under its name."""
    name = _names(clip).get(owner)
    return None if name is None else _tracking(clip).tracks.get(name)


def write_track(
    anchor: AnchorTrack, clip: bpy.types.MovieClip, frames: FrameMap, space: PlateSpace, *, owner: str
) -> bpy.types.MovieTrackingTrack:
    """Make the track of an anchor, or bring the one that exists up to date.

    A marker stands on every frame that has a key. Where the object was not seen it is disabled, and so is
    one on either side of the track, so that the track ends there as Blender's own do.

    Args:
        anchor: From the server.
        clip: The plate.
        frames: Where the plate lies in the scene.
        space: The plate's size on the server.
        owner: Whose track it is; finds it again.

    Raises:
        BadInputError: The anchor has no keys, or the artist locked the track.
    """
    if not anchor.keys:
        raise BadInputError(
            phrase("the object of {name} is never seen, so there is nothing to follow", name=anchor.name)
        )
    first, last = anchor.keys[0], anchor.keys[-1]
    track = find_track(clip, owner)
    if track is None:
        track = _tracking(clip).tracks.new(name=anchor.name, frame=frames.marker_frame(first.frame))
        clip[PROPERTY] = json.dumps({**_names(clip), owner: track.name})
    elif track.lock:
        raise BadInputError(
            phrase("the track {name} is locked: unlock it to bring it up to date", name=track.name)
        )
    patterns = _Patterns(clip)
    written = {frames.marker_frame(first.frame) - 1, frames.marker_frame(last.frame) + 1}
    for frame, key in zip(sorted(written), (first, last)):
        patterns.write(track, frame, space.marker_point(key.x_px, key.y_px), seen=False)
    for key in anchor.keys:
        frame = frames.marker_frame(key.frame)
        patterns.write(track, frame, space.marker_point(key.x_px, key.y_px), seen=not key.held)
        written.add(frame)
    for frame in [marker.frame for marker in track.markers if marker.frame not in written]:
        track.markers.delete_frame(frame)
    return track


class _Patterns:
    """Writes markers with the pattern and search areas that new tracks of the clip get.

    A marker made by a script has none, and could be neither grabbed nor tracked on from.
    """

    def __init__(self, clip: bpy.types.MovieClip) -> None:
        settings: Any = _tracking(clip).settings
        # A clip whose files are missing has no size; the areas are then those of a usual picture.
        width_px, height_px = clip.size if min(clip.size) > 0 else (1920, 1080)
        x, y = settings.default_pattern_size / 2 / width_px, settings.default_pattern_size / 2 / height_px
        self._pattern = ((-x, -y), (x, -y), (x, y), (-x, y))
        self._search = (
            settings.default_search_size / 2 / width_px,
            settings.default_search_size / 2 / height_px,
        )

    def write(
        self, track: bpy.types.MovieTrackingTrack, frame: int, place: tuple[float, float], *, seen: bool
    ) -> None:
        """Put a marker on a frame, in the place of the one that may be there."""
        marker = track.markers.insert_frame(frame, co=place)
        marker.mute = not seen
        marker.pattern_corners = self._pattern
        marker.search_min = (-self._search[0], -self._search[1])
        marker.search_max = self._search


def _tracking(clip: bpy.types.MovieClip) -> bpy.types.MovieTracking:
    # The type stubs allow None, Blender does not.
    assert clip.tracking is not None
    return clip.tracking


def _names(clip: bpy.types.MovieClip) -> dict[str, str]:
    found = read_property(clip, PROPERTY)
    return {str(owner): str(name) for owner, name in found.items()} if isinstance(found, dict) else {}
