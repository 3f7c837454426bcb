from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from fakes import annotated_sets as sets
from generated_media import write_movie
from masklet.errors import BadInputError, ClipError, FrameMissingError
from masklet_server.evaluation.clips import RunLimit
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.media.source import open_clip

DAVIS_DEV = Path(__file__).resolve().parents[4] / "shared" / "data" / "davis_dev"


@pytest.mark.parametrize(
    ("write", "name", "objects", "annotated"),
    [
        (sets.write_plain, "walk", {1: 0}, (0, 1, 2, 3, 4, 5)),
        (sets.write_davis_2016, "walk", {1: 0}, (0, 1, 2, 3, 4)),
        (sets.write_davis_2017, "walk", {1: 0, 2: 0}, (0, 1, 2, 3, 4)),
        (sets.write_youtube_vos, "0a1b", {1: 0, 2: 4}, (0, 2, 4, 6, 8)),
        (sets.write_lvos, "kart", {1: 1}, (1, 2, 3, 4, 5, 6, 7)),
        (sets.write_sa_v_val, "sav_000007", {0: 0, 1: 4}, (0, 4, 8, 12)),
        (sets.write_sa_v_train, "sav_000009", {0: 0, 1: 0}, (0, 4, 8)),
    ],
)
def test_every_layout_is_found_and_gives_pictures_masks_and_first_frames(
    tmp_path: Path,
    write: Callable[[Path], Path],
    name: str,
    objects: dict[int, int],
    annotated: tuple[int, ...],
) -> None:
    clips = {clip.name: clip for clip in open_dataset(write(tmp_path))}

    clip = clips[name]
    assert (clip.info.width_px, clip.info.height_px) == (sets.WIDTH_PX, sets.HEIGHT_PX)
    assert clip.annotated_frames == annotated
    assert clip.first_visible() == objects
    shift = 1 if 0 in objects else 0
    for frame in annotated:
        for object_id, mask in clip.read_truth(frame).masks.items():
            if frame >= objects[object_id]:
                assert np.array_equal(mask, sets.square(object_id + shift, frame))
            else:
                assert not mask.any()
    difference = clip.source.read(annotated[-1]).astype(int) - sets.picture(annotated[-1])
    assert np.abs(difference).mean() < 12


def test_void_pixels_of_davis_2017_are_no_object(tmp_path: Path) -> None:
    clip = open_dataset(sets.write_davis_2017(tmp_path), sequences=["walk"])[0]

    truth = clip.read_truth(2)

    assert set(truth.masks) == {1, 2}
    assert truth.void is not None
    assert np.argwhere(truth.void).tolist() == [[0, 0]]


def test_the_own_list_of_a_data_set_chooses_sequences(tmp_path: Path) -> None:
    root = sets.write_davis_2017(tmp_path)

    assert [clip.name for clip in open_dataset(root)] == ["run", "walk"]
    assert [clip.name for clip in open_dataset(root, split="val")] == ["walk"]
    assert [clip.name for clip in open_dataset(root, without=["walk"])] == ["run"]
    with pytest.raises(BadInputError, match=r"test\.txt"):
        open_dataset(root, split="test")


def test_a_movie_beside_its_annotation_is_read(tmp_path: Path) -> None:
    root = sets.write_sa_v_train(tmp_path)
    folder = root / "sav_000"
    with av.open(str(folder / "sav_000009.mp4"), "w") as movie:
        stream = movie.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = sets.WIDTH_PX, sets.HEIGHT_PX, "yuv420p"
        for frame in range(10):
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(sets.picture(frame), format="rgb24")))
        movie.mux(stream.encode(None))
    for path in (folder / "sav_000009").iterdir():
        path.unlink()
    (folder / "sav_000009").rmdir()

    clip = pickle.loads(pickle.dumps(open_dataset(root)[0]))

    assert clip.frames == tuple(range(10))
    assert np.abs(clip.source.read(4).astype(int) - sets.picture(4)).mean() < 16


def test_a_limit_ends_pictures_and_annotations_early(tmp_path: Path) -> None:
    clip = open_dataset(sets.write_youtube_vos(tmp_path), frame_limit=5)[0]

    assert clip.frames == (0, 1, 2, 3, 4)
    assert clip.annotated_frames == (0, 2, 4)
    with pytest.raises(FrameMissingError, match="ends at frame 4"):
        clip.limited_source.read(5)


