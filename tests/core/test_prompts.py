"""The prompt document: everything comes back, and what is wrong is named."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, OutputError
from masklet.prompts import Shot, from_json, read_shot, to_json, write_shot
from masklet.types import (
    Box,
    Click,
    Direction,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    Mask,
    MaskDepth,
    ObjectInfo,
    Presence,
    PromptDocument,
    TrackedMask,
)

finite = st.floats(min_value=-1e5, max_value=1e5, allow_nan=False)
clicks = st.lists(st.builds(Click, finite, finite, st.booleans()), min_size=1, max_size=4).map(tuple)
small_masks = st.one_of(
    st.binary(min_size=6, max_size=6).map(lambda alpha: Mask(3, 2, alpha)),
    st.binary(min_size=12, max_size=12).map(lambda alpha: Mask(3, 2, alpha, MaskDepth.BITS_16)),
    st.lists(st.integers(0, 0x3C00), min_size=6, max_size=6).map(
        lambda bits: Mask(3, 2, struct.pack("<6H", *bits), MaskDepth.HALF)
    ),
)

scores = st.floats(-40.0, 40.0, width=32)
tracked_masks = st.builds(
    TrackedMask,
    st.just(2),
    st.just(3),
    st.binary(max_size=20),
    st.sampled_from(Presence),
    scores,
    scores,
    st.binary(max_size=8),
)


@st.composite
def documents(draw: st.DrawFn) -> PromptDocument:
    names = draw(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3, unique=True))
    objects, prompts, masks = [], [], []
    for object_id, name in enumerate(names, 1):
        frames = sorted(draw(st.lists(st.integers(-50, 2000), unique=True, max_size=3)))
        for frame in frames:
            if draw(st.booleans()):
                prompts.append(FramePrompts(object_id, frame, mask=draw(small_masks)))
            else:
                base = draw(st.none() | tracked_masks)
                prompts.append(FramePrompts(object_id, frame, draw(clicks), base=base))
        objects.append(ObjectInfo(object_id, name, tuple(frames)))
        for frame in sorted(draw(st.lists(st.integers(-50, 2000), unique=True, max_size=2))):
            masks.append(LockedMask(object_id, frame, draw(tracked_masks), draw(st.booleans())))
    return PromptDocument(tuple(objects), tuple(prompts), masks=tuple(masks))


READING = ClipReading("ACEScg", 1001, 23.976, layer="beauty", view="left", overscan=True)


@given(documents(), st.sampled_from(Direction), st.none() | st.just(FrameRange(-3, 1100)))
def test_a_shot_survives_being_written_and_read(
    document: PromptDocument, direction: Direction, frames: FrameRange | None
) -> None:
    shot = Shot("plate.%04d.exr", document, frames, direction, reading=READING)

    assert from_json(to_json(shot)) == shot


def one_click() -> PromptDocument:
    return PromptDocument((ObjectInfo(1, "hero", (1001,)),), (FramePrompts(1, 1001, (Click(640.5, 360),)),))


def test_masks_of_8_bits_are_written_as_ever() -> None:
    drawn = FramePrompts(1, 7, mask=Mask(2, 1, b"\x00\xff"))
    content = json.loads(to_json(Shot("a", PromptDocument((ObjectInfo(1, "hero"),), (drawn,)))))

    assert content["objects"][0]["frames"][0]["mask"].keys() == {"width_px", "height_px", "alpha_zlib_base64"}


def test_a_document_of_version_1_says_what_it_cannot_bring_back() -> None:
    prompts = tuple(FramePrompts(1, frame, (Click(1, 1),)) for frame in (5, 9))
    locks = (LockedRange(1, FrameRange(20, 30)),)
    document = PromptDocument((ObjectInfo(1, "hero", (5, 9)),), prompts, locks)
    text = to_json(Shot("a.mov", document))

    old = from_json(text.replace('"masklet_prompts": 2', '"masklet_prompts": 1'))

    assert old.document == document
    corrections, lock = old.notes
    assert "hero: " in corrections
    assert "clicks on 5, 9" in corrections
    assert "locked on frames 20-30" in lock
    assert from_json(text).notes == ()


def test_a_tracked_mask_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="columns and rows"):
        TrackedMask(0, 4, b"")
    with pytest.raises(ValueError, match="more bytes"):
        TrackedMask(2, 2, bytes(2000))


def test_a_box_survives_being_written_and_read() -> None:
    prompts = FramePrompts(1, 7, (Click(2, 3, positive=False),), box=Box(1, 2, 30.5, 40))
    shot = Shot("a.mov", PromptDocument((ObjectInfo(1, "hero", (7,)),), (prompts,)))

    assert from_json(to_json(shot)) == shot


def test_a_click_at_nan_in_a_document_is_refused_with_its_object() -> None:
    content = json.loads(to_json(Shot("a.mov", one_click())))
    content["objects"][0]["frames"][0]["clicks"][0]["x_px"] = float("nan")

    with pytest.raises(BadInputError, match=r"object 1 .*finite coordinates"):
        from_json(json.dumps(content))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "no prompt document"),
        ('{"masklet_prompts": 99}', "version 99"),
        ('{"masklet_prompts": 1, "clip": "a"}', "cannot be understood"),
        ('{"masklet_prompts": 1, "clip": "a", "objects": [{"name": "a"}]}', "object 1 "),
        (
            '{"masklet_prompts": 1, "clip": "a", "objects": [], "track": {"first": 9, "last": 1}}',
            "what to track",
        ),
        ('{"masklet_prompts": 1, "clip": "a", "objects": [], "track": {"direction": "up"}}', "what to track"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        from_json(text)


def test_a_mask_that_claims_to_be_huge_is_refused_before_it_is_unpacked() -> None:
    mask = {"width_px": 10**6, "height_px": 10**6, "alpha_zlib_base64": "eJwDAAAAAAE="}
    content = {
        "masklet_prompts": 1,
        "clip": "a",
        "objects": [{"name": "a", "frames": [{"frame": 1, "mask": mask}]}],
    }

    with pytest.raises(BadInputError, match="1000000 x 1000000"):
        from_json(json.dumps(content))


def test_a_document_in_a_file_is_read_back(tmp_path: Path) -> None:
    shot = Shot("plate.%04d.exr", one_click())

    write_shot(tmp_path / "shot.json", shot)

    assert read_shot(tmp_path / "shot.json") == shot
    assert [file.name for file in tmp_path.iterdir()] == ["shot.json"]


def test_a_document_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_shot(tmp_path / "nowhere" / "shot.json", Shot("a.mov", one_click()))


def test_a_missing_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_shot(tmp_path / "shot.json")
