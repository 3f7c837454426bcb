"""What names other files or addresses is refused with a sentence, and nothing is followed."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest

from generated_media import number_in, numbered_picture, scene, write_movie, write_picture
from masklet.errors import BadInputError, ClipError
from masklet_server.media.references import refuse_references
from masklet_server.media.source import open_clip

LISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
    "HLS of addresses": "\ufeff#EXTM3U\nhttp://127.0.0.1:1/secret.ts\n",
    "concat": "ffconcat version 1.0\nfile '{secret}'\n",
    "concat without a header": "file '{secret}'\n",
    "PLS": "[playlist]\nFile1={secret}\n",
    "ASX": '<asx version="3.0"><entry><ref href="{secret}"/></entry></asx>',
    "DASH": '<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>',
    "SMIL": '<smil><body><video src="{secret}"/></body></smil>',
    "EDL of mpv": "# mpv EDL v0\n{secret},0,1\n",
    "EDL of an editor": "TITLE: SHOT\n001  A001 V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n",
    "OTIO": '{{"OTIO_SCHEMA": "Timeline.1", "target_url": "{secret}"}}',
    "SDP": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    "address": "rtsp://127.0.0.1/secret",
    "protocol": "concat:{secret}|{secret}",
}


def boxes_to(data: bytes, path: tuple[bytes, ...]) -> int:
    """Where the payload of a box begins, of the first track."""
    begin, end = 0, len(data)
    for wanted in path:
        while True:
            size, kind = struct.unpack_from(">I4s", data, begin)
            assert begin < end
            if kind == wanted:
                begin, end = begin + 8, begin + size
                break
            begin += size
    return begin


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("suffix", ["mov", "m3u8"])
def test_a_list_that_names_other_files_is_refused_as_what_it_is(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    secret = write_movie(tmp_path / "secret.mp4", [numbered_picture(1)])
    path = tmp_path / f"plate.{suffix}"
    path.write_text(LISTS[kind].format(secret=secret), encoding="utf-8")

    with pytest.raises(ClipError, match=rf"plate.{suffix} is .+ this server follows none; choose the movie"):
        open_clip(path)


@pytest.mark.parametrize("kind", [b"url ", b"alis"])
def test_a_movie_whose_pictures_lie_in_another_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = write_movie(tmp_path / "plate.mov", [numbered_picture(number) for number in range(3)])
    data = bytearray(path.read_bytes())
    entry = boxes_to(data, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")) + 8
    assert data[entry + 4 : entry + 8] in (b"url ", b"alis")
    data[entry + 4 : entry + 8] = kind
    data[entry + 8 : entry + 12] = bytes(4)
    path.write_bytes(data)

    with pytest.raises(ClipError, match=r"plate.mov keeps its pictures in other files.+self-contained"):
        open_clip(path)


def test_a_reference_movie_is_refused(tmp_path: Path) -> None:
    url = b"http://127.0.0.1:1/secret.mov\0"
    rdrf = struct.pack(">I4sI4sI", 20 + len(url), b"rdrf", 0, b"url ", len(url)) + url
    for kind in (b"rmda", b"rmra", b"moov"):
        rdrf = struct.pack(">I4s", 8 + len(rdrf), kind) + rdrf
    path = tmp_path / "plate.mov"
    path.write_bytes(struct.pack(">I4s4s", 12, b"ftyp", b"qt  ") + rdrf)

    with pytest.raises(ClipError, match=r"plate.mov keeps its pictures in other files"):
        open_clip(path)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def test_a_packed_header_inside_of_packed_headers_is_not_followed_without_end() -> None:
    header = box(b"moov", b"")
    for _ in range(2000):
        packed = zlib.compress(header, 1)
        header = box(b"moov", box(b"cmov", box(b"cmvd", bytes(4) + packed)))

    refuse_references(io.BytesIO(header), "plate.mov")


def test_a_second_word_about_a_track_does_not_take_the_first_back() -> None:
    def movie(*words: bytes) -> bytes:
        elsewhere = box(b"alis", bytes(4))
        here = box(b"alis", b"\0\0\0\1")
        references = b"".join(box(b"dref", bytes(8) + each) for each in (elsewhere, here))
        told = b"".join(box(b"hdlr", bytes(8) + each) for each in words)
        media = told + box(b"minf", box(b"dinf", references))
        return box(b"moov", box(b"trak", box(b"mdia", media)))

    for words in ((b"vide",), (b"vide", b"odd ")):
        with pytest.raises(ClipError, match="keeps its pictures in other files"):
            refuse_references(io.BytesIO(movie(*words)), "plate.mov")
    refuse_references(io.BytesIO(movie(b"soun")), "plate.mov")


def test_a_self_contained_movie_opens_in_every_container(tmp_path: Path) -> None:
    for suffix in ("mov", "mp4", "mkv", "avi", "ts"):
        path = write_movie(tmp_path / f"plate.{suffix}", [numbered_picture(number) for number in range(4)])
        with open_clip(path) as clip:
            assert number_in(clip.read(2)) == 2


@pytest.mark.parametrize(
    "space",
    ["/etc/passwd", "../secret.cube", "file:///etc/passwd", "ocio://default", "http://127.0.0.1/x.ocio"],
)
def test_a_colour_space_is_a_name_and_never_a_file(tmp_path: Path, space: str) -> None:
    path = write_picture(tmp_path / "plate.exr", scene(), "half")

    with pytest.raises(BadInputError, match="no colour space is called"):
        open_clip(path, colour=space)
