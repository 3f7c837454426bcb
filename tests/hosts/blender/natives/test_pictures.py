"""Plates, mattes and masks in the compositor: the right frame, the right size, the right pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from blob_mattes import FIRST_FRAME, HEIGHT_PX, LAST_FRAME, WIDTH_PX, blob_mattes, centroid
from masklet.exchange.json_document import write_json
from masklet.exchange.scene import ExchangeScene
from masklet.types import ClipInfo
from masklet_server.mattes.picture_file import Provenance, encode_matte_exr, encode_png
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import draw

FRAME = FIRST_FRAME + 5
START, OFFSET = 21, 2
PIXEL_ASPECT = 1.5
CLIP = ClipInfo("plate", WIDTH_PX, HEIGHT_PX, FIRST_FRAME, LAST_FRAME, pixel_aspect=PIXEL_ASPECT)


class Work:
    """A shot on disk, and what a script made of it in Blender."""

    def __init__(self, folder: Path) -> None:
        self.mattes = blob_mattes(softness_px=1.0, pixel_aspect=PIXEL_ASPECT)
        self.shapes = fit_shapes(self.mattes, name="blob", pixel_aspect=PIXEL_ASPECT)
        self.plate = folder / f"plate.{FIRST_FRAME}.png"
        self.first_matte = folder / f"blob.{FIRST_FRAME}.exr"
        for frame, matte in self.mattes.items():
            grey = np.full((HEIGHT_PX, WIDTH_PX), level_of(frame), np.float32)
            (folder / f"plate.{frame}.png").write_bytes(encode_png(grey, CLIP, Provenance(), bits=8))
            (folder / f"blob.{frame}.exr").write_bytes(encode_matte_exr(matte, CLIP, Provenance()))
        self.movie = folder / "plate.mov"
        write_movie(self.movie)
        document = json.loads(write_json(ExchangeScene(CLIP, (self.shapes,))))
        self.document = folder / "document.json"
        self.document.write_text(json.dumps({**document, "render": [FIRST_FRAME, FRAME]}))


def level_of(frame: int) -> float:
    """The grey of a whole picture of the plate, by which it is known."""
    return (40 + 16 * (frame - FIRST_FRAME)) / 255


def write_movie(path: Path) -> None:
    """The plate as a movie without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "rgb24"
        for frame in range(FIRST_FRAME, LAST_FRAME + 1):
            grey = np.full((HEIGHT_PX, WIDTH_PX, 3), round(255 * level_of(frame)), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode())


def pixels(path: str) -> NDArray[np.float32]:
    return np.asarray(oiio.ImageBuf(path).get_pixels(oiio.FLOAT))


def alpha_of(path: str) -> NDArray[np.float32]:
    """Coverage without the first row, which Blender 4.2 leaves to chance where pixels are wide."""
    return pixels(path)[1:, :, 3]


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return Work(tmp_path_factory.mktemp("shot"))


@pytest.fixture(scope="module")
def answer(work: Work, run_script, tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pictures")
    return run_script("use_pictures.py", work.document, work.plate, work.first_matte, work.movie, folder)


def test_a_clip_with_start_and_offset_shows_the_frame_we_say(answer: dict[str, Any]) -> None:
    assert answer["plate_frame_at_start"] == FIRST_FRAME + OFFSET
    assert pixels(answer["clip"])[..., 0] == pytest.approx(level_of(FRAME), abs=1e-3)


def test_an_image_sequence_with_start_and_offset_shows_the_frame_we_say(answer: dict[str, Any]) -> None:
    assert pixels(answer["image"])[..., 0] == pytest.approx(level_of(FRAME), abs=1e-3)


@pytest.mark.parametrize("render", ["movie_clip", "movie_image"])
def test_a_movie_shows_the_picture_we_say(answer: dict[str, Any], render: str) -> None:
    assert pixels(answer[render])[..., 0] == pytest.approx(level_of(FIRST_FRAME + 4), abs=0.01)


def test_mattes_are_data_on_the_plates_frames_and_loaded_once(answer: dict[str, Any]) -> None:
    assert answer["matte"] == {
        "name": "blob matte",
        "source": "SEQUENCE",
        "is_data": True,
        "alpha": "CHANNEL_PACKED",
        "images": ["blob matte", f"plate.{FIRST_FRAME}.png"],
        "shown": [START - OFFSET, FIRST_FRAME - 1, LAST_FRAME - FIRST_FRAME + 1],
    }


def test_a_missing_folder_is_told_in_a_sentence(answer: dict[str, Any]) -> None:
    assert "no mattes blob.%04d.exr" in answer["missing"]


def test_the_group_cuts_the_plate_by_the_matte_of_the_frame(answer: dict[str, Any], work: Work) -> None:
    cut = pixels(answer["cut_by_files"])

    assert answer["placed_once"]
    assert answer["sockets"] == [["Image", "Background"], ["Image", "Composite", "Matte"]]
    assert cut[..., 3] == pytest.approx(work.mattes[FRAME], abs=2e-3)
    assert cut[..., 0] == pytest.approx(work.mattes[FRAME] * level_of(FRAME), abs=2e-3)


@pytest.mark.parametrize("render", ["cut_by_splines", "cut_again"])
def test_splines_take_the_place_of_files_in_the_same_group(
    answer: dict[str, Any], work: Work, render: str
) -> None:
    alpha, meant = alpha_of(answer[render]), draw(work.shapes, FRAME)[1:]

    assert answer["same_group"]
    assert answer["kept"]
    assert answer["nodes"].count("CompositorNodeMask") == 1
    assert "CompositorNodeImage" not in answer["nodes"]
    assert alpha.sum() == pytest.approx(meant.sum(), rel=0.005)
    assert centroid(alpha) == pytest.approx(centroid(meant), abs=0.1)


def test_at_half_the_render_size_splines_and_files_still_cut_alike(answer: dict[str, Any]) -> None:
    by_splines, by_files = alpha_of(answer["half_by_splines"]), alpha_of(answer["half_by_files"])
    whole, whole_by_files = alpha_of(answer["cut_by_splines"]), alpha_of(answer["cut_by_files"])

    assert by_splines.shape[1] == WIDTH_PX // 2
    assert by_splines.sum() / by_files.sum() == pytest.approx(whole.sum() / whole_by_files.sum(), rel=0.005)
    apart = np.subtract(centroid(by_splines), centroid(by_files))
    assert apart == pytest.approx(np.subtract(centroid(whole), centroid(whole_by_files)) / 2, abs=0.1)


def test_a_strip_gets_one_mask_modifier(answer: dict[str, Any]) -> None:
    assert answer["strip"] == [["MASK", "ID", "blob"]]
