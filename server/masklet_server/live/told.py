"""What is said of a run when it begins and when it ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from masklet.frame_runs import runs_of, shown
from masklet.policies import MemoryPolicy
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from masklet.prompts import Shot
    from masklet.types import FramePrompts

_GAPS_TOLD = 20
_DELAYS = 1000


@dataclass
class Told:
    """What is said of a run when it ends.

    Attributes:
        delays_s: From when a frame was whole until its mattes were written; of the newest ones.
        said: All prompts.
        frames: How many came.
        last: The newest of them.
        gaps: First and last of frames that did not come, the earliest gaps.
        gap_count: All gaps.
        used: Frames with prompts that came.
        size_px: Width and height of the first.
        misfits: Frames of another size, the earliest; they are left out, as in a finished clip.
        misfit_count: All of them.
    """

    said: Sequence[FramePrompts]
    delays_s: deque[float] = field(default_factory=lambda: deque(maxlen=_DELAYS))
    frames: int = 0
    last: int | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    gap_count: int = 0
    used: set[int] = field(default_factory=set)
    size_px: tuple[int, int] | None = None
    misfits: list[int] = field(default_factory=list)
    misfit_count: int = 0

    def fits(self, frame: int, width_px: int, height_px: int) -> bool:
        """Whether a frame is as large as the first one; it is left out where it is not."""
        self.size_px = self.size_px or (width_px, height_px)
        if self.size_px == (width_px, height_px):
            return True
        self.misfit_count += 1
        if len(self.misfits) < _GAPS_TOLD:
            self.misfits.append(frame)
        return False

    def note(self, frame: int, delay_s: float) -> None:
        """One more frame."""
        if self.last is not None and frame > self.last + 1:
            self.gap_count += 1
            if len(self.gaps) < _GAPS_TOLD:
                self.gaps.append((self.last + 1, frame - 1))
        if any(each.frame == frame for each in self.said):
            self.used.add(frame)
        self.frames, self.last = self.frames + 1, frame
        self.delays_s.append(delay_s)

    def lacking(self, names: Mapping[int, str]) -> Iterator[str]:
        """What has no matte because its frame did not come, a sentence each."""
        if self.gaps:
            more = f", and {self.gap_count - _GAPS_TOLD} gaps more" if self.gap_count > _GAPS_TOLD else ""
            gaps = [FrameRange(first, last) for first, last in self.gaps]
            yield f"frames without a matte, dropped or never whole: {shown(gaps)}{more}"
        if self.misfits and self.size_px is not None:
            width_px, height_px = self.size_px
            more = f", and {self.misfit_count - _GAPS_TOLD} more" if self.misfit_count > _GAPS_TOLD else ""
            yield (
                f"frames left out, as they are not {width_px} x {height_px} as the first one is: "
                f"{shown(runs_of(self.misfits))}{more}"
            )
        unseen: dict[int, list[int]] = {}
        for each in self.said:
            if each.frame not in self.used:
                unseen.setdefault(each.object_id, []).append(each.frame)
        for object_id, frames in unseen.items():
            yield (
                f"the prompts of {names[object_id]} on {shown(runs_of(frames))} were not used: no picture of "
                "these frames came; check --first-frame and the numbers in the prompts"
            )

    def sentence(self, dropped: int) -> str:
        """Frames, dropped ones, and the delay."""
        words = f"{self.frames} frames, {dropped} dropped"
        if not self.delays_s:
            return words
        ordered = sorted(self.delays_s)
        middle, late = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
        return f"{words}; delay {1000 * middle:.0f} ms, of one in twenty more than {1000 * late:.0f} ms"


def not_used(shot: Shot, *, is_raw: bool) -> Iterator[str]:
    """What a document says and a run has no use for, a sentence each."""
    document = shot.document
    if document.mattes:
        yield (
            "matte settings of the document are not used: mattes are written as they are tracked; open the "
            "finished clip for others"
        )
    if document.masks:
        yield "masks of locked frames in the document are not used: every frame is tracked"
    if is_raw and shot.reading.colour_space is not None:
        yield (
            f"the colour space {shot.reading.colour_space} of the document is not used: raw frames are taken "
            "as sRGB"
        )
    if any(each.policy is MemoryPolicy.PATHS for each in document.policies):
        yield "with the policy paths mattes of up to 100 earlier frames are written again as it goes"
