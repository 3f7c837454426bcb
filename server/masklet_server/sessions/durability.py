"""What a session asks of a journal: values and protocols. Sessions know nothing of files or databases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from masklet.events import EditKind
from masklet.scopes import Scope
from masklet.types import ClipInfo
from masklet_server.sessions.approvals import Seen
from masklet_server.sessions.clip_reference import ClipReference
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.history import Edit, Trace
from masklet_server.sessions.result_places import Packing, Place, ResultEntry
from masklet_server.sessions.sharing import Access
from masklet_server.sessions.ways import Way


@dataclass(frozen=True)
class SessionHead:
    """What of a session never changes.

    Attributes:
        session_id: By which clients know it.
        owner: Whose it is.
        clip: What it takes to open the clip again.
        clip_info: The clip as it was found.
        model_sha256: Of the weights that its masks were made with.
        request_id: Of the call that opened it.
    """

    session_id: str
    owner: str
    clip: ClipReference
    clip_info: ClipInfo
    model_sha256: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class TrackNumber:
    """The last track of a session.

    Attributes:
        number: Results that it made carry this.
        request_id: By which its client comes back to it.
    """

    number: int = 0
    request_id: str = ""


@dataclass(frozen=True, eq=False)
class Standing:
    """All of a session but its results, as it is after a turn; nothing in it is changed later.

    Attributes:
        contents: What is said.
        done: Edits that can be taken back, the oldest first.
        undone: Edits that can be made again, the next one last.
        given_up: How many edits are not kept any more.
        traces: What edits did to results, by their numbers.
        next_object_id: Of the next object.
        next_edit: Number of the next edit.
        next_aside: Id of the next results that are kept aside.
        stale: Frames that prompts have overtaken, by object.
        cuts: Neighbouring frames between which a shot ends.
        seen: Second looks that locked frames were approved with, by object and frame.
        track: The last one.
    """

    contents: Contents
    done: Sequence[Edit]
    undone: Sequence[Edit]
    given_up: int
    traces: Mapping[int, Trace]
    next_object_id: int
    next_edit: int
    next_aside: int
    stale: Mapping[int, frozenset[int]]
    cuts: frozenset[tuple[int, int]]
    seen: Mapping[tuple[int, int], Seen]
    track: TrackNumber


@dataclass(frozen=True, eq=False)
class ResultPut:
    """A result is there, in place of any other."""

    object_id: int
    frame: int
    entry: ResultEntry
    packing: Packing
    track: int


@dataclass(frozen=True)
class ResultGone:
    """There is none any more."""

    object_id: int
    frame: int


@dataclass(frozen=True)
class ResultMoved:
    """A result is another object's now."""

    object_id: int
    frame: int
    to_id: int


@dataclass(frozen=True)
class WayNoted:
    """How a frame was tracked."""

    object_id: int
    frame: int
    way: Way


@dataclass(frozen=True)
class WaysForgotten:
    """How an object was tracked does not matter any more."""

    object_id: int


Note = ResultPut | ResultGone | ResultMoved | WayNoted | WaysForgotten


@dataclass(frozen=True)
class Answer:
    """What a call did, as far as its answer cannot be told from the session: for a client that asks again.

    Attributes:
        object_id: Whose.
        frame: Where, for prompts of one frame.
        kind: What was taken back or made again.
    """

    object_id: int = 0
    frame: int | None = None
    kind: EditKind | None = None


@dataclass(frozen=True)
class Request:
    """A call that changes something; ids of different methods do not meet."""

    method: str
    request_id: str


@dataclass(frozen=True, eq=False)
class Record:
    """What one turn changed.

    Attributes:
        standing: How all is after it.
        notes: What became of results, in order.
        request: The call that asked for it.
        answer: What that call did.
    """

    standing: Standing
    notes: Sequence[Note] = ()
    request: Request | None = None
    answer: Answer | None = None


@dataclass(frozen=True, eq=False)
class KeptResult:
    """A result that a journal holds."""

    object_id: int
    frame: int
    entry: ResultEntry
    place: Place
    track: int = 0


