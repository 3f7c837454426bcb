from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import annotated_sets as sets
from masklet.errors import BadInputError, OutputError
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.sa_v import SaVAnnotation, SaVObject, encode_annotation, read_sa_v, write_sa_v

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "data" / "sa_v_format" / "sav_000001_manual.json"


def annotation() -> SaVAnnotation:
    return encode_annotation(
        "sav_000009",
        width_px=sets.WIDTH_PX,
        height_px=sets.HEIGHT_PX,
        frame_count=10,
        objects=[
            SaVObject(0, edited_frames=(0, 6), edited_frame_count=2, edit_seconds=12.5),
            SaVObject(1, kind="auto"),
        ],
        masks=[
            {0: sets.square(1, 0), 1: sets.square(2, 0)},
            {0: sets.square(1, 4), 1: np.zeros_like(sets.square(2, 4))},
            {1: sets.square(2, 8)},
        ],
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "sav_000009_manual.json"

    write_sa_v(path, annotation())

    read = read_sa_v(path)
    assert read == annotation()
    assert read.frames == (0, 4, 8)
    assert np.array_equal(read.masks(4)[0], sets.square(1, 4))
    assert not read.masks(4)[1].any()
    # Nobody said anything of it there: it is not absent.
    assert read.masks(8).keys() == {1}
    assert [path.name for path in tmp_path.iterdir()] == ["sav_000009_manual.json"]


def test_an_export_opens_as_a_data_set(tmp_path: Path) -> None:
    sets.write_pictures(tmp_path / "sav_000009", range(10))
    write_sa_v(tmp_path / "sav_000009_manual.json", annotation())

    clip = open_dataset(tmp_path)[0]

    assert clip.annotated_frames == (0, 4, 8)
    assert clip.first_visible() == {0: 0, 1: 0}


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the shared SA-V annotation is not here")
def test_a_published_file_is_written_with_the_same_figures(tmp_path: Path) -> None:
    published = json.loads(PUBLISHED.read_text())

    read = read_sa_v(PUBLISHED)
    write_sa_v(tmp_path / "again.json", read)

    again = json.loads((tmp_path / "again.json").read_text())
    assert (read.width_px, read.height_px, read.frame_count, len(read.frames)) == (480, 848, 483, 121)
    computed = {"masklet_size_abs", "masklet_size_rel"}
    kept = [key for key in published if key in again and key not in computed]
    assert len(kept) == 15
    assert {key: again[key] for key in kept} == {key: published[key] for key in kept}
    assert again["masklet_size_abs"] == pytest.approx(published["masklet_size_abs"], abs=1e-6)
    assert again["masklet_size_rel"] == pytest.approx(published["masklet_size_rel"], abs=1e-9)


def damaged(change: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "video_id": "sav_000009",
        "video_frame_count": 10.0,
        "video_height": 3.0,
        "video_width": 4.0,
        "masklet": [[{"size": [3, 4], "counts": "4230N"}], [{"size": [3, 4], "counts": "<"}]],
        "masklet_id": [0],
    }
    if change == "size":
        content["masklet"][1][0]["size"] = [6, 8]
    elif change == "frames":
        content["video_frame_count"] = 3.0
    elif change == "objects":
        content["masklet_id"] = [0, 1]
    elif change == "masks":
        content["masklet"] = []
    elif change == "key":
        del content["video_width"]
    return content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("size", "a mask of 8 x 6 pixels in a video of 4 x 3"),
        ("frames", "annotates frame 4 of a video with 3"),
        ("objects", "fewer masks than it has objects"),
        ("masks", "has no masks"),
        ("key", "no SA-V annotation"),
    ],
)
def test_an_annotation_whose_parts_do_not_fit_is_told(tmp_path: Path, change: str, words: str) -> None:
    path = tmp_path / "sav_000009_manual.json"
    path.write_text(json.dumps(damaged(change)))

    with pytest.raises(BadInputError, match=words):
        read_sa_v(path)


def test_a_wrong_code_is_told_with_video_frame_and_object(tmp_path: Path) -> None:
    content = damaged("nothing")
    content["masklet"][1][0]["counts"] = "45"
    path = tmp_path / "sav_000009_manual.json"
    path.write_text(json.dumps(content))

    with pytest.raises(BadInputError, match=r"sav_000009, frame 4, object 0: .* does not fill 4 x 3"):
        read_sa_v(path).masks(4)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sav_000009_manual.json"
    path.write_text(json.dumps(damaged("nothing"))[:60])

    with pytest.raises(BadInputError, match="no SA-V annotation"):
        read_sa_v(path)


def test_masks_of_another_size_are_not_exported() -> None:
    with pytest.raises(BadInputError, match="frame 0 of clip has 96 x 64"):
        encode_annotation(
            "clip",
            width_px=90,
            height_px=64,
            frame_count=1,
            objects=[SaVObject(0)],
            masks=[{0: sets.square(1, 0)}],
        )


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"x_manual\.json cannot be written"):
        write_sa_v(tmp_path / "nowhere" / "x_manual.json", annotation())
