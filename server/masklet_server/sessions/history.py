"""All that an artist has said as one value, and the way back and forth between such values."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from masklet.errors import BadInputError
from masklet.events import EditKind
from masklet.frame_runs import runs_joined, runs_minus
from masklet.matte_settings import MatteSettings
from masklet.types import FramePrompts, FrameRange
from masklet_server.sessions.said import Said
from masklet_server.tracking import ObjectFrame

MAX_UNDO = 256
MAX_UNDO_BYTES = 64 << 20


@dataclass(frozen=True)
class Contents:
    """Objects and everything said about them; replaced as a whole, never changed.

    Attributes:
        names: By object id, in the order in which they were added.
        prompts: By object id and frame.
        locks: By object id: ranges that ascend and do not touch.
        mattes: By object id; objects whose mattes are left as they are have none.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    prompts: Mapping[tuple[int, int], Said] = field(default_factory=dict)
    locks: Mapping[int, tuple[FrameRange, ...]] = field(default_factory=dict)
    mattes: Mapping[int, MatteSettings] = field(default_factory=dict)

    def prompted_frames(self, object_id: int) -> tuple[int, ...]:
        """Frames with prompts of this object, ascending."""
        return tuple(sorted(frame for owner, frame in self.prompts if owner == object_id))

    def is_locked(self, object_id: int, frame: int) -> bool:
        """True inside a locked range of this object."""
        return any(frame in frames for frames in self.locks.get(object_id, ()))

    def with_prompts(self, prompts: FramePrompts) -> Contents:
        """The same with these prompts in place of what was said there; empty ones say nothing."""
        key = (prompts.object_id, prompts.frame)
        kept = {other: said for other, said in self.prompts.items() if other != key}
        return replace(self, prompts=kept if prompts.is_empty else {**kept, key: Said.of(prompts)})

    def with_name(self, object_id: int, name: str) -> Contents:
        """The same with an object called so, added at the end where it is new."""
        return replace(self, names={**self.names, object_id: name})

    def with_lock(self, object_id: int, frames: FrameRange, *, locked: bool) -> Contents:
        """The same with a range locked, or unlocked."""
        ranges = runs_minus(self.locks.get(object_id, ()), (frames,))
        if locked:
            ranges = runs_joined([*ranges, frames])
        kept = {owner: own for owner, own in self.locks.items() if owner != object_id}
        return replace(self, locks={**kept, object_id: ranges} if ranges else kept)

    def with_matte(self, object_id: int, settings: MatteSettings) -> Contents:
        """The same with other settings for an object's matte."""
        kept = {owner: own for owner, own in self.mattes.items() if owner != object_id}
        return replace(self, mattes=kept if settings.is_plain else {**kept, object_id: settings})

    def without(self, object_id: int) -> Contents:
        """The same without an object."""
        return Contents(
            {owner: name for owner, name in self.names.items() if owner != object_id},
            {key: said for key, said in self.prompts.items() if key[0] != object_id},
            {owner: own for owner, own in self.locks.items() if owner != object_id},
            {owner: own for owner, own in self.mattes.items() if owner != object_id},
        )


@dataclass(eq=False)
class Edit:
    """One change, as it is needed to take it back and to make it again.

    Attributes:
        kind: What was changed.
        object_id: Whose; 0 where it was everything.
        frame: Where, for prompts.
        before: What was said before.
        after: What was said then.
        marked_stale: Frames that became stale by it and have not been tracked since.
        replaced: Results that stood where the edit put others, by frame; None where there was none.
        replaced_stale: Those of them that were stale.
        aside: Results that it took away, since no prompt was left to make them.
    """

    kind: EditKind
    object_id: int
    before: Contents
    after: Contents
    frame: int | None = None
    marked_stale: frozenset[int] = frozenset()
    replaced: dict[int, ObjectFrame | None] = field(default_factory=dict)
    replaced_stale: frozenset[int] = frozenset()
    aside: Aside | None = None
    _said_bytes: int = -1

    @property
    def size_bytes(self) -> int:
        """About what is in memory for this edit alone: what was said before it and is not said after it."""
        if self._said_bytes < 0:
            after = self.after.prompts
            self._said_bytes = sum(
                said.size_bytes for key, said in self.before.prompts.items() if after.get(key) is not said
            )
        held = (result for result in self.replaced.values() if result is not None)
        return self._said_bytes + sum(result.logits.nbytes for result in held)


@dataclass(frozen=True)
class Aside:
    """Results that are kept for an edit to be taken back.

    Attributes:
        results_id: Under which the result store holds them: no object has it.
        stale: Those that were stale.
    """

    results_id: int
    stale: frozenset[int]


class History:
    """Edits that can be taken back, and those that can be made again.

    Args:
        max_bytes: What edits may take together; beyond it the oldest are given up, never the last.
    """

    def __init__(self, *, max_bytes: int = MAX_UNDO_BYTES) -> None:
        self._max_bytes = max_bytes
        self._done: deque[Edit] = deque()
        self._undone: list[Edit] = []
        self._given_up = 0

    @property
    def size_bytes(self) -> int:
        """About what all edits take in memory."""
        return sum(edit.size_bytes for edit in (*self._done, *self._undone))

    @property
    def undo_left(self) -> int:
        """How many edits can be taken back."""
        return len(self._done)

    @property
    def redo_left(self) -> int:
        """How many edits can be made again."""
        return len(self._undone)

    def add(self, edit: Edit) -> None:
        """Keep a new edit; what was taken back before is forgotten."""
        self._done.append(edit)
        self._undone.clear()
        size_bytes = self.size_bytes
        while len(self._done) > MAX_UNDO or (size_bytes > self._max_bytes and len(self._done) > 1):
            size_bytes -= self._done.popleft().size_bytes
            self._given_up += 1

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

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()
        self._given_up = 0

    def objects(self) -> frozenset[int]:
        """Ids of all objects that some edit could bring back."""
        edits: Collection[Edit] = (*self._done, *self._undone)
        named = (object_id for edit in edits for object_id in (*edit.before.names, *edit.after.names))
        return frozenset((*named, *(edit.aside.results_id for edit in edits if edit.aside is not None)))
