"""From masks per frame to figures per object, sequence and data set.

The convention is that of DAVIS 2017, which SA-V and MOSE share: of each object's annotated
frames the first, where it is prompted, and the last are left out; J and F are averaged over the
rest, then over all objects of all sequences. Where an object has fewer than three annotated
frames only the first is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth
from masklet_server.evaluation.metrics import FrameScore, score_frame


@dataclass(frozen=True)
class ObjectScores:
    """Scores of one object of one sequence, by judged frame."""

    object_id: int
    frames: Mapping[int, FrameScore]

    @property
    def j(self) -> float:
        """Mean J, 0 to 1."""
        return float(np.mean([score.j for score in self.frames.values()]))

    @property
    def f(self) -> float:
        """Mean F, 0 to 1."""
        return float(np.mean([score.f for score in self.frames.values()]))

    @property
    def boundary_error_px(self) -> float | None:
        """Mean over the frames where both boundaries exist; None where there are none."""
        errors_px = [s.boundary_error_px for s in self.frames.values() if s.boundary_error_px is not None]
        return float(np.mean(errors_px)) if errors_px else None


@dataclass(frozen=True)
class Figures:
    """Means over objects, as a report prints them.

    Attributes:
        j: Percent.
        f: Percent.
        boundary_error_px: Mean distance of the boundaries; None where it is not defined.
    """

    j: float
    f: float
    boundary_error_px: float | None = None

    @property
    def j_and_f(self) -> float:
        """Percent."""
        return (self.j + self.f) / 2


def figures(objects: Sequence[ObjectScores]) -> Figures:
    """Means over one or more objects."""
    errors_px = [o.boundary_error_px for o in objects if o.boundary_error_px is not None]
    return Figures(
        100 * float(np.mean([o.j for o in objects])),
        100 * float(np.mean([o.f for o in objects])),
        float(np.mean(errors_px)) if errors_px else None,
    )


class Judge:
    """Collects the scores of one clip, each annotation read once per frame."""

    def __init__(self, clip: AnnotatedClip) -> None:
        self._clip = clip
        self.starts = clip.first_visible()
        self._truths: dict[int, FrameTruth] = {}

    def truth(self, frame: int) -> FrameTruth:
        """The annotation of a frame."""
        if frame not in self._truths:
            self._truths[frame] = self._clip.read_truth(frame)
        return self._truths[frame]

    def judge(
        self,
        masks_by_frame: Iterable[tuple[int, Mapping[int, NDArray[np.bool_]]]],
        *,
        starts: Mapping[int, int] | None = None,
        keep_last: bool = False,
    ) -> list[ObjectScores]:
        """Scores of every object that has a judged frame.

        Args:
            masks_by_frame: Masks by object, frame after frame; the rest is ignored.
            starts: The frame on which each object is prompted; by default where it is first
                visible. Only later frames count.
            keep_last: Judge the last frame too, against the convention.
        """
        annotated = set(self._clip.annotated_frames)
        starts = self.starts if starts is None else starts
        scores: dict[int, dict[int, FrameScore]] = {object_id: {} for object_id in starts}
        for frame, masks in masks_by_frame:
            if frame not in annotated:
                continue
            truth = self.truth(frame)
            for object_id, start in starts.items():
                if frame > start and object_id in truth.masks and object_id in masks:
                    score = score_frame(masks[object_id], truth.masks[object_id], truth.void)
                    scores[object_id][frame] = score
        judged = []
        for object_id, by_frame in scores.items():
            if len(by_frame) > 1 and not keep_last:
                by_frame.pop(max(by_frame))
            if by_frame:
                judged.append(ObjectScores(object_id, by_frame))
        return judged
