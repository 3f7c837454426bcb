"""One rule for names: what people type, and the words that layers and files carry."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.errors import BadInputError, NameTakenError
from masklet.names import (
    checked_object_name,
    checked_stem,
    clip_stem,
    free_object_name,
    layer_name,
    layer_names,
)
from masklet.types import ObjectInfo


def as_nuke_reads(channel: str) -> tuple[str, str]:
    """Layer and channel, by the rules of Nuke's published EXR reader."""
    parts = [re.sub(r"^[0-9]+", "", part) for part in channel.split(".", 2)]
    parts = [re.sub(r"[^A-Za-z0-9]", "_", part) for part in parts if part]
    layer, name = "_".join(parts[:-1]), parts[-1] if parts else "unnamed"
    return ("" if layer == "Ci" else layer), {"R": "red", "G": "green", "B": "blue", "A": "alpha"}.get(
        name, name
    )


@given(name=st.text(max_size=80))
def test_a_layer_name_reaches_nuke_as_it_is(name: str) -> None:
    safe = layer_name(name)

    assert as_nuke_reads(f"{safe}.A") == (safe, "alpha")


@given(name=st.text(max_size=80))
def test_a_layer_name_is_a_plain_word_and_stays_itself(name: str) -> None:
    safe = layer_name(name)

    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", safe)
    assert layer_name(safe) == safe


@given(names=st.lists(st.text(max_size=80), min_size=1, max_size=8))
def test_objects_never_share_a_name(names: list[str]) -> None:
    objects = [ObjectInfo(place, name) for place, name in enumerate(names)]

    safe = layer_names(objects)

    assert len({name.lower() for name in safe.values()}) == len(names)
    assert layer_names(reversed(objects)) == safe


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
        ("con", "obj_con"),
        ("COM1", "obj_COM1"),
    ],
)
def test_names_are_mapped_as_documented(name: str, safe: str) -> None:
    assert layer_name(name) == safe


def test_a_clash_is_numbered_by_id() -> None:
    objects = [ObjectInfo(3, "left arm"), ObjectInfo(1, "left.arm"), ObjectInfo(2, "Left_Arm")]

    assert layer_names(objects) == {1: "left_arm", 2: "Left_Arm_2", 3: "left_arm_3"}


@pytest.mark.parametrize(
    ("clip", "stem"),
    [
        ("plate.%04d.exr", "plate"),
        ("plate_####.dpx", "plate"),
        ("shot 010.mov", "shot_010"),
        ("%05d.jpg", "clip"),
        ("sh010-bg_v003.%04d.exr", "sh010-bg_v003"),
        ("still.png", "still"),
        ("../../etc/passwd", "passwd"),
        ("C:\\plates\\sh 010.mov", "sh_010"),
        ("shot_v002.%04d.exr", "shot_v002"),
        ("sh010.v2.####.exr", "sh010.v2"),
        ("sh010.v2", "sh010.v2"),
        ("Müllerstraße [A]@@@@.exr", "Mullerstrasse_A"),
        ("映画.mov", "u6620u753b"),
        ("con.mov", "con_"),
        ("...", "clip"),
        (".mov", "clip"),
    ],
)
def test_files_begin_with_the_name_of_the_clip(clip: str, stem: str) -> None:
    assert clip_stem(clip) == stem


@given(name=st.text(max_size=300))
def test_a_stem_is_a_file_name_on_every_system_and_stays_itself(name: str) -> None:
    stem = clip_stem(name)

    assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", stem)
    assert checked_stem(stem) == stem


@given(name=st.text(max_size=70))
def test_a_name_that_is_taken_for_an_object_is_taken_again_and_named_like_the_first(name: str) -> None:
    try:
        chosen = checked_object_name(name)
    except BadInputError:
        return
    assert checked_object_name(chosen) == chosen
    with pytest.raises(NameTakenError, match="another name"):
        checked_object_name(name, [chosen])


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("  hero ", "hero"), ("left arm", "left arm"), ("Cafe\u0301.v2", "Caf\u00e9.v2"), ("猫", "猫")],
)
def test_objects_may_be_called_as_people_call_them(name: str, chosen: str) -> None:
    assert checked_object_name(name, ["ball"]) == chosen


@pytest.mark.parametrize("twin", ["hero\ufe0f", "he\u034fro", "hero\u3164", "\u2800hero"])
def test_a_name_with_signs_that_nobody_sees_is_the_name_without_them(twin: str) -> None:
    assert checked_object_name(twin) == "hero"
    with pytest.raises(NameTakenError):
        checked_object_name(twin, ["hero"])


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff", "\u0007"])
def test_a_sign_that_turns_text_round_or_joins_it_is_no_part_of_a_name(sign: str) -> None:
    with pytest.raises(BadInputError, match="cannot be the name"):
        checked_object_name(f"he{sign}ro")


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a/b", "a:b", "what?", "x" * 65, "line\nbreak"])
def test_names_that_cannot_be_layers_and_files_are_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        checked_object_name(name)
    with pytest.raises(BadInputError):
        checked_stem(name)


def test_a_file_name_needs_something_that_every_system_writes() -> None:
    assert checked_stem("shot 010") == "shot_010"
    assert checked_stem(" été ") == "ete"
    with pytest.raises(BadInputError, match="letters and digits"):
        checked_stem("---")


def test_the_first_free_name_is_found() -> None:
    assert free_object_name(["object1", "object3"]) == "object2"
