"""The document of a plate as a file: what hosts keep in it, and what the command line makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from host_contract import LOCKED, SECOND
from masklet.errors import BadInputError, OutputError
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate, Look, with_document
from masklet.hosting.notices import ChangedMeanwhileError
from masklet.hosting.ports import KeptSession
from masklet.hosting.shown.palette import PALETTE
from masklet.prompts import PlateShape, Shot, read_shot, write_shot
from masklet.said.documents import from_prompts, to_prompts
from masklet.types import FrameRange


@pytest.fixture
def plate(tmp_path: Path) -> KeptPlate:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    return KeptPlate(
        str(tmp_path / "plate.%04d.png"),
        "plate-uid",
        shape=PlateShape(64, 36, FrameRange(1001, 1010)),
        document=(LOCKED, SECOND),
        looks={"u1": Look((0.25, 0.5, 1.0), is_shown=False), "u2": Look(PALETTE[3])},
        states={"u1": "[[1001, 1004]]", "u2": ""},
        session=KeptSession("session7", "0123456789abcdef", "/plates/plate.%04d.png"),
    )


def test_a_document_comes_back_as_it_was_written(plate: KeptPlate, tmp_path: Path) -> None:
    file = kept_plate.document_beside(plate.path)
    kept_plate.write(file, plate, "")
    assert file == tmp_path / "plate.masklet.json"
    assert kept_plate.read(file)[0] == plate


def test_the_command_line_reads_what_was_said_in_a_hosts_document(plate: KeptPlate, tmp_path: Path) -> None:
    file = tmp_path / "shot.masklet.json"
    kept_plate.write(file, plate, "")
    shot = read_shot(file)
    assert shot.document == to_prompts(plate.document)
    assert shot.plate == plate.shape
    assert shot.clip == "plate.%04d.png"


def test_a_document_of_the_command_line_opens_without_anything_that_hosts_keep(
    plate: KeptPlate, tmp_path: Path
) -> None:
    file = tmp_path / "shot.json"
    write_shot(file, Shot("plate.%04d.png", to_prompts(plate.document), plate=plate.shape))
    opened, _ = kept_plate.read(file)
    assert [said.name for said in opened.document] == ["hero", "Ente"]
    assert opened.document[0].frames == LOCKED.frames
    assert opened.path == plate.path
    assert opened.uid
    assert opened.session == KeptSession()


def test_objects_that_the_command_line_added_are_taken_by_their_names(
    plate: KeptPlate, tmp_path: Path
) -> None:
    file = tmp_path / "shot.masklet.json"
    kept_plate.write(file, plate, "")
    content = json.loads(file.read_text())
    content["objects"].append({"name": "third", "frames": []})
    file.write_text(json.dumps(content))
    opened, _ = kept_plate.read(file)
    assert [said.name for said in opened.document] == ["hero", "Ente", "third"]
    assert len({said.uid for said in opened.document}) == 3


def test_a_document_and_its_clip_may_be_moved_together(plate: KeptPlate, tmp_path: Path) -> None:
    kept_plate.write(tmp_path / "plate.masklet.json", plate, "")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("plate.masklet.json", "plate.1001.png"):
        (tmp_path / name).rename(elsewhere / name)
    assert kept_plate.read(elsewhere / "plate.masklet.json")[0].path == str(elsewhere / "plate.%04d.png")


def test_a_document_that_was_moved_alone_finds_its_clip_where_it_was(
    plate: KeptPlate, tmp_path: Path
) -> None:
    kept_plate.write(tmp_path / "plate.masklet.json", plate, "")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "plate.masklet.json").rename(elsewhere / "plate.masklet.json")
    assert kept_plate.read(elsewhere / "plate.masklet.json")[0].path == plate.path


def test_nothing_is_written_over_what_somebody_else_wrote_meanwhile(plate: KeptPlate, tmp_path: Path) -> None:
    file = tmp_path / "plate.masklet.json"
    stamp = kept_plate.write(file, plate, "")
    _, read_stamp = kept_plate.read(file)
    assert read_stamp == stamp
    theirs = replace(plate, document=(SECOND,))
    kept_plate.write(file, theirs, stamp)
    with pytest.raises(ChangedMeanwhileError, match="changed by somebody else"):
        kept_plate.write(file, plate, stamp)
    with pytest.raises(ChangedMeanwhileError):
        kept_plate.write(file, plate, "")
    assert kept_plate.read(file)[0].document == (SECOND,)
    kept_plate.write(file, plate, None)
    assert kept_plate.read(file)[0] == plate


def test_a_document_that_was_deleted_is_written_again(plate: KeptPlate, tmp_path: Path) -> None:
    file = tmp_path / "plate.masklet.json"
    stamp = kept_plate.write(file, plate, "")
    file.unlink()
    kept_plate.write(file, plate, stamp)
    assert kept_plate.read(file)[0] == plate


def test_a_folder_that_is_gone_is_told_and_leaves_nothing_behind(plate: KeptPlate, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        kept_plate.write(tmp_path / "gone" / "plate.masklet.json", plate, "")
    assert [path.name for path in tmp_path.iterdir()] == ["plate.1001.png"]


@pytest.mark.parametrize("kept", [{"objects": [{"uid": "u1"}, {}]}, {"objects": 7}, {"session": 3}])
def test_what_was_damaged_is_told_by_its_key(plate: KeptPlate, tmp_path: Path, kept: object) -> None:
    file = tmp_path / "plate.masklet.json"
    kept_plate.write(file, plate, "")
    content = json.loads(file.read_text())
    content["kept"] = kept
    file.write_text(json.dumps(content))
    with pytest.raises(BadInputError, match="take the key kept out of it"):
        kept_plate.read(file)


def test_another_document_keeps_the_colours_of_objects_that_stay(plate: KeptPlate) -> None:
    third = replace(SECOND, uid="u3", name="third")
    changed = with_document(plate, (SECOND, third))
    assert changed.look("u2") == Look(PALETTE[3])
    assert changed.look("u3").colour not in (PALETTE[3],)
    assert "u1" not in changed.looks
    assert "u1" not in changed.states


def test_a_plate_of_sixteen_objects_repeats_colours_rather_than_running_out() -> None:
    document = from_prompts(to_prompts(tuple(replace(SECOND, name=f"o{n}") for n in range(16))), {})
    assert len(with_document(KeptPlate("/plates/p.mov"), document).looks) == 16
