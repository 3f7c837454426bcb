from __future__ import annotations

import threading
import time
from functools import partial

import pytest
import torch

from fakes.tracking import DiscClip, TinyNetwork
from masklet.errors import ClipError
from masklet_server.engine.beside import free_slot
from masklet_server.engine.features import FeatureCache, FrameReader, let_readers_end
from masklet_server.engine.picture import square_of


def cache_of(network: TinyNetwork, clip: DiscClip, capacity: int = 2) -> FeatureCache:
    return FeatureCache(network, clip, capacity=capacity, by_device=False)


def reader_of(clip: DiscClip) -> FrameReader:
    return FrameReader(clip, partial(square_of, side_px=64))


def test_the_least_recently_used_frame_goes_first(network: TinyNetwork) -> None:
    cache = cache_of(network, DiscClip())
    cache.features(1001)
    cache.features(1002)
    cache.features(1001)

    cache.features(1003)

    assert 1001 in cache
    assert 1002 not in cache
    assert 1003 in cache


def test_held_features_are_not_computed_again(network: TinyNetwork) -> None:
    cache = cache_of(network, DiscClip())
    first = cache.features(1001)
    encoded = network.encoded

    assert cache.features(1001) is first
    assert network.encoded == encoded


def test_bytes_are_counted_and_given_back(network: TinyNetwork) -> None:
    cache = cache_of(network, DiscClip())
    features = cache.features(1001)
    one = cache.held_bytes
    cache.features(1002)

    assert one == features.embedding.nbytes + features.skip8.nbytes + features.skip4.nbytes
    assert cache.held_bytes == 2 * one
    cache.drop()
    assert cache.held_bytes == 0


def test_a_picture_read_ahead_is_not_read_again() -> None:
    clip = DiscClip()
    reader = reader_of(clip)

    reader.read_ahead(1005)
    reader.read(1005)

    assert clip.reads == [1005]


def test_a_wrong_guess_costs_one_read_and_nothing_else() -> None:
    clip = DiscClip()
    reader = reader_of(clip)

    reader.read_ahead(1005)
    square = reader.read(1003)

    assert clip.reads == [1005, 1003]
    assert square.equal(reader_of(DiscClip()).read(1003))


@pytest.mark.parametrize("frame", [1000, 1025, 1004], ids=["before", "behind", "missing"])
def test_nothing_is_read_ahead_where_there_is_no_picture(frame: int) -> None:
    clip = DiscClip(missing_frames=(1004,))
    reader = reader_of(clip)

    reader.read_ahead(frame)
    reader.drop()

    assert clip.reads == []


def test_an_error_ahead_is_met_by_whoever_needs_the_picture() -> None:
    clip = DiscClip(failing={1005})
    reader = reader_of(clip)

    reader.read_ahead(1005)
    reader.read(1004)

    reader.read_ahead(1005)
    with pytest.raises(ClipError, match="damaged"):
        reader.read(1005)


def test_no_failure_of_a_guess_reaches_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, told = DiscClip(), []
    monkeypatch.setattr(threading, "excepthook", told.append)
    monkeypatch.setattr(clip, "read", {}.__getitem__)
    reader = reader_of(clip)

    reader.read_ahead(1005)
    reader.drop()

    assert told == []


def test_an_interpreter_that_ends_waits_for_a_picture_that_is_read_and_for_no_hanging_disk() -> None:
    may_go_on, told = threading.Event(), []

    def prepare(picture: object) -> torch.Tensor:
        told.append(may_go_on.wait(30.0))
        return torch.zeros(1)

    reader = FrameReader(DiscClip(), prepare)
    reader.read_ahead(1005)
    let_readers_end(within_s=0.0)
    assert told == []

    may_go_on.set()
    let_readers_end(within_s=30.0)
    assert told == [True]


def wait_for_reading(clip: DiscClip, count: int) -> None:
    deadline_s = time.monotonic() + 10.0
    while (len(clip.reads) < count or clip.inside) and time.monotonic() < deadline_s:
        time.sleep(0.001)
    # The thread still has to hand the picture over.
    time.sleep(0.05)


def test_a_frame_that_was_read_is_encoded_ahead_and_the_one_behind_it_read(network: TinyNetwork) -> None:
    clip = DiscClip()
    cache = FeatureCache(network, clip, capacity=4, by_device=True)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)
    encoded = network.encoded

    cache.encode_ahead(1002, then=1003)

    assert 1002 in cache
    assert network.encoded == encoded + 1
    wait_for_reading(clip, 2)
    assert clip.reads == [1002, 1003]


def test_nothing_waits_for_a_frame_that_was_not_read(network: TinyNetwork) -> None:
    clip = DiscClip(failing={1002})
    cache = FeatureCache(network, clip, capacity=4, by_device=True)
    cache.encode_ahead(1005, then=1006)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)
    cache.encode_ahead(1002, then=1003)

    assert 1005 not in cache
    assert 1002 not in cache


def test_a_frame_is_encoded_beside_and_is_the_same_to_the_last_bit(network: TinyNetwork) -> None:
    clip = DiscClip()
    cache = FeatureCache(network, clip, capacity=4, by_device=False, encodes_beside=True)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)

    cache.encode_beside(1002, then=1003)
    cache.read_ahead(1002)
    with torch.inference_mode():
        beside, here = cache.features(1002), cache_of(network, clip).features(1002)

    assert torch.equal(beside.embedding, here.embedding)
    assert torch.equal(beside.skip4, here.skip4)
    wait_for_reading(clip, 3)
    assert clip.reads.count(1003) == 1


def test_one_thread_encodes_for_all_and_who_finds_it_busy_encodes_when_its_time_comes(
    network: TinyNetwork,
) -> None:
    clip, may_go_on = DiscClip(), threading.Event()
    slot = free_slot()
    assert slot is not None
    working = slot.encode(lambda: may_go_on.wait(10.0))
    cache = FeatureCache(network, clip, capacity=4, by_device=False, encodes_beside=True)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)
    before = network.encoded

    cache.encode_beside(1002, then=1003)
    cache.features(1002)
    may_go_on.set()
    working.result()

    assert network.encoded == before + 1
    assert clip.reads == [1002]


def test_a_failure_beside_is_met_by_whoever_needs_the_features(
    network: TinyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = DiscClip()
    cache = FeatureCache(network, clip, capacity=4, by_device=False, encodes_beside=True)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)
    with monkeypatch.context() as broken:
        broken.setattr(network, "encode_image", {}.__getitem__)
        cache.encode_beside(1002, then=1003)
        free = free_slot()
        while free is None:
            free = free_slot()
        free.encode(lambda: network.encode_image)
        deadline_s = time.monotonic() + 30.0
        while not cache.ahead_bytes and time.monotonic() < deadline_s:
            time.sleep(0.001)
        # The picture behind it alone.
        assert cache.held_bytes == cache.ahead_bytes > 0

    assert cache.features(1002).embedding.shape[0] == 1


def test_where_the_processor_is_the_device_nothing_is_encoded_ahead(network: TinyNetwork) -> None:
    clip = DiscClip()
    cache = cache_of(network, clip)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)

    cache.encode_ahead(1002, then=1003)

    assert 1002 not in cache
