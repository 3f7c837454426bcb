import math

import numpy as np
import pytest

from masklet.anchors import AnchorKind
from masklet_server.anchors.geometry import Turn, carry, pose_about, pose_between
from masklet_server.anchors.poses import PoseSpace

CORNERS = np.array([[100.0, 50.0], [180.0, 50.0], [180.0, 110.0], [100.0, 110.0]])
PIVOT = np.array([130.0, 85.0])


@pytest.mark.parametrize(
    ("kind", "turn"),
    [
        (AnchorKind.SIMILARITY, Turn(0.4, 1.3, 1.3, 0.0)),
        (AnchorKind.AFFINE, Turn(-2.0, 0.7, 1.2, 0.3)),
        (AnchorKind.BOX, Turn(0.0, 0.7, 1.2, 0.0)),
        (AnchorKind.POINT, Turn(0.0, 1.0, 1.0, 0.0)),
    ],
)
def test_a_pose_survives_being_written_as_a_vector(kind: AnchorKind, turn: Turn) -> None:
    space = PoseSpace(kind, PIVOT, CORNERS, 1.0)
    pose = pose_about(PIVOT, np.array([160.0, 70.0]), turn.linear())
    assert space.vector(pose).shape == (space.size,)
    np.testing.assert_allclose(space.pose(space.vector(pose)), pose, atol=1e-9)


def test_a_perspective_survives_being_written_as_a_vector() -> None:
    space = PoseSpace(AnchorKind.PLANAR, PIVOT, CORNERS, 1.0)
    moved = CORNERS + np.array([[3.0, -4.0], [10.0, 2.0], [-5.0, 9.0], [0.0, 1.0]])
    pose = pose_between(CORNERS, moved)
    np.testing.assert_allclose(space.vector(pose), moved.reshape(-1), atol=1e-8)
    np.testing.assert_allclose(space.pose(space.vector(pose)), pose, atol=1e-9)


def test_whole_turns_add_up() -> None:
    space = PoseSpace(AnchorKind.SIMILARITY, PIVOT, CORNERS, 1.0)
    angles = np.radians(np.arange(-400.0, 800.0, 50.0))
    poses = [pose_about(PIVOT, PIVOT, Turn(angle, 1.0, 1.0, 0.0).linear()) for angle in angles]
    vectors = np.array([space.vector(pose) for pose in poses])
    unwound = space.unwound(vectors, 8)
    np.testing.assert_allclose(space.rotations_deg(unwound, 8), np.degrees(angles), atol=1e-6)


def test_keys_are_in_stored_pixels_and_angles_in_square_ones() -> None:
    space = PoseSpace(AnchorKind.SIMILARITY, PIVOT, CORNERS, 2.0)
    pose = pose_about(PIVOT, np.array([160.0, 70.0]), Turn(math.pi / 2, 1.0, 1.0, 0.0).linear())
    key = space.key(
        7, space.vector(pose), 90.0, confidence=1.0, weight=1.0, held=False, keyed=False, jump_px=0.0
    )
    assert (key.x_px, key.y_px) == pytest.approx((80.0, 70.0))
    assert (key.rotation_deg, key.scale_x, key.scale_y) == pytest.approx((90.0, 1.0, 1.0))
    assert key.matrix is not None
    assert key.corners is not None
    stored = CORNERS / [2.0, 1.0]
    matrix = np.array(key.matrix).reshape(3, 3)
    np.testing.assert_allclose(carry(matrix, stored), key.corners, atol=1e-9)
    np.testing.assert_allclose(space.vector_of_key(key), space.vector(pose), atol=1e-9)
