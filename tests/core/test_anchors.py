import math

import pytest

from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack


def _track(*frames: int) -> AnchorTrack:
    keys = tuple(AnchorKey(frame, 10.0 * frame, 5.0) for frame in frames)
    return AnchorTrack("ball_centroid", "ball", AnchorKind.CENTROID, frames[0], keys)


def test_a_key_is_found_by_its_frame_and_gaps_have_none() -> None:
    track = _track(-10, -9, -7, 0, 1001)
    for frame in (-10, -9, -7, 0, 1001):
        key = track.key_at(frame)
        assert key is not None
        assert key.frame == frame
    assert [track.key_at(frame) for frame in (-11, -8, 5, 1002)] == [None] * 4


@pytest.mark.parametrize("frames", [(3, 2), (4, 4)])
def test_keys_out_of_order_are_refused(frames: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must ascend"):
        _track(*frames)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_no_host_can_read_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no finite number"):
        AnchorKey(1, value, 0.0)
    with pytest.raises(ValueError, match="no finite number"):
        AnchorKey(1, 0.0, 0.0, corners=((0.0, 0.0), (1.0, 0.0), (1.0, value), (0.0, 1.0)))


@pytest.mark.parametrize(("confidence", "weight"), [(1.5, 1.0), (0.5, -0.1)])
def test_confidence_and_weight_stay_between_none_and_all(confidence: float, weight: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        AnchorKey(1, 0.0, 0.0, confidence=confidence, weight=weight)


def test_a_track_without_pixels_of_any_width_is_refused() -> None:
    with pytest.raises(ValueError, match="pixel aspect"):
        AnchorTrack("a", "a", AnchorKind.BOX, 0, (), pixel_aspect=0.0)
