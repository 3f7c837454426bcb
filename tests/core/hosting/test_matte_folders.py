from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from masklet.deliveries import NOTE_SUFFIX, PastDelivery, PastRun, RunMark
from masklet.delivery_note import note_path, read_note, write_note
from masklet.hosting.matte_folders import MARKER, Delivered, Delivery, Owner
from masklet.types import FrameRange


@pytest.fixture
def blend(tmp_path: Path) -> Path:
    file = tmp_path / "shot_v001.blend"
    file.touch()
    return file


@pytest.fixture
def owner(blend: Path) -> Owner:
    return Owner("plate uid", "fingerprint", str(blend))


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    return tmp_path / "masklet" / "shot_v001" / "plate"


def rendered(delivery: Delivery, frames: Iterable[int], text: str, name: str = "ball") -> tuple[Path, ...]:
    folder = delivery.staging / name
    folder.mkdir(exist_ok=True)
    files = tuple(folder / f"plate_{name}.{frame}.exr" for frame in frames)
    for file in files:
        file.write_text(text)
    return files


def deliver(
    wanted: Path, owner: Owner, frames: Iterable[int], text: str, *, uid: str = "u1", name: str = "ball"
) -> Delivered:
    with Delivery(wanted, owner) as delivery:
        return delivery.deliver({uid: rendered(delivery, frames, text, name)}, {})


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(folder.rglob("*.exr"))}


def test_mattes_come_to_their_folder_which_says_whose_it_is(wanted: Path, owner: Owner) -> None:
    delivered = deliver(wanted, owner, range(1001, 1004), "first")
    assert delivered.folder == wanted
    assert delivered.reason == ""
    assert [file.name for file in delivered.files["u1"]] == [f"plate_ball.{n}.exr" for n in range(1001, 1004)]
    assert all(file.read_text() == "first" for file in delivered.files["u1"])
    marker = json.loads((wanted / MARKER).read_text())
    assert marker["file"] == "../../../shot_v001.blend"
    assert [path.name for path in wanted.parent.iterdir()] == ["plate"]


def test_the_same_frames_again_bring_the_sequence_up_to_date_in_its_place(wanted: Path, owner: Owner) -> None:
    deliver(wanted, owner, range(1001, 1004), "first")
    again = deliver(wanted, owner, range(1001, 1006), "second")
    assert again.folder == wanted
    assert set(texts(wanted).values()) == {"second"}
    assert len(texts(wanted)) == 5


def test_fewer_frames_delete_nothing_and_go_into_the_next_version(wanted: Path, owner: Owner) -> None:
    deliver(wanted, owner, range(1001, 1013), "whole")
    fewer = deliver(wanted, owner, [1003], "one")
    assert fewer.folder == wanted.with_name("plate_v002")
    assert "plate holds frames that have no matte now" in fewer.reason
    assert set(texts(wanted).values()) == {"whole"}
    assert len(texts(wanted)) == 12
    # The version that is in use goes on, and the first is never touched again.
    deliver(wanted, owner, range(1001, 1013), "whole again")
    assert set(texts(wanted).values()) == {"whole"}
    assert set(texts(fewer.folder).values()) == {"whole again"}


@pytest.mark.parametrize(
    "other", [Owner("another plate", "fingerprint"), Owner("plate uid", "another grade")]
)
def test_mattes_of_another_plate_of_that_name_are_left_alone(
    wanted: Path, owner: Owner, other: Owner
) -> None:
    deliver(wanted, other, range(1001, 1004), "theirs")
    ours = deliver(wanted, owner, range(1001, 1004), "ours")
    assert ours.folder == wanted.with_name("plate-2")
    assert "another plate or file" in ours.reason
    assert set(texts(wanted).values()) == {"theirs"}
    assert deliver(wanted, owner, range(1001, 1004), "ours again").folder == ours.folder


def test_another_version_of_the_file_does_not_write_into_the_same_folder(
    wanted: Path, owner: Owner, tmp_path: Path
) -> None:
    deliver(wanted, owner, [1001], "of v001")
    second = tmp_path / "shot_v002.blend"
    second.touch()
    other = Owner(owner.plate, owner.fingerprint, str(second))
    assert deliver(wanted, other, [1001], "of v002").folder == wanted.with_name("plate-2")
    assert texts(wanted) == {"plate_ball.1001.exr": "of v001"}


def test_a_moved_project_goes_on_in_its_own_folder(wanted: Path, owner: Owner, tmp_path: Path) -> None:
    deliver(wanted, owner, [1001], "before")
    project = tmp_path / "moved"
    project.mkdir()
    for name in ("masklet", "shot_v001.blend"):
        (tmp_path / name).rename(project / name)
    moved = project / "masklet" / "shot_v001" / "plate"
    there = Owner(owner.plate, owner.fingerprint, str(project / "shot_v001.blend"))
    assert deliver(moved, there, [1001], "after").folder == moved