@dataclass(frozen=True, eq=False)
class Restored:
    """A session as its journal knows it; ``notices`` say what of it was damaged, to its artist."""

    standing: Standing
    results: Sequence[KeptResult] = ()
    ways: Mapping[tuple[int, int], Way] = field(default_factory=dict)
    answers: Mapping[Request, Answer] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def tracked(self) -> dict[int, set[int]]:
        """Frames that the last track has made, by object."""
        done: dict[int, set[int]] = {}
        for kept in self.results:
            if kept.track and kept.track == self.standing.track.number:
                done.setdefault(kept.object_id, set()).add(kept.frame)
        return done


class ResultKeeper(Protocol):
    """Told where results lie that a journal has written."""

    def keep_at(self, object_id: int, frame: int, entry: ResultEntry, place: Place) -> None:
        """A journal keeps this result."""
        ...


class SessionJournal(Protocol):
    """Where a session's changes go."""

    def add(self, record: Record) -> None:
        """Take a record; records are written in the order in which they come. From any thread, at once."""
        ...

    async def settle(self) -> None:
        """See that all records are on the disk.

        Raises:
            OutputError: The disk takes nothing: records stay, and the next call tries again.
            SessionNotFoundError: Another server has taken the session over.
        """
        ...

    def attach(self, results: ResultKeeper) -> None:
        """Tell these from now on where results lie."""
        ...

    async def share(self, shares: Mapping[str, frozenset[Scope]]) -> None:
        """Write who else gets in; it is on the disk when this returns.

        Raises:
            OutputError: The disk takes nothing.
            SessionNotFoundError: Another server has taken the session over.
        """
        ...

    async def rest(self) -> None:
        """Give files back; the next record opens them again."""
        ...


class NoJournal:
    """Keeps nothing: what is in memory goes with the process."""

    def add(self, record: Record) -> None:  # noqa: D102
        pass

    async def settle(self) -> None:  # noqa: D102
        pass

    def attach(self, results: ResultKeeper) -> None:  # noqa: D102
        pass

    async def share(self, shares: Mapping[str, frozenset[Scope]]) -> None:  # noqa: D102
        pass

    async def rest(self) -> None:  # noqa: D102
        pass


class Journals(Protocol):
    """The journals of all sessions of a server."""

    def folder_of(self, session_id: str) -> Path:
        """Where files of a session may lie; deleted with it."""
        ...

    async def access_of(self, session_id: str, *, asked_by: str = "") -> Access | None:
        """Who gets into a session; None where there is none.

        It takes as long for a session of somebody else's as for one's own.

        Raises:
            OutputError: It cannot be read, or is damaged.
        """
        ...

    async def sweep(self, kept_s: float, *, but: Collection[str]) -> None:
        """Delete sessions that nobody has used for so long, but those that are in memory."""
        ...

    async def create(self, head: SessionHead) -> SessionJournal:
        """A journal for a fresh session, which is on the disk when this returns.

        Raises:
            OutputError: The disk takes nothing.
        """
        ...

    async def open(self, session_id: str, owner: str) -> tuple[SessionHead, Restored, SessionJournal] | None:
        """A session that is not in memory, to go on with; None where there is none of this owner.

        Whoever had it open before can write nothing any more.

        Raises:
            OutputError: It cannot be read, or is damaged.
        """
        ...

    async def opened_by(self, owner: str, request_id: str) -> str | None:
        """The session that a call opened, None where there is none."""
        ...

    async def summaries(self, user: str) -> Sequence[KeptSummary]:
        """Sessions that a user gets into, in any order."""
        ...

    async def remove(self, session_id: str) -> None:
        """Delete a session's journal; fine when there is none."""
        ...

    def touch(self, session_id: str) -> None:
        """The session is used now."""
        ...


@dataclass(frozen=True)
class KeptSummary:
    """A session in a list of those that journals hold."""

    session_id: str
    clip_name: str
    objects: int
    idle_s: float
    access: Access
