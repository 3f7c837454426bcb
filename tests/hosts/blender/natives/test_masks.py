"""Splines of the server's own fitter as a Mask: it renders as the server draws, and is renewed in place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from blob_mattes import FIRST_FRAME, HEIGHT_PX, LAST_FRAME, WIDTH_PX, blob_mattes, centroid
from masklet.exchange.json_document import write_json
from masklet.exchange.scene import ExchangeScene
from masklet.shapes import ObjectShapes, Piece
from masklet.types import ClipInfo
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import draw

RENDERED_FRAMES = (FIRST_FRAME, FIRST_FRAME + 5, LAST_FRAME)
SCENE_START = 11
CENTROID_PX = 0.1
AREA_SHARE = 0.005


@dataclass(frozen=True)
class Made:
    """What a script made of an object's shapes."""

    shapes: ObjectShapes
    answer: dict[str, Any]


def fitted(*, softness_px: float, pixel_aspect: float = 1.0) -> ObjectShapes:
    mattes = blob_mattes(softness_px=softness_px, pixel_aspect=pixel_aspect)
    return fit_shapes(mattes, name="blob", pixel_aspect=pixel_aspect)


@pytest.fixture(scope="session")
def soft_shapes() -> ObjectShapes:
    return fitted(softness_px=1.2)


@pytest.fixture(scope="session")
def sharp_wide_shapes() -> ObjectShapes:
    return fitted(softness_px=0.0, pixel_aspect=1.8)


def document(shapes: ObjectShapes, folder: Path) -> Path:
    clip = ClipInfo("plate", WIDTH_PX, HEIGHT_PX, FIRST_FRAME, LAST_FRAME, pixel_aspect=shapes.pixel_aspect)
    written = json.loads(write_json(ExchangeScene(clip, (shapes,))))
    file = folder / "document.json"
    file.write_text(json.dumps({**written, "render": RENDERED_FRAMES}))
    return file


@pytest.fixture(scope="session")
def soft_wide_shapes() -> ObjectShapes:
    return fitted(softness_px=1.2, pixel_aspect=1.8)


