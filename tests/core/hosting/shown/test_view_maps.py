from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.hosting.shown.view_maps import ViewMap


def clip_editor(
    zoom: float, pan: tuple[float, float], region: tuple[int, int], plate: tuple[int, int]
) -> ViewMap:
    """The map at a zoom and pan, by the arithmetic with which Blender sets a clip editor's view.

    The picture lies around the region's middle, moved by the pan, ``zoom`` region pixels for one of its own.
    """

    def view(x_region: float, y_region: float) -> tuple[float, float]:
        left = (region[0] - zoom * plate[0]) / 2 - zoom * pan[0]
        low = (region[1] - zoom * plate[1]) / 2 - zoom * pan[1]
        return (x_region - left) / (zoom * plate[0]), (y_region - low) / (zoom * plate[1])

    return ViewMap.between(
        view(0.0, 0.0), view(900.0, 900.0), spread_region=900.0, width_px=plate[0], height_px=plate[1]
    )


def test_the_middle_of_a_centred_picture_is_the_middle_of_the_region() -> None:
    seen = clip_editor(0.5, (0.0, 0.0), (800, 600), (1920, 1080))
    assert seen.to_plate(400.0, 300.0) == pytest.approx((960.0, 540.0))
    assert seen.scale_x == pytest.approx(0.5)
    assert seen.scale_y == pytest.approx(-0.5)


def test_plates_count_downwards_and_regions_upwards() -> None:
    seen = clip_editor(1.0, (0.0, 0.0), (640, 360), (640, 360))
    assert seen.to_plate(0.0, 360.0) == pytest.approx((0.0, 0.0))
    assert seen.to_plate(640.0, 0.0) == pytest.approx((640.0, 360.0))


@given(
    st.floats(0.02, 30.0),
    st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000)),
    st.tuples(st.floats(0, 4096), st.floats(0, 2160)),
)
def test_a_click_lands_where_the_plate_is_drawn_at_any_zoom_and_pan(
    zoom: float, pan: tuple[float, float], place: tuple[float, float]
) -> None:
    seen = clip_editor(zoom, pan, (1371, 803), (4096, 2160))
    x_px, y_px = seen.to_plate(*seen.to_region(*place))
    assert x_px == pytest.approx(place[0], abs=1e-4)
    assert y_px == pytest.approx(place[1], abs=1e-4)
