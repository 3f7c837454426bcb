"""Surface anchors on rendered clips whose true motion is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fakes.moving_plane import MovingPlane, Plane, turning
from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack
from masklet_server.anchors.geometry import Turn, carry, linear_part
from masklet_server.anchors.track import track_anchor

SMALL = Plane(
    width_px=240,
    height_px=180,
    frames=7,
    pose=turning(
        lambda t: 105 + 4 * t, lambda t: 90 + 6 * math.sin(t), lambda t: 5 * t, lambda t: 50 * 1.02**t
    ),
)


def _errors(clip: MovingPlane, track: AnchorTrack) -> np.ndarray:
    """Worst position and corner in stored pixels, rotation in degrees, scale in percent."""
    start = track.key_at(track.reference_frame)
    assert start is not None
    assert start.corners is not None
    stored = np.array([1.0 / clip.plane.pixel_aspect, 1.0])
    pivot = np.array([start.x_px, start.y_px]) / stored
    worst = np.zeros(4)
    for key in track.keys:
        if key.held:
            continue
        assert key.corners is not None
        pose = clip.pose(key.frame, track.reference_frame)
        turn = Turn.of(linear_part(pose, pivot))
        place = np.hypot(*(carry(pose, pivot[None])[0] * stored - [key.x_px, key.y_px]))
        corner = np.linalg.norm(
            carry(pose, np.array(start.corners) / stored) * stored - key.corners, axis=1
        ).max()
        rotation = abs((key.rotation_deg - math.degrees(turn.rotation_rad) + 180) % 360 - 180)
        scale = 100 * abs(math.sqrt(key.scale_x * key.scale_y / (turn.scale_x * turn.scale_y)) - 1)
        worst = np.maximum(worst, [place, corner, rotation, scale])
    return worst


@pytest.mark.parametrize("kind", [AnchorKind.SIMILARITY, AnchorKind.AFFINE, AnchorKind.PLANAR])
def test_a_moving_turning_growing_plane_is_followed_to_a_tenth_of_a_pixel(kind: AnchorKind) -> None:
    clip = MovingPlane(SMALL)
    track = track_anchor(clip, clip.matte, kind=kind, reference_frame=1003)
    assert [key.frame for key in track.keys] == clip.frames
    assert track.reference_frame == 1003
    assert (_errors(clip, track) < [0.1, 0.3, 0.1, 0.2]).all()
    assert min(key.confidence for key in track.keys) > 0.8


def test_motion_blur_and_partial_occlusion_stay_within_the_targets() -> None:
    pose = turning(lambda t: 70 + 9 * t, lambda t: 90 + 8 * t - t * t, lambda t: 4 * t, lambda t: 50.0)
    plane = replace(SMALL, pose=pose, shutter=0.5, samples=8, occluder=lambda t: (150 - 8 * t, 175 - 8 * t))
    clip = MovingPlane(plane)
    track = track_anchor(clip, clip.matte, kind=AnchorKind.PLANAR, reference_frame=1001)
    assert (_errors(clip, track) < [0.5, 1.0, 0.3, 0.5]).all()


def test_a_turning_object_is_found_again_after_an_absence() -> None:
    pose = turning(lambda t: 105 + 4 * t, lambda t: 90.0, lambda t: 20 * t, lambda t: 50.0)
    clip = MovingPlane(replace(SMALL, pose=pose, hidden=frozenset({1003, 1004})))
    track = track_anchor(clip, clip.matte, kind=AnchorKind.SIMILARITY, reference_frame=1001)
    assert [key.held for key in track.keys] == [False, False, True, True, False, False, False]
    assert (_errors(clip, track) < [0.2, 0.5, 0.3, 0.3]).all()
    held, back = track.keys[3], track.keys[4]
    assert held.confidence < 0.5 < back.confidence
    assert back.jump_px == pytest.approx(math.hypot(back.x_px - held.x_px, back.y_px - held.y_px))
    assert back.jump_px > 5.0
    assert track.keys[6].rotation_deg == pytest.approx(120.0, abs=0.3)


def test_geometry_stays_right_with_wide_pixels() -> None:
    clip = MovingPlane(replace(SMALL, pixel_aspect=2.0))
    track = track_anchor(clip, clip.matte, kind=AnchorKind.SIMILARITY, reference_frame=1001)
    assert track.pixel_aspect == 2.0
    assert (_errors(clip, track) < [0.2, 0.4, 0.2, 0.3]).all()


def test_a_point_sticks_to_the_surface_even_while_it_is_covered() -> None:
    plane = replace(SMALL, frames=9, occluder=lambda t: (50 + 12 * t, 70 + 12 * t))
    clip = MovingPlane(plane)
    start = plane.pose(0.0) @ [0.1, 0.2, 1.0]
    point = (float(start[0]), float(start[1]))
    track = track_anchor(clip, clip.matte, kind=AnchorKind.POINT, reference_frame=1001, point_px=point)
    for key in track.keys:
        truth = carry(clip.pose(key.frame, 1001), np.array([point]))[0]
        assert math.hypot(key.x_px - truth[0], key.y_px - truth[1]) < 0.5
        assert key.matrix is None


def test_smoothing_moves_neither_the_reference_nor_a_correction() -> None:
    clip = MovingPlane(SMALL)
    put = AnchorKey(1005, 140.0, 95.0, rotation_deg=30.0, scale_x=1.2, scale_y=1.2, keyed=True)
    track = track_anchor(
        clip,
        clip.matte,
        kind=AnchorKind.SIMILARITY,
        reference_frame=1001,
        smoothing_frames=2.0,
        manual_keys=[put],
    )
    key = track.key_at(1005)
    assert key is not None
    assert key.keyed
    assert (key.x_px, key.y_px, key.rotation_deg) == pytest.approx((140.0, 95.0, 30.0))
    assert (key.scale_x, key.confidence) == pytest.approx((1.2, 1.0))
    start = track.key_at(1001)
    assert start is not None
    assert (start.rotation_deg, start.scale_x) == pytest.approx((0.0, 1.0))


def test_outline_anchors_follow_the_matte_and_read_no_picture() -> None:
    clip = MovingPlane(replace(SMALL, hidden=frozenset({1004})))
    unread = _Unreadable(clip)
    for kind in (AnchorKind.CENTROID, AnchorKind.BOX, AnchorKind.BOTTOM):
        track = track_anchor(unread, clip.matte, kind=kind, absence=Absence.CUT)
        assert [key.weight for key in track.keys] == [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    assert track.keys[0].y_px > track_anchor(unread, clip.matte, kind=AnchorKind.CENTROID).keys[0].y_px + 20


class _Unreadable:
    """A source whose pictures must not be asked for."""

    def __init__(self, clip: MovingPlane) -> None:
        self.info = clip.info

    def read(self, frame: int) -> np.ndarray:
        raise AssertionError(f"picture {frame} was read")
