"""A movie file: opened and decoded from its start or from a packet that it was sought to.

Packets are numbered in storage order before they are decoded, so that each picture that comes out says
which packet it was.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

import av

from masklet.errors import ClipError, PathNotAllowedError
from masklet_server.media.movie_packets import filled_packets, is_transport, open_container, video_stream
from masklet_server.media.references import refuse_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from masklet_server.media.limits import Limits

    VideoPacket = Packet[VideoStream]


class Failure(NamedTuple):
    """A packet that cannot be decoded, and what FFmpeg says of it."""

    number: int
    error: av.error.FFmpegError


class MovieFile:
    """One movie file, open or closed.

    Args:
        path: The file.
        name: What people call it.
        limits: Where it has to lie, whenever it is opened, and of how many pixels a picture may be: none that
            is larger is decoded.
    """

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self.path = path
        self._max_pixels = limits.max_pixels
        self.name = name
        self._fence = limits.fence
        self._opened: tuple[InputContainer, VideoStream] | None = None
        self._is_transport = False

    def close(self) -> None:
        """Give the file back; it opens again when it is used."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].close()

    def open(
        self, *, careful: bool = False, options: Mapping[str, str] | None = None
    ) -> tuple[InputContainer, VideoStream]:
        """The file opened anew, at its first packet.

        Args:
            careful: Decode one picture at a time, so that each failure is that of the packet in hand.
            options: More of the decoder's.

        Raises:
            ClipError: The file is no movie, or has no video.
            PathNotAllowedError: It lies outside the fence.
        """
        self.close()
        name = self.name
        try:
            with self._fence.opened(self.path, name) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    # FFmpeg would wait for the other end of a pipe.
                    raise ClipError(f"{name} is not a file any more: copy it there again.")
                refuse_references(file, name)
                container = open_container(
                    self.path, max_pixels=self._max_pixels, as_stored=self._is_transport
                )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise ClipError(
                f"{name} is neither a picture nor a movie this server reads, or it is damaged or cut off: "
                "use EXR, DPX, TIFF, PNG, JPEG, MOV, MP4, MXF, MKV or WebM, or copy it again."
            ) from error
        try:
            # FFmpeg opened it by its path: that this still leads to the same place is seen afterwards.
            self._fence.check(self.path, name)
        except PathNotAllowedError:
            container.close()
            raise
        stream = video_stream(container)
        if stream is None:
            container.close()
            raise ClipError(f"{name} has no video in it: choose the file that holds the picture.")
        if stream.codec_context is not None:
            # What a header says and what a picture is are two things.
            stream.codec_context.options = {"max_pixels": str(self._max_pixels), **(options or {})}
        stream.thread_type = "SLICE" if careful else "AUTO"
        # FFmpeg makes up times that a transport stream leaves out. For the rate that is well, for the order
        # it is not: all but the first opening go without.
        self._is_transport = is_transport(container)
        self._opened = container, stream
        return self._opened

    def opened(self) -> tuple[InputContainer, VideoStream]:
        """The file as it is, opened where it was closed."""
        return self._opened or self.open()

    def packets(self) -> Iterator[VideoPacket]:
        """Those that come next."""
        return filled_packets(*self.opened())

    def seek(self, stamp: int) -> bool:
        """Go to a time stamp, or somewhere near; False where the container cannot."""
        container, stream = self.opened()
        try:
            container.seek(stamp, stream=stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

    def decode(
        self, packets: Iterator[tuple[int, VideoPacket]], failures: list[Failure] | None = None
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Decodes packets and tells of which one each picture was.

        What cannot be decoded before there is a first picture is passed over, as players do with a stream
        that was cut in mid-group.

        Args:
            packets: With their numbers.
            failures: Where given, every packet that cannot be decoded is noted in it and passed over.
        """
        _, stream = self.opened()
        decoder = stream.codec_context
        is_first = True
        number = 0
        for number, packet in packets:
            packet.pts = packet.dts = number
            try:
                frames = decoder.decode(packet)
            except av.error.FFmpegError as error:
                if failures is not None:
                    failures.append(Failure(number, error))
                elif not is_first:
                    raise
                continue
            for frame in frames:
                is_first = False
                if frame.pts is not None:
                    yield frame.pts, frame
        try:
            frames = decoder.decode(None)
        except av.error.FFmpegError as error:
            if failures is None:
                raise
            failures.append(Failure(number, error))
            return
        for frame in frames:
            if frame.pts is not None:
                yield frame.pts, frame
