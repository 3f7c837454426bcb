"""A host without a program: a document of texts, plates under handles that an undo replaces, no clock.

It refuses what real hosts refuse: calls from threads other than its main one, and handles that an undo or a
removal has made void.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from masklet.hosting.plate_files import PlateSource
from masklet.hosting.ports import KeptSession
from masklet.hosting.repair_words import RepairWords
from masklet.hosting.work.connection import ConnectionSettings
from masklet.phrases import phrase
from masklet.said.documents import Document, SaidObject, find, new_uid, said_from_json, said_to_json

WORDS = RepairWords(
    host="Roto",
    find_pictures=phrase("find them with Media, Relink"),
    go_online=phrase("turn on Network in Settings"),
    token_file=phrase("the token's file is in Settings, masklet"),
    helper_python=phrase("the helper is in Settings, masklet"),
    server=phrase("the server is in Settings, masklet"),
)


@dataclass(frozen=True)
class KeptPlate:
    """What the document holds of one plate: texts and numbers, as a file would.

    Attributes:
        source: Where its pictures are.
        uid: Empty until it is adopted.
        objects: Uid, name and words of each object.
        states: Of frames, by object.
        session: As it was kept last.
        size_px: As the server reads it; None until there was one.
    """

    source: PlateSource
    uid: str = ""
    objects: tuple[tuple[str, str, str], ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    session: KeptSession = field(default_factory=KeptSession)
    size_px: tuple[int, int] | None = None


class Handle:
    """How this host names a plate; void after an undo."""


class FakeHost:
    """Implements :class:`masklet.hosting.ports.Host`.

    Args:
        has_interface: False plays a farm.

    Attributes:
        max_side_px: Of masks.
        is_playing: Set by tests.
        hidden: Uids of objects whose masks are not to be seen.
        settings: Of the server.
        ticking: True once the loop asked to be called; tests take it back.
        redraws: What was drawn again: "all", "panels" or "pictures".
        writes: How often the document was changed by the loop.
    """

    def __init__(self, *, has_interface: bool = True) -> None:
        self.has_interface = has_interface
        self.max_side_px = 64
        self.is_playing = False
        self.hidden: set[str] = set()
        self.settings = ConnectionSettings(words=WORDS)
        self.ticking = False
        self.redraws: list[str] = []
        self.writes = 0
        self._thread = threading.get_ident()
        self._kept: dict[Handle, KeptPlate] = {}

    def open(self, source: PlateSource) -> Handle:
        """Load a plate."""
        handle = Handle()
        self._kept[handle] = KeptPlate(source)
        return handle

    def remove(self, plate: Handle) -> None:
        """Take a plate out of the document."""
        del self._kept[plate]

    def snapshot(self) -> tuple[KeptPlate, ...]:
        """The document as the host's own undo keeps it, or a file."""
        return tuple(self._kept.values())

    def restore(self, snapshot: tuple[KeptPlate, ...]) -> tuple[Handle, ...]:
        """Go back to it; every handle is void."""
        self._kept = {Handle(): kept for kept in snapshot}
        return tuple(self._kept)

    def plates(self) -> Iterator[Handle]:
        """Those with a uid."""
        return iter([handle for handle, kept in self._kept.items() if kept.uid])

    def find(self, uid: str) -> Handle | None:
        """By uid."""
        self._check_thread()
        return next((handle for handle, kept in self._kept.items() if kept.uid == uid), None)

    def uid(self, plate: Handle) -> str:
        """Empty where it was not adopted."""
        return self._of(plate).uid

    def adopt(self, plate: Handle) -> str:
        """Give a uid."""
        kept = self._of(plate)
        if not kept.uid:
            kept = self._change(plate, uid=new_uid())
        return kept.uid

    def source(self, plate: Handle) -> PlateSource:
        """As it was opened."""
        return self._of(plate).source

    def document(self, plate: Handle) -> Document:
        """Read from the texts."""
        return tuple(said_from_json(uid, name, text) for uid, name, text in self._of(plate).objects)

    def take(self, plate: Handle, document: Document) -> None:
        """Written as texts, where they are others."""
        objects = tuple((said.uid, said.name, said_to_json(said)) for said in document)
        if objects != self._of(plate).objects:
            self._change(plate, objects=objects)

    def uids(self, plate: Handle) -> Sequence[str]:
        """In the order in which they were taken."""
        return [uid for uid, _, _ in self._of(plate).objects]

    def prompts(self, plate: Handle, uid: str) -> SaidObject:
        """Without masks."""
        said = find(self.document(plate), uid)
        assert said is not None, "the loop asks for objects that are there"
        return replace(said, masks=())

    def session(self, plate: Handle) -> KeptSession:
        """As it was kept."""
        return self._of(plate).session

    def keep_session(self, plate: Handle, session: KeptSession, size_px: tuple[int, int]) -> None:
        """Keep it."""
        self._change(plate, session=session, size_px=size_px)

    def states(self, plate: Handle) -> Mapping[str, str]:
        """Empty texts for objects of which nothing was kept."""
        kept = self._of(plate)
        return {uid: kept.states.get(uid, "") for uid, _, _ in kept.objects}

    def keep_states(self, plate: Handle, states: Mapping[str, str]) -> None:
        """Keep them."""
        self._change(plate, states={**self._of(plate).states, **states})

    def keep_ticking(self) -> None:
        """Note that the loop wants to be called."""
        self._check_thread()
        self.ticking = True

    def shown_uids(self, plate: Handle) -> Sequence[str]:
        """All that are not hidden."""
        return [uid for uid in self.uids(plate) if uid not in self.hidden]

    def redraw(self, *, panels: bool = True, everything: bool = False) -> None:
        """Note it."""
        self._check_thread()
        self.redraws.append("all" if everything else "panels" if panels else "pictures")

    def connection_settings(self) -> ConnectionSettings:
        """As tests set them."""
        return self.settings

    def _of(self, plate: Handle) -> KeptPlate:
        self._check_thread()
        if plate not in self._kept:
            raise ReferenceError("this handle is void: an undo has replaced what it stood for")
        return self._kept[plate]

    def _change(self, plate: Handle, **values: object) -> KeptPlate:
        from dataclasses import replace

        self.writes += 1
        changed: KeptPlate = replace(self._of(plate), **values)  # type: ignore[arg-type]
        self._kept[plate] = changed
        return changed

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("a host's data may be touched in its main thread only")