def test_a_mask_of_another_size_is_told_with_both_sizes(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    sets.write_binary(root / "walk" / "masks" / "00003.png", np.ones((32, 48), np.bool_))

    clip = open_dataset(root)[0]

    with pytest.raises(BadInputError, match="frame 3 of walk has 48 x 32 pixels, its picture 96 x 64"):
        clip.read_truth(3)


def test_a_mask_without_a_picture_is_told(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    (root / "walk" / "frames" / "00002.jpg").unlink()

    with pytest.raises(BadInputError, match="a mask but no picture for frame 2"):
        open_dataset(root)


def test_an_empty_first_mask_is_told(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    sets.write_binary(root / "walk" / "masks" / "00000.png", np.zeros((64, 96), np.bool_))

    with pytest.raises(BadInputError, match="first mask of walk is empty"):
        open_dataset(root)


def test_empty_masks_throughout_are_told(tmp_path: Path) -> None:
    root = sets.write_sa_v_val(tmp_path)
    for path in (root / "Annotations_6fps").rglob("*.png"):
        sets.write_binary(path, np.zeros((64, 96), np.bool_))

    with pytest.raises(BadInputError, match="all masks of sav_000007 are empty"):
        open_dataset(root)[0].first_visible()


@pytest.mark.parametrize("write", [sets.write_plain, sets.write_davis_2017, sets.write_youtube_vos])
def test_a_sequence_without_masks_is_told(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    root = write(tmp_path)
    for path in [*root.rglob("masks/*.png"), *root.rglob("Annotations/**/*.png")]:
        path.unlink()

    with pytest.raises(BadInputError, match="has no masks"):
        open_dataset(root)


def test_a_damaged_mask_file_is_told_by_name(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    path = root / "walk" / "masks" / "00004.png"
    path.write_bytes(path.read_bytes()[:40])

    clip = open_dataset(root)[0]

    with pytest.raises(BadInputError, match=r"masks/00004\.png cannot be read"):
        clip.read_truth(4)


def test_a_damaged_picture_is_told_by_name(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    (root / "walk" / "frames" / "00004.jpg").write_bytes(b"no picture")

    clip = open_dataset(root)[0]

    with pytest.raises(ClipError, match=r"00004\.jpg of walk cannot be read"):
        clip.source.read(4)


def test_two_files_for_one_frame_are_told(tmp_path: Path) -> None:
    root = sets.write_plain(tmp_path)
    cv2.imwrite(str(root / "walk" / "frames" / "b_00002.jpg"), sets.picture(2))

    with pytest.raises(BadInputError, match="two files for frame 2"):
        open_dataset(root)


def test_a_video_without_pictures_is_told(tmp_path: Path) -> None:
    root = sets.write_sa_v_train(tmp_path)
    for path in (root / "sav_000" / "sav_000009").iterdir():
        path.unlink()
    (root / "sav_000" / "sav_000009").rmdir()

    with pytest.raises(BadInputError, match="has no video"):
        open_dataset(root)


def test_a_folder_without_a_layout_is_told(tmp_path: Path) -> None:
    (tmp_path / "something").mkdir()

    with pytest.raises(BadInputError, match="no layout that is known"):
        open_dataset(tmp_path)
    with pytest.raises(BadInputError, match="there is no folder nowhere"):
        open_dataset(tmp_path / "nowhere")


def test_an_unknown_sequence_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no sequence fly: it has walk"):
        open_dataset(sets.write_plain(tmp_path), sequences=["fly"])


@pytest.mark.skipif(not DAVIS_DEV.is_dir(), reason="the shared DAVIS sequences are not here")
def test_the_shared_sequences_are_read() -> None:
    clips = open_dataset(DAVIS_DEV)

    surf = next(clip for clip in clips if clip.name == "surf")
    assert len(clips) == 18
    assert sum(len(clip.annotated_frames) for clip in clips) == 1225
    assert (surf.info.width_px, surf.info.height_px) == (854, 480)
    assert not surf.read_truth(54).masks[1].any()


def test_the_first_frames_of_a_varying_rate_keep_their_times(tmp_path: Path) -> None:
    pictures = [np.zeros((64, 64, 3), np.uint8)] * 5
    movie = write_movie(tmp_path / "phone.mp4", pictures, times=[0, 10, 20, 70, 80])

    with open_clip(movie, first_frame=1001) as clip:
        info = RunLimit(clip, 1003).info

    assert len(info.frames) == len(info.frame_times_us) == 3
