"""Reads a movie's pictures by their places: in order, backward and at random, always the same ones.

Packets are numbered in storage order before they are decoded, so that each picture that comes out says
which packet it was. A seek is believed only when it landed on a packet that the index knows.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import av

from masklet.errors import ClipError
from masklet_server.media.movie_index import (
    MovieIndex,
    expected_order,
    index_of,
    without_dropped,
)
from masklet_server.media.movie_packets import (
    filled_packets,
    is_intra_only,
    mark_of,
    open_container,
    packets_by_demuxing,
    packets_in_header,
    packets_promised,
    video_stream,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from masklet_server.media.limits import Limits
    from masklet_server.media.movie_index import Start
    from masklet_server.media.movie_packets import StoredPacket

    _Packet = Packet[VideoStream]

# Decoded but unconverted frames that stay at hand. Backward tracking would otherwise decode a
# whole group of pictures again for every single frame.
_CACHE_BYTES = 192 << 20
# Decoding this far ahead costs about as much as a seek.
_FORWARD_REACH_FRAMES = 12
# So many pictures tell whether the packets can be trusted: leading ones are dropped at once, and the
# fields of a picture are told apart at the second.
_TRIAL_FRAMES = 6


@dataclass
class _Run:
    """Decoding in progress.

    Attributes:
        pictures: Packet numbers with their pictures, in the order in which they are shown.
        first_place: Pictures of earlier places may come out spoilt and are passed over.
        next_place: At the earliest, that of the next picture.
    """

    pictures: Iterator[tuple[int, VideoFrame]]
    first_place: int
    next_place: int


class _Failure(NamedTuple):
    """A packet that cannot be decoded, and what FFmpeg says of it."""

    number: int
    error: av.error.FFmpegError


class MovieReader:
    """One movie file, open or closed; it opens by itself when it is read.

    Args:
        path: The file.
        name: What people call it.

    Attributes:
        first: The first picture that can be decoded, once the index is built.
    """

    first: VideoFrame

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._index: MovieIndex | None = None
        self._run: _Run | None = None
        self._decoded: OrderedDict[int, VideoFrame] = OrderedDict()
        self._decoded_bytes = 0
        self._tried: dict[int, VideoFrame] = {}

    def close(self) -> None:
        """Give back the file and all decoded frames; the index stays."""
        self._decoded.clear()
        self._decoded_bytes = 0
        self._let_go()

    def open(self) -> VideoStream:
        """The stream, from a file opened anew.

        Raises:
            ClipError: The file is no movie, or has no video.
        """
        self._let_go()
        name = self._name
        try:
            self._container = open_container(self._path)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise ClipError(
                f"{name} is neither a picture nor a movie this server reads, or it is damaged or cut off: "
                "use EXR, DPX, TIFF, PNG, JPEG, MOV, MP4, MXF, MKV or WebM, or copy it again."
            ) from error
        stream = video_stream(self._container)
        if stream is None:
            raise ClipError(f"{name} has no video in it: choose the file that holds the picture.")
        stream.thread_type = "AUTO"
        self._stream = stream
        return stream

    def build_index(self, limits: Limits) -> MovieIndex:
        """The index of the movie, made once, straight after opening, and kept.

        Raises:
            ClipError: Nothing in it can be shown.
            LimitError: There are too many frames, or too many to count by decoding.
            av.error.FFmpegError: The file is damaged beyond demuxing.
        """
        container, stream = self._opened()
        intra_only = is_intra_only(stream)
        promised = packets_promised(container, stream)
        packets = packets_in_header(container, stream, self._path.stat().st_size)
        if packets is not None:
            first = next(self._packets(), None)
            container, stream = self._anew()
            if first is None or not packets or mark_of(first) != packets[0].mark:
                packets = None
        if packets is None:
            packets = packets_by_demuxing(container, stream, limits, name=self._name)
        fields = "mpegts" in container.format.name
        shown = self._shown(packets, intra_only=intra_only, fields=fields, limits=limits)
        self._index = index_of(packets, shown, promised=promised)
        for number, frame in reversed(self._tried.items()):
            place = self._index.places.get(number)
            if place is not None:
                self._remember(place, frame)
        self._tried.clear()
        return self._index

    def picture(self, place: int) -> VideoFrame | None:
        """The picture at a place of the index; None where the file does not give it any more.

        Some decoders patch up a damaged picture and mark it as corrupt; such a one comes back as it is,
        once decoding from further back has marked it too.

        Raises:
            av.error.FFmpegError: The file is damaged there.
        """
        cached = self._decoded.get(place)
        if cached is not None:
            self._decoded.move_to_end(place)
            return cached
        assert self._index is not None, "build_index comes first"
        nearest = next(self._index.starts_for(place), None)
        run = self._run
        if (
            run is not None
            and run.next_place <= place
            and (
                place - run.next_place <= _FORWARD_REACH_FRAMES
                or (nearest is not None and nearest.first_place <= run.next_place)
            )
        ):
            with suppress(av.error.FFmpegError):
                frame = self._advance_to(run, place)
                if frame is not None and not frame.is_corrupt:
                    return frame
        return self._from_any_start(place)

    def _from_any_start(self, place: int) -> VideoFrame | None:
        assert self._index is not None
        marked: VideoFrame | None = None
        failure: av.error.FFmpegError | None = None
        # A group of pictures that begins with an open one may need the group before it, hardly the third.
        for start in (*islice(self._index.starts_for(place), 3), None):
            if start is None and (failure is not None or marked is not None):
                break
            try:
                frame = self._from_start(start, place)
            except av.error.FFmpegError as error:
                failure = error
                continue
            if frame is None:
                continue
            if not frame.is_corrupt or marked is not None:
                return frame
            marked = frame
        if marked is None and failure is not None:
            raise failure
        return marked

    def _from_start(self, start: Start | None, place: int) -> VideoFrame | None:
        """The picture at a place, decoded from a start; carefully where something is damaged."""
        try:
            run = self._started(start)
            return None if run is None else self._advance_to(run, place)
        except av.error.FFmpegError:
            # Decoders that work on several pictures at once report damage before they give the sound
            # pictures in front of it.
            run = self._started(start, careful=True)
            return None if run is None else self._advance_to(run, place)

    def _advance_to(self, run: _Run, place: int) -> VideoFrame | None:
        """The picture at a place from decoding on; those before it enter the cache."""
        assert self._index is not None
        self._run = run
        try:
            for number, frame in run.pictures:
                here = self._index.places.get(number)
                if here is None or here < run.first_place:
                    continue
                run.next_place = here + 1
                if not frame.is_corrupt:
                    self._remember(here, frame)
                if here == place:
                    return frame
                if here > place:
                    return None
        except av.error.FFmpegError:
            self._let_go()
            raise
        # The decoder has seen the end of the stream and would go on seeing it.
        self._run = None
        return None

    def _started(self, start: Start | None, *, careful: bool = False) -> _Run | None:
        """Decoding from a start, or from the file's first packet; None where the start is not found.

        Careful decoding works on one picture at a time, so that each failure is that of the packet in hand.
        """
        if careful or start is None:
            stream = self.open()
            if careful:
                stream.thread_type = "SLICE"
        packets = enumerate(self._packets()) if start is None else self._packets_from(start)
        if packets is None:
            return None
        place = 0 if start is None else start.first_place
        return _Run(self._sound(packets) if careful else self._numbered(packets), place, place)

    def _packets_from(self, start: Start) -> Iterator[tuple[int, _Packet]] | None:
        """The packets from a start on, found by seeking or, where that lands late, from the top."""
        assert self._index is not None
        container, stream = self._opened()
        for stamp in self._index.stamps_before(start):
            try:
                container.seek(stamp, stream=stream, backward=True)
            except av.error.FFmpegError:
                continue
            packets = self._walk_to(start, self._packets(), known=None)
            if packets is not None:
                return packets
        self.open()
        return self._walk_to(start, self._packets(), known=0)

    def _walk_to(
        self, start: Start, packets: Iterator[_Packet], known: int | None
    ) -> Iterator[tuple[int, _Packet]] | None:
        """The packets from a start on, from somewhere before it; None where it was missed.

        Args:
            start: Where to go.
            packets: From here.
            known: The number of the next packet, if that is known.
        """
        assert self._index is not None
        for packet in packets:
            if known is None and packet.is_keyframe:
                found = self._index.starts_by_mark.get(mark_of(packet))
                known = None if found is None else found.number
            if known is None:
                continue
            if known > start.number:
                return None
            if known == start.number:
                if mark_of(packet) != start.mark:
                    return None
                return _numbered_from(start.number, packet, packets)
            known += 1
        return None

    def _numbered(
        self, packets: Iterator[tuple[int, _Packet]], failures: list[_Failure] | None = None
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Decodes packets and tells of which one each picture was.

        What cannot be decoded before there is a first picture is passed over, as players do with a stream
        that was cut in mid-group.

        Args:
            packets: With their numbers.
            failures: Where given, every packet that cannot be decoded is noted in it and passed over.
        """
        _, stream = self._opened()
        decoder = stream.codec_context
        is_first = True
        number = 0
        for number, packet in packets:
            packet.pts = packet.dts = number
            try:
                frames = decoder.decode(packet)
            except av.error.FFmpegError as error:
                if failures is not None:
                    failures.append(_Failure(number, error))
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
            failures.append(_Failure(number, error))
            return
        for frame in frames:
            if frame.pts is not None:
                yield frame.pts, frame

    def _sound(self, packets: Iterator[tuple[int, _Packet]]) -> Iterator[tuple[int, VideoFrame]]:
        """As :meth:`_numbered`, up to the first picture that needs a damaged packet; that is raised."""
        assert self._index is not None
        failures: list[_Failure] = []
        for number, frame in self._numbered(packets, failures):
            place = self._index.places.get(number)
            if place is not None:
                start = next(self._index.starts_for(place), None)
                needed_from = 0 if start is None else start.number
                for failure in failures:
                    if needed_from <= failure.number <= number:
                        raise failure.error
            yield number, frame
        if failures:
            raise failures[-1].error

    def _shown(
        self, packets: list[StoredPacket], *, intra_only: bool, fields: bool, limits: Limits
    ) -> list[int]:
        """The packets whose pictures are shown, in order; the decoder has the last word."""
        expected = expected_order(packets, intra_only=intra_only, fields=fields)
        if expected is not None:
            count = 1 if intra_only else _TRIAL_FRAMES
            seen, failures = self._trial(count)
            if intra_only and seen:
                return expected
            shown = without_dropped(expected, seen, ended=len(seen) < count, failures=len(failures))
            if shown is not None:
                return shown
        limits.check_counted_by_decoding(len(packets), what=self._name)
        shown, failures = self._trial(None)
        if not shown:
            words = f" ({failures[0].error.strerror})" if failures else ""
            raise ClipError(
                f"{self._name} has no frame that can be read{words}, it is damaged or cut off: "
                "copy or render it again."
            )
        return shown

    def _trial(self, count: int | None) -> tuple[list[int], list[_Failure]]:
        """Which packets are shown first when the file is read from its start; all of them for None."""
        self.open()
        seen: list[int] = []
        failures: list[_Failure] = []
        self._tried.clear()
        known: set[int] = set()
        for number, frame in islice(self._numbered(enumerate(self._packets()), failures), count):
            if number in known:
                # A decoder's stand-in for a picture that the stream left out.
                continue
            known.add(number)
            if len(seen) < _TRIAL_FRAMES and not frame.is_corrupt:
                self._tried[number] = frame
            if not seen:
                self.first = frame
            seen.append(number)
        return seen, failures

    def _packets(self) -> Iterator[_Packet]:
        return filled_packets(*self._opened())

    def _anew(self) -> tuple[InputContainer, VideoStream]:
        self.open()
        return self._opened()

    def _opened(self) -> tuple[InputContainer, VideoStream]:
        if self._container is None or self._stream is None:
            self.open()
        assert self._container is not None
        assert self._stream is not None
        return self._container, self._stream

    def _let_go(self) -> None:
        self._run = None
        if self._container is not None:
            self._container.close()
        self._container = self._stream = None

    def _remember(self, place: int, frame: VideoFrame) -> None:
        if place in self._decoded:
            return
        self._decoded[place] = frame
        self._decoded_bytes += _bytes_of(frame)
        while self._decoded_bytes > _CACHE_BYTES and len(self._decoded) > 1:
            _, dropped = self._decoded.popitem(last=False)
            self._decoded_bytes -= _bytes_of(dropped)


def _numbered_from(number: int, first: _Packet, rest: Iterator[_Packet]) -> Iterator[tuple[int, _Packet]]:
    yield number, first
    yield from enumerate(rest, number + 1)


def _bytes_of(frame: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
