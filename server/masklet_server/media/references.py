"""Files that only name others, such as playlists and movies whose pictures lie elsewhere: none is followed.

FFmpeg is told to follow nothing as well (:mod:`masklet_server.media.movie_packets`); what is here says so to
the artist, who would otherwise be told of a damaged file.
Source of the boxes: ISO/IEC 14496-12, and Apple's QuickTime File Format Specification for what it added.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from masklet.errors import ClipError

_LOOKED_AT_BYTES = 4096
_LISTS = (
    (re.compile(rb"#EXTM3U|#EXT-X-"), "a playlist"),
    (re.compile(rb"ffconcat\s|file\s+['\"/\w]", re.I), "a list of files to join"),
    (re.compile(rb"\[(?:playlist|reference)\]", re.I), "a playlist"),
    (re.compile(rb"<(?:\?xml|!doctype|mpd|smil|asx|playlist|xmeml|fcpxml)\b", re.I), "an XML list"),
    (re.compile(rb"#?\s*(?:mpv|mplayer)\s+EDL|TITLE:", re.I), "an edit list"),
    (re.compile(rb'\{\s*"OTIO_SCHEMA"'), "a timeline"),
    (re.compile(rb"v=0\r?\no="), "the description of a stream"),
    (re.compile(rb"(?:https?|rtsps?|rtmps?|ftp|file|concat|subfile|data):", re.I), "an address"),
)
_MOST_BOXES = 100_000
_MOST_HEADER_BYTES = 64 << 20
_CONTAINERS = frozenset({b"trak", b"mdia", b"minf", b"dinf"})
_IN_THIS_FILE = 1


class _Box(NamedTuple):
    kind: bytes
    begin: int
    end: int


def refuse_references(file: BinaryIO, name: str) -> None:
    """Refuse a file that is to be opened as a movie and takes its pictures from elsewhere.

    Args:
        file: Open for reading; where it is read afterwards does not matter.
        name: What messages call it.

    Raises:
        ClipError: It is a list of other files or addresses, or its pictures lie in other files.
    """
    file.seek(0)
    start = file.read(_LOOKED_AT_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what in _LISTS:
        if pattern.match(start):
            raise ClipError(
                f"{name} is {what}: it names other files or addresses, and this server follows none; "
                "choose the movie itself, or the folder of its pictures."
            )
    # What is no movie, or a damaged one, is FFmpeg's to say.
    with suppress(struct.error, zlib.error, ValueError, OverflowError):
        if _lies_elsewhere(file):
            raise ClipError(
                f"{name} keeps its pictures in other files, and this server follows no references: save it "
                "as a self-contained movie, or choose the file that holds the pictures."
            )


def _lies_elsewhere(file: BinaryIO, *, is_unpacked: bool = False) -> bool:
    """True for a MOV or MP4 whose picture track, or all of it, is in other files.

    Args:
        file: The movie, or its header alone.
        is_unpacked: It came out of a packed header: another one inside could go on without end.
    """
    file.seek(0, io.SEEK_END)
    for box in _boxes(file, 0, file.tell()):
        if box.kind == b"moov":
            return _header_leads_away(file, box, is_unpacked=is_unpacked)
        if not box.kind.isascii():
            return False
    return False


def _header_leads_away(file: BinaryIO, header: _Box, *, is_unpacked: bool) -> bool:
    for box in _boxes(file, header.begin, header.end):
        if box.kind == b"rmra":
            return True
        if box.kind == b"cmov":
            return not is_unpacked and _lies_elsewhere(_unpacked(file, box), is_unpacked=True)
        if box.kind == b"trak" and _track_leads_away(file, box):
            return True
    return False


def _track_leads_away(file: BinaryIO, track: _Box) -> bool:
    """True for a track of pictures that has an entry which is not this file."""
    is_picture = leads_away = False
    pending = [track]
    while pending:
        parent = pending.pop()
        for box in _boxes(file, parent.begin, parent.end):
            if box.kind in _CONTAINERS:
                pending.append(box)
            elif box.kind == b"hdlr" and parent.kind == b"mdia":
                is_picture |= _read(file, box.begin + 8, 4) == b"vide"
            elif box.kind == b"dref":
                leads_away |= any(
                    not struct.unpack(">I", _read(file, entry.begin, 4))[0] & _IN_THIS_FILE
                    for entry in _boxes(file, box.begin + 8, box.end)
                )
    return is_picture and leads_away


def _unpacked(file: BinaryIO, box: _Box) -> BinaryIO:
    """The header of a movie that has it compressed, with a limit."""
    for part in _boxes(file, box.begin, box.end):
        if part.kind == b"cmvd":
            packed = _read(file, part.begin + 4, min(part.end - part.begin - 4, _MOST_HEADER_BYTES))
            return io.BytesIO(zlib.decompressobj().decompress(packed, _MOST_HEADER_BYTES))
    return io.BytesIO()


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[_Box]:
    """The boxes one after the other between two places; ends where there is no sense in them."""
    for _ in range(_MOST_BOXES):
        if begin + 8 > end:
            return
        size, kind = struct.unpack(">I4s", _read(file, begin, 8))
        inside = begin + 8
        if size == 1:
            (size,) = struct.unpack(">Q", _read(file, inside, 8))
            inside += 8
        elif size == 0:
            size = end - begin
        if size < inside - begin or begin + size > end:
            # The last box of a file that was cut off may still say where it was going.
            size = end - begin
        yield _Box(kind, inside, begin + size)
        begin += size


def _read(file: BinaryIO, at: int, size_bytes: int) -> bytes:
    file.seek(at)
    return file.read(size_bytes)
