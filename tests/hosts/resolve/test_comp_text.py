"""Text of compositions, taken by a stand-in of Fusion that refuses unknown tools, inputs and connections."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    WIDTH_PX,
    draw_paths,
    expected_matte,
    iou,
    random_shapes,
    scene,
    similarity,
)
from fakes.fusion_text import read_paths
from fakes.resolve.compositions import LUA, FakeComp, imported
from masklet.exchange.scene import ExchangeScene
from masklet.shapes import ObjectShapes
from masklet_resolve.comp_text import PREFIX, comp_text, whole_comp
from masklet_resolve.fusion_comps import long_string, paste_code
from masklet_resolve.time_base import TimeBase

TIME = TimeBase(CLIP.first_frame, 0, 1.0, len(CLIP.frames))


def plain(value: object) -> object:
    """A table of Lua as a dictionary."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


def tools(comp: FakeComp) -> dict[str, object]:
    """Tables of our tools, as the readers of text want them."""
    return {name: plain(comp.body(name)) for name in comp.names if name.startswith(PREFIX)}


def test_a_whole_composition_leads_the_plate_through_all_tools_and_changes_nothing(tmp_path: Path) -> None:
    text = comp_text(scene(), TIME)
    file = tmp_path / "x.comp"
    file.write_text(whole_comp(text, TIME), encoding="utf-8")

    comp = imported(str(file), 0, 12)

    assert comp is not None
    assert comp.way == ["MediaOut1", *reversed(text.chain), "MediaIn1"]
    assert set(text.names) <= set(comp.names)
    for name in text.chain:
        body = plain(comp.body(name))
        assert isinstance(body, dict)
        inputs = body["Inputs"]
        neutral = {"BrightnessContrast": ("Gain", 1), "Transform": ("Blend", 0)}[body["__kind"]]
        assert inputs[neutral[0]]["Value"] == neutral[1]


def test_what_is_drawn_on_a_frame_of_the_composition_is_the_plates_matte(tmp_path: Path) -> None:
    shot = scene()
    comp = FakeComp(40)
    time = TIME.starting_at(40)
    comp.add(comp_text(shot, time).setting.replace('SourceOp = "MediaIn1"', f'SourceOp = "{PREFIX}hero_top"'))

    found = {
        name: tool
        for name, tool in tools(comp).items()
        if isinstance(tool, dict) and tool["__kind"] in ("PolylineMask", "BezierSpline")
    }
    for frame in time.comp_frames:
        paths = read_paths(found, frame, WIDTH_PX, HEIGHT_PX)
        wanted = expected_matte(shot.shapes[0], time.plate_of(frame))
        if wanted.any():
            assert iou(draw_paths(paths), wanted) > 0.97
        else:
            assert not paths


@settings(max_examples=25, deadline=None)
@given(random_shapes(), st.integers(0, 1000))
def test_any_shapes_are_taken_and_every_connection_leads_somewhere(shapes: ObjectShapes, start: int) -> None:
    comp = FakeComp(start)
    comp.add("{ Tools = { MediaIn1 = MediaIn { }, } }")

    text = comp_text(ExchangeScene(CLIP, shapes=(shapes,)), TIME.starting_at(start))
    comp.add(text.setting)

    assert set(text.names) == set(comp.names) - {"MediaIn1"}


def test_mattes_show_their_file_where_the_composition_shows_the_plates_frame() -> None:
    comp = FakeComp(10)
    comp.add("{ Tools = { MediaIn1 = MediaIn { }, } }")
    comp.add(comp_text(scene(), TIME.starting_at(10)).setting)

    loader = plain(comp.body(f"{PREFIX}hero_matte"))
    assert isinstance(loader, dict)
    clip = loader["Clips"][1]
    # Files -2 to 7 of a plate that begins with -3, in a composition that begins with 10.
    assert (clip["StartFrame"], clip["GlobalStart"], clip["GlobalEnd"], clip["Length"]) == (-2, 11, 20, 10)
    assert loader["Inputs"]["Clip1.OpenEXRFormat.AlphaName"]["Value"][1] == "hero.A"


def test_a_path_is_keyed_in_the_compositions_time() -> None:
    comp = FakeComp(100)
    comp.add("{ Tools = { MediaIn1 = MediaIn { }, } }")
    comp.add(comp_text(scene(), TIME.starting_at(100)).setting)

    keys = plain(comp.body(f"{PREFIX}hero_similarity_X"))
    assert isinstance(keys, dict)
    assert {frame - 103: key[1] for frame, key in keys["KeyFrames"].items()} == {
        key.frame: pytest.approx(0.5 + (key.x_px - 160) / WIDTH_PX, abs=1e-6) for key in similarity().keys
    }


@pytest.mark.parametrize("text", ["plain", "a]]b", "]]", "]=]]==]", "x]", "\nline", 'quote " \\ ' + "ü"])
def test_a_long_string_is_what_it_was(text: str) -> None:
    comp = FakeComp()

    assert comp.lua.eval(long_string(text)) == text


def test_a_second_run_replaces_the_first_and_leaves_the_artists_tools(tmp_path: Path) -> None:
    comp = FakeComp(0)
    comp.add(
        "{ Tools = { MediaIn1 = MediaIn { }, Blur = Transform { Inputs = { Input = Input { "
        'SourceOp = "MediaIn1", Source = "Output" } } }, MediaOut1 = MediaOut { Inputs = { Input = Input { '
        'SourceOp = "Blur", Source = "Output" } } } } }'
    )
    text = comp_text(scene(), TIME)
    file = tmp_path / "x.setting"
    file.write_text(text.setting, encoding="utf-8")

    comp.Execute(paste_code(text, file))
    once = comp.names, comp.way
    comp.Execute(paste_code(text, file))

    assert (comp.names, comp.way) == once
    assert comp.way == ["MediaOut1", *reversed(text.chain), "Blur", "MediaIn1"]
    assert comp.unrendered == []


def test_the_same_code_runs_in_the_lua_that_debian_has(tmp_path: Path) -> None:
    lua = shutil.which("lua5.1")
    if lua is None:
        pytest.skip("lua5.1 is not installed: apt-get install lua5.1")
    text = comp_text(scene(), TIME)
    file = tmp_path / "it's ]] [x].setting"
    file.write_text(text.setting, encoding="utf-8")
    plate = (
        "{ Tools = { MediaIn1 = MediaIn { }, MediaOut1 = MediaOut { Inputs = { Input = Input { "
        "SourceOp = 'MediaIn1', Source = 'Output' } } } } }"
    )
    script = tmp_path / "run.lua"
    script.write_text(
        f"dofile({long_string(str(LUA))})\n"
        "comp = new_comp(0, 12)\n"
        f"comp:Load(bmd.readstring({long_string(plate)}))\n"
        f"comp:Execute({long_string(paste_code(text, file))})\n"
        "for _, name in ipairs(comp:Way()) do print(name) end\n",
        encoding="utf-8",
    )

    done = subprocess.run(
        [lua, str(script)], capture_output=True, text=True, check=False, env={**os.environ, "LUA_INIT": ""}
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["MediaOut1", *reversed(text.chain), "MediaIn1"]
