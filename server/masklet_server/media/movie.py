"""A clip read from a movie through FFmpeg's libraries: any frame, exactly, by presentation order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from masklet.errors import ClipError, LimitError
from masklet.types import ClipInfo
from masklet_server.media.clip import Clip
from masklet_server.media.frame_rate import timing_of
from masklet_server.media.marks import marks_of_movie
from masklet_server.media.movie_codecs import check_codec
from masklet_server.media.movie_picture import MoviePicture
from masklet_server.media.movie_reader import MovieReader

if TYPE_CHECKING:
    import numpy as np
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from masklet.pictures import Grade
    from masklet.plate_marks import PlateMarks
    from masklet_server.media.limits import Limits


class MovieClip(Clip):
    """Reads any frame of the first video stream.

    Frame k is the k-th picture that a player shows, whatever its duration and whatever the file holds
    besides (docs/decisions/0031-movie-numbering.md). Rotation, mirroring and pixel aspect in the file are
    respected.

    Args:
        path: The file.
        limits: Checked against the stream's header.
        colour: The input space; None for sRGB, or what an HDR stream says of itself.
        first_frame: The number that the first picture gets.
        name: What people call the movie; the file's name when None.

    Raises:
        ClipError: Not a movie, without video, empty, without a picture that can be shown, or of a kind that
            is not read.
        LimitError: It exceeds the limits.
        BadInputError: The colour space is unknown.
    """

    def __init__(
        self,
        path: Path,
        *,
        limits: Limits,
        colour: str | None = None,
        first_frame: int = 0,
        name: str | None = None,
    ) -> None:
        self._path = path
        self._name = name or path.name
        self._reader = MovieReader(path, self._name, limits)
        try:
            super().__init__(self._open(limits, colour, first_frame))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the file and all cached frames; the next read opens it again."""
        self._reader.close()

    def marks(self, frame: int) -> PlateMarks:
        """The movie's timecode, counted on to the frame where pictures follow each other evenly."""
        info = self._info
        rate = None if info.is_variable_rate else info.frames_per_s
        return marks_of_movie(self._metadata, frame - info.first_frame, rate)

    def _open(self, limits: Limits, colour: str | None, first_frame: int) -> ClipInfo:
        name = self._name
        if self._path.stat().st_size == 0:
            raise ClipError(f"{name} is empty (0 bytes): copy or render it again.")
        stream = self._reader.open()
        check_codec(stream, name=name)
        self._metadata = _metadata_of(stream)
        if not stream.codec_context.width:
            # FFmpeg takes the size back where its decoder refuses the picture.
            raise LimitError(
                f"{name} does not say how large its pictures are, or they have more than the "
                f"{limits.max_pixels} pixels that this server takes: scale it down, or render it again."
            )
        # From the header, before the decoder allocates a frame.
        limits.check_size(stream.codec_context.width, stream.codec_context.height, what=name)
        aspect = float(stream.sample_aspect_ratio or 1)
        time_base, rates = stream.time_base, (stream.average_rate, stream.guessed_rate)
        try:
            count = self._reader.count(limits)
        except av.error.FFmpegError as error:
            raise ClipError(
                f"{name} is damaged at its start ({error.strerror}): copy or render it again."
            ) from error
        index, frame = count.index, count.first
        limits.check_frame_count(len(index), what=name)
        limits.check_size(frame.width, frame.height, what=name)
        self._way = way = MoviePicture.of(frame, name=name, colour=colour)
        width_px, height_px = way.shown_px
        if way.orientation.swaps_sides:
            aspect = 1.0 / aspect
        timing = timing_of(index.times if time_base else None, time_base or Fraction(1), *rates)
        notices = [way.matrix.notice] if way.matrix.notice else []
        if index.dropped:
            notices.append(
                f"{name} begins between key frames: its first {index.dropped} pictures cannot be shown, and "
                f"frame {first_frame} is the one after them."
            )
        if index.missing:
            notices.append(
                f"{name} breaks off: its header promises {index.missing} pictures more than are in the file; "
                "copy it again if they matter."
            )
        return ClipInfo(
            name=name,
            width_px=width_px,
            height_px=height_px,
            first_frame=first_frame,
            last_frame=first_frame + len(index) - 1,
            pixel_aspect=aspect,
            frames_per_s=None if timing.frames_per_s is None else float(timing.frames_per_s),
            colour_space=way.conversion.space,
            notices=tuple(notices),
            frame_times_us=timing.frame_times_us,
            quarter_turns=way.orientation.quarter_turns,
            mirrored=way.orientation.mirrored,
        )

    def _read_picture(self, frame: int) -> NDArray[np.uint8]:
        return self._way.conversion.to_srgb(self._values(frame))

    def _read_graded(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        return self._way.conversion.shown(self._values(frame), grade)

    def _values(self, frame: int) -> NDArray[Any]:
        """``(H, W, 3)`` in the movie's own values, upright."""
        try:
            decoded = self._reader.picture(frame - self._info.first_frame)
        except (av.error.FFmpegError, OSError) as error:
            self._reader.close()
            raise self._damaged(frame) from error
        # Some decoders patch up a damaged picture and only mark it. Frames other than key
        # frames may be marked in sound files, after a seek into an open group.
        if decoded is None or (decoded.is_corrupt and decoded.key_frame):
            raise self._damaged(frame)
        return self._way.values(decoded, frame)

    def _damaged(self, frame: int) -> ClipError:
        return ClipError(
            f"frame {frame} of {self._info.name} cannot be decoded, the file is damaged there: "
            "copy or render it again."
        )


def _metadata_of(stream: VideoStream) -> dict[str, str]:
    """What the file says of itself and of its streams; the picture's own stream has the last word."""
    container = stream.container
    told = [container.metadata, *(each.metadata for each in container.streams), stream.metadata]
    return {str(name).lower(): str(value) for each in told for name, value in each.items()}
