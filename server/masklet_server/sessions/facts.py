"""What can be asked of a session without waiting for the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from masklet.bad_frames import is_begun, untracked
from masklet.matte_settings import MatteSettings
from masklet.types import (
    ClipInfo,
    FramePrompts,
    LockedRange,
    Mask,
    ObjectInfo,
    PromptDocument,
    Scribble,
    SessionInfo,
    StateRange,
    UnreadableFrame,
)
from masklet_server.sessions.drawn_sizes import drawn_bytes
from masklet_server.sessions.editor import Editor
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import ClosingSource, SessionTracker
from masklet_server.tracking import ObjectFrame, with_unreadable


class SessionFacts:
    """The part of a session that only tells; from any thread.

    Args:
        session_id: Given by the store.
        source: The clip.
        book: What is said.
        tracker: Tracker, stale frames and cuts.
        results: Masks.
        editor: Knows the masks of locked frames.
    """

    def __init__(
        self,
        session_id: str,
        source: ClosingSource,
        book: PromptBook,
        tracker: SessionTracker,
        results: ResultStore,
        editor: Editor,
    ) -> None:
        self.session_id = session_id
        self.results = results
        self._source = source
        self._book = book
        self._tracker = tracker
        self._editor = editor
        self._unreadable: dict[int, UnreadableFrame] = {}
        # Of the session's journal, to be told with those of the clip.
        self.notices: tuple[str, ...] = ()

    @property
    def clip(self) -> ClipInfo:
        """What the session was opened on, without the pictures that turned out to be unusable since."""
        clip = with_unreadable(self._source.info, self._unreadable)
        return replace(clip, notices=(*clip.notices, *self.notices)) if self.notices else clip

    def note_unreadable(self, frames: Iterable[UnreadableFrame]) -> None:
        """Keep what another reader of the clip, an export say, found to be unusable."""
        self._unreadable.update((each.frame, each) for each in frames)

    @property
    def is_untouched(self) -> bool:
        """True as long as nothing was ever said: no object, no prompt."""
        return not self._book.objects() and not self.undo_left and not self.redo_left

    @property
    def memory_bytes(self) -> int:
        """What the tracker held after its last turn."""
        return self._tracker.holdings.held_bytes

    @property
    def undo_left(self) -> int:
        """How many edits can be taken back."""
        return self._book.history.undo_left

    @property
    def redo_left(self) -> int:
        """How many edits that were taken back can be made again."""
        return self._book.history.redo_left

    def info(self) -> SessionInfo:
        """Clip, objects, and the state of every frame with a result."""
        book = self._book
        return SessionInfo(
            self.session_id,
            self.clip,
            book.objects(),
            self.states(),
            book.locks(),
            book.mattes(),
            self._tracker.shots.cuts,
            book.policies(),
        )

    def states(self, object_ids: Sequence[int] = ()) -> tuple[StateRange, ...]:
        """The state of every frame with a result; of all objects unless some are named.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        contents = self._book.contents
        chosen = [self._book.object(object_id).object_id for object_id in object_ids]
        found: list[StateRange] = []
        for object_id in chosen or contents.names:
            found += self.results.states(
                object_id,
                contents.prompted_frames(object_id),
                is_locked=partial(contents.is_locked, object_id),
                stale=self._tracker.stale.of(object_id),
            )
        return tuple(found)

    def untracked(self, object_ids: Sequence[int] = ()) -> tuple[StateRange, ...]:
        """Frames without a mask, of objects that were tracked; of all such objects unless some are named.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        found: list[StateRange] = []
        chosen = [self._book.object(object_id) for object_id in object_ids] or self._book.objects()
        for info in chosen:
            known = self.results.frames_of(info.object_id)
            if is_begun(known, info.prompted_frames):
                found += untracked(info.object_id, self.clip, known)
        return tuple(found)

    def objects(self) -> tuple[ObjectInfo, ...]:
        """All objects in the order in which they were added."""
        return self._book.objects()

    def object(self, object_id: int) -> ObjectInfo:
        """One object; raises ObjectNotFoundError."""
        return self._book.object(object_id)

    def name_of(self, object_id: int) -> str | None:
        """An object's name, None where there is no such object."""
        return self._book.name_of(object_id)

    def document(self) -> PromptDocument:
        """All objects and prompts, without the masks of locked frames."""
        return self._book.document()

    def whole_document(self) -> PromptDocument:
        """All objects and prompts with the masks of locked frames: many bytes, to be made in a thread."""
        return self._editor.with_masks(self._book.document())

    @property
    def drawn_bytes(self) -> int:
        """What all drawn masks take once they are unpacked, as they are in a document."""
        return drawn_bytes(self._book.contents.prompts.values())

    def locks(self) -> tuple[LockedRange, ...]:
        """All locked ranges, by object and frame."""
        return self._book.locks()

    def prompts_on(self, object_id: int, frame: int) -> FramePrompts | None:
        """What is said about an object on a frame, None where nothing is."""
        return self._book.find(object_id, frame)

    def is_drawn(self, result: ObjectFrame) -> bool:
        """True where the artist drew a mask of a result's object on its frame."""
        said = self._book.contents.prompts.get((result.object_id, result.frame))
        return said is not None and said.is_drawn

    def drawn_on(self, result: ObjectFrame) -> Mask | None:
        """The mask that the artist drew of a result's object on its frame, None where there is none."""
        said = self._book.find(result.object_id, result.frame)
        return None if said is None else said.mask

    def strokes_on(self, result: ObjectFrame) -> Sequence[Scribble]:
        """The strokes that the artist drew for a result's object on its frame."""
        said = self._book.find(result.object_id, result.frame)
        return () if said is None else said.scribbles

    def mattes(self) -> Mapping[int, MatteSettings]:
        """Settings of all mattes that are not left as they are, by object id."""
        return self._book.contents.mattes

    def matte(self, object_id: int) -> MatteSettings:
        """How the matte of an object is finished."""
        return self._book.contents.mattes.get(object_id) or MatteSettings()
