"""Where the frames of a movie lie: presentation times in order, without decoding anything."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Everything a plate comes in. A longer list would let a playlist or a caption file make the
# server open other files or addresses.
_CONTAINERS = "mov,mp4,matroska,webm,mxf,avi,mpegts"


@dataclass(frozen=True)
class FrameIndex:
    """Presentation order of a video stream.

    Attributes:
        times: Presentation time stamps, ascending, in the stream's time base; frame k of the movie
            is the one shown at ``times[k]``, however long it stays on screen.
        key_times: Those at which decoding can start, ascending.
    """

    times: tuple[int, ...]
    key_times: tuple[int, ...]

    def find(self, time: int | None) -> int | None:
        """Which frame is shown at exactly this time stamp, or None."""
        if time is None:
            return None
        place = bisect_left(self.times, time)
        return place if place < len(self.times) and self.times[place] == time else None

    def starts_for(self, frame: int) -> Iterator[int]:
        """Time stamps to seek to in order to decode ``frame``, nearest first.

        One start is usually enough. Frames that are shown before a key frame may be stored after
        it, and containers seek by storage order, so further ones follow.
        """
        keys = bisect_right(self.key_times, self.times[frame])
        yield from reversed(self.key_times[max(0, keys - 3) : keys])
        yield self.times[0]


def open_container(path: Path) -> InputContainer:
    """The movie file, opened; nothing but this one local file can be reached through it."""
    return av.open(f"file:{path}", options={"protocol_whitelist": "file", "format_whitelist": _CONTAINERS})


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first video stream that moves, or None; the cover picture of a song is no video."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def count_from_header(container: InputContainer, stream: VideoStream) -> int | None:
    """The number of frames that will be shown, where the header alone tells; None otherwise.

    Only MP4 and MOV list every sample in their header. Their edit lists can hide samples, which
    are then marked in the list.
    """
    if "mov" not in container.format.name or stream.frames < 1:
        return None
    entries = stream.index_entries
    if len(entries) != stream.frames:
        return None
    return sum(not entry.is_discard for entry in entries) or None


def index_from_header(container: InputContainer, stream: VideoStream) -> FrameIndex | None:
    """The index, where the header alone gives it: every frame a key frame, as in ProRes and DNxHR.

    Such files are the large ones: demuxing them would mean reading all of their gigabytes. In
    other files the header's list is in storage order, without presentation times.
    """
    if count_from_header(container, stream) is None:
        return None
    entries = [entry for entry in stream.index_entries if not entry.is_discard]
    if not all(entry.is_keyframe for entry in entries):
        return None
    times = tuple(sorted(entry.timestamp for entry in entries))
    return FrameIndex(times, times)


def index_by_demuxing(path: Path) -> FrameIndex:
    """The index of any movie, from one pass over its packets.

    Raises:
        av.error.FFmpegError: The file is damaged beyond demuxing.
    """
    times: list[int] = []
    key_times: list[int] = []
    with open_container(path) as container:
        stream = video_stream(container)
        if stream is None:
            return FrameIndex((), ())
        for packet in container.demux(stream):
            # AVI has no presentation times; its order of storage is its order of showing.
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None or packet.is_discard or not packet.size:
                continue
            times.append(time)
            if packet.is_keyframe:
                key_times.append(time)
    times.sort()
    return FrameIndex(tuple(times), tuple(sorted(key_times)) or tuple(times[:1]))
