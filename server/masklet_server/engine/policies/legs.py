"""What a policy has made of the results of a leg so far: read in order, from the prompts on.

Memories that show the object. Anchors, after J. Videnovic et al. (arXiv 2411.17576): frames with a rival
beside the object, a mask that is good and about as large as lately, some frames apart. Motion, after
C.-Y. Yang et al. (arXiv 2411.11922). The rules come from the papers, the numbers as well.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from masklet_server.engine.policies.boxes import MaskBox, box_of
from masklet_server.engine.policies.motion import BoxMotion
from masklet_server.engine.policies.policy import Policy
from masklet_server.engine.recall import Reach, Recall
from masklet_server.tracking import RIVAL_FROM, ObjectFrame

_APART_FRAMES = 5
_LARGER, _SMALLER = 1.2, 0.8
_AREAS = 10
_STABLE_FRAMES = 15
_MOVES_WITH_IOU = 0.3
_TRUSTED_QUALITY = 0.3
# A path is known sooner than it is good for choosing between masks.
_PATH_FRAMES = 3
# A rival that meets the object is not beside it any more, until they part.
_WARY_FRAMES = 15
_PATH_MARGIN = 0.15
# So long a path may be believed without seeing that it is right.
_BLIND_FRAMES = 25
# A mask that ends where its path does was cut there: its box says nothing of the object.
_CUT_WITHIN = 0.012
# A rival that covers the object shows edges of its own.
_CUT_DOUBT = 5.0


@dataclass(frozen=True)
class Note:
    """One result, as far as policies read it.

    Attributes:
        frame: The plate's own number.
        quality: Effective IoU, 0 to 1; 0 where the object is absent.
        predicted_iou: The network's estimate of its mask.
        rival: How near a rival came.
        area: Share of the picture.
        box: None where the mask is empty.
    """

    frame: int
    quality: float
    predicted_iou: float
    rival: float
    area: float
    box: MaskBox | None

    @property
    def shows(self) -> bool:
        """Whether the object is there to be seen."""
        return self.box is not None and self.quality > 0

    @staticmethod
    def of(result: ObjectFrame) -> Note:
        """The note of a stored result."""
        mask = result.logits > 0
        seen = result.presence_logit > 0
        sure = 2.0 / (1.0 + math.exp(-min(result.presence_logit, 30.0))) - 1.0 if seen else 0.0
        return Note(
            result.frame,
            sure * result.predicted_iou,
            result.predicted_iou,
            result.rival,
            float(np.count_nonzero(mask)) / mask.size,
            box_of(mask) if seen else None,
        )


@dataclass(frozen=True)
class Cut:
    """On which sides a mask ends where its path does: it would have gone on there, into a rival perhaps."""

    left: bool = False
    top: bool = False
    right: bool = False
    bottom: bool = False

    @staticmethod
    def of(box: MaskBox | None, path: MaskBox) -> Cut:
        """Of a mask in a path; an empty one is cut on all sides."""
        if box is None:
            return Cut(True, True, True, True)
        return Cut(
            box.left - path.left < _CUT_WITHIN,
            box.top - path.top < _CUT_WITHIN,
            path.right - box.right < _CUT_WITHIN,
            path.bottom - box.bottom < _CUT_WITHIN,
        )

    def mended(self, box: MaskBox, expected: MaskBox) -> MaskBox:
        """Where the object's box must be, of the size it is expected to have, by its uncut sides."""
        left, right = _mended((box.left, box.right), (expected.left, expected.right), (self.left, self.right))
        top, bottom = _mended((box.top, box.bottom), (expected.top, expected.bottom), (self.top, self.bottom))
        return MaskBox(left, top, right, bottom)


