"""Look-alikes of an object, tracked along unseen: the object and they compete for pixels.

A tracker that knows its neighbours does not take them for the object: explicit tracks of distractors are
what helps most in "SENTRY" (arXiv 2606.24449). Here a rival is found where the picture beside the object
looks like it, or, with a network whose features were not measured, where one of its other masks reaches over
to. It is segmented from a box there, and then tracked with a memory of its own, in the same batch. Each pixel
is left to one of them, and none remembers what it has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masklet.types import Box, FramePrompts
from masklet_server.engine.memory_bank import MemoryBank
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory, PromptedFrame
from masklet_server.engine.policies.appearance import covered
from masklet_server.engine.policies.boxes import MaskBox, box_of
from masklet_server.engine.policies.legs import Note
from masklet_server.engine.policies.policy import RIVAL_TRACK
from masklet_server.engine.policies.rivals import reached
from masklet_server.engine.segmenter import Segmenter
from masklet_server.model.network import Decoded, ImageFeatures
from masklet_server.tracking import RIVAL_FROM, ObjectFrame

_TAKEN_LOGIT = -4.0
# Where no rival was segmented it is tried again after so many frames.
_TRY_AGAIN_FRAMES = 5
# A rival is about as large as the object, and somewhere else.
_SMALLEST, _LARGEST, _MOST_SHARED = 0.4, 2.5, 0.1
# In sizes of the object: from farther away nobody is taken for it soon.
_NEAR_SIZES = 1.5
# What is less like the object than this by so much is nothing of a rival.
_LIKE_WITHIN = 0.15
_CENTRING_STEPS, _CENTRING_SIZES = 5, 0.6
# Boxes that artists draw are not tight either.
_BOX_MARGIN = 1.1
_GONE_FRAMES = 10
_SAME_IOU, _SAME_FRAMES = 0.8, 8


@dataclass(eq=False)
class RivalTrack:
    """One look-alike.

    Attributes:
        memory: Its own; nothing of it is stored.
        gone_frames: For how long it has not been seen.
        same_frames: For how long its mask has been the object's.
    """

    memory: ObjectMemory
    gone_frames: int = 0
    same_frames: int = 0


@dataclass(eq=False)
class Company:
    """The rivals of one object on one leg, none at its start.

    Attributes:
        begins: The prompted frame that the leg starts at, and the cut behind which nothing counts.
        backward: The direction of travel.
        last: The frame that they have come to.
        rivals: Those that are tracked.
    """

    begins: tuple[int, int | None]
    backward: bool
    last: int
    rivals: list[RivalTrack] = field(default_factory=list)
    _tried: int | None = None

    @property
    def memories(self) -> list[ObjectMemory]:
        """Of the rivals."""
        return [rival.memory for rival in self.rivals]

    def leads(self, frame: int, source: int, since: int | None) -> bool:
        """Whether ``frame`` lies before them, on the leg that they are on."""
        ahead = frame < self.last if self.backward else frame > self.last
        return ahead and self.begins == (source, since)

    def advance(
        self, frame: int, own: ObjectFrame, found: Sequence[tuple[ObjectFrame, FrameMemory | None]]
    ) -> None:
        """Take what came of the next frame: of the object, and of each rival."""
        for rival, (result, memory) in zip(self.rivals, found, strict=True):
            theirs, ours = result.logits > 0, own.logits > 0
            either = int(np.count_nonzero(theirs | ours))
            same = either > 0 and int(np.count_nonzero(theirs & ours)) >= _SAME_IOU * either
            rival.same_frames = rival.same_frames + 1 if same else 0
            rival.gone_frames = 0 if result.presence_logit > 0 and theirs.any() else rival.gone_frames + 1
            leg = rival.memory.legs[self.backward]
            leg.add(Note.of(result))
            if memory is not None:
                rival.memory.held[frame] = memory
            rival.memory.own[frame] = result
            kept = leg.kept_maps | leg.kept_pointers
            for other in [other for other in rival.memory.own if other not in kept and other != frame]:
                del rival.memory.own[other]
        self.rivals = [
            rival
            for rival in self.rivals
            if rival.gone_frames < _GONE_FRAMES and rival.same_frames < _SAME_FRAMES
        ]
        self.last = frame

    def may_try(self, frame: int, limit: int) -> bool:
        """Whether another rival is looked for on ``frame``, of so many at most."""
        waited = self._tried is None or abs(frame - self._tried) >= _TRY_AGAIN_FRAMES
        return waited and len(self.rivals) < limit

    def tried(self, frame: int) -> None:
        """A rival was looked for."""
        self._tried = frame

    def park(self) -> None:
        """Give back all tensors; what remains is what they can be rebuilt from."""
        for rival in self.rivals:
            rival.memory.held.clear()
            rival.memory.heads.clear()
            for entry in rival.memory.prompted.values():
                entry.memory, entry.logits, entry.conditioned = None, None, None


class RivalFinder:
    """Finds look-alikes beside an object, and segments them.

    Args:
        segmenter: Makes masks of clicks.
        bank: Writes memories of them.
        plate_px: Width and height of the plate.
    """

    def __init__(self, segmenter: Segmenter, bank: MemoryBank, plate_px: tuple[int, int]) -> None:
        self._segmenter = segmenter
        self._bank = bank
        self._plate_px = plate_px

    def find(self, features: ImageFeatures, place: MaskBox | None, own: ObjectFrame) -> RivalTrack | None:
        """A look-alike that nobody tracks yet; None where there is none at a place.

        Args:
            features: Of the picture.
            place: Where it may be, by :func:`place_by_likeness` or :func:`place_by_masks`.
            own: The object on this frame.
        """
        if place is None:
            return None
        width_px, height_px = self._plate_px
        wanted = Box(
            place.left * width_px, place.top * height_px, place.right * width_px, place.bottom * height_px
        )
        memory = ObjectMemory(own.object_id, policy=RIVAL_TRACK, unseen=True)
        prompts = FramePrompts(own.object_id, own.frame, box=wanted)
        entry = self._segmenter.segment(memory, prompts, features)
        if not _is_another(entry, own):
            return None
        self._bank.write_prompted(entry)
        memory.prompted[own.frame] = replace(entry, conditioned=None)
        return RivalTrack(memory)


def place_by_likeness(
    features: ImageFeatures,
    likeness: Tensor,
    least: float,
    own: ObjectFrame,
    rivals: Sequence[ObjectFrame],
) -> MaskBox | None:
    """Where a look-alike is that nobody tracks yet, for a network whose features were measured.

    Args:
        features: Of the picture.
        likeness: ``(h, w)`` how much it looks like the object.
        least: From which likeness on a cell may be of a rival.
        own: The object on this frame.
        rivals: Those that are tracked.
    """
    box = box_of(own.logits > 0)
    if box is None:
        return None
    free = likeness.clone()
    for result in (own, *rivals):
        cover = covered(torch.from_numpy(result.logits.astype(np.float32)).to(free.device), features)
        around = torch.nn.functional.max_pool2d(cover[None, None], 3, 1, 1)[0, 0] > 0
        free[around] = float("-inf")
    return place_beside(free.cpu().numpy(), box, least)


def place_by_masks(
    masks: NDArray[np.bool_], own: ObjectFrame, rivals: Sequence[ObjectFrame]
) -> MaskBox | None:
    """The same for any network of the family, by what the masks that were not taken reach over to.

    Args:
        masks: ``(K, s, s)``, all that the network made for the object.
        own: The object on this frame.
        rivals: Those that are tracked.
    """
    spoken_for = np.logical_or.reduce([result.logits > 0 for result in (own, *rivals)])
    return reached(own.logits > 0, spoken_for, list(masks), RIVAL_FROM)


def place_beside(likeness: NDArray[np.float32], own: MaskBox, least: float) -> MaskBox | None:
    """Where a look-alike of an object's size is, near it; None where nothing looks enough like it.

    A click would not do: crowds stand close, and it gives several of them, or what they stand on.

    Args:
        likeness: ``(h, w)`` of cells that nobody has; -inf elsewhere.
        own: The object's.
        least: The likeness of its best cell.
    """
    rows, columns = likeness.shape
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    width, height = own.right - own.left, own.bottom - own.top
    away = np.maximum(
        np.maximum(own.left - x, x - own.right) / width, np.maximum(own.top - y, y - own.bottom) / height
    )
    near = np.where(away <= _NEAR_SIZES, likeness, -np.inf)
    row, column = divmod(int(near.argmax()), columns)
    if near[row, column] < least:
        return None
    # Towards the middle of what looks like the object, within its size.
    middle_x, middle_y = float(x[row, column]), float(y[row, column])
    for _ in range(_CENTRING_STEPS):
        across, down = np.abs(x - middle_x) / width, np.abs(y - middle_y) / height
        within = np.maximum(across, down) <= _CENTRING_SIZES
        weights = within & (near >= least - _LIKE_WITHIN)
        if not weights.any():
            break
        middle_x, middle_y = (float(np.average(each, weights=weights)) for each in (x, y))
    half_width, half_height = _BOX_MARGIN * width / 2, _BOX_MARGIN * height / 2
    return MaskBox(
        max(0.0, middle_x - half_width),
        max(0.0, middle_y - half_height),
        min(1.0, middle_x + half_width),
        min(1.0, middle_y + half_height),
    )


def contested(
    decoded: Decoded, parties: Sequence[tuple[int, int]], expected: Sequence[MaskBox | None]
) -> Decoded:
    """What was decoded, with each pixel left to one of an object and its rivals.

    They look alike, so where several claim a pixel their ways decide: it is whose expected place is nearer,
    in sizes of that box. Where a way is not known, the surer one has it.

    Args:
        decoded: Batch B.
        parties: The row of an object and how many rivals follow it.
        expected: Of B rows, where each is expected.
    """
    if not any(rivals for _, rivals in parties):
        return decoded
    best = decoded.best_logits.clone()
    for at, rivals in parties:
        own = decoded.best_logits[at, 0]
        for row in range(at + 1, at + 1 + rivals):
            theirs = decoded.best_logits[row, 0]
            here, there = expected[at], expected[row]
            if here is None or there is None:
                is_own = own >= theirs
            else:
                is_own = _distance(here, own) <= _distance(there, own)
            both = (own > 0) & (theirs > 0)
            best[at, 0] = torch.where(both & ~is_own, best[at, 0].clamp(max=_TAKEN_LOGIT), best[at, 0])
            best[row, 0] = torch.where(both & is_own, theirs.clamp(max=_TAKEN_LOGIT), theirs)
    return replace(decoded, best_logits=best)


def _distance(box: MaskBox, like: Tensor) -> Tensor:
    """``(s, s)``: how far each cell is from the middle of a box, squared, in sizes of it."""
    rows, columns = like.shape
    y = (torch.arange(rows, device=like.device) + 0.5) / rows
    x = (torch.arange(columns, device=like.device) + 0.5) / columns
    across = (x - (box.left + box.right) / 2) / (box.right - box.left)
    down = (y - (box.top + box.bottom) / 2) / (box.bottom - box.top)
    return down[:, None] ** 2 + across[None, :] ** 2


def _is_another(entry: PromptedFrame, own: ObjectFrame) -> bool:
    theirs, ours = entry.result.logits > 0, own.logits > 0
    area, size = int(np.count_nonzero(ours)), int(np.count_nonzero(theirs))
    shared = int(np.count_nonzero(theirs & ours))
    return _SMALLEST * area <= size <= _LARGEST * area and shared <= _MOST_SHARED * min(area, size)
