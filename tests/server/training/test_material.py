import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from masklet.errors import BadInputError
from masklet_server.training.material.clipart import ClipArt
from masklet_server.training.material.furniture import Furniture
from masklet_server.training.material.meshes import read_mesh
from masklet_server.training.material.pack import join_packs, load_material, write_pack
from masklet_server.training.material.photographs import LabelledPhotographs, refined
from masklet_server.training.material.pictures import CutOut, Licence, Photo, fitted, placed, squared
from masklet_server.training.material.sources import available_sources
from masklet_server.training.material.turntable import scatter, view

_SHARED = Path(__file__).parents[4] / "shared"

_CUBE = """
v -1 -1 -1
v 1 -1 -1
v 1 1 -1
v -1 1 -1
v -1 -1 1
v 1 -1 1
v 1 1 1
v -1 1 1
mtllib cube.mtl
usemtl red
f 1 2 3 4
f 5 6 7 8
f 1 2 6 5
f 4 3 7 8
usemtl blue
f 2 3 7 6
f -8 -5 -1 -4
"""
_MATERIALS = "newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\nd 1.0\n"


class Squares:
    """Two objects, one with three views, and one labelled photograph."""

    share = 1.0

    def __init__(self, name: str = "squares") -> None:
        self.licence = Licence(name, "made here", "CC0-1.0", "nobody")

    def cutouts(self) -> Iterator[CutOut]:
        for count in (1, 3):
            views = []
            for number in range(count):
                picture = np.zeros((80, 100, 4), np.uint8)
                picture[20:60, 10 + 10 * number : 50 + 10 * number] = (10, 200, 30, 255)
                views.append(picture)
            yield CutOut(f"square {count}", tuple(views), weight=float(count))

    def photos(self) -> Iterator[Photo]:
        yield Photo("plain", np.full((60, 90, 3), 77, np.uint8))
        labels = np.zeros((60, 90), np.uint8)
        labels[10:30, 20:60] = 1
        yield Photo("labelled", np.full((60, 90, 3), 120, np.uint8), labels)


def cube(name: str) -> bytes:
    return {"cube.obj": _CUBE.encode(), "cube.mtl": _MATERIALS.encode()}[name]


def test_a_pack_gives_back_what_was_put_into_it(tmp_path: Path) -> None:
    report = write_pack(tmp_path / "one.pack", [Squares()], cutout_side_px=64)
    material = load_material(tmp_path / "one.pack", device="cpu", cutout_side_px=64, photo_side_px=48)

    assert report.counts == {"squares": (2, 4, 2)}
    assert material.group_views[:2].tolist() == [1, 3]
    assert material.group_first[:2].tolist() == [0, 1]
    assert material.cutouts.shape[1:] == (4, 64, 64)
    assert material.cutouts[0, :, 32, 32].tolist() == pytest.approx([30, 200, 10, 255], abs=12)
    assert material.photos.shape[1:] == (3, 48, 48)
    assert material.photo_aspect[0] == pytest.approx(1.5)
    assert material.photo_objects.tolist() == [1]


def test_labelled_photographs_come_first_with_their_labels(tmp_path: Path) -> None:
    write_pack(tmp_path / "one.pack", [Squares()], cutout_side_px=32)
    material = load_material(tmp_path / "one.pack", device="cpu", cutout_side_px=32, photo_side_px=60)

    assert material.photo_labels.shape == (1, 60, 60)
    assert material.photo_labels[0, 20, 25] == 1
    assert material.photo_labels[0, 50, 50] == 0
    assert material.photos[0].float().mean() == pytest.approx(120, abs=3)


def test_views_of_one_object_keep_their_places_when_the_pack_is_loaded_smaller(tmp_path: Path) -> None:
    write_pack(tmp_path / "one.pack", [Squares()], cutout_side_px=64)
    material = load_material(tmp_path / "one.pack", device="cpu", cutout_side_px=32, photo_side_px=48)
    line = torch.arange(32.0)
    centres = [
        float((view[3].float().sum(0) * line).sum() / view[3].float().sum()) for view in material.cutouts[1:4]
    ]

    assert centres[1] - centres[0] == pytest.approx(centres[2] - centres[1], abs=0.3)
    assert centres[1] - centres[0] > 3.0


