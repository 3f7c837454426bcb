from __future__ import annotations

import pytest

from fakes.tracking import DiscClip, TinyNetwork
from masklet.errors import ClipError
from masklet_server.engine.features import FeatureCache, FrameReader


def cache_of(network: TinyNetwork, clip: DiscClip, capacity: int = 2) -> FeatureCache:
    return FeatureCache(network, FrameReader(clip, side_px=64), capacity=capacity)


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
    reader = FrameReader(clip, side_px=64)

    reader.read_ahead(1005)
    reader.read(1005)

    assert clip.reads == [1005]


def test_a_wrong_guess_costs_one_read_and_nothing_else() -> None:
    clip = DiscClip()
    reader = FrameReader(clip, side_px=64)

    reader.read_ahead(1005)
    square = reader.read(1003)

    assert clip.reads == [1005, 1003]
    assert square.equal(FrameReader(DiscClip(), side_px=64).read(1003))


@pytest.mark.parametrize("frame", [1000, 1025, 1004], ids=["before", "behind", "missing"])
def test_nothing_is_read_ahead_where_there_is_no_picture(frame: int) -> None:
    clip = DiscClip(missing_frames=(1004,))
    reader = FrameReader(clip, side_px=64)

    reader.read_ahead(frame)
    reader.drop()

    assert clip.reads == []


def test_an_error_ahead_is_met_by_whoever_needs_the_picture() -> None:
    clip = DiscClip(failing={1005})
    reader = FrameReader(clip, side_px=64)

    reader.read_ahead(1005)
    reader.read(1004)

    reader.read_ahead(1005)
    with pytest.raises(ClipError, match="damaged"):
        reader.read(1005)
