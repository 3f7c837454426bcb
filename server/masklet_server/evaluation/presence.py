"""Does it know when the object is gone? Measured on generated clips, where the truth is exact.

A frame counts as absent where no pixel of the object is visible, and as present where at least a
tenth of what was visible on the prompted frame is; frames in between are not judged. An object
that was absent for two frames or more is found again if, within five frames of being present
again, its mask overlaps the truth by half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet.types import ClipInfo, FramePrompts, Mask, Presence
from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth
from masklet_server.evaluation.metrics import region_similarity
from masklet_server.evaluation.runs import ClipRun, TrackerFactory
from masklet_server.training.hard_frames import PRESENT_FROM_SHARE

if TYPE_CHECKING:
    from pathlib import Path

    from masklet_server.training.clips import ClipSource

SHORTEST_ABSENCE_FRAMES = 2
FOUND_WITHIN_FRAMES = 5
FOUND_AT_IOU = 0.5


@dataclass(frozen=True)
class PresenceCounts:
    """What happened to the objects of some clips; counts add up.

    Attributes:
        objects: Objects that were tracked.
        present: Judged frames on which one is present.
        absent: Judged frames on which one is absent.
        rightly_absent: Of the absent ones, those called absent.
        wrongly_absent: Of the present ones, those called absent.
        returns: Times an object came back.
        found_again: Of these, how often it was found.
        iou_sum: IoU summed over the present frames.
    """

    objects: int = 0
    present: int = 0
    absent: int = 0
    rightly_absent: int = 0
    wrongly_absent: int = 0
    returns: int = 0
    found_again: int = 0
    iou_sum: float = 0.0

    def __add__(self, other: PresenceCounts) -> PresenceCounts:
        ours, theirs = asdict(self), asdict(other)
        return PresenceCounts(**{field.name: ours[field.name] + theirs[field.name] for field in fields(self)})

    @property
    def precision(self) -> float | None:
        """Share of right ones among the frames called absent; None where none was."""
        return _share(self.rightly_absent, self.rightly_absent + self.wrongly_absent)

    @property
    def recall(self) -> float | None:
        """Share of the absent frames that were called absent; None without any."""
        return _share(self.rightly_absent, self.absent)

    @property
    def found_share(self) -> float | None:
        """Share of the returns after which the object was found; None without any."""
        return _share(self.found_again, self.returns)

    @property
    def mean_iou(self) -> float | None:
        """Mean IoU over the present frames; None without any."""
        return self.iou_sum / self.present if self.present else None


class GeneratedClip:
    """A generated clip as a frame source, and its truth.

    Args:
        name: For messages.
        pictures: ``(T, h, w, 3)`` float32, sRGB from 0 to 1.
        masks: ``(T, n, h, w)`` bool, what is visible of object ids 0 to n - 1.
    """

    def __init__(self, name: str, pictures: NDArray[np.float32], masks: NDArray[np.bool_]) -> None:
        count, height_px, width_px = pictures.shape[:3]
        self.info = ClipInfo(name, width_px, height_px, 0, count - 1)
        self.masks = masks
        self._pictures = pictures

    def read(self, frame: int) -> NDArray[np.float32]:
        """The ``(h, w, 3)`` picture of ``frame``."""
        if frame not in self.info.frames:
            raise FrameMissingError(f"{self.info.name} has no frame {frame}.")
        picture: NDArray[np.float32] = self._pictures[frame]
        return picture


class GeneratedTruth:
    """The masks of a generated clip as truth."""

    def __init__(self, masks: NDArray[np.bool_]) -> None:
        self._masks = masks

    @property
    def object_ids(self) -> tuple[int, ...]:
        """0 to n - 1."""
        return tuple(range(self._masks.shape[1]))

    @property
    def frames(self) -> tuple[int, ...]:
        """All frames."""
        return tuple(range(len(self._masks)))

    def read(self, frame: int) -> FrameTruth:
        """All masks of a frame."""
        return FrameTruth(dict(enumerate(self._masks[frame])))

    def files(self) -> Sequence[Path]:
        """None: it was never on disc."""
        return ()


def generate_clips(source: ClipSource, *, clips: int, frames: int, side_px: int) -> Iterator[GeneratedClip]:
    """Clips one by one, with the objects that can be prompted on the first frame.

    Clips without any are left out, so there may be fewer than ``clips``.
    """
    for number in range(clips):
        made = source.compose(1, frames, side_px, 3)
        wanted = made.valid[0].cpu().numpy()
        if not wanted.any():
            continue
        pictures = made.images[0].permute(0, 2, 3, 1).float().cpu().numpy()
        # (T, h, w, 3)
        masks = made.masks[0].cpu().numpy()[:, wanted]
        # (T, n, h, w)
        yield GeneratedClip(f"generated {number}", np.ascontiguousarray(pictures), masks)


def measure_presence(clip: GeneratedClip, make_tracker: TrackerFactory) -> PresenceCounts:
    """Track every object of a clip from its true mask on frame 0 and count what is called absent."""
    ids = list(range(clip.masks.shape[1]))
    run = ClipRun(AnnotatedClip(clip.info.name, clip, GeneratedTruth(clip.masks)), make_tracker)
    for object_id in ids:
        alpha = clip.masks[0, object_id].astype(np.uint8) * 255
        run.prompt(FramePrompts(object_id, 0, mask=Mask.from_array(alpha)))
    run.track(range(1, len(clip.masks)), ids)
    return sum((_count(run, clip.masks[:, object_id], object_id) for object_id in ids), PresenceCounts())


def _count(run: ClipRun, truth: NDArray[np.bool_], object_id: int) -> PresenceCounts:
    areas_px = truth.reshape(len(truth), -1).sum(axis=1)
    present = areas_px >= max(1.0, PRESENT_FROM_SHARE * float(areas_px[0]))
    absent = areas_px == 0
    called_absent = np.array([_is_called_absent(run, object_id, frame) for frame in range(len(truth))])
    ious = {
        frame: region_similarity(run.mask(object_id, frame), truth[frame])
        for frame in range(1, len(truth))
        if present[frame]
    }
    returns = _returns(absent, present)
    found = [
        any(ious.get(frame, 0.0) >= FOUND_AT_IOU for frame in range(back, back + FOUND_WITHIN_FRAMES))
        for back in returns
    ]
    judged = np.arange(len(truth)) > 0
    return PresenceCounts(
        objects=1,
        present=int((present & judged).sum()),
        absent=int((absent & judged).sum()),
        rightly_absent=int((absent & called_absent & judged).sum()),
        wrongly_absent=int((present & called_absent & judged).sum()),
        returns=len(returns),
        found_again=sum(found),
        iou_sum=sum(ious.values()),
    )


def _returns(absent: NDArray[np.bool_], present: NDArray[np.bool_]) -> list[int]:
    """Frames on which an object is present again after an absence that is long enough."""
    found = []
    gone_frames = 0
    for frame in range(len(absent)):
        if absent[frame]:
            gone_frames += 1
        elif present[frame]:
            if gone_frames >= SHORTEST_ABSENCE_FRAMES:
                found.append(frame)
            gone_frames = 0
    return found


def _is_called_absent(run: ClipRun, object_id: int, frame: int) -> bool:
    result = run.results.find(object_id, frame)
    return result is None or result.presence is Presence.ABSENT


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
