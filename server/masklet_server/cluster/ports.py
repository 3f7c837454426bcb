"""What a cluster is to those who use it: values and narrow interfaces, of the standard library alone.

A *worker* is a server of masklet with one device. A *directory* knows which worker has which session. Nothing
else is shared. Whoever starts workers (processes, Ray's actors, Kubernetes) needs :class:`Roster`; whoever
sends artists to them needs :class:`Directory`.

Two things keep a session from having two owners. A worker holds its place by a *lease*: it has to report
within so many seconds, counted on the directory's own clock, so no two clocks are ever compared. A session
has an *epoch*, which rises whenever it gets another owner: every change of the directory names the epoch it
knows, and is refused where that is not the one in force. Journals have epochs of their own, raised by
whoever opens one, so a worker that slept through all this writes nothing either.

All calls block for a disk's time at most, and may come from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from masklet.errors import BadInputError, LimitError, MaskletError

LEASE_S = 3.0
"""A worker that has not reported for so long is gone."""
REPORT_EVERY_S = 1.0
"""How often a worker reports."""
HEARD_SHARE = 2 / 3
"""Of a lease: nobody is sent to a worker that has been silent for longer, as it may hang."""


class NameOfAnotherError(BadInputError):
    """A worker with this name reports from another address: it has to be given another name."""

    kind = "name-of-another"


class NotAMemberError(MaskletError):
    """The directory does not know this worker under this incarnation: it has to join anew."""

    kind = "not-a-member"
    grpc_status = "FAILED_PRECONDITION"


class FencedError(MaskletError):
    """The session has another owner or another epoch by now: nothing was changed, and it is to be let go."""

    kind = "fenced"
    grpc_status = "ABORTED"


class NoRoomError(LimitError):
    """No worker takes another session now."""

    kind = "no-room"


class WorkerState(Enum):
    """What may be asked of a worker."""

    ALIVE = "alive"
    DRAINING = "draining"
    """It gives its sessions to others, and gets no new ones."""
    GONE = "gone"
    """Its lease has ended; others may take its sessions where they reach its journals."""


@dataclass(frozen=True)
class Offer:
    """How a worker introduces itself.

    Attributes:
        name: One of a kind in the cluster, the same after a restart: ``node3-gpu1``.
        endpoint: ``host:port`` at which clients reach it.
        volume: Names the folder of journals: workers with the same one can open each other's sessions.
        info: What it tells clients of itself, for the front door to tell; the directory only keeps it.
    """

    name: str
    endpoint: str
    volume: str
    info: str = ""


@dataclass(frozen=True)
class Membership:
    """A worker's place in the cluster.

    Attributes:
        name: The worker's.
        incarnation: Rises each time a worker of this name joins: what an earlier one says does not count.
        lease_s: It has to report within so many seconds.
    """

    name: str
    incarnation: int
    lease_s: float = LEASE_S


@dataclass(frozen=True)
class Load:
    """What a worker has left.

    Attributes:
        free_bytes: Of the memory for trackers.
        free_sessions: How many more sessions it takes.
        is_draining: It wants to give its sessions away: it was told to stop.
    """

    free_bytes: int
    free_sessions: int
    is_draining: bool = False


@dataclass(frozen=True)
class Worker:
    """A worker as the directory knows it.

    Attributes:
        offer: How it introduced itself.
        incarnation: As in :class:`Membership`.
        state: What may be asked of it.
        load: As it reported last.
        sessions: How many sessions are in its hands.
        silent_s: Since it reported last.
        is_heard: It has reported since the directory was opened, and not too long ago to be sent to.
    """

    offer: Offer
    incarnation: int
    state: WorkerState
    load: Load
    sessions: int
    silent_s: float
    is_heard: bool = True

    @property
    def name(self) -> str:
        """Its name."""
        return self.offer.name


@dataclass(frozen=True)
class Wish:
    """What a new session needs.

    Attributes:
        account: Who opens it.
        content: Digest that names the plate: a worker that had it last is near to it. Empty for none.
        needed_bytes: A guess at its memory.
        volume: Only workers with these journals; empty for any.
    """

    account: str
    content: str = ""
    needed_bytes: int = 0
    volume: str = ""


@dataclass(frozen=True)
class SessionFacts:
    """What the directory tells of a session to those who may know of it.

    Attributes:
        owner: Account of whoever opened it.
        guests: Accounts that it is shared with, and what for, in the words of scopes.
        clip_name: For people.
        objects: How many it has.
        size_bytes: Of its tracker's memory.
        content: As in :class:`Wish`.
    """

    owner: str
    guests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clip_name: str = ""
    objects: int = 0
    size_bytes: int = 0
    content: str = ""


@dataclass(frozen=True)
class Residence:
    """Where a session lives.

    Attributes:
        session_id: Which.
        epoch: Rises with each new owner.
        worker: Name of the one in whose hands it is; empty while it is in nobody's.
        incarnation: Of that worker when it took the session; 0 where it was given one and has not come yet.
        volume: Where its journal is.
        facts: See :class:`SessionFacts`.
        idle_s: Since somebody told of it last.
    """

    session_id: str
    epoch: int
    worker: str
    incarnation: int
    volume: str
    facts: SessionFacts
    idle_s: float = 0.0


@dataclass(frozen=True)
class Orders:
    """What the directory answers to a report.

    Attributes:
        drain: Let go of every session, one after the other, and take no more.
        lost: Sessions that are somebody else's now: let go without a word to the journal.
    """

    drain: bool = False
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refuge:
    """Where a journal has to be taken, as nobody else reaches its disk.

    Attributes:
        endpoint: ``host:port`` of a worker.
        volume: Of that one.
    """

    endpoint: str
    volume: str


class Directory(Protocol):
    """Where sessions live, for whoever sends artists there."""

    def place(self, wish: Wish) -> Worker:
        """The worker that should get a new session: near to its plate, else with the most free bytes.

        Raises:
            NoRoomError: None takes one.
            SilentError: Those that may have room have not said so yet.
        """
        ...

    def locate(self, session_id: str) -> Residence | None:
        """Where a session lives; None for one that nobody knows of."""
        ...

    def fence(self, session_id: str, epoch: int, *, to: str = "") -> Residence:
        """Take a session from its owner, whose epoch ends, and give it to another one.

        Args:
            session_id: Which.
            epoch: The one that is to end.
            to: Name of a worker on the same volume; empty for none yet.

        Raises:
            FencedError: That epoch has ended already.
            NotAMemberError: There is no such worker, or it does not reach the journal.
        """
        ...

    def drain(self, worker: str) -> tuple[Residence, ...]:
        """Have a worker give its sessions to others and get no new ones; those that it has now.

        It is told with its next report. It joins anew to get sessions again.

        Raises:
            NotAMemberError: There is no such worker.
        """
        ...

    def workers(self) -> Sequence[Worker]:
        """All workers, those that have gone too, by name."""
        ...


class Roster(Protocol):
    """What workers tell. Over the network it is served by the gateway."""

    def join(self, offer: Offer) -> Membership:
        """Become a worker, or one again after a restart.

        Raises:
            NameOfAnotherError: One of this name is alive at another address.
        """
        ...

    def report(self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()) -> Orders:
        """Say that one is there, and hold the lease.

        Args:
            membership: Whose.
            load: What is left.
            held: Sessions in memory, with the epochs at which they were taken.

        Raises:
            NotAMemberError: It has to join anew; its sessions may be others' by now.
        """
        ...

    def claim(self, membership: Membership, session_id: str, facts: SessionFacts) -> int:
        """Take a session that is new, one's own, given to oneself, in nobody's hands, or of one that is gone.

        To be called before a journal is opened. Who has it already gets the same epoch again.

        Args:
            membership: Who takes it.
            session_id: Which.
            facts: What is told of one that is new; of others that stays as it is.

        Returns:
            Its epoch.

        Raises:
            FencedError: It is somebody else's.
            NotAMemberError: It has to join anew.
        """
        ...

    def tell(self, session_id: str, epoch: int, facts: SessionFacts) -> None:
        """Change what is told of a session.

        Raises:
            FencedError: It is somebody else's by now.
        """
        ...

    def refuge(self, membership: Membership, session_id: str, epoch: int) -> Refuge | None:
        """Where to take a session's journal before it is released.

        Returns:
            None where it stays: another worker reaches it there, or none has room.

        Raises:
            FencedError: It is somebody else's already.
            NotAMemberError: It has to join anew.
            SilentError: As :meth:`Directory.place`.
        """
        ...

    def release(self, session_id: str, epoch: int, *, volume: str = "") -> None:
        """Give a session up whose journal is complete: anybody on the volume may take it.

        Args:
            session_id: Which.
            epoch: At which it was taken.
            volume: Where its journal is now; empty for where it was.

        Raises:
            FencedError: It is somebody else's already.
        """
        ...

    def forget(self, session_id: str, epoch: int) -> None:
        """A session was closed for good.

        Raises:
            FencedError: It is somebody else's by now.
        """
        ...

    def leave(self, membership: Membership) -> None:
        """Stop being a worker: what one still has is in nobody's hands. Fine for one that is no member."""
        ...
