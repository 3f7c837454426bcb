"""A clip of picture files, one per frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import ClipError, MaskletError
from masklet.plate_marks import NO_MARKS, PlateMarks
from masklet.types import ClipInfo, Overscan, UnreadableFrame
from masklet_server.aside import waiting_for_disk
from masklet_server.media.areas import Area
from masklet_server.media.clip import Clip
from masklet_server.media.colour import conversion_from, guess_space
from masklet_server.media.marks import marks_of_picture
from masklet_server.media.picture import OpenPicture, PictureHeader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from masklet.pictures import Grade
    from masklet_server.media.limits import Limits


@dataclass(frozen=True)
class _Looks:
    """What the headers of some frames say: those that could be read, and why the others could not."""

    headers: Mapping[int, PictureHeader]
    problems: Mapping[int, MaskletError]


class PictureClip(Clip):
    """Reads frame n from the file that belongs to n; nothing stays open between reads.

    Size, pixel aspect, frame rate, layer and input space are those of the plate: of the first, the second
    and the last frame that are used, as two of these have it, so that neither a slate nor a stray picture
    decides. A frame that cannot be read, or has another size, is left out like a missing one.

    Args:
        name: For people, such as ``plate.%04d.exr``.
        files: Frame number to file. Gaps are missing frames.
        limits: Checked against every header.
        reading: Input space, layer, view and overscan, as far as the artist said; and the frames that
            are used.
        names_are_ours: The files have names that mean nothing to whoever sent them, so messages
            speak of frames.

    Raises:
        ClipError: There are no files, or none of those that were looked at can be used.
        LimitError: The clip exceeds the limits.
        BadInputError: The colour space, the layer or the view is unknown.
    """

    def __init__(
        self,
        name: str,
        files: Mapping[int, Path],
        *,
        limits: Limits,
        reading: ClipReading = AS_FILES_SAY,
        names_are_ours: bool = False,
    ) -> None:
        used = reading.frames
        if used is not None and any(frame in used for frame in files):
            if max(files) - min(files) >= limits.max_frames:
                # A stray number far off does not matter to a range that leaves it out.
                files = {frame: file for frame, file in files.items() if frame in used}
        else:
            used = None
        if not files:
            raise ClipError(f"{name} has no frames: check the path and the pattern.")
        first, last = min(files), max(files)
        limits.check_frame_count(last - first + 1, what=name)
        self._name = name
        self._files = dict(files)
        self._limits = limits
        self._names_are_ours = names_are_ours
        self._layer, self._view = reading.layer, reading.view
        wanted = sorted(frame for frame in files if used is None or frame in used)
        looks = self._look(wanted, every=reading.overscan)
        header = _typical(looks)
        self._layer, self._view = header.layer.name or reading.layer, header.layer.view or reading.view
        self._format_px = header.width_px, header.height_px
        space = reading.colour_space or guess_space(
            name, header.format_name, is_float=header.is_float, metadata=header.metadata
        )
        self._conversion = conversion_from(space)
        same = [each for each in looks.headers.values() if _size(each) == self._format_px]
        self._overscan = _overscan_of(same) if reading.overscan else Overscan()
        margins = self._overscan
        width_px = header.width_px + margins.left_px + margins.right_px
        height_px = header.height_px + margins.top_px + margins.bottom_px
        limits.check_size(width_px, height_px, what=f"{name} with its overscan")
        unreadable = [UnreadableFrame(frame, str(error)) for frame, error in looks.problems.items()]
        unreadable += [
            UnreadableFrame(frame, self._other_size(frame, each))
            for frame, each in looks.headers.items()
            if _size(each) != self._format_px
        ]
        left_out = {each.frame for each in unreadable}
        super().__init__(
            ClipInfo(
                name=name,
                width_px=width_px,
                height_px=height_px,
                first_frame=first,
                last_frame=last,
                missing_frames=tuple(
                    frame for frame in range(first, last + 1) if frame not in files or frame in left_out
                ),
                pixel_aspect=header.pixel_aspect,
                frames_per_s=header.frames_per_s,
                colour_space=self._conversion.space,
                notices=tuple(_notices(header, same, overscan=reading.overscan)),
                unreadable=tuple(sorted(unreadable, key=lambda each: each.frame)),
                overscan=margins,
                display_origin_px=(header.display.left_px, header.display.top_px),
            )
        )
        self._stamps = {each.frame: self.stamp(each.frame) for each in unreadable}

    def refresh(self) -> frozenset[int]:  # noqa: D102
        mended = frozenset(frame for frame, stamp in self._stamps.items() if self.stamp(frame) != stamp)
        for frame in mended:
            del self._stamps[frame]
        self._take_in(mended)
        return mended

    def _leave_out(self, frame: int, reason: str) -> None:
        super()._leave_out(frame, reason)
        self._stamps[frame] = self.stamp(frame)

    def stamp(self, frame: int) -> tuple[int, int] | None:
        """Size and time of a frame's file; None where it cannot be asked."""
        try:
            with waiting_for_disk():
                status = self._files[frame].stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def marks(self, frame: int) -> PlateMarks:
        """What the header of the frame's file says."""
        if frame not in self._files:
            return NO_MARKS
        try:
            with self._open(frame) as picture:
                return marks_of_picture(picture.header.metadata)
        except MaskletError:
            # Whoever reads the picture says what is wrong with it.
            return NO_MARKS

    def _open(self, frame: int) -> OpenPicture:
        shown = f"frame {frame} of {self._name}" if self._names_are_ours else None
        path = self._files[frame]
        if self._names_are_ours and path.is_file() and not path.stat().st_size:
            raise ClipError(
                f"{shown} arrived empty: its file is empty or cannot be read where it lies; check it, then "
                "open the clip again."
            )
        return OpenPicture(path, self._limits, name=shown, layer=self._layer, view=self._view)

    def _look(self, frames: list[int], *, every: bool) -> _Looks:
        """The headers of the first two and the last of some frames that can be read, or of every one."""
        headers: dict[int, PictureHeader] = {}
        problems: dict[int, MaskletError] = {}
        for frame in [*frames[:2], *frames[:1:-1]]:
            try:
                with self._open(frame) as picture:
                    headers[frame] = picture.header
            except MaskletError as error:
                problems[frame] = error
            if not every and len(headers) == _LOOKED_AT:
                break
        if not headers:
            raise problems[min(problems)]
        return _Looks(dict(sorted(headers.items())), problems)

    def _read_picture(self, frame: int) -> NDArray[np.uint8]:
        return self._conversion.to_srgb(self._pixels(frame))

    def _read_graded(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        return self._conversion.shown(self._pixels(frame), grade)

    def _pixels(self, frame: int) -> NDArray[Any]:
        """``(H, W, 3)`` in the file's own values."""
        margins = self._overscan
        with self._open(frame) as picture:
            header = picture.header
            if _size(header) != self._format_px:
                raise ClipError(self._other_size(frame, header))
            area = header.display
            if margins != Overscan():
                area = Area(
                    area.left_px - margins.left_px,
                    area.top_px - margins.top_px,
                    area.width_px + margins.left_px + margins.right_px,
                    area.height_px + margins.top_px + margins.bottom_px,
                )
            return picture.pixels(area)

    def _other_size(self, frame: int, header: PictureHeader) -> str:
        width_px, height_px = self._format_px
        return (
            f"frame {frame} of {self._name} is {header.width_px} x {header.height_px} and the plate is "
            f"{width_px} x {height_px}: it is left out as a slate would be; render it in the plate's size."
        )


_LOOKED_AT = 3


def _size(header: PictureHeader) -> tuple[int, int]:
    return header.width_px, header.height_px


def _typical(looks: _Looks) -> PictureHeader:
    """The first header of the size that most have."""
    sizes = Counter(_size(header) for header in looks.headers.values())
    size = max(sizes, key=lambda each: sizes[each])
    return next(header for header in looks.headers.values() if _size(header) == size)


def _overscan_of(headers: list[PictureHeader]) -> Overscan:
    """How far the data windows reach beyond the display window, at most."""
    margins = []
    for header in headers:
        display, data = header.display, header.data
        if header.orientation == 1:
            reaching = (
                display.left_px - data.left_px,
                display.top_px - data.top_px,
                data.right_px - display.right_px,
                data.bottom_px - display.bottom_px,
            )
            margins.append(tuple(max(0, side) for side in reaching))
    return Overscan(*map(max, zip(*margins, strict=True))) if margins else Overscan()


def _notices(header: PictureHeader, headers: list[PictureHeader], *, overscan: bool) -> list[str]:
    """Sentences about what was guessed, and about what lies outside the picture."""
    found = [header.notice] if header.notice else []
    beyond = _overscan_of(headers)
    if not overscan and beyond != Overscan():
        data = header.data
        found.append(
            f"the pictures reach beyond their format ({data.width_px} x {data.height_px} around "
            f"{header.width_px} x {header.height_px}): mattes end at the format, {_sides(beyond)} are not "
            "covered; ask for overscan (--overscan on the command line) to have them"
        )
    return found


def _sides(beyond: Overscan) -> str:
    sides = {
        "on the left": beyond.left_px,
        "at the top": beyond.top_px,
        "on the right": beyond.right_px,
        "at the bottom": beyond.bottom_px,
    }
    return ", ".join(f"{px} pixels {side}" for side, px in sides.items() if px)
