"""Streams of encoded pictures: a pipe, a capture device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet_server.media.limits import Limits
from masklet_server.media.movie_codecs import CODEC_WHITELIST, check_codec
from masklet_server.media.movie_packets import CONTAINERS, filled_packets, video_stream
from masklet_server.media.movie_picture import MoviePicture

if TYPE_CHECKING:
    from av.container import InputContainer

_NAME = "the stream"
# What is sent through pipes beside the containers of movies; none of them names other files.
_PIPED = "nut,flv,h264,hevc,ivf,mjpeg,mpeg,mpegvideo,yuv4mpegpipe"


class EncodedStream:
    """Pictures that PyAV decodes, of standard input or of a capture device: those of the same movie opened.

    From a pipe nothing but its own pictures is read: a playlist, or a container that names other files, is
    refused. What is damaged is passed over, and its number with it.

    Args:
        source: What is opened: a file object, or the name of a device as the keeper typed it.
        input_format: Of a device, such as ``v4l2``; None where the stream says.
        first_frame: Number of the first picture.
        colour: The input space; None for what the stream says.
        tell: Told what was assumed of the pictures, a sentence each.
    """

    def __init__(
        self,
        source: BinaryIO | str,
        *,
        input_format: str | None = None,
        first_frame: int = 0,
        colour: str | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._source, self._format, self._first = source, input_format, first_frame
        self._colour, self._tell, self._limits = colour, tell, Limits()
        self._closed = threading.Event()

    def frames(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Each picture as it is decoded.

        Raises:
            ClipError: It cannot be opened, holds no pictures, or they change their size.
            LimitError: They are too large.
            BadInputError: The colour space is unknown.
        """
        try:
            # Without FFmpeg's "nobuffer": from a pipe that loses the frames in which it looks for the codec.
            opened: InputContainer = av.open(self._source, "r", format=self._format, options=self._guards())
            with opened as container:
                yield from self._decoded(container)
        except av.error.FFmpegError as error:
            raise ClipError(
                f"the stream cannot be decoded ({error}): send Matroska, MPEG-TS, NUT or MP4 in fragments, "
                "with a codec that movies of plates have, or raw frames with --raw"
            ) from error

    def close(self) -> None:
        """Have it end with the next picture."""
        self._closed.set()

    def _guards(self) -> dict[str, str]:
        # A device is what the keeper named; what comes through a pipe may be anybody's.
        guards = {"max_pixels": str(self._limits.max_pixels)}
        if self._format is None:
            guards |= {
                "format_whitelist": f"{CONTAINERS},{_PIPED}",
                "codec_whitelist": CODEC_WHITELIST,
                "protocol_whitelist": "none",
                "enable_drefs": "0",
            }
        return guards

    def _decoded(self, container: InputContainer) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        stream = video_stream(container)
        if stream is None:
            raise ClipError("the stream has no pictures: check what is sent")
        if self._format is None:
            check_codec(stream, name=_NAME)
        decoder = stream.codec_context
        if decoder.width:
            self._limits.check_size(decoder.width, decoder.height, what=_NAME)
        decoder.options = {"max_pixels": str(self._limits.max_pixels)}
        stream.thread_type = "NONE"  # Threads of the decoder hold frames back.
        way: MoviePicture | None = None
        number, failure = self._first, "nothing came"
        for packet in chain(filled_packets(container, stream), (None,)):
            try:
                pictures = decoder.decode(packet)
            except av.error.InvalidDataError as error:
                # In front of the first picture nothing is counted, as players do.
                number, failure = number + (way is not None), str(error)
                continue
            for picture in pictures:
                if self._closed.is_set():
                    return
                if not (picture.is_corrupt and picture.key_frame):
                    if way is None:
                        self._limits.check_size(picture.width, picture.height, what=_NAME)
                        way = MoviePicture.of(picture, name=_NAME, colour=self._colour)
                        if way.matrix.notice:
                            self._tell(way.matrix.notice)
                    yield number, way.to_srgb(picture, number)
                number += 1
        if way is None:
            raise ClipError(f"the stream holds no picture ({failure}): check what is sent")
