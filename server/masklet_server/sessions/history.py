"""Edits that can be taken back, and what has to be put back with each."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from masklet.errors import BadInputError
from masklet.events import EditKind
from masklet_server.sessions.contents import Contents
from masklet_server.tracking import ObjectFrame

MAX_UNDO = 256
MAX_UNDO_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class Edit:
    """One change of what is said: words alone.

    Attributes:
        number: In the order in which they were made; never given twice in a session.
        kind: What was changed.
        object_id: Whose; 0 where it was everything.
        before: What was said before.
        after: What was said then.
        frame: Where, for prompts.
    """

    number: int
    kind: EditKind
    object_id: int
    before: Contents
    after: Contents
    frame: int | None = None

    @property
    def size_bytes(self) -> int:
        """About what is in memory for this edit alone: what was said before it and is not said after it."""
        after = self.after.prompts
        return sum(said.size_bytes for key, said in self.before.prompts.items() if after.get(key) is not said)


@dataclass(frozen=True, eq=False)
class Aside:
    """Results that are kept for an edit to be taken back.

    Attributes:
        results_id: Under which the result store holds them: no object has it.
        stale: Those that were stale.
    """

    results_id: int
    stale: frozenset[int]


@dataclass(frozen=True, eq=False)
class Trace:
    """What an edit did to results, so that they come back with the words; replaced as a whole.

    Attributes:
        marked_stale: Frames that became stale by it and have not been tracked since.
        replaced: Results that stood where the edit put others, by frame; None where there was none.
        replaced_stale: Those of them that were stale.
        aside: Results that it took away, since no prompt was left to make them.
    """

    marked_stale: frozenset[int] = frozenset()
    replaced: Mapping[int, ObjectFrame | None] = field(default_factory=dict)
    replaced_stale: frozenset[int] = frozenset()
    aside: Aside | None = None

    @property
    def size_bytes(self) -> int:
        """What its results take in memory."""
        return sum(result.logits.nbytes for result in self.replaced.values() if result is not None)


NO_TRACE = Trace()


class History:
    """Edits that can be taken back, and those that can be made again, each with its trace.

    Args:
        max_bytes: What edits may take together; beyond it the oldest are given up, never the last.
    """

    def __init__(self, *, max_bytes: int = MAX_UNDO_BYTES) -> None:
        self._max_bytes = max_bytes
        self._done: deque[Edit] = deque()
        self._undone: list[Edit] = []
        self._traces: dict[int, Trace] = {}
        self._sizes_bytes: dict[int, int] = {}
        self._given_up = 0

    @property
    def size_bytes(self) -> int:
        """About what all edits and their traces take in memory."""
        return sum(self._size_bytes(edit) for edit in (*self._done, *self._undone))

    @property
    def undo_left(self) -> int:
        """How many edits can be taken back."""
        return len(self._done)

    @property
    def redo_left(self) -> int:
        """How many edits can be made again."""
        return len(self._undone)

    @property
    def done(self) -> tuple[Edit, ...]:
        """Edits that can be taken back, the oldest first."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Edit, ...]:
        """Edits that can be made again, the next one last."""
        return tuple(self._undone)

    @property
    def given_up(self) -> int:
        """How many edits are not kept any more."""
        return self._given_up

    @property
    def traces(self) -> Mapping[int, Trace]:
        """A copy of all traces, by the numbers of their edits."""
        return dict(self._traces)

    def restore(
        self, done: Iterable[Edit], undone: Iterable[Edit], traces: Mapping[int, Trace], given_up: int
    ) -> None:
        """Know edits again."""
        self._done, self._undone = deque(done), list(undone)
        self._traces, self._given_up = dict(traces), given_up

    def add(self, edit: Edit) -> None:
        """Keep a new edit; what was taken back before is forgotten."""
        self._done.append(edit)
        while self._undone:
            self._forget(self._undone.pop())
        size_bytes = self.size_bytes
        while len(self._done) > MAX_UNDO or (size_bytes > self._max_bytes and len(self._done) > 1):
            oldest = self._done.popleft()
            size_bytes -= self._size_bytes(oldest)
            self._forget(oldest)
            self._given_up += 1

    def trace(self, edit: Edit) -> Trace:
        """What the edit did to results, as far as was told."""
        return self._traces.get(edit.number, NO_TRACE)

    def set_trace(self, edit: Edit, trace: Trace) -> None:
        """Keep what the edit did to results."""
        self._traces[edit.number] = trace

    def last_done(self) -> Edit:
        """The edit that would be taken back.

        Raises:
            BadInputError: There is none.
        """
        if not self._done and self._given_up:
            raise BadInputError(
                f"there is nothing more to take back: the server keeps {MAX_UNDO} steps of a session, and "
                f"{self._max_bytes / 1e6:.0f} MB of them; {self._given_up} older ones were given up"
            )
        if not self._done:
            raise BadInputError("there is nothing to take back: nothing was changed yet")
        return self._done[-1]

    def last_undone(self) -> Edit:
        """The edit that would be made again.

        Raises:
            BadInputError: There is none.
        """
        if not self._undone:
            raise BadInputError("there is nothing to make again: take something back first")
        return self._undone[-1]

    def step_back(self) -> None:
        """The last edit has been taken back."""
        self._undone.append(self._done.pop())

    def step_forward(self) -> None:
        """The last edit that was taken back has been made again."""
        self._done.append(self._undone.pop())

    def objects(self) -> frozenset[int]:
        """Ids of all objects that some edit could bring back, and of results that are kept aside."""
        edits: Collection[Edit] = (*self._done, *self._undone)
        named = (object_id for edit in edits for object_id in (*edit.before.names, *edit.after.names))
        asides = (trace.aside for trace in self._traces.values())
        return frozenset((*named, *(aside.results_id for aside in asides if aside is not None)))

    def _size_bytes(self, edit: Edit) -> int:
        if edit.number not in self._sizes_bytes:
            self._sizes_bytes[edit.number] = edit.size_bytes
        return self._sizes_bytes[edit.number] + self.trace(edit).size_bytes

    def _forget(self, edit: Edit) -> None:
        self._traces.pop(edit.number, None)
        self._sizes_bytes.pop(edit.number, None)
