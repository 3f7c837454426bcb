"""The stored pictures of a movie, as its file lists them: read from the header or by demuxing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
from av.stream import Disposition

from masklet_server.media.movie_codecs import CODEC_WHITELIST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from masklet_server.media.limits import Limits

# Everything a plate comes in. A longer list would let a playlist or a caption file make the
# server open other files or addresses.
CONTAINERS = "mov,mp4,matroska,webm,mxf,avi,mpegts"


class PacketMark(NamedTuple):
    """By what a packet is known again after a seek.

    Attributes:
        position: Where it lies in the file, in bytes; -1 where the container does not say.
        pts: Its presentation time stamp; None where it has none.
        size_bytes: Of its data.
    """

    position: int
    pts: int | None
    size_bytes: int


class StoredPacket(NamedTuple):
    """One packet of the video stream. Its number is its place in storage order.

    Attributes:
        mark: By what it is known again.
        dts: Its decoding time stamp; None where it has none.
        is_key: Decoding can begin here.
        is_hidden: It is decoded but not shown: an edit list cuts it off.
    """

    mark: PacketMark
    dts: int | None
    is_key: bool
    is_hidden: bool


def open_container(path: Path, *, max_pixels: int, as_stored: bool = False) -> InputContainer:
    """The movie file, opened; nothing but this one local file can be reached through it.

    Args:
        path: The file.
        max_pixels: Of a picture: FFmpeg decodes the first ones to complete what a header says.
        as_stored: Packets have the times that the file gives them and no others.
    """
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": CONTAINERS,
        "codec_whitelist": CODEC_WHITELIST,
        "max_pixels": str(max_pixels),
        # Tracks of a MOV may lie in other files, by its header: FFmpeg leaves those alone unless told to.
        "enable_drefs": "0",
    }
    return av.open(f"file:{path}", options={**options, "fflags": "nofillin"} if as_stored else options)


def is_transport(container: InputContainer) -> bool:
    """True for a transport stream, which may leave times out and may hold a picture's fields apart."""
    return "mpegts" in container.format.name


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first video stream that moves, or None; the cover picture of a song is no video."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def filled_packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets in storage order, without empty ones, which only repeat the picture before."""
    return (packet for packet in container.demux(stream) if packet.size)


def mark_of(packet: Packet[VideoStream]) -> PacketMark:
    """By what this packet is known again."""
    return PacketMark(-1 if packet.pos is None else packet.pos, packet.pts, packet.size)


def is_intra_only(stream: VideoStream) -> bool:
    """True where every picture stands for itself, as in ProRes and DNxHR."""
    return bool(stream.codec_context.codec.intra_only)


def packets_in_header(
    container: InputContainer, stream: VideoStream, file_size_bytes: int
) -> list[StoredPacket] | None:
    """All packets, where the header alone gives them; None otherwise.

    That is MP4 and MOV, which list every sample in their header, with pictures that stand for themselves.
    Such files are the large ones: demuxing them would mean reading all of their gigabytes. In other files
    the list has no presentation times. What the header promises behind the file's end is left out.
    """
    if "mov" not in container.format.name or not is_intra_only(stream) or stream.frames < 1:
        return None
    entries = stream.index_entries
    # A movie in fragments lists those that have been read so far.
    if len(entries) != stream.frames:
        return None
    return [
        StoredPacket(
            PacketMark(entry.pos, entry.timestamp, entry.size), entry.timestamp, True, bool(entry.is_discard)
        )
        for entry in entries
        if entry.size and entry.pos + entry.size <= file_size_bytes
    ]


def packets_promised(container: InputContainer, stream: VideoStream) -> int:
    """How many packets the header of a container that was just opened lists; 0 where it has no list."""
    return sum(bool(entry.size) for entry in stream.index_entries) if "mov" in container.format.name else 0


def packets_by_demuxing(
    container: InputContainer, stream: VideoStream, limits: Limits, *, name: str
) -> list[StoredPacket]:
    """All packets of a container that was just opened, from one pass over it.

    A file that breaks off ends where it does.

    Raises:
        LimitError: There are more than frames are allowed.
    """
    packets: list[StoredPacket] = []
    try:
        for packet in filled_packets(container, stream):
            packets.append(StoredPacket(mark_of(packet), packet.dts, packet.is_keyframe, packet.is_discard))
            if len(packets) > limits.max_frames:
                limits.check_frame_count(len(packets), what=name)
    except av.error.FFmpegError:
        if not packets:
            raise
    return packets
