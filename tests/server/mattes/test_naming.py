from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.types import ObjectInfo
from masklet_server.mattes.naming import clip_stem, safe_name, safe_names


def as_nuke_reads(channel: str) -> tuple[str, str]:
    """Layer and channel, by the rules of Nuke's published EXR reader."""
    parts = [re.sub(r"^[0-9]+", "", part) for part in channel.split(".", 2)]
    parts = [re.sub(r"[^A-Za-z0-9]", "_", part) for part in parts if part]
    layer, name = "_".join(parts[:-1]), parts[-1] if parts else "unnamed"
    return ("" if layer == "Ci" else layer), {"R": "red", "G": "green", "B": "blue", "A": "alpha"}.get(
        name, name
    )


@given(name=st.text(max_size=80))
def test_a_safe_name_reaches_nuke_as_it_is(name: str) -> None:
    safe = safe_name(name)

    assert as_nuke_reads(f"{safe}.A") == (safe, "alpha")


@given(name=st.text(max_size=80))
def test_a_safe_name_is_a_plain_word_and_stays_itself(name: str) -> None:
    safe = safe_name(name)

    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", safe)
    assert safe_name(safe) == safe


@given(names=st.lists(st.text(max_size=80), min_size=1, max_size=8))
def test_objects_never_share_a_name(names: list[str]) -> None:
    objects = [ObjectInfo(place, name) for place, name in enumerate(names)]

    safe = safe_names(objects)

    assert len({name.lower() for name in safe.values()}) == len(names)
    assert safe_names(reversed(objects)) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("hero", "hero"),
        ("left arm", "left_arm"),
        ("hero.v2", "hero_v2"),
        ("Müller-café", "Muller_cafe"),
        ("2", "obj_2"),
        ("12 monkeys", "obj_12_monkeys"),
        ("猫", "u732b"),
        ("_hidden", "hidden"),
        ("---", "obj"),
        ("rgba", "obj_rgba"),
        ("Mask", "obj_Mask"),
        ("Ci", "obj_Ci"),
        ("left", "obj_left"),
    ],
)
def test_names_are_mapped_as_documented(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_clash_is_numbered_by_id() -> None:
    objects = [ObjectInfo(3, "left arm"), ObjectInfo(1, "left.arm"), ObjectInfo(2, "Left_Arm")]

    assert safe_names(objects) == {1: "left_arm", 2: "Left_Arm_2", 3: "left_arm_3"}


@pytest.mark.parametrize(
    ("clip", "stem"),
    [
        ("plate.%04d.exr", "plate"),
        ("plate_####.dpx", "plate"),
        ("shot 010.mov", "shot_010"),
        ("%05d.jpg", "clip"),
        ("sh010-bg_v003.%04d.exr", "sh010-bg_v003"),
        ("still.png", "still"),
        ("../../etc/passwd", "etc_passwd"),
    ],
)
def test_files_begin_with_the_name_of_the_clip(clip: str, stem: str) -> None:
    assert clip_stem(clip) == stem
