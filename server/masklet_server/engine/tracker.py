"""The tracker: SAM 2's network, one frame at a time, in any order and either direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch

from masklet.errors import NotPromptedError
from masklet.types import FramePrompts, FrameRange
from masklet_server.engine import beside
from masklet_server.engine.absence import ABSENCE_RULES
from masklet_server.engine.accelerate import EXACT, Layout
from masklet_server.engine.company import RivalFinder
from masklet_server.engine.drafts import Drafts
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.follower import Follower
from masklet_server.engine.memory_bank import MemoryBank
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.policies.appearance import Appearance
from masklet_server.engine.policies.policy import EDITOR_WAYS, Policy, policy_named
from masklet_server.engine.profile import EDITOR, Profile
from masklet_server.engine.prompting import check_prompts, is_begun
from masklet_server.engine.recall import Reach, pointers_in_clip
from masklet_server.engine.recollection import Recollection
from masklet_server.engine.seeker import PictureSeeker
from masklet_server.engine.segmenter import Segmenter
from masklet_server.engine.workspace import Workspace
from masklet_server.model.devices import rules_of
from masklet_server.model.network import Network
from masklet_server.tracking import FrameSource, Holdings, ObjectFrame, Relief, ResultReader

ValueT = TypeVar("ValueT")


class NetworkTracker:
    """Implements :class:`masklet_server.tracking.Tracker` with a network.

    Args:
        network: In evaluation mode, where it shall run and in the type it shall run in.
        source: Pictures of the clip.
        results: Where results that were handed out can be found again.
        profile: How to use the network over time.
        layout: Sizes of what goes to the network: fixed for a compiled one.
        length_known: False for a stream that may go on: pointers are then aged as in a long
            clip (see :func:`masklet_server.engine.recall.pointers_in_clip`).
        by_device: Resize and encode the next picture on the network's device while results are cleaned;
            None for where the device is not the processor itself.
        features: Of the same network and source, shared with trackers that work on the same frames; None
            for one of its own.

    Attributes:
        seeker: Looks for things in the same pictures.

    Raises:
        ValueError: The network is in training mode.
    """

    def __init__(
        self,
        network: Network,
        source: FrameSource,
        results: ResultReader,
        *,
        profile: Profile = EDITOR,
        layout: Layout = EXACT,
        length_known: bool = True,
        by_device: bool | None = None,
        features: FeatureCache | None = None,
    ) -> None:
        if network.training:
            raise ValueError("a tracker needs a network in evaluation mode: call network.eval() first")
        config = network.config
        self._network = network
        self._source = source
        self._results = results
        self._profile = profile
        absence = ABSENCE_RULES.get(config.name)
        self._reach = Reach(
            maps=config.memory_frames,
            recent=config.recent_maps,
            recent_step=config.recent_step,
            pointers=pointers_in_clip(config.pointers, len(source.info.frames) if length_known else None),
            lookback_frames=absence.lookback_frames if absence else 0,
        )
        self._features = features or FeatureCache(
            network,
            source,
            capacity=profile.feature_frames,
            by_device=network.device.type != "cpu" if by_device is None else by_device,
            encodes_beside=network.device.type == "cpu" and beside.has_room(),
        )
        self._bank = MemoryBank(network, self._features, results, profile, self._reach, layout)
        self.seeker = PictureSeeker(network, self._features, source, self._looks, self._run)
        self._segmenter = Segmenter(network, self._bank, results, profile, self._reach, source.info)
        recollection = Recollection(self._bank, results, profile, self._reach, absence)
        clip = source.info
        finder = RivalFinder(self._segmenter, self._bank, (clip.width_px, clip.height_px))
        self._follower = Follower(
            network, self._features, self._bank, recollection, finder, profile, layout, absence
        )
        self._objects: dict[int, ObjectMemory] = {}
        self._workspace = Workspace(network.device)
        self._is_at_host = False
        self._policies: dict[int, Policy] = {}
        self._drafts = Drafts()

    def check_policy(self, policy: str) -> None:
        """See that there is such a policy.

        Raises:
            BadInputError: There is none, or the profile knows none.
        """
        policy_named(policy, self._profile.trail)

    def set_policy(self, object_id: int, policy: str) -> None:
        """Have an object tracked so from now on; what it was tracked before stays what it is.

        Raises:
            BadInputError: There is no such policy, or the profile knows none.
        """
        self._policies[object_id] = policy_named(policy, self._profile.trail)
        memory = self._objects.get(object_id)
        if memory is not None and memory.policy != self._policies[object_id]:
            memory.policy = self._policies[object_id]
            memory.forget_ways()

    @property
    def memory_bytes(self) -> int:
        """Bytes of features, pictures read ahead and memories."""
        return self.holdings.held_bytes

    @property
    def holdings(self) -> Holdings:
        """What is held, and where."""
        memories_bytes = sum(memory.held_bytes for memory in self._objects.values())
        frames_bytes = self._features.ahead_bytes
        held_bytes = self._features.held_bytes - frames_bytes + self._segmenter.held_bytes
        return Holdings(
            frames_bytes,
            held_bytes + self._drafts.held_bytes + self.seeker.held_bytes,
            0 if self._is_at_host else memories_bytes,
            self._workspace.most_bytes,
            memories_bytes if self._is_at_host else 0,
        )

    def relieve(self, relief: Relief) -> None:
        """Give back features, or have memories wait in the machine's own memory, where that is another."""
        if relief in (Relief.FEATURES, Relief.ALL):
            self._drafts.clear()
            self._features.forget()
            self.seeker.forget()
        if relief is Relief.ALL:
            for memory in self._objects.values():
                memory.park()
            self._is_at_host = False
        elif relief is Relief.MEMORIES and rules_of(self._network.device).own_memory:
            for memory in self._objects.values():
                memory.move(torch.device("cpu"))
            self._is_at_host = True
        self._workspace.give_back()

    def memory(self, object_id: int, frame: int) -> FrameMemory | None:
        """What is held of one object on one frame: for reports and comparisons, not for results."""
        found = self._objects.get(object_id)
        if found is None:
            return None
        entry = found.entry(frame)
        return entry.memory if entry is not None else found.held.get(frame)

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        """Take all prompts of one object on one frame (they replace earlier ones) and segment it.

        Raises:
            BadInputError: The prompts say nothing or lie outside the picture.
            ClipError: The picture cannot be read.
        """
        return self._run(partial(self._prompt_now, prompts))

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What :meth:`prompt` would give for these, without taking them. Errors as there."""
        return self._run(partial(self._preview_now, prompts))

    def restore(self, prompts: FramePrompts, result: ObjectFrame) -> None:
        """Take prompts that an earlier tracker made ``result`` of, as they are after parking.

        Official profiles remember what cannot be made of results: for these the prompts are segmented anew.
        """
        if self._profile.corrections != "prompted" or self._profile.memories != "results":
            self.prompt(prompts)
            return
        memory = self._objects.get(prompts.object_id) or self._returning(prompts)
        self._objects[prompts.object_id] = memory
        memory.prompted[prompts.frame] = self._segmenter.restored(memory, prompts, result)
        memory.tracked.discard(prompts.frame, prompts.frame)

    def draft(self, prompts: FramePrompts) -> bool:
        """Do one click's work towards :meth:`prompt` with these; False when no more than that is left.

        Raises:
            BadInputError: The prompts say nothing or lie outside the picture.
            ClipError: The picture cannot be read.
        """
        return self._run(partial(self._draft_now, prompts))

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        """What the prompts on the neighbouring frames make of ``frame``, which was not tracked.

        Raises:
            NotPromptedError: The object has no prompts.
            ClipError: The picture cannot be read.
        """
        return self._run(partial(self._look_now, object_id, frame))

    def forget_prompts(self, object_id: int, frame: int) -> None:
        """Drop the prompts of one object on one frame, as if they had never been given.

        Officially tracked frames nearer to this one than to other prompts count as not tracked from
        then on; their results stay where they are until they are tracked anew.
        """
        memory = self._objects.get(object_id)
        if memory is not None:
            memory.forget_prompts(frame)
            if self._profile.trail == "all":
                memory.forget_what_followed(frame)

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        """Drop what tracking has remembered of one object on some frames; prompts stay."""
        memory = self._objects.get(object_id)
        if memory is not None:
            memory.forget_tracked(frames)

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        """Drop the note that some frames were tracked; what policies made of them and hold stays."""
        memory = self._objects.get(object_id)
        if memory is not None:
            memory.tracked.discard(frames.first, frames.last)

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        """Segment the objects on ``frame`` from memory, all in one batch.

        On a frame with prompts of its own an object keeps the result of these. Frames tracked before
        ``since`` on the way are no memories; None for no such limit. Under a policy of several paths results
        of earlier frames may come before that of ``frame``, and take the place of what was given there.

        Raises:
            NotPromptedError: One of the objects has no prompts.
            ClipError: The picture cannot be read.
        """
        return self._run(partial(self._track_now, frame, object_ids, backward=backward, since=since))

    def remove(self, object_id: int) -> None:
        """Drop everything about one object; the others do not notice."""
        self._objects.pop(object_id, None)
        self._policies.pop(object_id, None)
        self._drafts.remove(object_id)

    def park(self) -> None:
        """Give back all tensors of the device; prompts and their results stay, in main memory."""
        self._drafts.clear()
        self._features.drop()
        self.seeker.forget()
        for memory in self._objects.values():
            memory.park()
        self._is_at_host = False
        self._workspace.give_back()

    def _run(self, call: Callable[[], ValueT]) -> ValueT:
        if self._is_at_host:
            self._workspace.run(self._bring_back)
        return self._workspace.run(call)

    def _bring_back(self) -> None:
        for memory in self._objects.values():
            memory.move(self._network.device)
        self._is_at_host = False

    def _prompt_now(self, prompts: FramePrompts) -> ObjectFrame:
        check_prompts(prompts, self._source.info)
        memory = self._objects.get(prompts.object_id) or self._returning(prompts)
        if self._profile.corrections == "prompted":
            self._write_pending(memory, but=prompts.frame)
        features = self._features.features(prompts.frame)
        draft = self._drafts.take(prompts.object_id, prompts.frame)
        entry = self._segmenter.segment(memory, prompts, features, draft=draft)

        self._objects[prompts.object_id] = memory
        memory.pending[prompts.frame] = entry
        return entry.result

    def _preview_now(self, prompts: FramePrompts) -> ObjectFrame:
        check_prompts(prompts, self._source.info)
        memory = self._objects.get(prompts.object_id) or self._returning(prompts)
        draft = self._drafts.find(prompts.object_id, prompts.frame)
        features = self._features.features(prompts.frame)
        return self._segmenter.segment(memory, prompts, features, draft=draft).result

    def _draft_now(self, prompts: FramePrompts) -> bool:
        check_prompts(prompts, self._source.info)
        if (
            prompts.mask is not None
            or self._profile.clicks != "in_order"
            or self._profile.corrections != "prompted"
        ):
            return False
        memory = self._objects.get(prompts.object_id) or self._returning(prompts)
        draft = self._drafts.find(prompts.object_id, prompts.frame)
        done = 0
        for known in (draft, memory.entry(prompts.frame)):
            if known is not None and is_begun(prompts, known.prompts):
                done = len(known.prompts.marks)
                break
        if done + 1 >= len(prompts.marks):
            return False
        first = prompts.begun(done + 1)
        features = self._features.features(prompts.frame)
        begun = self._segmenter.segment(memory, first, features, draft=draft, towards=prompts)
        self._drafts.put(prompts.object_id, prompts.frame, begun)
        return done + 2 < len(prompts.marks)

    def _look_now(self, object_id: int, frame: int) -> ObjectFrame:
        memory = self._prompted_object(object_id)
        self._write_pending(memory)
        return self._segmenter.look(memory, frame, self._features.features(frame))

    def _track_now(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None
    ) -> Sequence[ObjectFrame]:
        memories = [self._prompted_object(object_id) for object_id in object_ids]
        for memory in memories:
            self._write_pending(memory)

        moving = [memory for memory in memories if frame not in memory.prompted]
        tracked = self._follower.follow(frame, moving, backward=backward, since=since) if moving else {}
        frames: list[ObjectFrame] = []
        for memory in memories:
            entry = memory.prompted.get(frame)
            if entry is not None:
                entry.passed_backward = backward
            memory.advance(
                frame,
                self._reach,
                backward=backward,
                slack_frames=self._profile.slack_frames,
                neighbours_only=self._profile.attended == "neighbours",
            )
            frames += [entry.result] if entry is not None else tracked[memory.object_id]
        return frames

    def _returning(self, prompts: FramePrompts) -> ObjectMemory:
        """The memory of an object that is new here; if it has results, another tracker was here before."""
        memory = ObjectMemory(prompts.object_id, policy=self._policies.get(prompts.object_id, EDITOR_WAYS))
        for frame in self._results.frames_of(prompts.object_id):
            memory.tracked.add(frame, backward=frame < prompts.frame)
        return memory

    def _prompted_object(self, object_id: int) -> ObjectMemory:
        memory = self._objects.get(object_id)
        if memory is None or not memory.has_prompts:
            raise NotPromptedError(
                "the object has no prompt to track from: click on it, or draw a box or a mask first"
            )
        return memory

    def _write_pending(self, memory: ObjectMemory, *, but: int | None = None) -> None:
        """Write prompts into the memory: late, as a click is often followed by another."""
        for frame in [frame for frame in memory.pending if frame != but]:
            entry = memory.pending[frame]
            self._bank.write_prompted(entry)
            entry.conditioned = None
            if entry.conditioning:
                memory.prompted[frame] = entry
                memory.tracked.discard(frame, frame)
                memory.held.pop(frame, None)
            elif frame not in memory.prompted and entry.memory is not None:
                memory.held[frame] = entry.memory
            del memory.pending[frame]

    def _looks(self, object_id: int, frame: int | None) -> Appearance | None:
        memory = self._prompted_object(object_id)
        self._write_pending(memory)
        return self._follower.appearance(memory, min(memory.prompted) if frame is None else frame)
