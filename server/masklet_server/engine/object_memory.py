"""What is remembered of one object: its prompts, where it was tracked, and the memories held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from masklet.types import FramePrompts, FrameRange
from masklet_server.engine.frame_log import FrameLog
from masklet_server.engine.policies.appearance import Appearance
from masklet_server.engine.policies.legs import LegMemory
from masklet_server.engine.policies.policy import EDITOR_WAYS, Policy
from masklet_server.engine.prompting import Turn
from masklet_server.engine.recall import Reach
from masklet_server.tracking import ObjectFrame

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_KEPT_PROMPTED = 8
"""Prompted frames whose maps stay at hand where only neighbours are read: those around the heads."""


@dataclass(eq=False)
class FrameMemory:
    """One frame in an object's memory.

    Attributes:
        pointer: ``(C,)``.
        presence_logit: ``(1,)``.
        map: ``(M, h, w)``, or None where only the pointer is still within reach.
        logits: ``(1, s, s)`` float32, kept where a profile asks for it.
        score: The presence logit as a number, once the result was handed out: nobody has to wait for it.
        appearance: What the object looks like on it, of frames with prompts.
    """

    pointer: Tensor
    presence_logit: Tensor
    map: Tensor | None
    logits: Tensor | None = None
    score: float | None = None
    appearance: Appearance | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes of all tensors together."""
        cells = None if self.appearance is None else self.appearance.cells
        tensors = (self.pointer, self.presence_logit, self.map, self.logits, cells)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)

    @property
    def is_whole(self) -> bool:
        """Whether there is more than the pointer."""
        return self.map is not None or self.logits is not None

    def move(self, device: torch.device) -> None:
        """Hold all tensors there."""
        self.pointer, self.presence_logit = self.pointer.to(device), self.presence_logit.to(device)
        self.map = None if self.map is None else self.map.to(device)
        self.logits = None if self.logits is None else self.logits.to(device)
        self.appearance = None if self.appearance is None else self.appearance.moved(device)


@dataclass(eq=False)
class PromptedFrame:
    """A frame with prompts.

    Attributes:
        prompts: What the artist said.
        conditioning: True where it stands as a prompted frame for the network; False for the
            corrections of profiles that take them for ordinary memories.
        corrects: True where the prompts started from a tracked mask and a memory.
        conditioned: ``(1, C, h, w)`` that came of the memory, until the next frame is worked on.
        backward: The direction in which it was tracked before the first prompt.
        turns: The turns that the network was shown.
        result: What came of them.
        logits: ``(1, 1, s, s)`` float32 as cleaned, on the processor; None once parked.
        memory: Pointer and presence, with the map once it is written; None once parked.
        passed_backward: How tracking went over the frame, None while it has not.
    """

    prompts: FramePrompts
    conditioning: bool
    corrects: bool
    conditioned: Tensor | None
    backward: bool
    turns: tuple[Turn, ...]
    result: ObjectFrame
    logits: Tensor | None
    memory: FrameMemory | None
    passed_backward: bool | None = None


class Beside(Protocol):
    """What is followed beside an object, with memories of its own: other accounts of it, or its rivals."""

    @property
    def memories(self) -> list[ObjectMemory]:
        """One for each that is followed."""

    def park(self) -> None:
        """Give back all tensors."""


