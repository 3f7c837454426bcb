"""A clip read from a movie through FFmpeg's libraries: any frame, exactly, by presentation order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

from masklet.errors import ClipError
from masklet.types import ClipInfo
from masklet_server.media.clip import Clip
from masklet_server.media.colour import SRGB, conversion_from
from masklet_server.media.movie_index import (
    FrameIndex,
    count_from_header,
    index_by_demuxing,
    index_from_header,
    open_container,
    video_stream,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from masklet_server.media.limits import Limits

# Decoded but unconverted frames that stay at hand. Backward tracking would otherwise decode a
# whole group of pictures again for every single frame.
_CACHE_BYTES = 192 << 20
# Decoding this far ahead costs about as much as a seek and never less exact.
_FORWARD_REACH_FRAMES = 12
_UNSPECIFIED = 2
_HD_HEIGHT_PX = 720
# ITU-T H.273 transfer characteristics of the two HDR curves.
_HDR_SPACES = {16: "Rec.2100-PQ - Display", 18: "Rec.2100-HLG - Display"}


class MovieClip(Clip):
    """Reads any frame of the first video stream.

    Frame k is the k-th picture that is shown, whatever its duration, so variable frame rates
    number like any other. Rotation and pixel aspect in the file are respected. Opening decodes one
    frame; the index of frame times is built when a frame is wanted out of order.

    Args:
        path: The file.
        limits: Checked against the stream's header.
        colour: The input space; None for sRGB, or what an HDR stream says of itself.
        first_frame: The number that the first picture gets.
        name: What people call the movie; the file's name when None.

    Raises:
        ClipError: Not a movie, without video, empty, or damaged at its start.
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
        self._container: InputContainer | None = None
        self._decoded: OrderedDict[int, VideoFrame] = OrderedDict()
        self._decoded_bytes = 0
        self._index: FrameIndex | None = None
        self._index_is_exact = False
        self._next = 0
        try:
            super().__init__(self._open(limits, colour, first_frame))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the file and all cached frames; the next read opens it again."""
        self._decoded.clear()
        self._decoded_bytes = 0
        self._frames: Iterator[VideoFrame] = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _open(self, limits: Limits, colour: str | None, first_frame: int) -> ClipInfo:
        name = self._name
        if self._path.stat().st_size == 0:
            raise ClipError(f"{name} is empty (0 bytes): copy or render it again.")
        stream = self._reopen()
        # From the header, before the decoder allocates a frame.
        limits.check_size(stream.codec_context.width, stream.codec_context.height, what=name)
        try:
            assert self._container is not None
            frame_count = count_from_header(self._container, stream)
            if frame_count is None:
                self._build_index(exact=True)
                assert self._index is not None
                frame_count = len(self._index.times)
            frame = self._advance() if frame_count else None
        except av.error.FFmpegError as error:
            raise ClipError(f"{name} is damaged at its start: copy or render it again.") from error
        if frame is None:
            raise ClipError(
                f"{name} has no frame that can be read, it is damaged or cut off: copy or render it again."
            )
        limits.check_frame_count(frame_count, what=name)
        limits.check_size(frame.width, frame.height, what=name)
        self._size_px = (frame.width, frame.height)
        self._quarter_turns = round(frame.rotation / 90) % 4
        self._matrix = Colorspace(frame.colorspace) if frame.colorspace in list(Colorspace) else None
        if frame.colorspace == _UNSPECIFIED and frame.height >= _HD_HEIGHT_PX:
            # What every player assumes of untagged HD; FFmpeg's converter would take the SD matrix.
            self._matrix = Colorspace.ITU709
        self._conversion = conversion_from(colour or _HDR_SPACES.get(frame.color_trc, SRGB))
        self._sample_format = "rgb24" if self._conversion.space == SRGB else "rgb48le"
        aspect = float(stream.sample_aspect_ratio or 1)
        width_px, height_px = self._size_px
        if self._quarter_turns % 2:
            width_px, height_px, aspect = height_px, width_px, 1.0 / aspect
        rate: Fraction | None = stream.average_rate or stream.guessed_rate
        return ClipInfo(
            name=name,
            width_px=width_px,
            height_px=height_px,
            first_frame=first_frame,
            last_frame=first_frame + frame_count - 1,
            pixel_aspect=aspect,
            frames_per_s=float(rate) if rate else None,
            colour_space=self._conversion.space,
        )

    def _read_picture(self, frame: int) -> NDArray[np.uint8]:
        place = frame - self._info.first_frame
        try:
            decoded = self._decode(place)
        except (av.error.FFmpegError, OSError) as error:
            self._reopen()
            raise self._damaged(frame) from error
        if decoded is None:
            # The decoder has seen the end of the stream and would go on seeing it.
            self._reopen()
            raise ClipError(
                f"{self._info.name} breaks off before frame {frame}, though its header promises "
                f"{len(self._info.frames)} frames: copy or render it again."
            )
        # Some decoders patch up a damaged picture and only mark it. Frames other than key
        # frames may be marked in sound files, after a seek into an open group.
        if decoded.is_corrupt and decoded.key_frame:
            raise self._damaged(frame)
        if (decoded.width, decoded.height) != self._size_px:
            raise ClipError(
                f"frame {frame} of {self._info.name} is {decoded.width} x {decoded.height}, the first one is "
                f"{self._size_px[0]} x {self._size_px[1]}: render the movie in one size."
            )
        picture: NDArray[Any] = decoded.to_ndarray(
            format=self._sample_format, src_colorspace=self._matrix
        )  # (H, W, 3), before rotation
        if self._quarter_turns:
            # FFmpeg counts the turns that bring the picture upright counter-clockwise, as NumPy does.
            picture = np.rot90(picture, self._quarter_turns)  # (H, W, 3)
        return self._conversion.to_srgb(picture)

    def _damaged(self, frame: int) -> ClipError:
        return ClipError(
            f"frame {frame} of {self._info.name} cannot be decoded, the file is damaged there: "
            "copy or render it again."
        )

    def _decode(self, place: int) -> VideoFrame | None:
        """The place-th picture of the movie, or None where the stream ends before it."""
        if self._container is None:
            self._reopen()
        cached = self._decoded.get(place)
        if cached is not None:
            self._decoded.move_to_end(place)
            return cached
        if 0 <= place - self._next <= _FORWARD_REACH_FRAMES:
            return self._advance_to(place)
        if self._index is None:
            self._build_index(exact=False)
        found = self._seek_and_decode(place)
        if found is None and not self._index_is_exact:
            self._build_index(exact=True)
            found = self._seek_and_decode(place)
        return found

    def _advance(self) -> VideoFrame | None:
        """The next picture in order, which also enters the cache."""
        frame = next(self._frames, None)
        if frame is not None:
            self._remember(self._next, frame)
            self._next += 1
        return frame

    def _advance_to(self, place: int) -> VideoFrame | None:
        frame = None
        while self._next <= place:
            frame = self._advance()
            if frame is None:
                return None
        return frame

    def _seek_and_decode(self, place: int) -> VideoFrame | None:
        index = self._index
        if index is None or place >= len(index.times) or self._container is None:
            return None
        for start in index.starts_for(place):
            self._container.seek(start, stream=self._stream, backward=True)
            self._frames = self._container.decode(self._stream)
            for frame in self._frames:
                here = index.find(frame.pts)
                if here is None:
                    continue
                if here > place:
                    break
                self._remember(here, frame)
                self._next = here + 1
                if here == place:
                    return frame
        return None

    def _build_index(self, *, exact: bool) -> None:
        assert self._container is not None
        from_header = None if exact else index_from_header(self._container, self._stream)
        self._index_is_exact = from_header is None
        self._index = from_header or index_by_demuxing(self._path)

    def _reopen(self) -> VideoStream:
        """Open the file anew, at its first frame."""
        name = self._name
        if self._container is not None:
            self._container.close()
            self._container = None
        try:
            container = open_container(self._path)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise ClipError(
                f"{name} is neither a picture nor a movie this server reads, or it is damaged or cut off: "
                "use EXR, DPX, TIFF, PNG, JPEG, MOV, MP4, MXF, MKV or WebM, or copy it again."
            ) from error
        self._container = container
        stream = video_stream(container)
        if stream is None:
            raise ClipError(f"{name} has no video in it: choose the file that holds the picture.")
        self._stream = stream
        stream.thread_type = "AUTO"
        self._frames = container.decode(stream)
        self._next = 0
        return stream

    def _remember(self, place: int, frame: VideoFrame) -> None:
        if place in self._decoded:
            return
        self._decoded[place] = frame
        self._decoded_bytes += _bytes_of(frame)
        while self._decoded_bytes > _CACHE_BYTES and len(self._decoded) > 1:
            _, dropped = self._decoded.popitem(last=False)
            self._decoded_bytes -= _bytes_of(dropped)


def _bytes_of(frame: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
