from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from masklet.errors import BadInputError, FrameMissingError
from masklet_server.evaluation.hard.material import Material, from_photographs, generated
from masklet_server.evaluation.hard.stage import GeneratedFrames, Scene
from masklet_server.evaluation.hard.weaknesses import SHORT, scenes


@pytest.fixture(scope="module")
def material() -> Material:
    return generated(3, things=4, grounds=2)


def one(material: Material, weakness: str, *, number: int = 0, seed: int = 5) -> Scene:
    return list(scenes(material, [weakness], clips=number + 1, seed=seed, long_frames=400))[number]


def areas(frames: GeneratedFrames) -> np.ndarray:
    return np.array([int(frames.visible(frame).sum()) for frame in range(frames.info.last_frame + 1)])


@pytest.mark.parametrize("weakness", SHORT)
def test_a_clip_shows_its_target_first_and_is_the_same_whenever_it_is_painted(
    material: Material, weakness: str
) -> None:
    frames, again = (GeneratedFrames(one(material, weakness)) for _ in range(2))

    assert frames.visible(0).sum() > 100
    for frame in (7, 3, 7):
        np.testing.assert_array_equal(frames.read(frame), again.read(frame))
        np.testing.assert_array_equal(frames.visible(frame), again.visible(frame))


def test_another_seed_gives_another_clip(material: Material) -> None:
    ours, theirs = (GeneratedFrames(one(material, "camera", seed=seed)).read(0) for seed in (1, 2))

    assert np.abs(ours.astype(int) - theirs).mean() > 5


@pytest.mark.parametrize(("number", "gone_frames"), [(0, 5), (1, 20), (2, 100)])
def test_what_is_covered_is_gone_for_as_long_as_it_says_and_comes_back(
    material: Material, number: int, gone_frames: int
) -> None:
    seen = areas(GeneratedFrames(one(material, "occlusion", number=number)))

    gone = np.flatnonzero(seen == 0)
    # While the wall comes and goes it covers all of the target already for some frames.
    assert gone_frames <= len(gone) <= gone_frames + 8
    assert (np.diff(gone) == 1).all()
    assert seen[-1] > 0.3 * seen[0]


@pytest.mark.parametrize("number", [0, 1])
def test_a_slow_exit_takes_longer_than_a_fast_one_and_both_return(material: Material, number: int) -> None:
    seen = areas(GeneratedFrames(one(material, "exit", number=number)))

    leaving = np.flatnonzero((seen > 0) & (seen < 0.6 * seen[0]))
    assert (seen == 0).any()
    assert seen[-1] > 0.5 * seen[0]
    assert (len(leaving) > 4) == (number == 0)


def test_masks_are_those_of_the_picture(material: Material) -> None:
    scene = one(material, "look-alike")
    frames = GeneratedFrames(scene)

    # Where actors are, and nowhere else, the picture differs from its ground.
    bare = GeneratedFrames(Scene(scene.target, scene.grounds, seed=scene.seed))
    np.testing.assert_array_equal(
        bare.visible(30) & ~np.logical_or.reduce(frames.rivals(30)), frames.visible(30)
    )
    assert all(not (rival & frames.visible(30)).any() for rival in frames.rivals(30))


def test_a_crowd_is_of_one_kind_and_each_pixel_belongs_to_one(material: Material) -> None:
    frames = GeneratedFrames(one(material, "crowd"))

    everybody = [frames.visible(20), *frames.rivals(20)]
    assert len(everybody) == 9
    assert np.sum(everybody, axis=0).max() == 1


def test_what_is_fast_is_blurred_and_what_is_thin_is_thin(material: Material) -> None:
    scene = one(material, "thin", number=1)
    frames = GeneratedFrames(scene)

    seen = frames.visible(0)
    corners = cv2.minAreaRect(np.argwhere(seen).astype(np.float32))[1]
    assert scene.moments > 1
    assert max(corners) > 4 * min(corners)


def test_a_shot_between_cuts_shows_nothing_of_the_target(material: Material) -> None:
    frames = GeneratedFrames(one(material, "cut", number=1))

    seen = areas(frames)
    assert (seen[18:28] == 0).all()
    assert (seen[28:] > 0).all()
    assert frames.rivals(20)[0].any()
    assert np.abs(frames.read(17).astype(int) - frames.read(18)).mean() > 10


def test_a_long_clip_is_as_long_as_asked_and_holds_one_frame(material: Material) -> None:
    scene = one(material, "long")
    frames = GeneratedFrames(scene)

    assert scene.frames == 400
    seen = areas(frames)
    assert (seen[126:144] == 0).all()
    with pytest.raises(FrameMissingError):
        frames.read(400)


def test_things_of_photographs_stand_on_grounds_that_do_not_show_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    draw = np.random.default_rng(0)
    for name in ("one", "two"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), draw.integers(0, 255, (120, 160, 3)))
        labels = np.zeros((120, 160), np.uint8)
        labels[30:80, 40:110] = 1
        cv2.imwrite(str(tmp_path / "masks" / f"{name}.png"), labels)
    entries = [{"file": f"{name}.jpg", "things": ["thing"]} for name in ("one", "two")]
    (tmp_path / "meta.json").write_text(json.dumps(entries))

    material = from_photographs(tmp_path)

    assert material.origins == (0, 1)
    for scene in scenes(material, ["crowd"], clips=3, seed=0):
        thing = next(i for i, each in enumerate(material.things) if each is scene.target.picture)
        assert scene.grounds[0] is material.grounds[1 - thing]


def test_a_folder_without_pictures_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"meta\.json"):
        from_photographs(tmp_path)