def test_files_that_nobody_claimed_are_not_written_over_unless_the_document_knows_them(
    wanted: Path, owner: Owner
) -> None:
    (wanted / "ball").mkdir(parents=True)
    (wanted / "ball/plate_ball.1001.exr").write_text("by hand")
    (wanted / "notes.txt").write_text("reviewed")
    assert deliver(wanted, owner, [1001], "ours").folder == wanted.with_name("plate-2")
    earlier = [(wanted / "ball", "plate_ball.%04d.exr")]
    with Delivery(wanted, owner, earlier) as delivery:
        delivered = delivery.deliver({"u1": rendered(delivery, [1001, 1002], "ours")}, {})
    assert delivered.folder == wanted
    assert (wanted / "notes.txt").read_text() == "reviewed"


def test_an_object_that_takes_the_name_of_another_takes_no_file_of_it(wanted: Path, owner: Owner) -> None:
    deliver(wanted, owner, [1001], "the first ball", uid="u1")
    second = deliver(wanted, owner, [1001], "the second ball", uid="u2")
    assert second.folder == wanted.with_name("plate_v002")
    assert texts(wanted) == {"plate_ball.1001.exr": "the first ball"}


def test_what_was_interrupted_is_kept_where_nothing_was_and_replaces_nothing_by_halves(
    wanted: Path, owner: Owner
) -> None:
    deliver(wanted, owner, range(1001, 1005), "whole")
    with Delivery(wanted, owner) as delivery:
        hero = rendered(delivery, [1001, 1002], "new", "hero")
        ball = rendered(delivery, [1001, 1002], "half", "ball")
        # What an export says of its files is no matte.
        (delivery.staging / f"plate{NOTE_SUFFIX}").write_text("{}")
        assert set(delivery.part_of(hero)) == set(ball)
        delivered = delivery.deliver({"u2": hero}, {"u1": ball})
    assert set(delivered.files) == {"u2"}
    assert set(texts(wanted / "ball").values()) == {"whole"}
    fresh = wanted.with_name("other")
    with Delivery(fresh, owner) as delivery:
        part = delivery.part_of(rendered(delivery, [1001], "half"))
        assert part == ()
        assert len(delivery.deliver({}, {"u1": delivery.part_of([])}).files["u1"]) == 1
    assert not list(wanted.parent.rglob(".masklet-*"))


def test_the_note_tells_of_what_lies_there_and_not_of_what_was_dropped(wanted: Path, owner: Owner) -> None:
    def noted(delivery: Delivery, prompts: str, **complete: bool) -> None:
        told = {
            f"{name}/plate_{name}.%04d.exr": PastDelivery(
                "exr-per-object",
                (name,),
                64,
                36,
                (PastRun(RunMark(prompts), (FrameRange(1001, 1002),), complete=is_whole),),
            )
            for name, is_whole in complete.items()
        }
        write_note(note_path(delivery.staging, "plate"), told, {})

    with Delivery(wanted, owner) as delivery:
        noted(delivery, "first", ball=True)
        delivery.deliver({"u1": rendered(delivery, [1001, 1002], "whole")}, {}, known=("u1",))
    with Delivery(wanted, owner) as delivery:
        noted(delivery, "second", hero=True, ball=False)
        hero = rendered(delivery, [1001, 1002], "new", "hero")
        half = rendered(delivery, [1001], "half", "ball")
        delivered = delivery.deliver({"u2": hero}, {"u1": half}, known=("u1", "u2"))

    assert delivered.beside == ("u1",)
    note = read_note(note_path(wanted, "plate"))
    runs = {files.split("/")[0]: past.runs[0] for files, past in note.items()}
    assert {name: (run.mark.prompts_sha256, run.complete) for name, run in runs.items()} == {
        "ball": ("first", True),
        "hero": ("second", True),
    }


def test_what_brings_nothing_leaves_nothing(wanted: Path, owner: Owner) -> None:
    with Delivery(wanted, owner) as delivery:
        assert delivery.part_of([]) == ()
    assert not wanted.exists()


def test_a_folder_that_stands_alone_is_written_into_and_not_beside(wanted: Path, owner: Owner) -> None:
    wanted.mkdir(parents=True)
    with Delivery(wanted, owner) as delivery:
        assert delivery.staging.parent == wanted
    assert wanted.is_dir()


def test_a_damaged_marker_is_no_leave_to_write(wanted: Path, owner: Owner) -> None:
    deliver(wanted, owner, [1001], "theirs")
    (wanted / MARKER).write_text("[not ours")
    assert deliver(wanted, owner, [1001], "ours").folder == wanted.with_name("plate-2")
    assert texts(wanted) == {"plate_ball.1001.exr": "theirs"}
