from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from fakes.tracking import DiscClip, TinyNetwork
from masklet.errors import ClipError
from masklet_server.engine.features import FeatureCache, FrameReader
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


def test_where_the_processor_is_the_device_nothing_is_encoded_ahead(network: TinyNetwork) -> None:
    clip = DiscClip()
    cache = cache_of(network, clip)
    cache.read_ahead(1002)
    wait_for_reading(clip, 1)

    cache.encode_ahead(1002, then=1003)

    assert 1002 not in cache
