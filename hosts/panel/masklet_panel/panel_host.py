"""The panel as a host of the artist's loop: its document is a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.hosting.kept_plate import KeptPlate, with_document
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.repair_words import IN_ANY_HOST, RepairWords
from masklet.hosting.work.connection import ConnectionSettings
from masklet.phrases import phrase
from masklet.prompts import PlateShape
from masklet.said.documents import find, new_uid
from masklet.types import FrameRange

if TYPE_CHECKING:
    from masklet.hosting.ports import KeptSession
    from masklet.said.documents import Document, SaidObject

MAX_SIDE_PX = 1024
"""Of masks in the viewer, unless somebody asks for finer ones."""

WORDS = RepairWords(
    host=phrase("masklet's panel"),
    find_pictures=phrase("bring them back, or choose Find Plate"),
    go_online=phrase("leave the server in Settings empty to work on this machine"),
    token_file=phrase("the token's file is chosen in Settings"),
    helper_python=phrase("the helper's Python is in Settings"),
    server=phrase("server, token file and certificate are in Settings"),
)


class PanelPlate:
    """How the panel names a plate: it stays the same as long as the plate is open."""


class PanelHost:
    """Implements :class:`masklet.hosting.ports.Host`.

    Args:
        settings: The server to work with.
        keep_ticking: Has the loop's beat called again and again.
        redraw: Told whether with the panels around the viewer.
        changed: Told of a plate whose document is to be written.

    Attributes:
        settings: As given; may change.
        max_side_px: Longest side of masks in the viewer.
        speed: Of playing: 0 while pictures stand, negative backward.
        solo: Uids of objects that are shown alone; empty for all.
        has_interface: False where a script runs it, and waits for its work.
    """

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        *,
        keep_ticking: Callable[[], None] = lambda: None,
        redraw: Callable[[bool], None] = lambda panels: None,
        changed: Callable[[PanelPlate], None] = lambda plate: None,
    ) -> None:
        settings = settings or ConnectionSettings()
        self.settings = replace(settings, words=WORDS) if settings.words is IN_ANY_HOST else settings
        self.max_side_px = MAX_SIDE_PX
        self.speed = 0
        self.solo: frozenset[str] = frozenset()
        self.has_interface = True
        self._keep_ticking, self._redraw, self._changed = keep_ticking, redraw, changed
        self._kept: dict[PanelPlate, KeptPlate] = {}

    def open(self, kept: KeptPlate) -> PanelPlate:
        """Show a plate; it has no uid until it is adopted, unless its document gives one."""
        plate = PanelPlate()
        self._kept[plate] = kept
        return plate

    def close(self, plate: PanelPlate) -> None:
        """Show it no longer."""
        del self._kept[plate]

    def kept(self, plate: PanelPlate) -> KeptPlate:
        """All that the plate's document keeps."""
        return self._kept[plate]

    def keep(self, plate: PanelPlate, kept: KeptPlate) -> None:
        """Keep this instead; the document is written where anything is different."""
        if kept != self._kept[plate]:
            self._kept[plate] = kept
            self._changed(plate)

    def plates(self) -> Iterator[PanelPlate]:
        """Those with a uid."""
        return iter([plate for plate, kept in self._kept.items() if kept.uid])

    def find(self, uid: str) -> PanelPlate | None:
        """By uid."""
        return next((plate for plate, kept in self._kept.items() if uid and kept.uid == uid), None)

    def uid(self, plate: PanelPlate) -> str:
        """Empty where it was not adopted."""
        return self._kept[plate].uid

    def adopt(self, plate: PanelPlate) -> str:
        """Give a uid."""
        kept = self._kept[plate]
        if not kept.uid:
            kept = self._kept[plate] = replace(kept, uid=new_uid())
        return kept.uid

    def source(self, plate: PanelPlate) -> PlateSource:
        """Where the pictures are; no size as long as the server has not read them."""
        kept = self._kept[plate]
        width_px, height_px = (0, 0) if kept.shape is None else (kept.shape.width_px, kept.shape.height_px)
        return PlateSource(
            Path(kept.path).name, kept.path, width_px, height_px, kept.reading, words=self.settings.words
        )

    def document(self, plate: PanelPlate) -> Document:
        """Everything said."""
        return self._kept[plate].document

    def take(self, plate: PanelPlate, document: Document) -> None:
        """Say this; what is known of objects that are gone goes with them."""
        self.keep(plate, with_document(self._kept[plate], document))

    def uids(self, plate: PanelPlate) -> Sequence[str]:
        """Of the objects, in the artist's order."""
        return [said.uid for said in self._kept[plate].document]

    def prompts(self, plate: PanelPlate, uid: str) -> SaidObject:
        """What is said about an object, without masks of locked frames."""
        said = find(self._kept[plate].document, uid)
        assert said is not None, "the loop asks for objects that are there"
        return replace(said, masks=())

    def session(self, plate: PanelPlate) -> KeptSession:
        """As it was kept."""
        return self._kept[plate].session

    def keep_session(self, plate: PanelPlate, session: KeptSession, size_px: tuple[int, int]) -> None:
        """Keep another, and the plate's size."""
        kept = self._kept[plate]
        frames = FrameRange(0, 0) if kept.shape is None else kept.shape.frames
        self.keep(plate, replace(kept, session=session, shape=PlateShape(*size_px, frames)))

    def states(self, plate: PanelPlate) -> Mapping[str, str]:
        """By object; empty texts where nothing was kept."""
        kept = self._kept[plate]
        return {said.uid: kept.states.get(said.uid, "") for said in kept.document}

    def keep_states(self, plate: PanelPlate, states: Mapping[str, str]) -> None:
        """Keep them."""
        kept = self._kept[plate]
        self.keep(plate, replace(kept, states={**kept.states, **states}))

    def keep_ticking(self) -> None:
        """Have the beat called."""
        self._keep_ticking()

    @property
    def is_playing(self) -> bool:
        """True while pictures play."""
        return bool(self.speed)

    def shown_uids(self, plate: PanelPlate) -> Sequence[str]:
        """Of the objects whose eyes are open, or of those that are shown alone."""
        kept = self._kept[plate]
        alone = [uid for uid in self.uids(plate) if uid in self.solo]
        return alone or [uid for uid in self.uids(plate) if kept.look(uid).is_shown]

    def redraw(self, *, panels: bool = True, everything: bool = False) -> None:
        """Have it drawn."""
        self._redraw(panels or everything)

    def connection_settings(self) -> ConnectionSettings:
        """As the settings say now."""
        return self.settings
