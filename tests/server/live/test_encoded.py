from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.streams import follow_all
from fakes.tracking import DiscClip
from generated_media import numbered_picture, write_movie
from masklet.errors import ClipError
from masklet_server.live.encoded import EncodedStream
from masklet_server.live.feed import Feed
from masklet_server.live.streams import RawPipe
from masklet_server.media.source import open_clip

QUARTER_TURN = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def test_encoded_frames_from_a_pipe_are_those_that_were_sent_and_tracked_as_the_finished_clip() -> None:
    clip = DiscClip(length_frames=5)
    pictures = [clip.read(frame) for frame in range(1001, 1006)]
    reading, writing = os.pipe()

    def send() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_sent(pictures, "ffv1", "bgr0"))

    sending = threading.Thread(target=send)
    sending.start()
    # Nothing can be read twice from it: not even the frames that tell what the codec is.
    with os.fdopen(reading, "rb") as pipe:
        live = follow_all(clip, Feed(EncodedStream(pipe, first_frame=1001), room=4, keeps_all=True))
    sending.join()

    raw = RawPipe(
        io.BytesIO(b"".join(picture.tobytes() for picture in pictures)),
        clip.width_px,
        clip.height_px,
        first_frame=1001,
    )
    wanted = follow_all(clip, Feed(raw, room=4, keeps_all=True))
    assert live.keys() == wanted.keys()
    assert all(np.array_equal(live[key].logits, wanted[key].logits) for key in wanted)


def test_a_capture_device_is_opened_by_its_name_and_gives_frames_until_it_is_closed() -> None:
    if "lavfi" not in av.formats_available:
        pytest.skip("this PyAV has no device that needs no camera")
    endless = EncodedStream("testsrc=size=64x36:rate=10", input_format="lavfi", first_frame=5)
    came = []
    for frame, picture in endless.frames():
        came.append(frame)
        assert picture.shape == (36, 64, 3)
        if len(came) == 3:
            endless.close()
    assert came == [5, 6, 7]

    with pytest.raises(ClipError, match="cannot be decoded"):
        list(EncodedStream("/dev/no-camera", input_format="lavfi").frames())


def test_pictures_are_those_of_the_same_movie_opened(tmp_path: Path) -> None:
    # Wide enough for another matrix than small pictures have, and turned as a phone films.
    pictures = [np.roll(_colours(), 8 * step, axis=1) for step in range(3)]
    path = write_movie(tmp_path / "phone.mov", pictures, matrix=QUARTER_TURN)
    told: list[str] = []

    stream = EncodedStream(io.BytesIO(path.read_bytes()), first_frame=7, tell=told.append)
    came = list(stream.frames())

    with open_clip(path) as clip:
        assert [frame for frame, _ in came] == [7, 8, 9]
        for (_, ours), frame in zip(came, range(3), strict=True):
            np.testing.assert_array_equal(ours, clip.read(frame))
        assert len(told) == len(clip.info.notices) == 1
        assert "matrix: taken as Rec.709" in told[0]


def _colours() -> NDArray[np.uint8]:
    picture = np.zeros((16, 1032, 3), np.uint8)
    picture[:, :500], picture[:, 500:] = (200, 30, 60), (20, 180, 90)
    return picture


def test_a_colour_space_that_the_document_says_counts(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "log.mov", [numbered_picture(1)] * 2)

    (_, ours), *_ = EncodedStream(io.BytesIO(path.read_bytes()), colour="ARRI LogC4").frames()

    with open_clip(path, colour="ARRI LogC4") as clip, open_clip(path) as plain:
        np.testing.assert_array_equal(ours, clip.read(0))
        assert not np.array_equal(ours, plain.read(0))


def test_a_damaged_picture_is_passed_over_with_its_number() -> None:
    pictures = [numbered_picture(number) for number in range(5)]
    data = bytearray(_sent(pictures, "png", "rgb24", container="nut"))
    at = -1
    for _ in range(3):
        at = data.index(b"\x89PNG", at + 1)
    data[at + 8 : at + 60] = bytes(52)

    came = [frame for frame, _ in EncodedStream(io.BytesIO(bytes(data)), first_frame=1).frames()]

    assert came == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "list_of_others",
    [
        b"ffconcat version 1.0\nfile other.mkv\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_list_from_a_pipe_opens_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, list_of_others: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("mkv", "ts"):
        write_movie(tmp_path / f"other.{suffix}", [numbered_picture(1)] * 3)

    with pytest.raises(ClipError, match="the stream cannot be decoded"):
        list(EncodedStream(io.BytesIO(list_of_others)).frames())


def test_what_holds_no_picture_is_said() -> None:
    with pytest.raises(ClipError, match="the stream"):
        list(EncodedStream(io.BytesIO(b"no movie at all" * 100)).frames())


def _sent(
    pictures: Sequence[NDArray[np.uint8]], codec: str, pixel_format: str, *, container: str = "matroska"
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as sent:
        stream = sent.add_stream(codec, rate=24)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], pixel_format
        for picture in pictures:
            sent.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sent.mux(stream.encode(None))
    return file.getvalue()
