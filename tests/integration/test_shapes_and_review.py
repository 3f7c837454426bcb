"""Shapes, anchors and the list of frames worth a look, from a click to the files of other tools."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

import masklet
from fakes.after_effects_text import read_masks
from fakes.after_effects_text import read_paths as after_effects_paths
from fakes.exchange_scenes import Vertex, draw_paths, iou, true_paths
from fakes.fusion_text import read_paths as fusion_paths
from fakes.fusion_text import read_tools
from fakes.nuke_text import read_nodes
from fakes.nuke_text import read_paths as nuke_paths
from masklet import cli
from masklet.anchors import AnchorKind
from masklet.errors import BadInputError
from masklet.matte_settings import MatteSettings
from masklet.session import Session
from masklet.types import FrameRange, Mask
from masklet_server.demo.clip_writer import DemoClip
from masklet_server.shapes.raster import draw

Paths = list[tuple[bool, list[Vertex]]]
ROOT = Path(__file__).parents[2]
WIDTH_PX, HEIGHT_PX = 854, 480
FIRST, LAST = 1001, 1005


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``masklet …``."""
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def pixels(file: Path) -> NDArray[np.float32]:
    picture = oiio.ImageInput.open(str(file))
    assert picture is not None
    values = picture.read_image("float32")
    picture.close()
    return np.asarray(values, np.float32)[..., -1]


def click_of(clip: DemoClip) -> str:
    frame, x_px, y_px = clip.clicks[0]
    return f"{frame}:{x_px},{y_px}"


def track_duck(session: Session, clip: DemoClip, *, name: str = "duck") -> masklet.TrackedObject:
    duck = session.object(name)
    for frame, x_px, y_px in clip.clicks:
        duck.click(frame=frame, x_px=x_px, y_px=y_px)
    for _ in session.track():
        pass
    return duck


