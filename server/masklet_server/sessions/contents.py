"""All that an artist has said as one value, changed by the edits that the core knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from masklet.frame_runs import runs_joined, runs_minus
from masklet.matte_settings import MatteSettings
from masklet.said import edits as saying
from masklet.types import FramePrompts, FrameRange, MemoryPolicy
from masklet_server.sessions.said import Said

_Value = TypeVar("_Value")

Change = (
    saying.AddObject
    | saying.RemoveObject
    | saying.RenameObject
    | saying.SetPrompts
    | saying.SetLock
    | saying.SetMatte
    | saying.SetPolicy
)
"""What may be said; :mod:`masklet.said.edits` has the words. A uid is the object's number here."""


@dataclass(frozen=True)
class Contents:
    """Objects and everything said about them; replaced as a whole, never changed.

    Attributes:
        names: By object id, in the order in which they were added.
        prompts: By object id and frame.
        locks: By object id: ranges that ascend and do not touch.
        mattes: By object id; objects whose mattes are left as they are have none.
        policies: By object id; objects whose memory is used as it is without any have none.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    prompts: Mapping[tuple[int, int], Said] = field(default_factory=dict)
    locks: Mapping[int, tuple[FrameRange, ...]] = field(default_factory=dict)
    mattes: Mapping[int, MatteSettings] = field(default_factory=dict)
    policies: Mapping[int, MemoryPolicy] = field(default_factory=dict)

    def prompted_frames(self, object_id: int) -> tuple[int, ...]:
        """Frames with prompts of this object, ascending."""
        return tuple(sorted(frame for owner, frame in self.prompts if owner == object_id))

    def policy(self, object_id: int) -> MemoryPolicy:
        """How an object's memory is used."""
        return self.policies.get(object_id, MemoryPolicy.EDITOR)

    def is_locked(self, object_id: int, frame: int) -> bool:
        """True inside a locked range of this object."""
        return any(frame in frames for frames in self.locks.get(object_id, ()))

    def after(self, *changes: Change) -> Contents:
        """The same after some changes: the only way from one value to another."""
        contents = self
        for change in changes:
            contents = contents._after(change, int(change.uid))
        return contents

    def with_lock(self, object_id: int, frames: FrameRange, *, locked: bool) -> Contents:
        """The same with a range locked, or unlocked."""
        return self.after(saying.SetLock(uid_of(object_id), frames, locked))

    def _after(self, change: Change, object_id: int) -> Contents:
        if isinstance(change, (saying.AddObject, saying.RenameObject)):
            return replace(self, names={**self.names, object_id: change.name})
        if isinstance(change, saying.RemoveObject):
            return self._without(object_id)
        if isinstance(change, saying.SetPrompts):
            return self._with_prompts(replace(change.prompts, object_id=object_id))
        if isinstance(change, saying.SetMatte):
            plain = change.settings.is_plain
            mattes = _but(self.mattes, object_id)
            return replace(self, mattes=mattes if plain else {**mattes, object_id: change.settings})
        if isinstance(change, saying.SetPolicy):
            plain = change.policy is MemoryPolicy.EDITOR
            policies = _but(self.policies, object_id)
            return replace(self, policies=policies if plain else {**policies, object_id: change.policy})
        ranges = runs_minus(self.locks.get(object_id, ()), (change.frames,))
        if change.locked:
            ranges = runs_joined([*ranges, change.frames])
        locks = _but(self.locks, object_id)
        return replace(self, locks={**locks, object_id: ranges} if ranges else locks)

    def _with_prompts(self, prompts: FramePrompts) -> Contents:
        key = (prompts.object_id, prompts.frame)
        kept = {other: said for other, said in self.prompts.items() if other != key}
        return replace(self, prompts=kept if prompts.is_empty else {**kept, key: Said.of(prompts)})

    def _without(self, object_id: int) -> Contents:
        return Contents(
            _but(self.names, object_id),
            {key: said for key, said in self.prompts.items() if key[0] != object_id},
            _but(self.locks, object_id),
            _but(self.mattes, object_id),
            _but(self.policies, object_id),
        )


def uid_of(object_id: int) -> str:
    """How the words of :mod:`masklet.said.edits` name an object of a session."""
    return str(object_id)


def _but(mapping: Mapping[int, _Value], object_id: int) -> dict[int, _Value]:
    return {owner: own for owner, own in mapping.items() if owner != object_id}