@dataclass(eq=False)
class ObjectMemory:
    """Everything a tracker holds of one object.

    Attributes:
        prompted: By frame, what the network treats as prompted.
        pending: By frame, prompts whose memory is not written yet.
        tracked: Frames whose results count as memory.
        held: Tracked frames whose memory is at hand.
        heads: The last frame tracked, by direction (True is backward).
        policy: How its memory is used.
        legs: What the policy has made of the results on the way, by direction.
        own: Results that count in place of the stored ones, of one of several hypotheses.
        hypotheses: Where several are followed, these, by direction.
        company: Where rivals are tracked along, these, by direction.
        unseen: Nobody has asked for it: nothing of it is stored.
    """

    object_id: int
    prompted: dict[int, PromptedFrame] = field(default_factory=dict)
    pending: dict[int, PromptedFrame] = field(default_factory=dict)
    tracked: FrameLog = field(default_factory=FrameLog)
    held: dict[int, FrameMemory] = field(default_factory=dict)
    heads: dict[bool, int] = field(default_factory=dict)
    policy: Policy = EDITOR_WAYS
    legs: dict[bool, LegMemory] = field(default_factory=dict)
    own: dict[int, ObjectFrame] = field(default_factory=dict)
    hypotheses: dict[bool, Beside] = field(default_factory=dict)
    company: dict[bool, Beside] = field(default_factory=dict)
    unseen: bool = False

    @property
    def has_prompts(self) -> bool:
        """True when there is something to track from."""
        return bool(self.prompted) or any(entry.conditioning for entry in self.pending.values())

    def entry(self, frame: int) -> PromptedFrame | None:
        """The prompts on ``frame``, the latest first."""
        return self.pending.get(frame) or self.prompted.get(frame)

    def forget_prompts(self, frame: int) -> None:
        """Drop the prompts on ``frame``."""
        self.pending.pop(frame, None)
        self.prompted.pop(frame, None)
        self._forget(frame, frame)

    def forget_what_followed(self, frame: int) -> None:
        """Drop the tracked memory that is nearer to ``frame`` than to prompts: it counts as not tracked.

        Without any prompts left nothing is remembered at all.
        """
        others = {*self.prompted, *(other for other, entry in self.pending.items() if entry.conditioning)}
        before = max((other for other in others if other < frame), default=None)
        after = min((other for other in others if other > frame), default=None)
        frames = [*self.tracked, frame]
        first = min(frames) if before is None else (before + frame) // 2 + 1
        last = max(frames) if after is None else (frame + after - 1) // 2
        self._forget(first, last)

    def forget_tracked(self, frames: FrameRange) -> None:
        """Drop tracked memory of some frames, and keep it from coming back."""
        self._forget(frames.first, frames.last)

    def _forget(self, first: int, last: int) -> None:
        self.tracked.discard(first, last)
        self.forget_ways()
        for near in [near for near in self.held if first <= near <= last]:
            del self.held[near]

    def forget_ways(self) -> None:
        """Drop what was made of the way: the policy is another, or something on the way is."""
        self.legs.clear()
        self.hypotheses.clear()
        self.company.clear()

    def advance(
        self, frame: int, reach: Reach, *, backward: bool, slack_frames: int, neighbours_only: bool
    ) -> None:
        """Move a head to ``frame`` and drop what is out of reach of heads and prompted frames."""
        self.heads[backward] = frame
        anchors = self._limit_prompted(frame, neighbours_only=neighbours_only)
        maps = {other for leg in self.legs.values() for other in leg.kept_maps}
        pointers = {other for leg in self.legs.values() for other in leg.kept_pointers}
        for beside in self._beside():
            beside.advance(
                frame,
                reach,
                backward=backward,
                slack_frames=slack_frames,
                neighbours_only=neighbours_only,
            )
        for other, memory in list(self.held.items()):
            if other in maps:
                continue
            lag = self._lag(other, anchors, reach, slack_frames)
            if lag > reach.pointer_frames + slack_frames and other not in pointers:
                del self.held[other]
            elif lag > reach.map_frames + slack_frames and memory.is_whole:
                # Another hypothesis may still want what this one drops.
                self.held[other] = replace(memory, map=None, logits=None)

    def _limit_prompted(self, frame: int, *, neighbours_only: bool) -> list[int]:
        """Drop maps of prompted frames that no head will come to soon; what remains, by frame."""
        if not neighbours_only:
            return list(self.prompted)
        by_distance = sorted(self.prompted, key=lambda prompt: (abs(prompt - frame), prompt))
        kept = set(by_distance[:_KEPT_PROMPTED])
        for far in [far for far in by_distance if far not in kept]:
            self.prompted[far].memory = None
            self.prompted[far].logits = None
        return sorted(kept)

    def _lag(self, frame: int, anchors: Sequence[int], reach: Reach, slack_frames: int) -> float:
        """How long ago ``frame`` will be for whoever reads it next; endless where nobody will.

        Frames around a prompted one are read when tracking leaves it in the other direction.
        """
        # The next frame is one further on; a frame that the head has yet to reach is not read.
        lags = [(frame - head if backward else head - frame) + 1 for backward, head in self.heads.items()]
        lags = [lag for lag in lags if lag > -slack_frames]
        distance = min((abs(frame - anchor) for anchor in anchors), default=None)
        if distance is not None and distance <= reach.map_frames:
            lags.append(distance)
        return min(lags, default=float("inf"))

    def park(self) -> None:
        """Give back all tensors; what remains is what they can be rebuilt from."""
        self.held.clear()
        self.heads.clear()
        self.legs.clear()
        for way in (*self.hypotheses.values(), *self.company.values()):
            way.park()
        for entry in (*self.prompted.values(), *self.pending.values()):
            entry.memory = None
            entry.logits = None
            entry.conditioned = None

    def move(self, device: torch.device) -> None:
        """Hold all memories there. Logits of prompts stay where they are, on the processor."""
        entries = (*self.prompted.values(), *self.pending.values())
        for memory in self._memories():
            memory.move(device)
        for entry in entries:
            entry.conditioned = None if entry.conditioned is None else entry.conditioned.to(device)

    @property
    def held_bytes(self) -> int:
        """Bytes of all memories together."""
        entries = (*self.prompted.values(), *self.pending.values())
        tensors = [tensor for entry in entries for tensor in (entry.logits, entry.conditioned)]
        return sum(tensor.nbytes for tensor in tensors if tensor is not None) + sum(
            memory.held_bytes for memory in self._memories()
        )

    def _memories(self) -> list[FrameMemory]:
        """All that are held, each once: hypotheses share what they have in common."""
        memories = [*self.held.values()]
        entries = (*self.prompted.values(), *self.pending.values())
        memories += [entry.memory for entry in entries if entry.memory is not None]
        for beside in self._beside():
            memories += beside._memories()
        return list({id(memory): memory for memory in memories}.values())

    def _beside(self) -> list[ObjectMemory]:
        """Memories of hypotheses and of rivals."""
        ways = (*self.hypotheses.values(), *self.company.values())
        return [memory for way in ways for memory in way.memories]
