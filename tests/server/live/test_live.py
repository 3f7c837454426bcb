from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.streams import SAID, ListStream, follow_all, network_tracker
from fakes.tracking import DiscClip, Shelf, TinyNetwork
from masklet.errors import BadInputError, ClipError
from masklet.names import layer_names
from masklet.patterns import FramePattern
from masklet.types import ClipInfo, ObjectInfo, Presence
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.live import follower as following
from masklet_server.live.command import write_mattes
from masklet_server.live.feed import Arrival, Feed
from masklet_server.live.follower import Follower
from masklet_server.live.streams import GrowingSequence, RawPipe
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader


def test_a_stream_gives_what_the_finished_clip_gives_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "HELD_FRAMES", 24)
    monkeypatch.setattr(following, "_FORGET_EVERY_FRAMES", 4)
    clip = DiscClip(length_frames=60)
    live = follow_all(clip, Feed(ListStream(clip), room=3, keeps_all=True))

    shelf = Shelf()
    tracker = NetworkTracker(TinyNetwork(), clip, shelf)
    for said in SAID:
        shelf.held[said.object_id, said.frame] = tracker.prompt(said)
    for frame in range(1002, 1061):
        active = [said.object_id for said in SAID if said.frame < frame]
        for result in tracker.track(frame, active, backward=False):
            shelf.held[result.object_id, frame] = result

    assert live.keys() == shelf.held.keys()
    for key, result in shelf.held.items():
        np.testing.assert_array_equal(live[key].logits, result.logits)
        assert live[key].presence_logit == result.presence_logit


def test_memory_does_not_grow_with_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "HELD_FRAMES", 20)
    monkeypatch.setattr(following, "_FORGET_EVERY_FRAMES", 4)
    clip = DiscClip(length_frames=90)
    info = ClipInfo("stream", clip.width_px, clip.height_px, 1001, 1001)
    made: list[NetworkTracker] = []

    def make(source: FrameSource, results: ResultReader) -> NetworkTracker:
        made.append(network_tracker(source, results))
        return made[0]

    follower = Follower(make, info, SAID)
    held = []
    for frame in range(1001, 1091):
        follower.follow(Arrival(frame, clip.read(frame), 0.0))
        held.append((made[0].memory_bytes, len(follower._results.frames_of(1))))
    assert held[45:] == [held[45]] * len(held[45:])


def test_the_oldest_that_waits_is_dropped_and_never_one_with_prompts() -> None:
    clip = DiscClip(length_frames=12)
    feed = Feed(ListStream(clip), room=3, needed={1001, 1004})
    with feed:
        deadline_s = time.monotonic() + 5
        while not feed._has_ended and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert [arrival.frame for arrival in feed] == [1001, 1004, 1012]
    assert feed.dropped == 9


def test_a_stream_that_can_wait_loses_nothing() -> None:
    clip = DiscClip(length_frames=12)
    feed = Feed(ListStream(clip), room=2, keeps_all=True)
    with feed:
        frames = []
        for arrival in feed:
            time.sleep(0.005)
            frames.append(arrival.frame)
    assert frames == list(range(1001, 1013))
    assert feed.dropped == 0


def test_frames_that_were_dropped_are_stepped_over() -> None:
    clip = DiscClip(length_frames=20)
    info = ClipInfo("stream", clip.width_px, clip.height_px, 1001, 1001)
    follower = Follower(network_tracker, info, SAID[:1])
    found = [
        follower.follow(Arrival(frame, clip.read(frame), 0.0))[0].frame
        for frame in (1001, 1002, 1005, 1006, 1013)
    ]
    assert found == [1001, 1002, 1005, 1006, 1013]


def test_a_raw_pipe_gives_frames_and_says_when_it_ends_within_one() -> None:
    pictures = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
    whole = list(RawPipe(io.BytesIO(pictures.tobytes()), 6, 4, first_frame=7).frames())
    assert [frame for frame, _ in whole] == [7, 8]
    np.testing.assert_array_equal(np.stack([picture for _, picture in whole]), pictures)
    with pytest.raises(ClipError, match="ended within frame 1"):
        list(RawPipe(io.BytesIO(pictures.tobytes()[:-5]), 6, 4).frames())


def read_text(file: Path) -> NDArray[np.uint8]:
    text = file.read_text()
    if not text.endswith("."):
        raise ClipError("half written")
    return np.full((1, 1, 3), int(text[:-1]), np.uint8)


def test_a_sequence_is_read_as_it_is_written_in_whatever_order(tmp_path: Path) -> None:
    def write() -> None:
        for number in (3, 1, 2, 5):
            time.sleep(0.05)
            (tmp_path / f"a.{number:04d}.txt").write_text(f"{number}")
            time.sleep(0.25)
            (tmp_path / f"a.{number:04d}.txt").write_text(f"{number}.")

    pattern = FramePattern.parse("a.%04d.txt")
    assert pattern is not None
    writing = threading.Thread(target=write)
    writing.start()
    stream = GrowingSequence(tmp_path, pattern, read_text, first_frame=1, patience_s=2.5)
    found = [(frame, int(picture[0, 0, 0])) for frame, picture in stream.frames()]
    writing.join()
    # 4 never came: it is stepped over once it is late.
    assert found == [(1, 1), (2, 2), (3, 3), (5, 5)]


def test_a_sequence_that_never_comes_is_said(tmp_path: Path) -> None:
    pattern = FramePattern.parse("a.%04d.txt")
    assert pattern is not None
    with pytest.raises(BadInputError, match="no picture has come"):
        list(GrowingSequence(tmp_path, pattern, read_text, patience_s=0.1).frames())


def test_a_stream_that_breaks_says_so_after_what_came() -> None:
    pipe = RawPipe(io.BytesIO(bytes(3 * 4 + 1)), 2, 2)
    feed = Feed(pipe, room=4)
    with feed:
        arrivals = iter(feed)
        assert next(arrivals).frame == 0
        with pytest.raises(ClipError, match="ended within frame 1"):
            next(arrivals)


def test_what_an_object_is_called_is_no_path(tmp_path: Path) -> None:
    objects = (ObjectInfo(1, "../../hero", (1001,)), ObjectInfo(2, "/tmp/dog", (1001,)))
    picture = np.zeros((8, 8, 3), np.uint8)
    pointer = np.zeros(0, np.float16)
    results = [
        ObjectFrame(each, 1001, np.zeros((4, 4), np.float16), 1.0, 1.0, Presence.PRESENT, pointer, True)
        for each in (1, 2)
    ]
    write_mattes(tmp_path / "out" / "deep", layer_names(objects), Arrival(1001, picture, 0.0), results)
    assert sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.png")) == [
        "out/deep/hero/hero.001001.png",
        "out/deep/tmp_dog/tmp_dog.001001.png",
    ]
