"""What became of one object on one hard clip: counted frame by frame, nothing kept.

A frame counts as *absent* where no pixel of the target is visible, as *present* where at least a tenth of
what was visible on frame 0 is. An object that was absent for two frames or more is found again if within
five frames of being present its mask overlaps the truth by half: else the return is *missed* (an appearance
error). A pixel of mask on an absent frame is a mask where nothing is (a disappearance error). A mask is *on a
rival* where it covers more of the rivals than of the target, and they are half of it or more; each time it
gets there is an identity switch. (Errors of both kinds: the measures of MOSEv2, arXiv 2508.05630.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from masklet_server.evaluation.metrics import score_frame
from masklet_server.evaluation.presence import FOUND_AT_IOU, FOUND_WITHIN_FRAMES, SHORTEST_ABSENCE_FRAMES
from masklet_server.training.hard_frames import PRESENT_FROM_SHARE

LOST_BELOW_IOU = 0.1


@dataclass(frozen=True)
class Counts:
    """What happened; counts of several clips add up.

    Attributes:
        clips: Clips judged.
        frames: Frames judged: all but the first.
        j_sum: J over these, 0 to 1 each.
        f_sum: F likewise.
        present: Frames on which the target is present.
        lost: Of these, those whose mask misses it all but entirely (IoU below 0.1).
        absent: Frames on which it is absent.
        ghosts: Of these, those with a mask.
        returns: Times it came back.
        missed: Of these, those after which it was not found.
        switches: Times the mask went over to a rival.
        on_rival: Frames on which it is on one.
    """

    clips: int = 0
    frames: int = 0
    j_sum: float = 0.0
    f_sum: float = 0.0
    present: int = 0
    lost: int = 0
    absent: int = 0
    ghosts: int = 0
    returns: int = 0
    missed: int = 0
    switches: int = 0
    on_rival: int = 0

    def __add__(self, other: Counts) -> Counts:
        ours, theirs = asdict(self), asdict(other)
        return Counts(**{field.name: ours[field.name] + theirs[field.name] for field in fields(self)})

    @property
    def j_and_f(self) -> float | None:
        """Mean of J and F over all frames, in percent; None without any."""
        return 50.0 * (self.j_sum + self.f_sum) / self.frames if self.frames else None


class Judge:
    """Counts for one clip. Frames come in order, from frame 0 on, which is prompted and not judged.

    Args:
        first: ``(h, w)`` the target on frame 0.
    """

    def __init__(self, first: NDArray[np.bool_]) -> None:
        self._present_from_px = max(1.0, PRESENT_FROM_SHARE * float(first.sum()))
        self._counts = Counts(clips=1)
        self._gone_frames = 0
        self._looking_frames = 0
        self._was_on_rival = False

    def add(
        self, mask: NDArray[np.bool_], truth: NDArray[np.bool_], rivals: Sequence[NDArray[np.bool_]]
    ) -> float:
        """Take the next frame; the IoU of its mask.

        Args:
            mask: ``(h, w)`` what the tracker says.
            truth: ``(h, w)`` what is visible of the target.
            rivals: ``(h, w)`` each, what is visible of those that may be taken for it.
        """
        score = score_frame(mask, truth)
        area_px, own_px, mask_px = (int(np.count_nonzero(each)) for each in (truth, mask & truth, mask))
        theirs_px = int(np.count_nonzero(mask & np.logical_or.reduce(rivals))) if rivals else 0
        present, absent = area_px >= self._present_from_px, area_px == 0
        on_rival = theirs_px > own_px and theirs_px >= 0.5 * mask_px
        returns, missed = self._follow_return(present, absent, score.j)
        self._counts += Counts(
            frames=1,
            j_sum=score.j,
            f_sum=score.f,
            present=int(present),
            lost=int(present and score.j < LOST_BELOW_IOU),
            absent=int(absent),
            ghosts=int(absent and mask_px > 0),
            returns=returns,
            missed=missed,
            switches=int(on_rival and not self._was_on_rival),
            on_rival=int(on_rival),
        )
        self._was_on_rival = on_rival
        return score.j

    @property
    def counts(self) -> Counts:
        """So far. A return that the clip ends upon counts as missed until it is found."""
        return self._counts

    def _follow_return(self, present: bool, absent: bool, iou: float) -> tuple[int, int]:
        """Changes of the counts of returns and of missed ones."""
        returned = present and self._gone_frames >= SHORTEST_ABSENCE_FRAMES
        if absent:
            self._gone_frames += 1
            self._looking_frames = 0
        elif present:
            self._gone_frames = 0
        if returned:
            self._looking_frames = FOUND_WITHIN_FRAMES
        if not self._looking_frames:
            return 0, 0
        found = iou >= FOUND_AT_IOU
        self._looking_frames = 0 if found else self._looking_frames - 1
        # Missed as long as it is not found.
        return int(returned), int(returned) - int(found)
