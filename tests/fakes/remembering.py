"""A tracker without a network that depends on all that the real one depends on.

A mask is noise that is drawn from a digest of everything it follows from: a prompted frame's of its
prompts and their base, a tracked frame's of the results of the prompted frames on either side and of the
tracked frames on its leg, in reach. One bit of difference anywhere gives another mask on every frame behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from masklet.errors import NotPromptedError
from masklet.types import FramePrompts, FrameRange, MemoryPolicy, Presence
from masklet_server.engine.recall import Leg, Reach, neighbours, recall
from masklet_server.tracking import FrameSource, Holdings, ObjectFrame, Relief, ResultReader

SIDE = 4
REACH = Reach(maps=3, pointers=5)


@dataclass
class RememberingTracker:
    """Holds memories like the engine: of tracked frames until they are replaced, none after parking."""

    source: FrameSource
    results: ResultReader
    fail: Callable[[int], Exception | None] = lambda frame: None
    prompts: dict[tuple[int, int], FramePrompts] = field(default_factory=dict)
    held: dict[tuple[int, int], bytes] = field(default_factory=dict)
    policies: dict[int, str] = field(default_factory=dict)
    memory_bytes: int = 0

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        self._read(prompts.frame)
        self.prompts[prompts.object_id, prompts.frame] = prompts
        self.held.pop((prompts.object_id, prompts.frame), None)
        return self._prompted(prompts)

    def restore(self, prompts: FramePrompts, result: ObjectFrame) -> None:
        self.prompts[prompts.object_id, prompts.frame] = prompts

    def check_policy(self, policy: str) -> None:
        assert policy in {each.value for each in MemoryPolicy}

    def set_policy(self, object_id: int, policy: str) -> None:
        self.policies[object_id] = policy

    def draft(self, prompts: FramePrompts) -> bool:
        return False

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        self._read(prompts.frame)
        return self._prompted(prompts)

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        self._read(frame)
        return self._made(object_id, frame, ("look", frame, *self._attended(object_id, frame)))

    def forget_prompts(self, object_id: int, frame: int) -> None:
        self.prompts.pop((object_id, frame), None)

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        self._read(frame)
        found = []
        for object_id in object_ids:
            if not self._frames(object_id):
                raise NotPromptedError("click first")
            read = [
                self._memory(object_id, other) for other in self._trail(object_id, frame, backward, since)
            ]
            kind = ("track", self.policies.get(object_id, "editor"), frame, backward)
            content = (*kind, *self._attended(object_id, frame), *read)
            result = self._made(object_id, frame, content)
            self.held[object_id, frame] = _digest_of(result)
            found.append(result)
        return found

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        for key in [key for key in self.held if key[0] == object_id and key[1] in frames]:
            del self.held[key]

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        """Nothing is noted here."""

    def remove(self, object_id: int) -> None:
        self.prompts = {key: said for key, said in self.prompts.items() if key[0] != object_id}
        self.held = {key: held for key, held in self.held.items() if key[0] != object_id}
        self.policies.pop(object_id, None)

    def park(self) -> None:
        self.held.clear()
        self.memory_bytes = 0

    def relieve(self, relief: Relief) -> None:
        self.park()

    @property
    def holdings(self) -> Holdings:
        return Holdings(memories_bytes=self.memory_bytes)

    def _frames(self, object_id: int) -> list[int]:
        return [frame for owner, frame in self.prompts if owner == object_id]

    def _trail(self, object_id: int, frame: int, backward: bool, since: int | None) -> list[int]:
        prompted = self._frames(object_id)
        behind = [prompt for prompt in prompted if (prompt > frame) == backward and prompt != frame]
        source = min(behind, key=lambda prompt: abs(prompt - frame), default=None)
        leg = Leg(frame, source, backward, since, partial(self.results.has, object_id))
        read = recall(frame, neighbours(frame, prompted), leg, REACH, backward=backward)
        return sorted({other for other, _ in (*read.maps, *read.pointers)} - set(prompted))

    def _attended(self, object_id: int, frame: int) -> list[bytes]:
        near = neighbours(frame, self._frames(object_id))
        return [_digest_of(self._prompted(self.prompts[object_id, prompt])) for prompt in near]

    def _memory(self, object_id: int, frame: int) -> bytes:
        key = (object_id, frame)
        if key not in self.held:
            result = self.results.find(object_id, frame)
            assert result is not None
            self.held[key] = _digest_of(result)
        return self.held[key]

    def _prompted(self, prompts: FramePrompts) -> ObjectFrame:
        said: tuple[object, ...] = (
            prompts.frame,
            prompts.marks,
            prompts.box,
            prompts.mask and prompts.mask.alpha,
        )
        base = b"" if prompts.base is None else prompts.base.logits
        result = self._made(prompts.object_id, prompts.frame, (*said, base))
        return replace(result, prompted=True)

    def _read(self, frame: int) -> None:
        error = self.fail(frame)
        if error is not None:
            raise error
        self.source.read(frame)
        self.memory_bytes = 1000

    def _made(self, object_id: int, frame: int, content: tuple[object, ...]) -> ObjectFrame:
        digest = hashlib.sha256(repr(content).encode()).digest()
        noise = np.random.default_rng(list(digest[:16])).normal(0.0, 4.0, (SIDE, SIDE))
        logits: NDArray[np.float16] = noise.astype(np.float16)
        pointer = np.frombuffer(digest[16:24], np.uint8).astype(np.float16)
        return ObjectFrame(object_id, frame, logits, 2.0, 0.5, Presence.PRESENT, pointer)


def _digest_of(result: ObjectFrame) -> bytes:
    return hashlib.sha256(result.logits.tobytes() + result.pointer.tobytes()).digest()
