"""Shortcuts, menus and words of the add-on in real Blenders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/interface.py"
EDITORS = {"Clip", "Image"}


@pytest.fixture(scope="module", params=["4.2", "4.5", "5.2"], ids=lambda version: f"blender-{version}")
def interface(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything of the add-on that can be seen or pressed."""
    blender = blender_wheel(request.param)
    return blender.run(SCRIPT, user_folder=tmp_path_factory.mktemp("user"))


def test_every_shortcut_is_free_in_blenders_own_key_maps(interface: dict[str, Any]) -> None:
    assert interface["added"]
    for own in interface["added"]:
        same = [
            stroke
            for stroke in interface["shipped"]
            if stroke["editor"] == own["editor"]
            and stroke["key"] == own["key"]
            and stroke["held"] in (own["held"], ["any"])
        ]
        assert same == [], own


def test_the_look_for_free_keys_finds_those_that_are_not(interface: dict[str, Any]) -> None:
    taken = [stroke["operator"] for stroke in interface["shipped"] if stroke["key"] == "O"]

    assert {"clip.open", "image.open"} <= set(taken)


def test_both_editors_have_the_same_shortcuts(interface: dict[str, Any]) -> None:
    by_editor = {
        editor: [{**own, "editor": ""} for own in interface["added"] if own["editor"] == editor]
        for editor in EDITORS
    }

    assert by_editor["Clip"] == by_editor["Image"]
    assert {own["editor"] for own in interface["added"]} == EDITORS


def test_the_menu_is_there_in_every_mode(interface: dict[str, Any]) -> None:
    assert set(interface["menus"].values()) == {True}


def test_every_operator_and_property_is_described_and_named(interface: dict[str, Any]) -> None:
    assert [
        own["name"] for own in interface["owners"] if "_OT_" in own["name"] and not own["description"]
    ] == []
    for prop in interface["properties"]:
        where = prop["owner"], prop["name"]
        assert prop["description"], where
        assert prop["hidden"] or prop["label"], where
        assert all(name and described for name, described in prop["items"]), where


def test_blender_takes_every_property_that_a_class_declares(interface: dict[str, Any]) -> None:
    assert interface["counted"] > 50
    assert interface["missing"] == []


def test_labels_are_translated_as_masklets_own(interface: dict[str, Any]) -> None:
    for own in interface["owners"]:
        assert own["context"] == ("masklet" if own["label"] else ""), own
    assert [p for p in interface["properties"] if not p["hidden"] and p["context"] != "masklet"] == []


def test_lengths_on_the_plate_are_in_pixels(interface: dict[str, Any]) -> None:
    in_pixels = [p for p in interface["properties"] if p["name"].endswith("_px") and not p["hidden"]]

    assert {"grow_px", "tolerance_px", "x_px"} <= {p["name"] for p in in_pixels}
    assert [p for p in in_pixels if p["subtype"] != "PIXEL"] == []
