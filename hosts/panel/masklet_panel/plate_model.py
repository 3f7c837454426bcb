"""The plate that is open in the panel: its document's file, its frames, and what the artist is told of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting import kept_plate
from masklet.hosting.left_sessions import LeftSessions
from masklet.hosting.loop import BEAT_S, Loop
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.presence import BEAT_S as PRESENT_S
from masklet.hosting.presence import Presence
from masklet.hosting.work.farming import homecoming_job
from masklet.hosting.work.releasing import release
from masklet.prompts import PlateShape
from masklet.types import FrameRange
from masklet_panel.document_file import DocumentFile
from masklet_panel.file_finder import FileFinder
from masklet_panel.opening import first_said, found, others_sentence
from masklet_panel.panel_host import PanelHost, PanelPlate
from masklet_panel.qt import QtCore, Signal
from masklet_panel.recent_documents import own_folder

if TYPE_CHECKING:
    from masklet.hosting.kept_plate import KeptPlate
    from masklet.hosting.plate_memory import PlateMemory
    from masklet.hosting.presence import Other
    from masklet.hosting.work.connection import Connection, ConnectionSettings
    from masklet.hosting.work.releasing import Closing
    from masklet.types import ClipInfo
    from masklet_panel.opening import Opening


class PlateModel(QtCore.QObject):
    """One plate, the file of its document, and the loop that makes a server follow it.

    Args:
        settings: The server; None has one started on this machine.
        connection: To it; tests give their own.
        folder: Where the panel keeps what is the user's; None for the system's custom.

    Attributes:
        host: Keeps documents and answers the loop.
        loop: Jobs, the server, masks and states.
    """

    plate_changed = Signal()
    """Another plate is open, none is, or more is known of it."""
    document_changed = Signal()
    """Something else is said, or objects look different."""
    selection_changed = Signal()
    frame_changed = Signal()
    """The frame that is shown."""
    span_changed = Signal()
    """In and out."""
    states_changed = Signal()
    """Of frames, and cuts."""
    masks_changed = Signal()
    """The viewer is to be drawn again."""
    work_changed = Signal()
    """What runs, and how far it is."""
    notice_changed = Signal()
    _told = Signal(Notice)
    _woken = Signal()

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        connection: Connection | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.host = PanelHost(
            settings, keep_ticking=self._keep_ticking, redraw=self._redrawn, changed=self._kept_changed
        )
        self.loop: Loop[PanelPlate] = Loop(self.host, connection, keeps_versions=True)
        self._plate: PanelPlate | None = None
        self._file: DocumentFile | None = None
        self._frame = 0
        self._frames: FrameRange | None = None
        self._left = LeftSessions((folder or own_folder()) / "sessions.json")
        self._presence: Presence | None = None
        self._others: tuple[Other, ...] = ()
        self._opened: ClipInfo | None = None
        self._look_around = FileFinder(self)
        self._present = QtCore.QTimer(self)
        self._present.setInterval(round(PRESENT_S * 1000))
        self._present.timeout.connect(self._tell_others)
        self._shown_notice: Notice | None = None
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(round(BEAT_S * 1000))
        self._timer.timeout.connect(self._beat)
        self._told.connect(self.tell)
        self._is_woken = False
        # From the thread of a job, so that nothing waits for the next tick.
        self._woken.connect(self._beat, QtCore.Qt.ConnectionType.QueuedConnection)
        self.loop.board.wake = self._wake

    # What is open.

    @property
    def plate(self) -> PanelPlate | None:
        """The plate that is open; None for none."""
        return self._plate

    @property
    def kept(self) -> KeptPlate | None:
        """All that its document keeps."""
        return None if self._plate is None else self.host.kept(self._plate)

    @property
    def memory(self) -> PlateMemory[PanelPlate] | None:
        """What is known of it beyond that."""
        return self.loop.glimpse(self._plate)

    @property
    def clip(self) -> ClipInfo | None:
        """What the server knows of the plate; None until it has opened it."""
        return None if self.memory is None else self.memory.clip

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the plate; 0 and 0 until they are known."""
        kept = self.kept
        if kept is None or kept.shape is None:
            return 0, 0
        return kept.shape.width_px, kept.shape.height_px

    @property
    def file(self) -> Path | None:
        """Where the document lies."""
        return None if self._file is None else self._file.file

    def open(self, path: str) -> None:
        """Open a clip, or the document of one; what was open is closed.

        Raises:
            MaskletError: There are no pictures, or the document cannot be read; what was open stays.
        """
        self.take(found(path))

    def take(self, opening: Opening) -> None:
        """Open what was found; what was open is closed."""
        self.close()
        kept = opening.kept
        self._file = DocumentFile(opening.file, opening.stamp, self._tell_from_thread)
        self._plate = self.host.open(kept)
        self.loop.memory(self._plate)
        self._frames = opening.frames
        self._frame = first_said(kept, self._frames)
        self._begin(kept)
        for signal in (self.plate_changed, self.document_changed, self.selection_changed, self.frame_changed):
            signal.emit()
        if kept.notes:
            self.tell(Notice("; ".join(kept.notes), is_alarm=False))
        self._left.came_back(kept.session.session_id)
        self._be_present(opening.file)
        self.loop.run(homecoming_job(opening.file, kept.uid, on_notice=self.tell))
        self.loop.synchronise(self._plate, wait=False)

    def close(self) -> None:
        """Close what is open: everything said is in its file."""
        if self._plate is None:
            return
        release(self._left_behind())
        if self._file is not None:
            self._file.close()
        if self._presence is not None:
            self._presence.leave()
        self._look_around.forget()
        self._others = ()
        self._present.stop()
        self.host.close(self._plate)
        self._plate = self._file = self._frames = self._presence = None
        self.host.solo = frozenset()
        self._end()
        self.plate_changed.emit()

    def shut(self) -> None:
        """The panel goes away: as :meth:`close`, and the server is let go."""
        closings = self._left_behind()
        self.close()
        self._timer.stop()
        self.loop.end(closings)

    def save_as(self, file: Path) -> None:
        """Have the document lie elsewhere from now on; what lies there is written over.

        Raises:
            OutputError: It cannot be written; the document stays where it is.
        """
        if self._plate is None:
            return
        stamp = kept_plate.write(file, self.host.kept(self._plate), None)
        if self._file is not None:
            self._file.close()
        if self._presence is not None:
            self._presence.leave()
        self._file = DocumentFile(file, stamp, self._tell_from_thread)
        self._be_present(file)
        self.plate_changed.emit()

    def move_plate(self, clip: str, frames: FrameRange) -> None:
        """The plate's pictures are somewhere else now, as :func:`masklet_panel.opening.moved` found them."""
        if self._plate is not None:
            self.host.keep(self._plate, replace(self.host.kept(self._plate), path=clip))
            self._frames = frames
            self.plate_changed.emit()

    # Frames.

    @property
    def frames(self) -> FrameRange:
        """Of the plate; 0 to 0 where none is open."""
        return self._frames or FrameRange(0, 0)

    @property
    def frame(self) -> int:
        """The frame that is shown, by the plate's own numbers."""
        return self._frame

    def go_to(self, frame: int) -> None:
        """Show a frame; beyond the ends the last one there is."""
        frame = min(max(frame, self.frames.first), self.frames.last)
        if frame != self._frame:
            self._frame = frame
            if self._plate is not None:
                self.loop.fetching.look(self._plate, frame)
            self.frame_changed.emit()

    # What is told.

    @property
    def notice(self) -> Notice | None:
        """The sentence that is shown; None for none."""
        if self._plate is None:
            return self._shown_notice
        memory = self.memory
        return None if memory is None else memory.notice

    def tell(self, notice: Notice | None) -> None:
        """Show a sentence in place of the one before; None shows none."""
        self._shown_notice = notice
        self.loop.tell(self._plate, notice)
        self.notice_changed.emit()

    def attempt(self, action: Callable[[], None]) -> bool:
        """Do something that may be refused; the refusal is told. True where it was done."""
        try:
            action()
        except MaskletError as error:
            self.tell(notice_of(error))
            return False
        return True

    def write_now(self) -> bool:
        """Have the document written now; False where it could not be."""
        return self._file is None or self._file.flush()

    # Inside.

    def _begin(self, kept: KeptPlate) -> None:
        """A plate is open from now on."""

    def _end(self) -> None:
        """None is open any more."""

    def _left_behind(self) -> list[Closing]:
        """Leave the plate's session for its document to come back to; what gives back those of long ago."""
        closings: list[Closing] = []
        for session in self.loop.let_go():
            if session.session_id:
                old = self._left.leave(self.host.settings.address, [session.session_id])
                closings.extend(partial(session.close_other, session_id) for session_id in old)
        return closings

    def _be_present(self, file: Path) -> None:
        """Tell others that this document is open here, and the artist who else has it open."""
        self._presence = Presence(file)
        self._present.start()
        self._tell_others()

    def _tell_others(self) -> None:
        if self._presence is not None and not self._look_around.is_waiting:
            self._look_around.ask(self._presence.beat, self._take_others)

    def _take_others(self, others: tuple[Other, ...]) -> None:
        if others and others != self._others:
            self.tell(Notice(others_sentence(others), is_alarm=False))
        self._others = others

    def _tell_others_again(self) -> None:
        """What was told while the plate was opened may have given way to what the server had to tell."""
        if self._others and self.notice is None:
            self.tell(Notice(others_sentence(self._others), is_alarm=False))

    def _take_clip(self) -> None:
        """The server has read the plate: its range and size are known now."""
        clip, kept = self.clip, self.kept
        if clip is None or kept is None or self._plate is None:
            return
        shape = PlateShape(clip.width_px, clip.height_px, clip.frames)
        if kept.shape != shape or self._frames != clip.frames:
            self.host.keep(self._plate, replace(kept, shape=shape))
            self._frames = clip.frames
            self.plate_changed.emit()
            self.go_to(self._frame)
        if self._opened is not clip:
            self._opened = clip
            self._tell_others_again()

    def _keep_ticking(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            # The panel may have gone meanwhile.
            with suppress(RuntimeError):
                self._woken.emit()

    def _beat(self) -> None:
        self._is_woken = False
        if not self.loop.beat():
            self._timer.stop()
            self._redrawn(True)

    def _redrawn(self, panels: bool) -> None:
        self._take_clip()
        self.masks_changed.emit()
        if panels:
            self.states_changed.emit()
        self.work_changed.emit()
        if self.notice is not self._shown_notice:
            self._shown_notice = self.notice
            self.notice_changed.emit()

    def _kept_changed(self, plate: PanelPlate) -> None:
        if self._file is not None and plate is self._plate:
            self._file.write_soon(self.host.kept(plate))

    def _tell_from_thread(self, error: MaskletError) -> None:
        # From another thread Qt has it told in this one.
        self._told.emit(notice_of(error))
