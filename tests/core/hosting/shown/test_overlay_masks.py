from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.hosting.shown.overlay_masks import MaskStore, PackedMask, as_floats, filled_box, pack
from masklet.types import Mask, Presence


def disc(width_px: int, height_px: int, x_px: float, y_px: float, radius_px: float) -> Mask:
    y, x = np.mgrid[0:height_px, 0:width_px] + 0.5
    return Mask.from_array(((np.hypot(x - x_px, y - y_px) < radius_px) * 255).astype(np.uint8))


def floats(packed: PackedMask) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    flat = np.frombuffer(as_floats(packed), np.float32)
    return flat.reshape(packed.height_px, packed.width_px)


def test_a_small_mask_is_kept_as_it_is_and_turned_over_for_the_card() -> None:
    alpha = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    packed = pack(Mask.from_array(alpha), Presence.PRESENT, max_side_px=64)
    assert (packed.width_px, packed.height_px, packed.covers_x, packed.covers_y) == (4, 3, 1.0, 1.0)
    np.testing.assert_allclose(floats(packed)[::-1], alpha / 255.0, atol=1e-7)


@pytest.mark.parametrize(("width_px", "height_px"), [(400, 300), (401, 299), (1000, 333)])
def test_a_large_mask_shrinks_without_moving(width_px: int, height_px: int) -> None:
    x_px, y_px = width_px * 0.4, height_px * 0.6
    packed = pack(disc(width_px, height_px, x_px, y_px, 80.0), Presence.PRESENT, max_side_px=128)
    assert max(packed.width_px, packed.height_px) <= 128
    inside = floats(packed)[::-1]
    rows, columns = np.nonzero(inside > 0.5)
    # A texel stands for its share of what the whole texture covers of the plate.
    middle_x_px = (columns.mean() + 0.5) / packed.width_px * packed.covers_x * width_px
    middle_y_px = (rows.mean() + 0.5) / packed.height_px * packed.covers_y * height_px
    assert middle_x_px == pytest.approx(x_px, abs=0.6)
    assert middle_y_px == pytest.approx(y_px, abs=0.6)


def test_masks_with_nothing_inside_are_known() -> None:
    assert pack(Mask(8, 4, bytes(32)), Presence.ABSENT, max_side_px=64).is_empty
    assert not pack(Mask(8, 4, bytes(31) + b"\1"), Presence.PRESENT, max_side_px=64).is_empty


def test_the_mask_that_was_not_looked_at_for_longest_goes_first() -> None:
    rng = np.random.default_rng(1)
    noise = [Mask.from_array(rng.integers(0, 255, (16, 16), np.uint8)) for _ in range(3)]
    packed = [pack(mask, Presence.PRESENT, max_side_px=64) for mask in noise]
    store = MaskStore(limit_bytes=sum(len(mask.packed) for mask in packed[:2]) + 10)
    store.put("u", 1, packed[0])
    store.put("u", 2, packed[1])
    assert store.get("u", 1) is packed[0]
    store.put("u", 3, packed[2])
    assert store.get("u", 2) is None
    assert store.get("u", 1) is packed[0]
    assert store.get("u", 3) is packed[2]


def test_an_object_that_goes_takes_its_masks_along() -> None:
    store = MaskStore()
    packed = pack(Mask(1, 1, b"\xff"), Presence.PRESENT, max_side_px=64)
    for frame in range(5):
        store.put("a", frame, packed)
        store.put("b", frame, packed)
    store.drop_object("a")
    assert len(store) == 5
    assert store.get("a", 0) is None
    assert store.get("b", 4) is packed


@given(st.integers(1, 40), st.integers(1, 40), st.sets(st.tuples(st.integers(0, 39), st.integers(0, 39))))
def test_the_filled_box_holds_all_that_is_covered_and_nothing_more(
    width_px: int, height_px: int, places: set[tuple[int, int]]
) -> None:
    alpha = np.zeros((height_px, width_px), np.uint8)
    for x, y in places:
        if x < width_px and y < height_px:
            alpha[y, x] = 1 + (x + y) % 255
    rows, columns = np.nonzero(alpha)
    expected = None
    if len(rows):
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert filled_box(alpha.tobytes(), width_px) == expected
