import numpy as np
import pytest

from masklet.anchors import AnchorKind
from masklet.errors import BadInputError
from masklet_server.anchors.outline import coverage, read_outline


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Exact coverage of an upright box on a plate of 40 x 30."""
    x, y = np.arange(40), np.arange(30)
    across = np.clip(np.minimum(x + 1, right) - np.maximum(x, left), 0, 1)
    down = np.clip(np.minimum(y + 1, bottom) - np.maximum(y, top), 0, 1)
    return np.rint(255 * np.outer(down, across)).astype(np.uint8)


@pytest.mark.parametrize("edges", [(5.0, 6.0, 20.0, 25.0), (5.25, 6.5, 20.75, 25.2), (0.0, 0.0, 40.0, 30.0)])
def test_edges_and_centre_are_read_within_a_pixel(edges: tuple[float, float, float, float]) -> None:
    outline = read_outline(_box(*edges))
    assert outline is not None
    found = (outline.left_px, outline.top_px, outline.right_px, outline.bottom_px)
    np.testing.assert_allclose(found, edges, atol=0.02)
    np.testing.assert_allclose(
        outline.centroid, [(edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2], atol=0.02
    )


def test_contact_points_lie_in_the_middle_of_what_touches_the_edge() -> None:
    codes = _box(5, 6, 20, 25)
    codes[25:28, 12:15] = 255
    outline = read_outline(codes)
    assert outline is not None
    np.testing.assert_allclose(outline.place(AnchorKind.BOTTOM), (13.5, 28.0), atol=0.01)
    np.testing.assert_allclose(outline.place(AnchorKind.TOP), (12.5, 6.0), atol=0.01)
    np.testing.assert_allclose(outline.place(AnchorKind.LEFT), (5.0, 15.5), atol=0.01)


def test_an_edge_cut_off_by_the_plate_is_not_trusted() -> None:
    outline = read_outline(_box(0, 6, 20, 25))
    assert outline is not None
    assert outline.cut_edges == {AnchorKind.LEFT}
    assert outline.confidence(AnchorKind.LEFT) < 0.5 < outline.confidence(AnchorKind.RIGHT)
    assert outline.confidence(AnchorKind.CENTROID) < 1.0


def test_three_pixels_are_a_place_of_little_confidence() -> None:
    outline = read_outline(_box(10, 10, 13, 11))
    assert outline is not None
    assert outline.place(AnchorKind.TOP) == outline.centroid == (11.5, 10.5)
    assert outline.confidence(AnchorKind.CENTROID) < 0.3


def test_faint_mattes_have_edges_too_and_empty_ones_have_none() -> None:
    faint = (_box(5, 6, 20, 25) * 0.3).astype(np.uint8)
    outline = read_outline(faint)
    assert outline is not None
    assert (outline.left_px, outline.right_px) == pytest.approx((5.0, 20.0), abs=0.05)
    assert read_outline(np.zeros((30, 40), np.uint8)) is None


@pytest.mark.parametrize("kind", [np.bool_, np.float32, np.uint8])
def test_every_kind_of_matte_is_understood_and_stretched_to_the_plate(kind: type) -> None:
    matte = np.zeros((15, 20), kind)
    matte[5:10, 5:10] = 255 if kind is np.uint8 else 1
    outline = read_outline(coverage(matte, 40, 30))
    assert outline is not None
    np.testing.assert_allclose(outline.centroid, (15.0, 15.0), atol=0.05)


@pytest.mark.parametrize(
    "matte", [np.zeros((3, 3, 3), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((2, 2), np.int64)]
)
def test_what_is_no_matte_is_refused(matte: np.ndarray) -> None:
    with pytest.raises(BadInputError):
        coverage(matte, 40, 30)
