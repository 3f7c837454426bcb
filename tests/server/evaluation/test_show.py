from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fakes import annotated_sets as sets
from masklet.errors import BadInputError, ClipError, MaskletError, OutputError
from masklet.events import MatteFormat
from masklet.prompts import Shot, read_shot, write_shot
from masklet.types import Click, ClipInfo, FramePrompts, FrameRange, ObjectInfo, Presence, PromptDocument
from masklet_server.evaluation.command import add_commands
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.mattes.export import render_mattes
from masklet_server.mattes.files import write_files
from masklet_server.tracking import ObjectFrame

FIRST, LAST = 1001, 1006
OBJECTS = (ObjectInfo(1, "hero", (1001, 1004)), ObjectInfo(2, "2nd car", (1001,)))


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    add_commands(app)
    return app


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A folder with the plate, its prompt document, and nothing else."""
    sets.write_pictures(tmp_path / "plate", range(6))
    for path in sorted((tmp_path / "plate").iterdir(), reverse=True):
        path.rename(path.with_name(f"plate.{int(path.stem) + FIRST}.jpg"))
    click = Click(20.5, 20.5)
    prompts = (
        FramePrompts(1, 1001, (click,)),
        FramePrompts(1, 1004, (click,)),
        FramePrompts(2, 1001, (click,)),
    )
    write_shot(tmp_path / "shot.json", Shot("plate.%04d.jpg", PromptDocument(OBJECTS, prompts)))
    return tmp_path


def write_mattes(
    folder: Path, matte_format: MatteFormat, *, untracked: Collection[tuple[int, int]] = ()
) -> None:
    """Mattes of both objects on all frames, but for those pairs of object and frame."""
    clip = ClipInfo("plate.%04d.jpg", sets.WIDTH_PX, sets.HEIGHT_PX, FIRST, LAST)
    folder.mkdir(exist_ok=True)
    results = MemoryResults()
    for frame in range(FIRST, LAST + 1):
        for one in OBJECTS:
            if (one.object_id, frame) in untracked:
                continue
            logits = np.where(sets.square(one.object_id, frame - FIRST), 12, -12).astype(np.float16)
            results.put(
                ObjectFrame(one.object_id, frame, logits, 5.0, 0.9, Presence.PRESENT, np.zeros(2, np.float16))
            )
    frames = range(FIRST, LAST + 1)
    list(write_files(folder, render_mattes(clip, OBJECTS, results, frames, matte_format=matte_format)))


def export(app: typer.Typer, shot: Path, *more: str) -> MaskletError | None:
    result = CliRunner().invoke(
        app,
        [
            *("dataset", "export", str(shot / "shot.json")),
            *("--clip", str(shot / "plate" / "plate.%04d.jpg")),
            *("--mattes", str(shot / "mattes"), "--out", str(shot / "set"), "--name", "sh010"),
            *more,
        ],
    )
    assert result.exception is None or isinstance(result.exception, MaskletError), result.exception
    return result.exception


@pytest.mark.parametrize("matte_format", list(MatteFormat))
def test_a_finished_shot_becomes_a_data_set_that_opens(
    app: typer.Typer, shot: Path, matte_format: MatteFormat
) -> None:
    write_mattes(shot / "mattes", matte_format)

    assert export(app, shot, "--seconds", "hero=90") is None

    clip = open_dataset(shot / "set")[0]
    assert clip.annotated_frames == (0, 1, 2, 3, 4, 5)
    assert np.array_equal(clip.read_truth(3).masks[1], sets.square(1, 3))
    assert np.array_equal(clip.read_truth(5).masks[2], sets.square(2, 5))
    assert np.abs(clip.source.read(4).astype(int) - sets.picture(4)).mean() < 12
    content = json.loads((shot / "set" / "sh010_manual.json").read_text())
    assert content["masklet_edited_frames"] == [[0, 3], [0]]
    assert content["masklet_edited_frame_count"] == [2, 1]
    assert content["masklet_edit_seconds"] == [90.0, None]
    assert sorted(path.name for path in (shot / "set").iterdir()) == ["sh010", "sh010_manual.json"]


@pytest.mark.parametrize("matte_format", list(MatteFormat))
def test_frames_that_were_never_tracked_are_unannotated_and_not_called_absent(
    app: typer.Typer, shot: Path, matte_format: MatteFormat
) -> None:
    nobody = {(one.object_id, 1005) for one in OBJECTS}
    write_mattes(shot / "mattes", matte_format, untracked={(2, 1003), *nobody})

    assert export(app, shot) is None

    (clip,) = open_dataset(shot / "set")
    assert clip.annotated_frames == (0, 1, 2, 3, 5)
    assert len(clip.frames) == 6
    assert clip.read_truth(2).masks.keys() == {1}
    assert clip.read_truth(3).masks.keys() == {1, 2}
    content = json.loads((shot / "set" / "sh010_manual.json").read_text())
    assert content["masklet"][4] == [None, None]
    assert content["masklet_frame_count"] == [5, 4]


def test_the_range_of_the_prompt_document_is_the_video(app: typer.Typer, shot: Path) -> None:
    write_mattes(shot / "mattes", MatteFormat.EXR_LAYERS)
    document = read_shot(shot / "shot.json")
    write_shot(shot / "shot.json", replace(document, frames=FrameRange(1002, 1004)))

    assert export(app, shot) is None

    (clip,) = open_dataset(shot / "set")
    assert (len(clip.frames), clip.annotated_frames) == (3, (0, 1, 2))
    assert np.array_equal(clip.read_truth(0).masks[1], sets.square(1, 1))
    content = json.loads((shot / "set" / "sh010_manual.json").read_text())
    # The prompt on 1001 lies before it.
    assert content["masklet_edited_frames"] == [[2], []]

    write_shot(shot / "shot.json", replace(document, frames=FrameRange(1002, 1100)))
    error = export(app, shot, "--name", "sh020")
    assert isinstance(error, BadInputError)
    assert "tracks 1002-1100, the plate has 1001-1006" in str(error)


def test_every_fourth_frame_is_annotated_on_request(app: typer.Typer, shot: Path) -> None:
    write_mattes(shot / "mattes", MatteFormat.PNG16)

    export(app, shot, "--step", "4")

    clip = open_dataset(shot / "set")[0]
    assert (clip.annotated_frames, len(clip.frames)) == ((0, 4), 6)
    assert np.array_equal(clip.read_truth(4).masks[1], sets.square(1, 4))


def test_a_second_shot_does_not_replace_the_first(app: typer.Typer, shot: Path) -> None:
    write_mattes(shot / "mattes", MatteFormat.PNG8)

    assert export(app, shot) is None
    before = (shot / "set" / "sh010_manual.json").read_bytes()
    error = export(app, shot)

    assert isinstance(error, OutputError)
    assert "already" in str(error)
    assert (shot / "set" / "sh010_manual.json").read_bytes() == before


def test_nothing_is_left_when_the_plate_cannot_be_read_to_its_end(app: typer.Typer, shot: Path) -> None:
    write_mattes(shot / "mattes", MatteFormat.PNG16)
    (shot / "plate" / "plate.1005.jpg").write_bytes(b"\xff\xd8\xff damaged")

    error = export(app, shot)

    assert isinstance(error, ClipError)
    assert list((shot / "set").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--seconds", "villain=3"], "no object villain"),
        (["--seconds", "hero=long"], "no time in seconds"),
        (["--name", "../out"], "cannot name a video"),
    ],
)
def test_a_wrong_argument_of_an_export_is_told(
    app: typer.Typer, shot: Path, more: list[str], words: str
) -> None:
    write_mattes(shot / "mattes", MatteFormat.PNG16)

    error = export(app, shot, *more)

    assert isinstance(error, BadInputError)
    assert words in str(error)


def test_a_folder_without_mattes_is_told(app: typer.Typer, shot: Path) -> None:
    (shot / "mattes").mkdir()

    error = export(app, shot)

    assert isinstance(error, BadInputError)
    assert "no mattes of hero, obj_2nd_car" in str(error)


def test_a_damaged_matte_is_told_by_name(app: typer.Typer, shot: Path) -> None:
    write_mattes(shot / "mattes", MatteFormat.PNG16)
    damaged = next((shot / "mattes" / "hero").glob("*.1003.png"))
    damaged.write_bytes(damaged.read_bytes()[:60])

    error = export(app, shot)

    assert isinstance(error, BadInputError)
    assert damaged.name in str(error)


def test_checking_names_every_fault(app: typer.Typer, tmp_path: Path) -> None:
    root = sets.write_davis_2017(tmp_path)
    masks = root / "Annotations" / "480p" / "walk"
    (masks / "00002.png").write_bytes(b"")
    sets.write_palette(masks / "00003.png", np.ones((8, 8), np.uint8))
    (root / "JPEGImages" / "480p" / "run" / "00001.jpg").write_bytes(b"")

    result = CliRunner().invoke(app, ["dataset", "check", str(root)])

    assert result.exit_code == 1
    assert "walk/00002.png cannot be read" in result.output
    assert "frame 3 of walk has 8 x 8 pixels" in result.output
    assert "mask but no picture" not in result.output
    assert "00001.jpg of run cannot be read" in result.output
    assert "2 sequences, 3 faults" in result.output


def test_a_sound_data_set_passes_and_is_counted(app: typer.Typer, tmp_path: Path) -> None:
    root = sets.write_sa_v_train(tmp_path)

    checked = CliRunner().invoke(app, ["dataset", "check", str(root)])
    counted = CliRunner().invoke(app, ["dataset", "stats", str(root)])

    assert checked.exit_code == 0
    assert "no fault" in checked.output
    lines = dict(line.split(": ") for line in counted.output.splitlines())
    assert (lines["clips"], lines["frames"], lines["annotated_frames"], lines["masks"]) == (
        "1",
        "10",
        "3",
        "6",
    )
    assert (lines["objects"], lines["manual_objects"], lines["edited_frames"]) == ("2", "2", "3")
    assert (lines["vanishing_objects"], lines["edit_seconds"]) == ("0", "not recorded")