@pytest.fixture(scope="module")
def soft_wide(soft_wide_shapes: ObjectShapes, run_script, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("soft-wide")
    answer = run_script("write_mask.py", document(soft_wide_shapes, folder), str(SCENE_START), folder)
    return Made(soft_wide_shapes, answer)


@pytest.fixture(scope="module")
def soft(soft_shapes: ObjectShapes, run_script, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("soft")
    answer = run_script("write_mask.py", document(soft_shapes, folder), str(SCENE_START), folder)
    return Made(soft_shapes, answer)


@pytest.fixture(scope="module")
def sharp_wide(sharp_wide_shapes: ObjectShapes, run_script, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("wide")
    answer = run_script("write_mask.py", document(sharp_wide_shapes, folder), str(SCENE_START), folder)
    return Made(sharp_wide_shapes, answer)


def rendered(made: Made, frame: int) -> NDArray[np.float32]:
    return pixels(made.answer["rendered"][str(frame)])


def pixels(path: str) -> NDArray[np.float32]:
    return np.asarray(oiio.ImageBuf(path).get_pixels(oiio.FLOAT))[..., 0]


def assert_coincide(seen: NDArray[np.float32], meant: NDArray[np.float32]) -> None:
    # Blender 4.2 leaves the first row to chance where pixels are wide.
    seen, meant = seen[1:], meant[1:]
    assert seen.sum() == pytest.approx(meant.sum(), rel=AREA_SHARE)
    assert centroid(seen) == pytest.approx(centroid(meant), abs=CENTROID_PX)


def comes_or_goes(piece: Piece) -> bool:
    return not all(piece.is_visible(frame) for frame in range(FIRST_FRAME, LAST_FRAME + 1))


@pytest.mark.parametrize("frame", RENDERED_FRAMES)
def test_a_soft_mask_renders_as_the_server_draws_it(soft: Made, frame: int) -> None:
    assert_coincide(rendered(soft, frame), draw(soft.shapes, frame))


@pytest.mark.parametrize("frame", RENDERED_FRAMES)
def test_a_sharp_mask_of_wide_pixels_renders_as_the_server_draws_it(sharp_wide: Made, frame: int) -> None:
    assert_coincide(rendered(sharp_wide, frame), draw(sharp_wide.shapes, frame))


@pytest.mark.parametrize("frame", RENDERED_FRAMES)
def test_a_soft_mask_of_wide_pixels_renders_as_the_server_draws_it(soft_wide: Made, frame: int) -> None:
    assert_coincide(rendered(soft_wide, frame), draw(soft_wide.shapes, frame))


def test_at_half_the_render_size_it_is_the_same_picture_smaller(soft: Made) -> None:
    meant = cv2.resize(
        draw(soft.shapes, RENDERED_FRAMES[1]), (WIDTH_PX // 2, HEIGHT_PX // 2), interpolation=cv2.INTER_AREA
    )

    assert_coincide(pixels(soft.answer["half"]), meant)


def test_soft_edges_are_as_soft_as_the_matte(soft: Made) -> None:
    seen, meant = rendered(soft, FIRST_FRAME), draw(soft.shapes, FIRST_FRAME)

    assert np.abs(seen - meant).mean() < 0.001
    assert np.abs(seen - meant).max() < 0.2


def test_the_artists_windows_frame_and_handlers_are_left_in_peace(soft: Made) -> None:
    assert soft.answer["around"] == {
        "areas_stay": True,
        "scenes": 1,
        "frame": SCENE_START + 3,
        "frame_changes": 0,
        "shows_current_frame": True,
    }


def test_each_piece_is_a_layer_with_as_many_points_as_it_has_vertices(soft: Made) -> None:
    pieces = soft.shapes.pieces

    assert soft.answer["made"] == {
        "name": "blob",
        "layers": [piece.name for piece in pieces],
        "points": {piece.name: [piece.vertex_count] for piece in pieces},
        "hidden": [],
        "locked": [],
        "selected": False,
        "curves": sorted(
            [f'layers["{piece.name}"].alpha' for piece in pieces]
            + [f'layers["{piece.name}"].hide' for piece in pieces if comes_or_goes(piece)]
        ),
        "range": [SCENE_START, SCENE_START + LAST_FRAME - FIRST_FRAME],
    }


def test_layers_are_hidden_in_editors_only_where_there_is_nothing_to_see(soft: Made) -> None:
    for frame in range(FIRST_FRAME, LAST_FRAME + 1):
        unseen = [piece.name for piece in soft.shapes.pieces if not piece.is_visible(frame)]
        assert soft.answer["hidden_by_frame"][str(frame)] == unseen


def test_made_again_it_keeps_the_artists_layers_where_they_are_and_what_is_hidden(soft: Made) -> None:
    before, after = soft.answer["with_artists_layers"], soft.answer["again"]

    assert soft.answer["same"]
    assert {"garbage", "top"} < set(before["layers"])
    assert before["layers"].index("garbage") == 1
    assert before["hidden"] == [soft.shapes.pieces[-1].name]
    assert 'layers["garbage"].alpha' in before["curves"]
    # What the artist hides stays hidden on all frames, so there is no curve any more that shows it.
    hidden_by_us = {f'layers["{name}"].hide' for name in before["hidden"]}
    assert set(after["curves"]) == set(before["curves"]) - hidden_by_us
    assert {**after, "curves": before["curves"]} == before


def test_a_renamed_mask_is_found_and_a_copy_of_it_is_not_taken_for_it(soft: Made) -> None:
    assert soft.answer["renamed"] == {"name": "my hero", "masks": 1}
    assert soft.answer["copied"] == "my hero"
    assert soft.answer["other"]["name"] == "blob"


def test_undo_and_redo_do_what_they_say_and_the_mask_can_be_made_again_after(soft: Made) -> None:
    answer = soft.answer

    assert (answer["undone"], answer["undone_twice"], answer["redone"]) == (True, True, True)
    assert answer["after_undo"] == {**answer["again"], "name": "my hero"}


def test_a_saved_file_keeps_tag_and_keys(soft: Made) -> None:
    assert soft.answer["opened"] == "my hero"
    assert soft.answer["opened_keys"]


def test_an_object_that_is_never_seen_leaves_only_the_artists_layers(soft: Made) -> None:
    assert sorted(soft.answer["empty"]) == ["garbage", "top"]


def test_five_hundred_keys_of_two_hundred_points_are_no_matter_of_minutes(run_script) -> None:
    runs = run_script("time_mask.py")["runs"]

    # The order of magnitude; figures are measured, not tested.
    assert min(run["writing_s"] for run in runs) < 10.0, runs
    # Arithmetic that is done away from the interface.
    assert min(run["drawing_s"] for run in runs) < 10.0, runs


@pytest.fixture(scope="module")
def sliced(run_script) -> dict[str, Any]:
    answer: dict[str, Any] = run_script("write_in_slices.py")
    return answer


def test_a_long_mask_is_written_in_slices_and_is_the_same(sliced: dict[str, Any]) -> None:
    assert sliced["same"]
    assert sliced["unfinished"] == []
    assert sliced["counted"] == [200, 200]
    # Some of the processor's time for a key; no slice holds the interface for long.
    assert sliced["slices"] > 5
    assert sliced["longest_s"] < 0.15


def test_splines_that_were_taken_away_or_made_anew_in_mid_writing_are_told(sliced: dict[str, Any]) -> None:
    assert "make them again" in sliced["gone"]
    assert "make them again" in sliced["overtaken"]
