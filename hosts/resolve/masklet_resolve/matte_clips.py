"""Mattes in Resolve: imported into a bin of their own, as a clip's matte or on the track above."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from masklet.errors import BadInputError
from masklet.phrases import Phrase, phrase
from masklet_resolve.clips import check_steady
from masklet_resolve.connecting import current_timeline

if TYPE_CHECKING:
    from masklet.exchange.scene import MatteSequence
    from masklet_resolve.api import MediaPool, Timeline, TimelineItem
    from masklet_resolve.clips import TakenClip
    from masklet_resolve.connecting import Application

BIN = "masklet"


class MatteWay(Enum):
    """Where mattes go."""

    CLIP_MATTE = "clip-matte"
    """Of the plate in the media pool: the Color page's node takes them."""
    TRACK = "track"
    """On the track above the clip."""


def import_mattes(application: Application, mattes: MatteSequence) -> Any:
    """The mattes as a clip of the media pool, in their bin; the artist's bin stays the current one.

    Raises:
        BadInputError: Resolve does not take them.
    """
    project, _ = current_timeline(application)
    pool = cast("MediaPool", project.GetMediaPool())
    before = pool.GetCurrentFolder()
    # Media is imported into the current bin, wherever that is.
    pool.SetCurrentFolder(_bin(pool))
    try:
        made = pool.ImportMedia(
            [
                {
                    "FilePath": mattes.pattern,
                    "StartIndex": mattes.first_frame,
                    "EndIndex": mattes.last_frame,
                }
            ]
        )
    finally:
        pool.SetCurrentFolder(before)
    if not made:
        raise BadInputError(
            phrase(
                "Resolve did not import {files}: see that it may read {folder}, and that no frame is missing",
                files=mattes.files,
                folder=mattes.folder,
            )
        )
    return made[0]


def as_clip_matte(application: Application, item: TimelineItem, mattes: MatteSequence) -> Phrase:
    """Attach mattes to the plate in the media pool.

    Raises:
        BadInputError: Resolve does not take them.
    """
    assert application.resolve is not None, "a timeline's item comes from Resolve"
    storage = application.resolve.GetMediaStorage()
    media = item.GetMediaPoolItem()
    first = str(Path(mattes.first_file))
    # On the storage: the media pool has no such method, and any name of one can be called there.
    if not storage.AddClipMattesToMediaPool(media, [first]):
        raise BadInputError(
            phrase(
                "Resolve did not attach {files} as a clip matte: import it into the pool instead",
                files=mattes.files,
            )
        )
    return phrase("{files} is a clip matte of {name}", files=mattes.files, name=str(item.GetName()))


def on_track_above(application: Application, clip: TakenClip, mattes: MatteSequence) -> Phrase:
    """Put mattes above the clip, frame for frame.

    Raises:
        BadInputError: The clip is retimed, its speed changes, or Resolve does not take them.
    """
    place = clip.place
    assert place is not None, "only a timeline has tracks"
    check_steady(clip)
    if clip.time.is_retimed:
        raise BadInputError(
            phrase(
                "{name} is retimed: attach its mattes as a clip matte, which is retimed with it",
                name=clip.name,
            )
        )
    _, timeline = current_timeline(application)
    media = import_mattes(application, mattes)
    first = max(clip.used.first, mattes.first_frame)
    last = min(clip.used.last, mattes.last_frame)
    if last < first:
        raise BadInputError(
            phrase("the mattes are of other frames than {name} shows: track those", name=clip.name)
        )
    start = place.first + clip.time.comp_of(first) - clip.time.comp_first
    track = _free_track(timeline, place.track + 1, start, start + last - first)
    project, _ = current_timeline(application)
    made = cast("MediaPool", project.GetMediaPool()).AppendToTimeline(
        [
            {
                "mediaPoolItem": media,
                # Counted from the clip's own first picture.
                "startFrame": first - mattes.first_frame,
                "endFrame": last - mattes.first_frame,
                "trackIndex": track,
                "recordFrame": start,
                "mediaType": 1,
            }
        ]
    )
    if not made:
        raise BadInputError(
            phrase("Resolve did not put the mattes on track {track}: is it locked?", track=track)
        )
    return phrase("{files} is on track {track}", files=mattes.files, track=track)


def _free_track(timeline: Timeline, wanted: int, first: int, last: int) -> int:
    """The lowest track from ``wanted`` on with nothing between two frames; a new one where there is none."""
    for track in range(wanted, timeline.GetTrackCount("video") + 1):
        items = timeline.GetItemListInTrack("video", track) or []
        if all(item.GetEnd() <= first or item.GetStart() > last for item in items):
            return track
    if not timeline.AddTrack("video"):
        raise BadInputError(phrase("Resolve adds no track to this timeline: unlock it"))
    return timeline.GetTrackCount("video")


def _bin(pool: MediaPool) -> Any:
    root = pool.GetRootFolder()
    for folder in root.GetSubFolderList() or []:
        if folder.GetName() == BIN:
            return folder
    return pool.AddSubFolder(root, BIN) or root
