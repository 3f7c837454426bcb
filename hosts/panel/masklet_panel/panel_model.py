"""What every widget of the panel knows: the plate that is open, what is said, what is shown, what runs.

Widgets read frozen values and connect to signals; whatever an artist does is a method here or in one of the
parts. Nothing but this module, and the parts it is made of, speaks to the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.hosting import kept_plate
from masklet.phrases import phrase
from masklet.said.documents import find
from masklet.types import FrameRange
from masklet_panel.edit_history import EditHistory, Step
from masklet_panel.shown_values import ShownObject
from masklet_panel.working_model import WorkingModel

if TYPE_CHECKING:
    from masklet.hosting.kept_plate import KeptPlate, Look
    from masklet.hosting.shown.frame_book import Strip
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.track_versions import TrackVersion
    from masklet.hosting.work.connection import Connection, ConnectionSettings
    from masklet.said.documents import Document, SaidObject


class PanelModel(WorkingModel):
    """All of it: the plate, work on it, its objects and everything said about them.

    The arguments are those of :class:`masklet_panel.plate_model.PlateModel`.
    """

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        connection: Connection | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(settings, connection, folder)
        self._span: FrameRange | None = None
        self._selected: tuple[str, ...] = ()
        self._history = EditHistory()

    # Objects.

    @property
    def objects(self) -> tuple[ShownObject, ...]:
        """In the artist's order."""
        kept = self.kept
        if kept is None or self._plate is None:
            return ()
        visible, solo = set(self.host.shown_uids(self._plate)), self.host.solo
        return tuple(
            ShownObject(
                said.uid,
                said.name,
                kept.look(said.uid).colour,
                kept.look(said.uid).is_shown,
                said.uid in visible,
                said.uid in solo,
                said.uid in self._selected,
                said.uid == self.active,
            )
            for said in kept.document
        )

    @property
    def document(self) -> Document:
        """Everything said; nothing where no plate is open."""
        return () if self._plate is None else self.host.document(self._plate)

    def said(self, uid: str) -> SaidObject | None:
        """Everything said about an object; None where it is gone."""
        return find(self.document, uid)

    @property
    def selected(self) -> tuple[str, ...]:
        """Uids of the objects that buttons work on, in the artist's order."""
        return tuple(said.uid for said in self.document if said.uid in self._selected)

    @property
    def active(self) -> str:
        """Uid of the object that clicks are about; empty for none."""
        alive = [uid for uid in self._selected if find(self.document, uid) is not None]
        return alive[-1] if alive else ""

    def select(self, uids: Iterable[str]) -> None:
        """Work on these objects; the last is the one that clicks are about."""
        chosen = tuple(dict.fromkeys(uids))
        if chosen != self._selected:
            self._selected = chosen
            self.selection_changed.emit()
            self.masks_changed.emit()

    def set_solo(self, uids: Iterable[str]) -> None:
        """Show these objects alone; none given shows all again."""
        self.host.solo = frozenset(uids)
        self.document_changed.emit()
        self.masks_changed.emit()

    # What is said.

    def edit(self, document: Document, looks: dict[str, Look] | None = None, *, drags: bool = False) -> None:
        """Say something else: one step of undo, and the server follows.

        Args:
            document: Everything that is said now.
            looks: Of objects that are to look different.
            drags: A value is being dragged: the steps become one, and the server follows once it rests.
        """
        if self._plate is None:
            return
        before = self.host.kept(self._plate)
        self._history.note(Step.of(before), drags=drags)
        self._say(Step(document, {**before.looks, **(looks or {})}), before.document, drags=drags)

    def end_drag(self) -> None:
        """The value that was dragged is let go: the next one is a step of its own."""
        self._history.end_drag()

    @property
    def can_undo(self) -> bool:
        """True where something can be taken back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """True where something that was taken back can be said again."""
        return self._history.can_redo

    def undo(self) -> None:
        """Take back the last thing said."""
        self._take(self._history.undo)

    def redo(self) -> None:
        """Say it again."""
        self._take(self._history.redo)

    # What is shown.

    @property
    def span(self) -> FrameRange | None:
        """From in to out; None for the whole plate."""
        return self._span

    def set_span(self, span: FrameRange | None) -> None:
        """Work between these two frames, or on the whole plate."""
        if span != self._span:
            self._span = span
            self.span_changed.emit()

    def strips(self, uid: str) -> tuple[Strip, ...]:
        """States of an object's frames, ascending."""
        return () if self.memory is None else self.memory.book.strips(uid)

    @property
    def cuts(self) -> tuple[int, ...]:
        """First frames of new shots, as far as they are known."""
        return () if self.memory is None else self.memory.cuts

    @property
    def versions(self) -> tuple[TrackVersion, ...]:
        """Kept versions of the track, oldest first."""
        memory = self.memory
        return () if memory is None or memory.versions is None else memory.versions.all

    def mask(self, uid: str, frame: int) -> PackedMask | None:
        """The mask of an object on a frame; fetched where the server has one and it is not here yet."""
        memory = self.memory
        if memory is None or self._plate is None:
            return None
        mask = memory.masks.get(uid, frame)
        strip = memory.book.at(uid, frame)
        if mask is None and strip is not None and strip.held:
            self.loop.fetching.want_mask(self._plate, uid, frame)
        return mask

    # Inside.

    def _begin(self, kept: KeptPlate) -> None:
        self._selected = tuple(item.uid for item in kept.document[:1])

    def _end(self) -> None:
        self._span, self._selected, self._history = None, (), EditHistory()

    def _say(self, step: Step, before: Document, *, drags: bool = False) -> None:
        assert self._plate is not None
        kept = kept_plate.with_document(self.host.kept(self._plate), step.document)
        alive = {said.uid for said in step.document}
        own = {uid: look for uid, look in step.looks.items() if uid in alive}
        self.host.keep(self._plate, replace(kept, looks={**kept.looks, **own}))
        # The server is at work while the panel draws what was said.
        if drags:
            self.loop.request_synchronise(self._plate)
        elif step.document != before:
            self.loop.synchronise(self._plate, wait=False)
        self.document_changed.emit()
        self.masks_changed.emit()

    def _take(self, move: Callable[[Step], Step | None]) -> None:
        if self._plate is None:
            return
        before = self.host.kept(self._plate)
        step = move(Step.of(before))
        if step is not None:
            self._say(step, before.document)


def new_name(document: Document) -> str:
    """A name for another object that none has yet."""
    taken = {said.name for said in document}
    number = len(document) + 1
    # A name, and no sentence: it is not translated anew where it is shown.
    while (name := str(phrase("object {number}", number=number))) in taken:
        number += 1
    return name
