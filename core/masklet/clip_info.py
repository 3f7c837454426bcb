"""What is known of a clip; the convention of its numbers is that of :mod:`masklet.types`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from masklet.frame_range import FrameRange
from masklet.frame_set import FrameSet


@dataclass(frozen=True)
class Overscan:
    """How far the picture that is matted reaches beyond the display window, on each side."""

    left_px: int = 0
    top_px: int = 0
    right_px: int = 0
    bottom_px: int = 0


@dataclass(frozen=True)
class UnreadableFrame:
    """A frame whose picture cannot be used, and a sentence that says why."""

    frame: int
    reason: str


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its pictures are read.

    Attributes:
        name: For people: the file or pattern without folders.
        width_px: Of the picture that is matted: the display window, and overscan where it was asked for.
        height_px: The same.
        first_frame: The plate's own number.
        last_frame: The plate's own number.
        missing_frames: Numbers inside the range that have no picture.
        pixel_aspect: Width of a pixel divided by its height.
        frames_per_s: None where neither the files nor the artist say; never a guess. The average where
            the rate varies.
        colour_space: The name of the input space that is in force.
        notices: Sentences for people about what was assumed or left out when the clip was opened.
        unreadable: Frames whose pictures turned out to be unusable. They are among the missing ones too.
        overscan: What of the picture lies outside the display window.
        display_origin_px: Where the files' own coordinates put the top-left corner of the display window.
        frame_times_us: Of a movie whose rate varies: when each picture is shown, in microseconds after
            the first one, a number for each frame. Empty where pictures follow each other evenly.
        quarter_turns: How often the movie asks for its stored pictures to be turned clockwise, 0 to 3,
            after mirroring. Sizes and masks are those of the picture as it is shown.
        mirrored: True where it asks for them to be mirrored left to right.
    """

    name: str
    width_px: int
    height_px: int
    first_frame: int
    last_frame: int
    missing_frames: tuple[int, ...] = ()
    pixel_aspect: float = 1.0
    frames_per_s: float | None = None
    colour_space: str = "sRGB"
    notices: tuple[str, ...] = ()
    unreadable: tuple[UnreadableFrame, ...] = ()
    overscan: Overscan = Overscan()
    display_origin_px: tuple[int, int] = (0, 0)
    frame_times_us: tuple[int, ...] = ()
    quarter_turns: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.frame_times_us and len(self.frame_times_us) != len(self.frames):
            raise ValueError(
                f"{len(self.frame_times_us)} frame times for {len(self.frames)} frames: give one for each"
            )

    @property
    def display_width_px(self) -> int:
        """Of the display window: what a compositing application takes for the plate's format."""
        return self.width_px - self.overscan.left_px - self.overscan.right_px

    @property
    def display_height_px(self) -> int:
        """Of the display window."""
        return self.height_px - self.overscan.top_px - self.overscan.bottom_px

    @property
    def frames(self) -> FrameRange:
        """The whole clip, missing frames included."""
        return FrameRange(self.first_frame, self.last_frame)

    @cached_property
    def missing(self) -> FrameSet:
        """The missing frames as a set, which is asked fast and steps over gaps at once."""
        return FrameSet(self.missing_frames)

    @property
    def is_variable_rate(self) -> bool:
        """True where pictures do not follow each other evenly; their times are known then."""
        return bool(self.frame_times_us)

    def time_s(self, frame: int) -> float | None:
        """Seconds from the first picture to that of ``frame``; None where no rate is known.

        Frames outside of the clip lie where the rate would put them, before the first and after the last
        picture.
        """
        place = frame - self.first_frame
        if not self.frame_times_us:
            return None if self.frames_per_s is None else place / self.frames_per_s
        inside = min(max(place, 0), len(self.frame_times_us) - 1)
        beyond_s = (place - inside) / self.frames_per_s if self.frames_per_s else 0.0
        return self.frame_times_us[inside] / 1e6 + beyond_s
