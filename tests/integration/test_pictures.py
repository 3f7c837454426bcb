"""Display and data windows from the plate's header to the matte's, with the embedded network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from generated_media import numbered_picture, write_movie, write_picture
from masklet.client import Server
from masklet.types import Overscan

WIDTH_PX, HEIGHT_PX, RADIUS_PX = 320, 180, 34


def _ball(area: tuple[int, int, int, int], centre: tuple[float, float]) -> np.ndarray:
    """A striped ball on a textured wall in the area that begins at these coordinates, scene-linear."""
    left_px, top_px, width_px, height_px = area
    y, x = np.mgrid[0:height_px, 0:width_px] + 0.5
    x, y = x + left_px, y + top_px
    wall = 0.18 + 0.06 * np.sin(x / 7) * np.cos(y / 5) + 0.03 * np.sin(x / 2.3 + y / 3.1)
    picture = np.dstack([wall * 0.7, wall * 0.9, wall]).astype(np.float32)
    stripes = 0.75 + 0.25 * np.sin((x - centre[0]) / 4 + (y - centre[1]) / 9)
    cover = np.clip(RADIUS_PX - np.hypot(x - centre[0], y - centre[1]) + 0.5, 0, 1)[..., None]
    ball = np.dstack([stripes * 0.8, stripes * 0.3, stripes * 0.05])
    return (picture * (1 - cover) + ball * cover).astype(np.float32)


def _coverage(area: tuple[int, int, int, int], centre: tuple[float, float]) -> np.ndarray:
    left_px, top_px, width_px, height_px = area
    y, x = np.mgrid[0:height_px, 0:width_px] + 0.5
    return np.clip(RADIUS_PX - np.hypot(x + left_px - centre[0], y + top_px - centre[1]) + 0.5, 0, 1)


def _matte(path: Path) -> tuple[oiio.ImageSpec, np.ndarray]:
    reader = oiio.ImageInput.open(str(path))
    assert reader is not None, oiio.geterror()
    spec = reader.spec()
    alpha = np.asarray(reader.read_image("float")).reshape(spec.height, spec.width, -1)[..., 0]
    reader.close()
    return spec, alpha


def _iou(alpha: np.ndarray, right: np.ndarray) -> float:
    own, other = alpha > 0.5, right > 0.5
    return float((own & other).sum() / (own | other).sum())


def test_a_mattes_display_window_begins_where_the_plates_does(server: Server, tmp_path: Path) -> None:
    centre = (90.0, 95.0)
    path = write_picture(
        tmp_path / "negdisp.1001.exr",
        _ball((0, 0, WIDTH_PX, HEIGHT_PX), centre),
        "half",
        data_window=(-160, -90),
        display_window=(-160, -90, WIDTH_PX, HEIGHT_PX),
    )
    with server.open(path) as session:
        session.object("ball").click(frame=1001, x_px=centre[0], y_px=centre[1])
        (made,) = session.export(tmp_path / "out").files

    spec, alpha = _matte(made)

    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (-160, -90, WIDTH_PX, HEIGHT_PX)
    assert (spec.x, spec.y, spec.width, spec.height) == (-160, -90, WIDTH_PX, HEIGHT_PX)
    assert _iou(alpha, _coverage((0, 0, WIDTH_PX, HEIGHT_PX), centre)) > 0.95


def test_what_lies_beyond_the_format_is_matted_and_clicked_when_asked(server: Server, tmp_path: Path) -> None:
    centre, area = (-4.0, 95.0), (-40, -20, 400, 220)
    path = write_picture(
        tmp_path / "over.1001.exr",
        _ball(area, centre),
        "half",
        data_window=area[:2],
        display_window=(0, 0, WIDTH_PX, HEIGHT_PX),
    )
    with server.open(path) as session:
        assert any("40 pixels on the left" in notice for notice in session.clip.notices)
    with server.open(path, overscan=True) as session:
        assert session.clip.overscan == Overscan(40, 20, 40, 20)
        assert (session.clip.display_width_px, session.clip.display_height_px) == (WIDTH_PX, HEIGHT_PX)
        ball = session.object("ball")
        ball.click(frame=1001, x_px=-20, y_px=95)
        (prompts,) = session.prompts().prompts
        assert (prompts.clicks[0].x_px, prompts.clicks[0].y_px) == (-20, 95)
        (made,) = session.export(tmp_path / "out").files
        anchor = session.anchor(ball, "centroid")
        shapes = session.shapes(ball)

    spec, alpha = _matte(made)

    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, WIDTH_PX, HEIGHT_PX)
    assert (spec.x, spec.y, spec.width, spec.height) == area
    assert _iou(alpha, _coverage(area, centre)) > 0.95
    assert (anchor.keys[0].x_px, anchor.keys[0].y_px) == pytest.approx(centre, abs=2)
    xs = [vertex.x_px for vertex in shapes.pieces[0].keys[0].vertices]
    assert min(xs) == pytest.approx(centre[0] - RADIUS_PX, abs=3)
    assert (shapes.width_px, shapes.height_px) == (WIDTH_PX, HEIGHT_PX)


def test_a_camcorders_movie_is_sent_as_a_movie(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "card #1 50%d"
    folder.mkdir()
    path = write_movie(folder / "00001.mts", [numbered_picture(number) for number in range(4)])

    with server.open(path, upload=True) as session:
        assert session.clip.name == "00001.mts"
        assert len(session.clip.frames) == 4


def test_an_upload_with_frames_that_cannot_be_used_is_matted_on_all_others(
    server: Server, tmp_path: Path
) -> None:
    plate = _ball((0, 0, WIDTH_PX, HEIGHT_PX), (90.0, 95.0))
    for frame in range(1001, 1006):
        path = write_picture(tmp_path / f"plate.{frame}.exr", plate, "half")
        if frame == 1002:
            path.write_bytes(b"")
        elif frame == 1004:
            path.write_bytes(path.read_bytes()[:2000])
    # What may not be read here stands for what a user has no rights to: nothing comes of it but its name.
    (tmp_path / "plate.1006.exr").mkdir()

    with server.open(tmp_path / "plate.%04d.exr", upload=True) as session:
        assert [each.frame for each in session.clip.unreadable] == [1002, 1006]
        session.object("ball").click(frame=1001, x_px=90, y_px=95)
        track = session.track()
        assert [update.frame for update in track] == [1001, 1003, 1005]
        assert track.finished is not None
        told = {each.frame: each.reason for each in track.finished.unreadable}
        assert "frame 1002 of plate.%04d.exr arrived empty" in told[1002]
        assert "frame 1006 of plate.%04d.exr arrived empty" in told[1006]
        assert "frame 1004 of plate.%04d.exr is damaged or cut off" in told[1004]
        made = session.export(tmp_path / "out")
        assert [path.name[-8:-4] for path in made.files] == ["1001", "1003", "1005"]
        assert [hole.words for hole in made.holes] == ["the plate's picture cannot be read"] * 3
        assert len(session.shapes("ball").pieces[0].keys) >= 1
        assert session.anchor("ball", "similarity").keys