class LegMemory:
    """The state of one policy on one leg.

    Args:
        policy: Whose rules hold.
        reach: How far the network looks.
        source: The prompted frame that the leg starts at.
        start: The note of its result.
        since: The first frame of the way that counts, where a shot began on it.
    """

    def __init__(
        self, policy: Policy, reach: Reach, source: int, start: Note, since: int | None = None
    ) -> None:
        self.policy = policy
        self.last = source
        self._begins = source, since
        self._reach = reach
        self._anchors: deque[int] = deque(maxlen=max(policy.anchors, 1))
        self._seen: deque[int] = deque(maxlen=max(reach.pointers, max(reach.recent_ages, default=1)))
        self._areas: deque[float] = deque([start.area] if start.area > 0 else [], maxlen=_AREAS)
        self._anchored = source
        self._motion = None if start.box is None else BoxMotion.started(start.box)
        self._stable_frames = 0
        self._wary_frames = 0
        self._blind_frames = 0

    def leads(self, source: int, since: int | None) -> bool:
        """Whether it is the leg that begins there."""
        return self._begins == (source, since)

    def copy(self) -> LegMemory:
        """The same, to go on from in another way."""
        other = copy.copy(self)
        other._anchors, other._seen, other._areas = (
            self._anchors.copy(),
            self._seen.copy(),
            self._areas.copy(),
        )
        return other

    def add(self, note: Note) -> None:
        """Take the result of the next frame of the leg."""
        self.last = note.frame
        path = self.path
        cut = Cut() if path is None else Cut.of(note.box, path)
        was_cut = any(vars(cut).values())
        if self.policy.motion_weight > 0 or self.policy.keeps_to_path or self.policy.foresees:
            self._move(note, cut)
        near = note.rival >= RIVAL_FROM or was_cut
        self._wary_frames = _WARY_FRAMES if near else max(0, self._wary_frames - 1)
        self._blind_frames = self._blind_frames + 1 if was_cut else 0
        if note.shows and note.quality >= self.policy.least_quality:
            self._seen.append(note.frame)
        if self._is_anchor(note):
            self._anchors.append(note.frame)
            self._anchored = note.frame
        if note.area > 0 and note.shows:
            self._areas.append(note.area)

    def remembers(self, note: Note) -> bool:
        """Whether the next frame, being so, will ever be read: on others nothing needs to be written."""
        return (note.shows and note.quality >= self.policy.least_quality) or self._is_anchor(note)

    def recall(self, frame: int, prompted: tuple[int, ...], *, backward: bool) -> Recall:
        """What the object reads on ``frame``, the next one of the leg.

        Args:
            frame: To segment.
            prompted: The neighbouring prompted frames, ascending.
            backward: The direction of travel.
        """
        step = 1 if backward else -1
        anchors = [anchor for anchor in self._anchors if self.policy.anchors]
        maps = [(other, self._reach.maps - 1) for other in (*prompted, *anchors)]
        recent: dict[int, int] = {}
        for slot, age in enumerate(self._reach.recent_ages):
            for other in reversed(self._seen):
                if (other - frame) * step >= age and other not in recent and other not in anchors:
                    recent[other] = slot
                    break
        maps += reversed(list(recent.items()))
        pointers = [(other, (other - frame) * step) for other in prompted if (other - frame) * step >= 0]
        room = self._reach.pointers - 1
        pointers += [
            (other, min((other - frame) * step, self._reach.pointer_frames))
            for other in list(self._seen)[::-1][:room]
        ]
        return Recall(tuple(maps), tuple(pointers))

    @property
    def foreseen(self) -> MaskBox | None:
        """Where the box will be on the next frame; None until that can be told."""
        if self._motion is None or self._stable_frames < _STABLE_FRAMES:
            return None
        return self._motion.predicted().box

    @property
    def expected(self) -> MaskBox | None:
        """Where the box will be on the next frame, as far as that can be told; None for nowhere."""
        return None if self._motion is None else self._motion.predicted().box

    @property
    def path(self) -> MaskBox | None:
        """Where the mask has to stay on the next frame; None for anywhere."""
        wary = self.policy.keeps_to_path and self._wary_frames > 0 and self._blind_frames < _BLIND_FRAMES
        if not wary or self._motion is None or self._stable_frames < _PATH_FRAMES:
            return None
        box = self._motion.predicted().box
        margin = _PATH_MARGIN * max(box.right - box.left, box.bottom - box.top)
        return MaskBox(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)

    @property
    def kept_maps(self) -> frozenset[int]:
        """Frames whose maps will be read again, however long ago they were."""
        ages = self._reach.recent_ages
        anchors = self._anchors if self.policy.anchors else ()
        # Anchors are no recent frames: those before them are read in their place.
        newest = [frame for frame in self._seen if frame not in anchors][-(max(ages, default=0) + 1) :]
        return frozenset((*anchors, *newest))

    @property
    def kept_pointers(self) -> frozenset[int]:
        """Frames whose pointers will be."""
        return frozenset(self._seen)

    def _is_anchor(self, note: Note) -> bool:
        if not self.policy.anchors or not note.shows:
            return False
        if abs(note.frame - self._anchored) <= _APART_FRAMES or not self._areas:
            return False
        ratio = note.area / float(np.median(self._areas))
        return (
            note.rival >= RIVAL_FROM
            and note.predicted_iou > self.policy.anchor_quality
            and _SMALLER <= ratio <= _LARGER
        )

    def _move(self, note: Note, cut: Cut) -> None:
        if self._motion is None:
            self._motion = None if note.box is None else BoxMotion.started(note.box)
            return
        if any(vars(cut).values()):
            self._motion = self._motion.coasted()
            if note.box is not None:
                mended = cut.mended(note.box, self._motion.box)
                self._motion = self._motion.corrected(mended, doubt=_CUT_DOUBT)
            return
        ahead = self._motion.predicted()
        if note.box is None:
            self._motion, self._stable_frames = ahead, 0
            return
        settled = self._stable_frames >= _STABLE_FRAMES
        fits = (
            ahead.box.iou(note.box) >= _MOVES_WITH_IOU if settled else note.predicted_iou > _TRUSTED_QUALITY
        )
        self._motion = ahead.corrected(note.box) if fits else ahead
        self._stable_frames = self._stable_frames + 1 if fits else 0


def _mended(
    seen: tuple[float, float], expected: tuple[float, float], cut: tuple[bool, bool]
) -> tuple[float, float]:
    size = expected[1] - expected[0]
    if cut == (True, False):
        return seen[1] - size, seen[1]
    if cut == (False, True):
        return seen[0], seen[0] + size
    return expected if cut == (True, True) else seen
