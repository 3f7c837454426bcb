"""What a host implements: a handful of small protocols, all of them called in its main thread.

A host names its plates by a handle of its own, ``P``: a datablock, a node, a clip. A handle is looked up anew
whenever something comes back from a thread, since an undo may have replaced what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from masklet.hosting.plate_files import PlateSource
from masklet.hosting.work.connection import ConnectionSettings
from masklet.said.documents import Document, SaidObject

P = TypeVar("P")
"""A host's handle of a plate."""
P_contra = TypeVar("P_contra", contravariant=True)


@dataclass(frozen=True)
class KeptSession:
    """What a document keeps of a plate's session.

    Attributes:
        session_id: By which to come back; empty for none.
        fingerprint: Of the plate that the prompts were made on; empty to take any.
        path: The plate's path when the session was opened; empty where it is not known.
    """

    session_id: str = ""
    fingerprint: str = ""
    path: str = ""


class ReadsPlates(Protocol[P]):
    """Knows which plates there are."""

    def plates(self) -> Iterable[P]:
        """Those that were given objects."""
        ...

    def find(self, uid: str) -> P | None:
        """The plate of this uid; None where it is gone."""
        ...

    def uid(self, plate: P) -> str:
        """What names the plate in its document for ever; empty where it has no name yet."""
        ...

    def adopt(self, plate: P) -> str:
        """The same, given where it has none."""
        ...

    def source(self, plate: P) -> PlateSource:
        """Where the pictures are and how large they are, whatever is shown.

        Raises:
            MaskletError: It is no plate, or its pictures cannot be read.
        """
        ...


class KeepsDocuments(Protocol[P_contra]):
    """Keeps what was said about a plate, and what is known of it, in the host's own document."""

    def document(self, plate: P_contra) -> Document:
        """Everything said.

        Raises:
            BadInputError: What was kept was damaged.
        """
        ...

    def take(self, plate: P_contra, document: Document) -> None:
        """Make the plate say exactly this; no step of the host's own undo."""
        ...

    def uids(self, plate: P_contra) -> Sequence[str]:
        """Of the objects, in the artist's order."""
        ...

    def prompts(self, plate: P_contra, uid: str) -> SaidObject:
        """What is said about an object, without the masks of locked frames, which may be many.

        Raises:
            BadInputError: What was kept was damaged.
        """
        ...

    def session(self, plate: P_contra) -> KeptSession:
        """The session that is kept."""
        ...

    def keep_session(self, plate: P_contra, session: KeptSession, size_px: tuple[int, int]) -> None:
        """Keep another, and the plate's width and height as the server reads them."""
        ...

    def states(self, plate: P_contra) -> Mapping[str, str]:
        """What :meth:`keep_states` was given, by object; empty texts where it was given nothing."""
        ...

    def keep_states(self, plate: P_contra, states: Mapping[str, str]) -> None:
        """Keep the states of frames, by object, for when the document is opened again."""
        ...


class RunsMainThread(Protocol):
    """Has a main thread, which alone may change data."""

    @property
    def has_interface(self) -> bool:
        """False where a script or a farm runs it: work is waited for, and nothing is fetched to be seen."""
        ...

    def keep_ticking(self) -> None:
        """Have :meth:`.loop.Loop.beat` called again and again until it says that nothing is left."""
        ...


class ShowsMasks(Protocol[P_contra]):
    """Shows plates with masks over them."""

    @property
    def max_side_px(self) -> int:
        """Longest side of masks in the viewer."""
        ...

    @property
    def is_playing(self) -> bool:
        """True while pictures play, and nothing slow is worth fetching."""
        ...

    def shown_uids(self, plate: P_contra) -> Sequence[str]:
        """Of the objects whose masks are to be seen."""
        ...

    def redraw(self, *, panels: bool = True, everything: bool = False) -> None:
        """Have viewers drawn again.

        Args:
            panels: With the panels around them; otherwise the pictures alone.
            everything: Settings too.
        """
        ...


class Host(ReadsPlates[P], KeepsDocuments[P], RunsMainThread, ShowsMasks[P], Protocol[P]):
    """All that the loop asks of a host."""

    def connection_settings(self) -> ConnectionSettings:
        """The server to work with now."""
        ...