def test_joined_packs_hold_both_sources_and_refuse_the_same_one_twice(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_pack(tmp_path / name, [Squares(name)], cutout_side_px=32)

    report = join_packs([tmp_path / "first", tmp_path / "second"], tmp_path / "both")

    assert report.counts == {"first": (2, 4, 2), "second": (2, 4, 2)}
    material = load_material(tmp_path / "both", device="cpu", cutout_side_px=32, photo_side_px=32)
    assert len(material.photo_objects) == 2
    with pytest.raises(BadInputError, match="same source"):
        join_packs([tmp_path / "first", tmp_path / "first"], tmp_path / "twice")


def test_a_source_has_its_share_however_many_objects_it_holds(tmp_path: Path) -> None:
    rare = Squares("rare")
    rare.share = 0.25
    write_pack(tmp_path / "both", [Squares("common"), rare], cutout_side_px=32)
    with zipfile.ZipFile(tmp_path / "both") as archive:
        groups = json.loads(archive.read("index.json"))["groups"]

    assert sum(group["weight"] for group in groups if group["source"] == "common") == pytest.approx(1.0)
    assert sum(group["weight"] for group in groups if group["source"] == "rare") == pytest.approx(0.25)


@pytest.mark.parametrize("content", [None, b"no zip file", b""])
def test_a_file_that_is_no_pack_is_refused_with_the_way_out(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.pack"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadInputError, match="material pack"):
        load_material(path, device="cpu")


def test_squared_views_are_centred_and_hidden_colours_do_not_bleed() -> None:
    picture = np.zeros((50, 90, 4), np.uint8)
    picture[..., :3] = 255
    picture[10:30, 60:80] = (0, 0, 0, 255)
    (square,) = squared((picture,), 128)
    solid = square[..., 3] > 128

    assert solid.any(0).sum() == pytest.approx(128 * 20 / 22, abs=2)
    assert np.flatnonzero(solid.any(0)).mean() == pytest.approx(63.5, abs=1.0)
    assert square[solid][:, :3].max() < 10


def test_a_picture_without_anything_opaque_gives_no_cut_out() -> None:
    assert squared((np.zeros((20, 20, 4), np.uint8),), 32) == ()


def test_a_picture_placed_at_its_own_size_stays_as_it_is() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (32, 32, 4)).astype(np.uint8)
    picture[..., 3] = 255

    assert np.abs(placed(picture, 1.0, 0.0, 0.0, 32).astype(int) - picture).max() <= 1


def test_a_large_photograph_is_fitted_with_its_labels() -> None:
    labels = np.zeros((200, 400), np.uint8)
    labels[:, :200] = 3
    photo = fitted(Photo("wide", np.zeros((200, 400, 3), np.uint8), labels), 100)

    assert photo.picture.shape == (50, 100, 3)
    assert photo.labels is not None
    assert set(np.unique(photo.labels)) == {0, 3}


def test_a_border_moves_to_the_edge_that_the_picture_shows() -> None:
    generator = np.random.default_rng(0)
    picture = (generator.normal(60, 6, (120, 120, 3))).astype(np.uint8)
    true = np.zeros((120, 120), bool)
    true[30:90, 30:90] = True
    picture[true] = generator.normal(190, 6, (int(true.sum()), 3)).astype(np.uint8)
    rough = np.roll(true, 3, axis=1)

    better = refined(picture, rough)

    assert (better ^ true).sum() < 0.2 * (rough ^ true).sum()


def test_a_model_is_read_with_its_materials_and_faces_of_any_length() -> None:
    mesh = read_mesh("cube.obj", cube)

    assert mesh.corners.shape == (12, 3, 3)
    assert np.abs(mesh.corners).max() == pytest.approx(1 / math.sqrt(3), abs=1e-5)
    assert [mesh.surfaces[number].colour for number in sorted(set(mesh.material.tolist()))] == [
        (0.0, 0.0, 1.0),
        (1.0, 0.0, 0.0),
    ]


def test_a_model_without_faces_is_refused() -> None:
    with pytest.raises(BadInputError, match="no faces"):
        read_mesh("empty.obj", lambda name: b"v 0 0 0\n")


def test_a_turning_cube_shows_another_colour_on_its_side_and_hides_what_is_behind() -> None:
    cloud = scatter(read_mesh("cube.obj", cube), 60_000, np.random.default_rng(0))
    light = np.array([0.0, 0.0, 1.0], np.float32)
    front = view(cloud, yaw=0.0, elevation=0.0, light=light, side_px=64)
    side = view(cloud, yaw=math.pi / 2, elevation=0.0, light=light, side_px=64)

    assert front[32, 32].tolist()[3] == 255
    assert front[32, 32, 2] > 200
    assert front[32, 32, 0] < 60
    assert side[32, 32, 0] > 200
    assert side[32, 32, 2] < 60
    assert (front[..., 3] > 128).mean() == pytest.approx((side[..., 3] > 128).mean(), rel=0.05)
    assert front[2, 2, 3] == 0


def test_furniture_is_found_in_a_catalogue_and_rendered(tmp_path: Path) -> None:
    catalogue = "model#1=/cube.obj\nname#1=Cube\ncreator#1=Nobody\nmodel#2=/door.obj\ndoorOrWindow#2=true\n"
    with zipfile.ZipFile(tmp_path / "one.sh3f", "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", catalogue)
        archive.writestr("cube.obj", _CUBE)
        archive.writestr("cube.mtl", _MATERIALS)
        archive.writestr("door.obj", _CUBE)

    cutouts = list(Furniture(tmp_path, views=2, side_px=48, processes=1).cutouts())

    assert [cutout.name for cutout in cutouts] == ["cube.obj by Nobody"]
    assert [picture.shape for picture in cutouts[0].views] == [(48, 48, 4)] * 2


def test_clip_art_of_signs_and_thin_lines_is_left_out(tmp_path: Path) -> None:
    picture = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(picture, (100, 100), 70, (20, 220, 90, 255), -1)
    cv2.circle(picture, (100, 100), 40, (220, 20, 90, 255), -1)
    thin = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(thin, (100, 100), 70, (20, 220, 90, 255), 2)
    for folder, name, drawn in (
        ("animals", "cat", picture),
        ("animals", "ring", thin),
        ("signs", "stop", picture),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / folder / f"{name}.png"), drawn)

    assert [cutout.name for cutout in ClipArt(tmp_path).cutouts()] == ["animals/cat"]


def test_nothing_fetched_is_said_with_the_command_that_helps(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="material fetch"):
        available_sources(tmp_path, None)


def test_a_folder_without_descriptions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"meta\.json"):
        LabelledPhotographs(tmp_path)


def test_the_shared_photographs_give_people_and_scenes() -> None:
    folder = _SHARED / "data" / "coco_cc_by"
    if not folder.is_dir():
        pytest.skip("the shared photographs are not here")
    source = LabelledPhotographs(folder)
    first = next(source.cutouts())
    photo = next(photo for photo in source.photos() if photo.labels is not None)

    assert first.views[0].shape[2] == 4
    assert photo.labels is not None
    assert photo.labels.shape == photo.picture.shape[:2]
    assert photo.labels.max() >= 1
