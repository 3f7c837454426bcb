"""Reads a movie's pictures by their places: in order, backward and at random, always the same ones.

A seek is believed only when it landed on a packet that the index knows.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import av

from masklet_server.media.movie_counting import Count, count_pictures
from masklet_server.media.movie_file import Failure, MovieFile
from masklet_server.media.movie_packets import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from masklet_server.media.limits import Limits
    from masklet_server.media.movie_file import VideoPacket
    from masklet_server.media.movie_index import MovieIndex, Start

# Decoded but unconverted frames that stay at hand. Backward tracking would otherwise decode a
# whole group of pictures again for every single frame.
_CACHE_BYTES = 192 << 20
# Decoding this far ahead costs about as much as a seek.
_FORWARD_REACH_FRAMES = 12


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


class MovieReader:
    """One movie file, open or closed; it opens by itself when it is read.

    Args:
        path: The file.
        name: What people call it.
        limits: See :class:`MovieFile`.
    """

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self._file = MovieFile(path, name, limits)
        self._known: MovieIndex | None = None
        self._run: _Run | None = None
        self._decoded: OrderedDict[int, VideoFrame] = OrderedDict()
        self._decoded_bytes = 0

    def close(self) -> None:
        """Give back the file and all decoded frames; the index stays."""
        self._decoded.clear()
        self._decoded_bytes = 0
        self._run = None
        self._file.close()

    def open(self) -> VideoStream:
        """The stream, from a file opened anew.

        Raises:
            ClipError: The file is no movie, or has no video.
        """
        return self._file.open()[1]

    def count(self, limits: Limits) -> Count:
        """The index of the movie, made once, straight after opening, and kept.

        Raises:
            ClipError: Nothing in it can be shown.
            LimitError: There are too many frames, or too many to count by decoding.
            av.error.FFmpegError: The file is damaged beyond demuxing.
        """
        count = count_pictures(self._file, limits)
        self._known = count.index
        for place, frame in reversed(count.pictures.items()):
            if not frame.is_corrupt:
                self._remember(place, frame)
        if count.rest is not None:
            # Whoever reads on needs nothing decoded twice.
            self._run = _Run(count.rest, 0, 1 + max(count.pictures, default=-1))
        return count

    @property
    def _index(self) -> MovieIndex:
        assert self._known is not None, "count comes first"
        return self._known

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
            self._run = None
            self._file.close()
            raise
        # The decoder has seen the end of the stream and would go on seeing it.
        self._run = None
        return None

    def _started(self, start: Start | None, *, careful: bool = False) -> _Run | None:
        """Decoding from a start, or from the file's first packet; None where the start is not found.

        Careful decoding works on one picture at a time, so that each failure is that of the packet in hand.
        """
        if careful or start is None:
            self._file.open(careful=careful)
        packets = (
            enumerate(self._file.packets()) if start is None else self._packets_from(start, careful=careful)
        )
        if packets is None:
            return None
        place = 0 if start is None else start.first_place
        return _Run(self._sound(packets) if careful else self._file.decode(packets), place, place)

    def _packets_from(self, start: Start, *, careful: bool) -> Iterator[tuple[int, VideoPacket]] | None:
        """The packets from a start on, found by seeking or, where that lands late, from the top."""
        for stamp in self._index.stamps_before(start):
            if self._file.seek(stamp):
                packets = self._walk_to(start, self._file.packets(), known=None)
                if packets is not None:
                    return packets
        self._file.open(careful=careful)
        return self._walk_to(start, self._file.packets(), known=0)

    def _walk_to(
        self, start: Start, packets: Iterator[VideoPacket], known: int | None
    ) -> Iterator[tuple[int, VideoPacket]] | None:
        """The packets from a start on, from somewhere before it; None where it was missed.

        Args:
            start: Where to go.
            packets: From here.
            known: The number of the next packet, if that is known.
        """
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

    def _sound(self, packets: Iterator[tuple[int, VideoPacket]]) -> Iterator[tuple[int, VideoFrame]]:
        """Decodes packets, up to the first picture that needs a damaged packet; that is raised."""
        failures: list[Failure] = []
        for number, frame in self._file.decode(packets, failures):
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

    def _remember(self, place: int, frame: VideoFrame) -> None:
        if place in self._decoded:
            return
        self._decoded[place] = frame
        self._decoded_bytes += _bytes_of(frame)
        while self._decoded_bytes > _CACHE_BYTES and len(self._decoded) > 1:
            _, dropped = self._decoded.popitem(last=False)
            self._decoded_bytes -= _bytes_of(dropped)


def _numbered_from(
    number: int, first: VideoPacket, rest: Iterator[VideoPacket]
) -> Iterator[tuple[int, VideoPacket]]:
    yield number, first
    yield from enumerate(rest, number + 1)


def _bytes_of(frame: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
