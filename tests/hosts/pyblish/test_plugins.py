"""masklet's plug-ins in pyblish: its window, scripts of Nuke and Blender, ShotGrid's stand-in for a site."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import pytest

from fakes.published_shot import FRAMES, PRESENT, UNCERTAIN, make_shot
from hosts_with_pyblish import RunWithPyblish
from masklet.publish.manifest import read_manifest
from masklet.publish.shot_record import ObjectStates
from masklet.types import FrameRange
from real_blender import blender_wheel

SCRIPTS = Path(__file__).parent / "scripts"


def test_an_artist_sees_what_is_wrong_accepts_it_and_publishes_in_pyblishs_own_window(
    run_with_pyblish: RunWithPyblish, tmp_path: Path
) -> None:
    states = (
        ObjectStates("hero", FrameRange(1001, 1002), PRESENT),
        ObjectStates("hero", FrameRange(1003, 1005), UNCERTAIN),
    )
    shot = make_shot(tmp_path, states=states)

    told = run_with_pyblish(SCRIPTS / "lite_window.py", tmp_path, shot.mattes)

    assert told["shots"] == ["shot"]
    assert list(told["failed"]) == ["ValidateMaskletReviewed"]
    assert "1003-1005" in told["failed"]["ValidateMaskletReviewed"]
    assert told["failed_after_accepting"] == told["failed_at_the_end"] == {}
    manifest = read_manifest(Path(told["published"][0]))
    assert [one.frames for one in manifest.accepted] == [(FrameRange(1003, 1005),)]
    picture = cv2.imread(str(tmp_path / "validated.png"))
    assert picture is not None
    # A red square beside the check that failed, green ones beside the others.
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    assert int(((red > 200) & (green < 100) & (blue < 100)).sum()) > 50
    assert int(((green > 140) & (red < 150) & (blue < 80)).sum()) > 500


def test_what_cannot_be_accepted_keeps_the_shot_from_being_published(
    run_with_pyblish: RunWithPyblish, tmp_path: Path
) -> None:
    shot = make_shot(tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),))
    shot.matte(1003).unlink()

    told = run_with_pyblish(SCRIPTS / "lite_window.py", tmp_path, shot.mattes)

    assert set(told["failed"]) == {"ValidateMaskletRangeComplete", "ValidateMaskletReviewed"}
    assert set(told["failed_after_accepting"]) == {"ValidateMaskletRangeComplete"}
    assert not (tmp_path / "published").exists()


def test_reads_of_a_nuke_script_lead_to_their_shots(run_with_pyblish: RunWithPyblish, tmp_path: Path) -> None:
    one, other = make_shot(tmp_path / "one"), make_shot(tmp_path / "other")
    reads = [
        one.mattes / "shot_mattes.%04d.exr",
        one.mattes / "shot_mattes.####.exr",
        other.matte(1003),
        one.plate / "plate.%04d.exr",
        "",
    ]

    told = run_with_pyblish(SCRIPTS / "collect_in_nuke.py", *reads)

    assert told["folders"] == [str(one.mattes), str(other.mattes)]


def test_a_version_is_published_files_of_shotgrid_and_none_where_it_refuses(
    run_with_pyblish: RunWithPyblish, tmp_path: Path
) -> None:
    shot = make_shot(tmp_path)

    told = run_with_pyblish(SCRIPTS / "publish_to_shotgrid.py", shot.mattes, tmp_path)

    (file,) = told["files"]
    assert (file["code"], file["version_number"]) == ("shot_mattes.%04d.exr v001", 1)
    assert file["path"]["local_path"] == str(tmp_path / "published/shot/v001/shot_mattes.%04d.exr")
    assert "no shot 999" in told["unknown_shot"]
    assert told["refused_left"] == ["v001"]


def test_the_repair_of_lost_mattes_is_the_command_that_makes_them_again(
    run_with_pyblish: RunWithPyblish, tmp_path: Path
) -> None:
    shot = make_shot(tmp_path)
    shot.matte(1003).unlink()
    # Stands in for masklet's Python: it writes down how it was called.
    python = tmp_path / "python"
    called = tmp_path / "called.json"
    python.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(called)!r}, 'w'))\n"
    )
    python.chmod(0o755)
    if os.name == "nt":
        pytest.skip("a script is no program there")

    told = run_with_pyblish(SCRIPTS / "repair.py", shot.mattes, environment={"MASKLET_PYTHON": str(python)})

    record = str(shot.mattes / "shot.shot.json")
    assert json.loads(called.read_text()) == [
        *("-I", "-m", "masklet", "rebuild", record),
        *("--out", str(shot.mattes), "--replace"),
    ]
    assert told["repaired"]


@pytest.mark.parametrize("version", ["4.2", "5.2"])
def test_pictures_of_a_blend_file_lead_to_their_shots(
    version: str, pyblish_python: Path, tmp_path: Path
) -> None:
    blender = blender_wheel(version)
    shot = make_shot(tmp_path)
    user = tmp_path / "user"
    user.mkdir()
    packages = next((pyblish_python.parents[1] / "lib").glob("python*/site-packages/pyblish")).parent

    told = blender.run(
        SCRIPTS / "collect_in_blender.py", packages, shot.matte(1001), shot.plate, user_folder=user
    )

    assert told["folders"] == [str(shot.mattes)]
