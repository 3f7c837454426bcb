"""What every opened clip offers, whatever it is read from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from masklet.errors import (
    BadInputError,
    ClipWaitsError,
    FrameMissingError,
    LimitError,
    MaskletError,
    PathNotAllowedError,
)
from masklet.plate_marks import NO_MARKS
from masklet.types import UnreadableFrame
from masklet_server.aside import waiting_for_disk

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from masklet.pictures import Grade
    from masklet.plate_marks import PlateMarks
    from masklet.types import ClipInfo


class Clip(ABC):
    """A clip that is open; satisfies ``tracking.FrameSource`` and can be closed.

    Calls come from one thread at a time.
    """

    def __init__(self, info: ClipInfo) -> None:
        self._info = info
        self._reasons = {each.frame: each.reason for each in info.unreadable}

    def conformed(self, *, first_frame: int | None = None, frame_rate: float | None = None) -> Clip:
        """The clip itself, at the rate that the artist gives, if at the first frame that the artist gives.

        Raises:
            BadInputError: The clip's numbers are its own and begin elsewhere; it is closed then.
        """
        info = self._info
        if first_frame is not None and first_frame != info.first_frame:
            self.close()
            raise BadInputError(
                f"{info.name} starts at frame {info.first_frame}, as its file names say: "
                "only a movie can be given another first frame."
            )
        if frame_rate is not None:
            self._info = replace(info, frames_per_s=frame_rate, frame_times_us=())
        return self

    @property
    def info(self) -> ClipInfo:
        """Size, range and numbering of the clip."""
        return self._info

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture of ``frame`` as ``(H, W, 3)`` display-referred sRGB.

        uint8 spans 0 to 255, float32 spans 0 to 1 and is always finite. Plates that are sRGB
        already and hold 8 bits come as uint8, all others as float32.

        Raises:
            FrameMissingError: The clip has no such frame, or its picture cannot be used: it is damaged,
                say, or its size is not the clip's. The clip's info then counts it as missing.
        """
        return self._checked(frame, self._read_picture)

    def read_shown(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        """The picture of ``frame`` for people: ``(H, W, 3)`` sRGB, with the exposure and gamma of ``grade``.

        Light above white is still there when exposure goes down.

        Raises:
            FrameMissingError: As :meth:`read`.
        """
        return self._checked(frame, lambda known: self._read_graded(known, grade))

    def _checked(self, frame: int, read: Callable[[int], NDArray[Any]]) -> NDArray[Any]:
        info = self._info
        if frame not in info.frames:
            raise FrameMissingError(
                f"{info.name} has no frame {frame}: it runs from {info.first_frame} to {info.last_frame}."
            )
        if frame in self._reasons:
            raise FrameMissingError(self._reasons[frame])
        if frame in info.missing:
            raise FrameMissingError(
                f"frame {frame} of {info.name} is missing on disk: render it, or leave it out of the range."
            )
        try:
            with waiting_for_disk():
                return read(frame)
        except ClipWaitsError:
            raise
        except (BadInputError, LimitError, PathNotAllowedError) as error:
            self._leave_out(frame, str(error))
            raise FrameMissingError(str(error)) from error

    def look_ahead(self, frame: int, grade: Grade | None = None) -> NDArray[Any] | None:
        """What :meth:`read` gives, or :meth:`read_shown` with a grade; None where it cannot be had now.

        Nobody has asked for it yet: a frame that fails here is not left out.
        """
        info = self._info
        if frame not in info.frames or frame in info.missing:
            return None
        try:
            return self._read_picture(frame) if grade is None else self._read_graded(frame, grade)
        except (MaskletError, OSError):
            return None

    def stamp(self, frame: int) -> object:
        """What changes when a frame's file is written again; None where that is held open or hides."""
        del frame
        return None

    def marks(self, frame: int) -> PlateMarks:
        """Timecode, reel and owner of a frame, as far as the plate says; nothing where it cannot be read."""
        del frame
        return NO_MARKS

    def _leave_out(self, frame: int, reason: str) -> None:
        """Count a frame as missing from now on: it is there, and cannot be used."""
        info = self._info
        unreadable = (*info.unreadable, UnreadableFrame(frame, reason))
        self._info = replace(
            info,
            missing_frames=tuple(sorted({*info.missing_frames, frame})),
            unreadable=tuple(sorted(unreadable, key=lambda each: each.frame)),
        )
        self._reasons[frame] = reason

    def refresh(self) -> frozenset[int]:
        """Use frames again whose files have changed since they could not be used; which ones."""
        return frozenset()

    def _take_in(self, frames: frozenset[int]) -> None:
        """Take frames that were left out for whole until they are read."""
        info = self._info
        self._info = replace(
            info,
            missing_frames=tuple(frame for frame in info.missing_frames if frame not in frames),
            unreadable=tuple(each for each in info.unreadable if each.frame not in frames),
        )
        for frame in frames:
            self._reasons.pop(frame, None)

    @abstractmethod
    def _read_graded(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        """The same for people."""

    @abstractmethod
    def _read_picture(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture of a frame that is known to exist."""

    def close(self) -> None:  # noqa: B027  (most clips hold nothing open between reads)
        """Give back open files and buffers. Reading afterwards opens them again or fails."""

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
