"""What a dialog for publishing shows and does is one value, the same for every host."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.published_shot import FRAMES, UNCERTAIN, make_shot
from masklet.errors import BadInputError, OutputError
from masklet.publish import sheet as sheets
from masklet.publish.collected import Collected
from masklet.publish.integrating import Place, Published
from masklet.publish.publishing import NotReadyError
from masklet.publish.sheet import accepting, open_sheet, publish_sheet, rebuilt, shot_of
from masklet.publish.shot_record import ObjectStates
from masklet.publish.shots_of_files import ShotFolder


def shot_in(folder: Path, **given: object) -> ShotFolder:
    shot = make_shot(folder, **given)  # type: ignore[arg-type]
    return shot_of([f"{shot.mattes.as_posix()}/shot_mattes.%04d.exr"])


def test_a_sheet_shows_every_check_and_where_the_version_would_go(tmp_path: Path) -> None:
    shot = shot_in(tmp_path)

    sheet = open_sheet(shot)

    assert sheet.is_ready
    assert sheet.title == "Publish shot, version 1"
    assert sheet.folder == str(tmp_path / "published/shot/v001")
    assert sheet.text.count("ok  ") == len(sheet.lines) == 9
    assert not Path(sheet.folder).exists()


def test_what_was_looked_at_is_accepted_and_the_rest_stays(tmp_path: Path) -> None:
    shot = shot_in(
        tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),), frames_written=(1001, 1002, 1003, 1004)
    )
    sheet = open_sheet(shot)

    assert [problem.check for problem in sheet.problems] == ["range-complete", "reviewed"]
    assert [problem.check for problem in sheet.acceptable] == ["reviewed"]
    assert sheet.can_rebuild
    with pytest.raises(NotReadyError):
        publish_sheet(sheet)

    again = accepting(sheet, sheet.problems)
    assert [problem.check for problem in again.problems] == ["range-complete"]
    assert [problem.check for problem in open_sheet(shot).problems] == ["range-complete"]


def test_a_sheet_is_published_as_the_folder_is_at_that_moment(tmp_path: Path) -> None:
    shot = shot_in(tmp_path)
    sheet = open_sheet(shot)
    steps: list[tuple[int, int]] = []

    told = publish_sheet(
        sheet, comment="hair fixed", on_progress=lambda done, total: steps.append((done, total))
    )

    assert told == f"version 1 is {sheet.folder}"
    assert "hair fixed" in next(Path(sheet.folder).glob("*.version.json")).read_text(encoding="utf-8")
    assert steps[-1][0] == steps[-1][1] > 5
    assert open_sheet(shot).version == 2
    (shot.folder / "shot_mattes.1003.exr").unlink()
    with pytest.raises(NotReadyError, match="1003"):
        publish_sheet(sheet)


def test_mattes_that_were_made_again_are_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = shot_in(tmp_path, frames_written=(1001, 1002, 1003, 1004))

    def rebuild(which: ShotFolder) -> str:
        # As a run of masklet's own Python leaves it: the missing file is there.
        (which.folder / "shot_mattes.1005.exr").write_bytes(
            (which.folder / "shot_mattes.1004.exr").read_bytes()
        )
        return "done"

    monkeypatch.setattr(sheets, "rebuild_mattes", rebuild)

    assert rebuilt(open_sheet(shot)).is_ready


def test_where_nothing_can_make_them_again_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    shot = shot_in(tmp_path)
    (shot.folder / "shot.shot.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("MASKLET_PYTHON", sys.executable)

    with pytest.raises(OutputError):
        sheets.rebuild_mattes(shot)


def test_a_studios_own_place_is_asked_for(tmp_path: Path) -> None:
    class Studio:
        def next_place(self, collected: Collected) -> Place:
            return Place(tmp_path / "asset" / "v041", 41)

        def register(self, published: Published) -> str:
            return f"registered as {published.manifest.version}"

    sheet = open_sheet(shot_in(tmp_path), Studio())

    assert (sheet.version, sheet.folder) == (41, str(tmp_path / "asset/v041"))
    assert publish_sheet(sheet, integrator=Studio()) == "registered as 41"


def test_without_mattes_it_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="get the mattes, then publish"):
        shot_of([str(tmp_path / "nothing.%04d.exr")])
