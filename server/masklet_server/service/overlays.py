"""Masks drawn over the clip, for looking at: a movie, or a sheet of pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from masklet.errors import BadInputError, CancelledError
from masklet.events import OverlayKind
from masklet_server.aside import waiting_for_disk
from masklet_server.mattes.files import RenderedFile
from masklet_server.service.selections import Selection
from masklet_server.sessions.session import Session

SHEET_PICTURES = 12


class Overlay:
    """The making of one overlay in a thread."""

    def __init__(
        self, session: Session, selection: Selection, kind: OverlayKind, frames: Sequence[int]
    ) -> None:
        self._session = session
        self._selection = selection
        self._kind = kind
        self._frames = frames
        self.done = 0
        self.stop = threading.Event()

    def run(self) -> RenderedFile:
        """The file; in a thread."""
        # Video libraries are slow to load and most servers never draw an overlay.
        from masklet_server.mattes.overlay import encode_contact_sheet, encode_movie, overlay_pictures

        with waiting_for_disk():
            source = self._session.open_source()
        try:
            pictures = overlay_pictures(
                source,
                self._selection.objects,
                self._session.results,
                self._counted(),
                drawn_on=self._session.drawn_on,
                strokes_on=self._session.strokes_on,
            )
            file = overlay_file(self._selection.stem, self._kind)
            if self._kind is OverlayKind.SHEET:
                return RenderedFile(file, None, encode_contact_sheet(list(pictures)))
            clip = source.info
            times = clip.time_s if clip.is_variable_rate else None
            return RenderedFile(
                file, None, encode_movie(pictures, frames_per_s=clip.frames_per_s, time_s=times)
            )
        finally:
            self._session.note_unreadable(source.info.unreadable)
            source.close()

    def _counted(self) -> Iterator[int]:
        for frame in self._frames:
            if self.stop.is_set():
                raise CancelledError("the overlay was cancelled")
            yield frame
            self.done += 1


def overlay_file(stem: str, kind: OverlayKind) -> str:
    """What the file is called."""
    return f"{stem}_sheet.png" if kind is OverlayKind.SHEET else f"{stem}_overlay.mp4"


def shown_frames(session: Session, selection: Selection, kind: OverlayKind) -> Sequence[int]:
    """Frames that an overlay shows.

    Raises:
        BadInputError: Nothing in the range has a mask.
    """
    masked = {
        frame
        for info in selection.objects
        for frame in session.results.frames_of(info.object_id)
        if frame in selection.frames
    }
    if not masked:
        raise BadInputError("nothing in this range has a mask: track it first")
    if kind is OverlayKind.MOVIE:
        frames = range(selection.frames.first, selection.frames.last + 1)
        return list(session.clip.missing.without(frames))
    ordered = sorted(masked)
    if len(ordered) <= SHEET_PICTURES:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(place * last / (SHEET_PICTURES - 1))] for place in range(SHEET_PICTURES)]
