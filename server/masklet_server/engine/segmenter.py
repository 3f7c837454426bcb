"""Prompts to masks on one frame: what is shown to the network, in which order, over which memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from masklet.types import ClipInfo, FramePrompts, Presence
from masklet_server.engine.agreement import CLICK_KERNELS, LastLooks, agree
from masklet_server.engine.handover import hand_over
from masklet_server.engine.memory_bank import MemoryBank, to_grid
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory, PromptedFrame
from masklet_server.engine.presence import STEADY_CLICKS
from masklet_server.engine.profile import Profile
from masklet_server.engine.prompting import Turn, added_turns, mask_square, turns_in_order
from masklet_server.engine.recall import Reach, neighbours, recall
from masklet_server.mattes.strokes import obeyed_logits
from masklet_server.model.network import Decoded, ImageFeatures, Network
from masklet_server.sessions.masks import result_of
from masklet_server.tracking import ObjectFrame, ResultReader

# Logits of an earlier mask beyond this add nothing but numerical trouble, as officially.
_PREVIOUS_LIMIT = 32.0
# The least presence logit of an object that was clicked on: there, and not certain.
_SEEN_LOGIT = 1.0
# What a stroke covers is as sure as a click.
_OBEYED_LOGIT = 4.0


class Segmenter:
    """Segments one object on one frame from its prompts; changes no memory."""

    def __init__(
        self,
        network: Network,
        bank: MemoryBank,
        results: ResultReader,
        profile: Profile,
        reach: Reach,
        clip: ClipInfo,
    ) -> None:
        self._network = network
        self._bank = bank
        self._results = results
        self._profile = profile
        self._reach = reach
        self._clip = clip
        self._last_looks = LastLooks()

    @property
    def held_bytes(self) -> int:
        """What is kept for further clicks on a picture; given back with its features."""
        return self._last_looks.held_bytes

    def segment(
        self,
        memory: ObjectMemory,
        prompts: FramePrompts,
        features: ImageFeatures,
        *,
        draft: PromptedFrame | None = None,
        towards: FramePrompts | None = None,
    ) -> PromptedFrame:
        """What comes of ``prompts``, which replace earlier ones of the object on this frame.

        In the editor they correct their base where they have one. A box or a drawn mask starts from
        nothing, and so does a click on the object where the base shows none of it. Officially they
        correct what was tracked on the frame before.

        Args:
            memory: The object's.
            prompts: All of them on this frame.
            features: Of the frame.
            draft: What came of the first clicks, to go on from.
            towards: The prompts of which these are the first clicks.
        """
        before = memory.entry(prompts.frame)
        so_far = before if draft is None else draft
        base = self._base(prompts)
        correcting = self._is_correction(memory, towards or prompts, before, base)
        backward = self._was_backward(memory, prompts.frame, before)
        conditioned: Tensor | None = None

        if prompts.mask is not None:
            decoded, result, logits = self._given_mask(prompts, features)
            turns: tuple[Turn, ...] = ()
        else:
            turns, open_turns, previous = self._plan(
                memory, prompts, so_far, base if correcting else None, correcting=correcting
            )
            if so_far is not None and not open_turns:
                return so_far if so_far is before else replace(so_far, prompts=prompts)
            if correcting:
                conditioned = self._remembered(memory, prompts, so_far, base, features, backward=backward)
            seen = self._network.without_memory(features.embedding) if conditioned is None else conditioned
            for turn in open_turns:
                decoded = self._decode(turn, features, seen, previous)
                result, logits = self._result(decoded, prompts, turn=turn, is_first=not correcting)
                result, logits = self._obeying(turn, result, logits)
                previous = logits

        of_results = self._profile.memories == "results"
        return PromptedFrame(
            # A drawn mask is done with, and may be large: whoever owns the prompts keeps it.
            prompts=prompts if prompts.mask is None else replace(prompts, mask=None),
            conditioning=self._profile.corrections == "prompted" or not correcting,
            corrects=correcting,
            conditioned=conditioned,
            backward=backward,
            turns=turns,
            result=result,
            logits=logits,
            memory=None
            if of_results
            else FrameMemory(
                pointer=decoded.pointer[0],
                presence_logit=decoded.presence_logit[0],
                map=None,
                logits=logits[0] if self._profile.keep_logits else None,
            ),
            passed_backward=None if before is None else before.passed_backward,
        )

    def restored(self, memory: ObjectMemory, prompts: FramePrompts, result: ObjectFrame) -> PromptedFrame:
        """What :meth:`segment` gave, without the tensors; for profiles whose memories are results."""
        return PromptedFrame(
            prompts=prompts if prompts.mask is None else replace(prompts, mask=None),
            conditioning=True,
            corrects=self._is_correction(memory, prompts, None, self._base(prompts)),
            conditioned=None,
            backward=self._was_backward(memory, prompts.frame, None),
            turns=() if prompts.mask is not None else turns_in_order(prompts),
            result=result,
            logits=None,
            memory=None,
        )

    def look(self, memory: ObjectMemory, frame: int, features: ImageFeatures) -> ObjectFrame:
        """What the prompts on other frames alone make of a frame that was not tracked."""
        near = neighbours(frame, memory.prompted)
        backward = bool(near) and frame < near[0]
        read = recall(frame, near, (), self._reach, backward=backward)
        decoded = self._network.decode(
            features,
            self._bank.attend(features, [memory], [read]),
            points=None,
            labels=None,
            mask_logits=None,
            multimask=True,
            stability_fallback=self._profile.stability_fallback,
        )
        results, _ = hand_over(decoded, [memory.object_id], frame, self._profile, prompted=False, clean=True)
        return results[0]

    def _was_backward(self, memory: ObjectMemory, frame: int, before: PromptedFrame | None) -> bool:
        """The direction in which tracking came, or would come, to ``frame``."""
        if before is not None:
            return before.backward if before.passed_backward is None else before.passed_backward
        tracked = memory.tracked.was_backward(frame)
        if tracked is not None:
            return tracked
        return bool(memory.prompted) and frame < min(memory.prompted)

    def _base(self, prompts: FramePrompts) -> Tensor | None:
        """``(1, 1, s, s)`` that the prompts correct, on the processor."""
        if self._profile.corrections != "prompted" or prompts.base is None:
            return None
        logits = result_of(prompts.base, prompts.object_id, prompts.frame).logits
        return to_grid(
            torch.from_numpy(logits.astype(np.float32))[None, None], self._network.config.image_side_px
        )

    def _is_correction(
        self, memory: ObjectMemory, prompts: FramePrompts, before: PromptedFrame | None, base: Tensor | None
    ) -> bool:
        if self._profile.corrections == "prompted":
            if base is None or prompts.box is not None or prompts.mask is not None:
                return False
            return prompts.only_takes_away or bool((base > 0).any())
        if before is not None:
            return prompts.frame in memory.tracked or before.passed_backward is not None
        if prompts.frame not in memory.tracked:
            return False
        # Prompts that an earlier tracker was given are given again: they correct nothing.
        result = self._results.find(memory.object_id, prompts.frame)
        return result is None or not result.prompted

    def _plan(
        self,
        memory: ObjectMemory,
        prompts: FramePrompts,
        before: PromptedFrame | None,
        start: Tensor | None,
        *,
        correcting: bool,
    ) -> tuple[tuple[Turn, ...], tuple[Turn, ...], Tensor | None]:
        """All turns that the prompts stand for, those still open, and the mask that these start from."""
        if self._profile.clicks == "together":
            together = (Turn(prompts.box, prompts.clicks, prompts.scribbles),)
            return together, together, self._shown(memory, prompts.frame, before)
        turns = turns_in_order(prompts)
        if (
            before is not None
            and before.turns
            and before.logits is not None
            and before.corrects == correcting
            and before.prompts.base == prompts.base
        ):
            added = added_turns(turns, before.turns)
            if added is not None:
                return turns, added, before.logits
        return turns, turns, start

    def _shown(self, memory: ObjectMemory, frame: int, before: PromptedFrame | None) -> Tensor | None:
        """``(1, 1, s, s)`` of the latest mask on the frame, wherever it came from."""
        if before is not None and before.logits is not None:
            return before.logits
        held = memory.held.get(frame)
        if held is not None and held.logits is not None:
            return held.logits[None]
        result = before.result if before is not None else self._results.find(memory.object_id, frame)
        return None if result is None else torch.from_numpy(result.logits.astype(np.float32))[None, None]

    def _remembered(
        self,
        memory: ObjectMemory,
        prompts: FramePrompts,
        before: PromptedFrame | None,
        base: Tensor | None,
        features: ImageFeatures,
        *,
        backward: bool,
    ) -> Tensor:
        """``(1, C, h, w)``: what a correction sees."""
        if base is None:
            read = recall(prompts.frame, memory.prompted, memory.tracked, self._reach, backward=backward)
            return self._bank.attend(features, [memory], [read])
        if before is not None and before.conditioned is not None and before.prompts.base == prompts.base:
            return before.conditioned
        return self._bank.attend_base(features, base.to(self._network.device), _SEEN_LOGIT)

    def _decode(
        self, turn: Turn, features: ImageFeatures, conditioned: Tensor, previous: Tensor | None
    ) -> Decoded:
        side_px, device = self._network.config.image_side_px, self._network.device
        points, labels = turn.points(self._clip, side_px=side_px, device=device)
        limited = None
        if previous is not None:
            limited = previous.to(device, torch.float32).clamp(-_PREVIOUS_LIMIT, _PREVIOUS_LIMIT)
        decoded = self._network.decode(
            features,
            conditioned,
            points=points,
            labels=labels,
            mask_logits=limited,
            # One point may mean the part or the whole; more of them leave no doubt.
            multimask=turn.count(self._clip) <= 1,
            stability_fallback=self._profile.stability_fallback,
        )
        kernel = CLICK_KERNELS.get(self._network.config.name)
        pointed = turn.pointed(self._clip)
        if kernel is None or not pointed:
            return decoded
        presence_logit = decoded.presence_logit
        if any(click.positive for click in pointed):
            # Whoever clicks on the object sees it.
            presence_logit = presence_logit.clamp(min=_SEEN_LOGIT)
        agreed = agree(decoded.best_logits, features, points, labels, kernel, self._last_looks)
        return replace(decoded, best_logits=agreed, presence_logit=presence_logit)

    def _obeying(self, turn: Turn, result: ObjectFrame, logits: Tensor) -> tuple[ObjectFrame, Tensor]:
        """A result, and its logits ``(1, 1, s, s)``, that agree with every stroke where it covers cells.

        After cleaning, which takes specks and holes away, small strokes among them.
        """
        if not turn.scribbles:
            return result, logits
        plate_px = self._clip.width_px, self._clip.height_px
        bent = obeyed_logits(logits[0, 0].numpy(), turn.scribbles, plate_px, margin=_OBEYED_LOGIT)
        rounded = obeyed_logits(result.logits, turn.scribbles, plate_px, margin=_OBEYED_LOGIT)
        presence = result.presence
        seen = bool((rounded > 0).any())
        if presence is (Presence.ABSENT if seen else Presence.PRESENT):
            presence = Presence.UNCERTAIN
        return (
            replace(result, logits=rounded.astype(np.float16), presence=presence),
            torch.from_numpy(np.asarray(bent, np.float32))[None, None],
        )

    def _given_mask(
        self, prompts: FramePrompts, features: ImageFeatures
    ) -> tuple[Decoded, ObjectFrame, Tensor]:
        assert prompts.mask is not None
        side_px = self._network.config.image_side_px
        square = mask_square(prompts.mask, side_px=side_px, device=self._network.device)
        decoded = self._network.decode_mask(features, square)
        return decoded, *self._result(decoded, prompts, clean=self._profile.clean_given_masks)

    def _result(
        self,
        decoded: Decoded,
        prompts: FramePrompts,
        *,
        clean: bool = True,
        turn: Turn | None = None,
        is_first: bool = False,
    ) -> tuple[ObjectFrame, Tensor]:
        """The result, and its logits ``(1, 1, s, s)`` unrounded, on the processor.

        Masks that correct others keep what these have of holes and islands, and are not judged by their
        steadiness: both were measured of first clicks alone.
        """
        share = self._profile.first_share if is_first else 0.0
        single = turn is not None and turn.box is None and not turn.scribbles and len(turn.clicks) == 1
        least = STEADY_CLICKS.get(self._network.config.name, 0.0) if share and single else 0.0
        results, logits = hand_over(
            decoded,
            [prompts.object_id],
            prompts.frame,
            self._profile,
            prompted=True,
            clean=clean,
            share=share,
            wanted=None if turn is None else turn.wanted(self._clip, side=decoded.best_logits.shape[-1]),
            least_steadiness=least,
        )
        return results[0], torch.from_numpy(logits)[:, None]