def test_every_tool_gets_the_shape_of_the_mattes_that_lie_beside_it(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = run(
        monkeypatch,
        *("roto", clip.pattern, "--object", "duck", "--click", click_of(clip), "--out", "out"),
        *("--name", "sh", "--shapes", "--anchors", "similarity", "--export", "nuke,fusion,ae,json"),
    )

    assert code == 0
    out = environment / "out"
    texts = sorted(file.name for file in out.iterdir() if file.suffix != ".exr")
    assert texts == [
        *("sh.comp", "sh.json", "sh.masklet.json", "sh.nk", "sh.setting", "sh.shot.json"),
        *("sh_ae.record.json", "sh_duck_similarity.txt", "sh_fusion.record.json"),
        *("sh_json.record.json", "sh_masks.jsx", "sh_nuke.record.json"),
    ]
    nodes = read_nodes((out / "sh.nk").read_text())
    tools = read_tools((out / "sh.setting").read_text())
    masks = read_masks((out / "sh_masks.jsx").read_text())
    document = json.loads((out / "sh.json").read_text())
    # A folder of pictures says no rate, and none is made up.
    assert document["clip"]["frames_per_s"] is None
    (mattes,) = document["mattes"]
    assert (mattes["layers"], mattes["first_frame"], mattes["last_frame"]) == (["duck"], FIRST, LAST)
    assert Path(mattes["first_file"]).read_bytes()[:4] == b"v/1\x01"
    readers: dict[str, Callable[[int], Paths]] = {
        "nuke": lambda frame: nuke_paths(nodes, frame, HEIGHT_PX),
        "fusion": lambda frame: fusion_paths(tools, frame, WIDTH_PX, HEIGHT_PX),
        "after effects": lambda frame: after_effects_paths(masks, frame - FIRST),
        "json": lambda frame: json_paths(out / "sh.json", frame),
    }
    for frame in range(FIRST, LAST + 1):
        matte = pixels(out / f"sh_mattes.{frame}.exr") >= 0.5
        assert matte.sum() > 1000
        for paths in readers.values():
            drawn = draw_paths(paths(frame), width_px=WIDTH_PX, height_px=HEIGHT_PX)
            assert iou(drawn, matte) > 0.97
    anchor = json.loads((out / "sh.json").read_text())["anchors"][0]
    assert [key["frame"] for key in anchor["keys"]] == list(range(FIRST, LAST + 1))
    assert anchor["kind"] == "similarity"


def test_the_guides_to_splines_and_exchange_run_as_they_stand(
    environment: Path, session: Session, clip: DemoClip
) -> None:
    track_duck(session, clip, name="hero")

    for document in ("shapes.md", "exchange.md"):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        exec(compile(code, document, "exec"), {"session": session})

    written = {file.name for file in environment.iterdir() if file.stem == "shot"}
    assert written == {"shot.nk", "shot.setting", "shot.comp", "shot.json"}
    assert json.loads((environment / "shot.json").read_text())["shapes"][0]["object"] == "hero"


def json_paths(file: Path, frame: int) -> Paths:
    """Paths as the schema of the JSON file says they are drawn."""
    drawn: Paths = []
    for piece in json.loads(file.read_text())["shapes"][0]["pieces"]:
        if not any(first <= frame <= last for first, last in piece["visible"]):
            continue
        keys = piece["keys"]
        before = max((key for key in keys if key["frame"] <= frame), key=lambda key: key["frame"])
        after = min((key for key in keys if key["frame"] >= frame), key=lambda key: key["frame"])
        span = after["frame"] - before["frame"]
        share = (frame - before["frame"]) / span if span else 0.0
        between = np.array(before["vertices"]) * (1 - share) + np.array(after["vertices"]) * share
        drawn.append((piece["hole"], [(x, y, *rest) for x, y, *rest in between[:, :6].tolist()]))
    return drawn


def test_a_review_lists_the_ranges_of_every_object(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("roto", clip.pattern, "--object", "duck", "--click", click_of(clip))
    assert run(monkeypatch, *asked, "--range", "1001-1002", "--prompts", "shot.json", "--out", "a") == 0
    capsys.readouterr()

    assert run(monkeypatch, "review", clip.pattern, "--prompts", "shot.json") == 0

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[0] for row in rows} == {"duck"}
    assert (int(rows[0][1]), int(rows[-1][2])) == (1001, 1002)
    assert "corrected" in rows[0][3]


def test_shapes_follow_the_edges_of_the_export_and_not_the_networks_own(
    session: Session, clip: DemoClip, tmp_path: Path
) -> None:
    track_duck(session, clip)

    shapes = session.shapes("duck", tolerance_px=0.5)
    refined, raw = (
        session.export(tmp_path / name, raw_edges=is_raw, base_name="a")
        for name, is_raw in (("refined", False), ("raw", True))
    )

    def agreement(files: tuple[Path, ...]) -> float:
        frames = zip(range(FIRST, LAST + 1), sorted(files), strict=True)
        return float(np.mean([iou(draw(shapes, n) >= 0.5, pixels(file) >= 0.5) for n, file in frames]))

    assert agreement(refined.files) > 0.98
    assert agreement(refined.files) > agreement(raw.files) + 0.005


def test_shapes_are_as_soft_as_the_artist_made_the_matte(session: Session, clip: DemoClip) -> None:
    duck = track_duck(session, clip)
    only_first = FrameRange(FIRST, FIRST + 1)

    before = session.shapes(duck, frames=only_first)
    duck.set_matte(MatteSettings(grow_px=5.0, feather_px=12.0))
    after = session.shapes(duck, frames=only_first)

    def typical_feather_px(shapes: masklet.ObjectShapes) -> float:
        return float(np.median([vertex.feather_px for vertex in shapes.pieces[0].path_at(FIRST)]))

    def area_px(shapes: masklet.ObjectShapes) -> int:
        return int(draw_paths(true_paths(shapes, FIRST), width_px=WIDTH_PX, height_px=HEIGHT_PX).sum())

    assert typical_feather_px(after) > typical_feather_px(before) + 6
    assert area_px(after) > 1.05 * area_px(before)


def test_shapes_and_anchors_tell_how_far_they_are(session: Session, clip: DemoClip) -> None:
    track_duck(session, clip)
    told: list[tuple[int, int]] = []

    def remember(done: int, total: int) -> None:
        told.append((done, total))

    shapes = session.shapes("duck", on_progress=remember)
    of_shapes = list(told)
    told.clear()
    anchor = session.anchor("duck", AnchorKind.SIMILARITY, on_progress=remember)

    assert shapes.report.frames == 5
    assert shapes.report.mean_iou > 0.97
    assert [key.frame for key in anchor.keys] == list(range(FIRST, LAST + 1))
    for reports in (of_shapes, told):
        assert reports
        assert reports == sorted(reports)
        assert all(done <= total for done, total in reports)


class EscapeError(Exception):
    """The artist presses Esc."""


@pytest.mark.parametrize("kind", ["shapes", "anchor"])
def test_leaving_the_work_stops_it_and_the_session_goes_on(
    session: Session, clip: DemoClip, kind: str
) -> None:
    duck = track_duck(session, clip)

    def give_up(done: int, total: int) -> None:
        raise EscapeError

    works: dict[str, Callable[[], object]] = {
        "shapes": lambda: session.shapes(duck, on_progress=give_up),
        "anchor": lambda: session.anchor(duck, AnchorKind.PLANAR, on_progress=give_up),
    }
    with pytest.raises(EscapeError):
        works[kind]()

    assert len(session.anchor(duck, AnchorKind.BOX).keys) == 5
    assert session.shapes(duck, frames=FrameRange(FIRST, FIRST)).pieces


@pytest.mark.parametrize("tolerance_px", [0.0, -2.0, float("nan")])
def test_a_tolerance_of_nothing_is_refused_in_a_sentence(
    session: Session, clip: DemoClip, tolerance_px: float
) -> None:
    duck = track_duck(session, clip)

    with pytest.raises(BadInputError, match="tolerance above 0"):
        session.shapes(duck, tolerance_px=tolerance_px)


def squeezed_clip(folder: Path) -> tuple[Path, NDArray[np.bool_]]:
    """Frames -10 to -6 of a textured disc that moves 6 stored pixels a frame, twice as wide as high each.

    Returns the pattern and the disc's mask on frame -10.
    """
    generator = np.random.default_rng(3)
    texture = cv2.resize(generator.random((9, 9, 3), np.float32), (80, 160), interpolation=cv2.INTER_CUBIC)
    ground = cv2.resize(generator.random((5, 9, 3), np.float32), (320, 240)) * np.float32(0.15)
    masks = []
    folder.mkdir()
    for index in range(5):
        mask = np.zeros((240, 320), np.uint8)
        cv2.ellipse(mask, (80 + 6 * index, 120), (35, 70), 0, 0, 360, 1, -1)
        masks.append(mask > 0)
        layer = np.zeros((240, 320, 3), np.float32)
        left = 40 + 6 * index
        layer[40:200, left : left + 80] = np.clip(0.5 + 0.5 * texture, 0, 1)
        picture = np.where(masks[-1][..., None], layer, ground)
        specification = oiio.ImageSpec(320, 240, 3, "half")
        specification.attribute("PixelAspectRatio", 2.0)
        file = oiio.ImageOutput.create("exr")
        assert file is not None
        assert file.open(str(folder / f"disc.{-10 + index:04d}.exr"), specification)
        assert file.write_image(np.ascontiguousarray(picture))
        file.close()
    return folder / "disc.%04d.exr", masks[0]


def test_squeezed_pixels_and_frames_below_zero_stay_what_they_are(
    server: masklet.Server, tmp_path: Path
) -> None:
    pattern, first = squeezed_clip(tmp_path / "squeezed")
    with server.open(pattern) as session:
        disc = session.object("disc")
        disc.mask(frame=-10, mask=Mask.from_array(first.astype(np.uint8) * 255))
        for _ in session.track():
            pass

        shapes = session.shapes(disc)
        anchor = session.anchor(disc, AnchorKind.SIMILARITY)
        exported = session.export(tmp_path / "mattes", base_name="a")

    assert session.clip.pixel_aspect == 2.0
    assert shapes.pixel_aspect == 2.0
    assert (shapes.pieces[0].visible[0].first, shapes.pieces[0].visible[-1].last) == (-10, -6)
    assert shapes.report.worst_iou > 0.97
    for frame, file in zip(range(-10, -5), sorted(exported.files, reverse=True), strict=True):
        assert iou(draw(shapes, frame) >= 0.5, pixels(file) >= 0.5) > 0.97
    assert [key.frame for key in anchor.keys] == list(range(-10, -5))
    moved = anchor.keys[-1].x_px - anchor.keys[0].x_px
    assert moved == pytest.approx(24, abs=2)
    assert abs(anchor.keys[-1].rotation_deg) < 3
