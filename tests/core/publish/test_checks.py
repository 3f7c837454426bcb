"""What is asked of a version before it is published."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.published_shot import (
    FRAMES,
    PRESENT,
    UNCERTAIN,
    ShotOnDisk,
    document,
    make_shot,
    run_of,
    write_matte,
)
from masklet.errors import BadInputError
from masklet.prompts import Shot, write_shot
from masklet.prompts_digest import prompts_sha256
from masklet.publish.checks import CHECKS, validate
from masklet.publish.collected import Role, collect
from masklet.publish.picture_checks import pixel_aspect
from masklet.publish.picture_headers import read_header
from masklet.publish.problems import Problem, Repair, accept
from masklet.publish.shot_record import ObjectStates
from masklet.types import Click, FramePrompts, FrameRange, FrameState, ObjectInfo


def problems(shot: ShotOnDisk) -> dict[str, list[Problem]]:
    """What is wrong, by check."""
    found: dict[str, list[Problem]] = {}
    for problem in validate(collect(shot.mattes)):
        found.setdefault(problem.check, []).append(problem)
    return found


def test_a_whole_run_has_nothing_wrong_with_it(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)

    collected = collect(shot.mattes)

    assert validate(collected) == ()
    assert [(part.files, part.role) for part in collected.parts] == [
        ("shot.nk", Role.EXPORT),
        ("shot.shot.json", Role.PROVENANCE),
        ("shot_mattes.%04d.exr", Role.MATTES),
    ]


def test_every_problem_names_its_own_check() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) == 9


def test_a_frame_without_a_file_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    shot.matte(1003).unlink()

    (problem,) = problems(shot)["range-complete"]

    assert problem.frames == (FrameRange(1003, 1003),)
    assert problem.repair is Repair.REBUILD


def test_a_hole_is_told_once_and_with_its_reason_and_may_be_accepted(tmp_path: Path) -> None:
    hole = {"object": "hero", "first_frame": 1004, "last_frame": 1005, "reason": "behind-cut", "cut": 1004}
    shot = make_shot(tmp_path, holes=(hole,), frames_written=(1001, 1002, 1003))

    (problem,) = problems(shot)["range-complete"]
    assert "behind cut" in problem.words
    assert problem.frames == (FrameRange(1004, 1005),)

    accept(collect(shot.mattes), [problem])
    assert problems(shot) == {}


def test_a_frame_without_a_picture_of_the_plate_needs_no_matte(tmp_path: Path) -> None:
    hole = {"object": "hero", "first_frame": 1002, "last_frame": 1002, "reason": "no-picture", "cut": None}
    shot = make_shot(tmp_path, holes=(hole,), frames_written=(1001, 1003, 1004, 1005))

    assert problems(shot) == {}


def test_files_beyond_the_range_are_of_another_run(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    write_matte(shot.matte(1009), run_of(document()))

    (problem,) = problems(shot)["range-complete"]

    assert problem.frames == (FrameRange(1009, 1009),)
    assert problem.repair is None


@pytest.mark.parametrize("settled", [FrameState.LOCKED, FrameState.CORRECTED])
def test_an_uncertain_frame_wants_somebody_to_have_looked(tmp_path: Path, settled: FrameState) -> None:
    states = (
        ObjectStates("hero", FrameRange(1001, 1002), PRESENT),
        ObjectStates("hero", FrameRange(1003, 1003), UNCERTAIN),
        ObjectStates("hero", FrameRange(1004, 1005), UNCERTAIN | {settled}),
    )
    shot = make_shot(tmp_path, states=states)

    (problem,) = problems(shot)["reviewed"]

    assert (problem.object_name, problem.frames) == ("hero", (FrameRange(1003, 1003),))
    assert problem.repair is Repair.ACCEPT


def test_what_was_accepted_holds_for_these_frames_and_these_prompts_only(tmp_path: Path) -> None:
    shot = make_shot(tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),))
    collected = collect(shot.mattes)
    (problem,) = validate(collected)
    accept(collected, [replace(problem, frames=(FrameRange(1001, 1003),))])

    (left,) = problems(shot)["reviewed"]
    assert left.frames == (FrameRange(1004, 1005),)

    again = collect(shot.mattes)
    other = replace(again.record.run, prompts_sha256="f" * 64)
    kept = replace(again, record=replace(again.record, run=other))
    assert [one.frames for one in validate(kept) if one.check == "reviewed"] == [(FRAMES,)]


def test_what_cannot_be_accepted_stays_a_problem(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    shot.matte(1003).unlink()
    collected = collect(shot.mattes)

    accept(collected, list(validate(collected)))

    assert set(problems(shot)) == {"range-complete"}


def test_stale_frames_are_to_be_tracked_again(tmp_path: Path) -> None:
    shot = make_shot(tmp_path, states=(ObjectStates("hero", FRAMES, PRESENT | {FrameState.STALE}),))

    (problem,) = problems(shot)["reviewed"]

    assert problem.repair is Repair.REBUILD


def test_a_matte_of_another_size_aspect_colour_or_layer_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    run = run_of(document())
    write_matte(shot.matte(1001), run, width_px=8)
    write_matte(shot.matte(1002), run, pixel_aspect=2.0)
    write_matte(shot.matte(1003), run, layers=["villain"])
    words = {
        "masklet/promptsSha256": run.prompts_sha256,
        "masklet/weightsSha256": run.weights_sha256,
        "masklet/settings": run.settings,
        "colorInteropID": "lin_rec709_scene",
    }
    write_matte(shot.matte(1004), run, words=words)

    found = problems(shot)

    assert {name: [one.frames[0].first for one in own] for name, own in found.items()} == {
        "resolution": [1001],
        "pixel-aspect": [1002],
        "names": [1003],
        "colour-space": [1004],
    }
    assert "8 x 8 pixels and the plate 16 x 8" in found["resolution"][0].words
    assert "villain" in found["names"][0].words


def test_mattes_of_other_prompts_are_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    write_matte(shot.matte(1002), replace(run_of(document()), prompts_sha256="a" * 64))

    (problem,) = problems(shot)["prompts-match"]

    assert "other prompts" in problem.words
    assert problem.frames == (FrameRange(1002, 1002),)


def test_a_prompt_document_that_has_changed_since_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    same, other = tmp_path / "same.json", tmp_path / "other.json"
    write_shot(same, Shot("plate", document()))
    corrected = replace(document(), prompts=(FramePrompts(1, 1001, (Click(5.0, 4.0),)),))
    write_shot(other, Shot("plate", corrected))

    assert validate(collect(shot.mattes, prompts=same)) == ()
    (problem,) = validate(collect(shot.mattes, prompts=other))
    assert "other.json has changed" in problem.words


def test_a_plate_that_was_written_after_its_matte_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    os.utime(shot.plate / "plate.1004.exr")
    later = shot.matte(1004).stat().st_mtime + 60
    os.utime(shot.plate / "plate.1004.exr", (later, later))

    (problem,) = problems(shot)["nothing-newer"]

    assert problem.frames == (FrameRange(1004, 1004),)


def test_a_plate_that_is_gone_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    shot.plate.rename(tmp_path / "elsewhere")

    (problem,) = problems(shot)["nothing-newer"]

    assert "not where it was" in problem.words


def test_a_file_that_is_cut_off_damaged_or_changed_by_hand_is_told(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    shot.matte(1002).write_bytes(shot.matte(1002).read_bytes()[:-1])
    shot.matte(1003).write_bytes(b"v/1\x01")
    shot.script.write_text("Blur {}\n")

    found = problems(shot)["files-as-written"]

    assert [one.frames[0].first if one.frames else None for one in found] == [None, 1002, 1003]
    assert "changed by hand" in found[0].words
    assert found[0].repair is None


def test_a_folder_without_a_record_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="masklet roto"):
        collect(tmp_path)


def test_of_several_shots_one_is_to_be_named(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    (shot.mattes / "other.shot.json").write_text("{}")

    with pytest.raises(BadInputError, match="--name"):
        collect(shot.mattes)
    assert collect(shot.mattes, "shot").name == "shot"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"masklet_shot": 1}', '{"masklet_shot": 9}', '{"masklet_shot": "a"}']
)
def test_a_damaged_record_is_one_sentence(tmp_path: Path, text: str) -> None:
    shot = make_shot(tmp_path)
    (shot.mattes / "shot.shot.json").write_text(text)

    with pytest.raises(BadInputError, match="record"):
        collect(shot.mattes)


def test_objects_that_were_not_written_are_nobodys_worry(tmp_path: Path) -> None:
    states = (ObjectStates("hero", FRAMES, PRESENT), ObjectStates("villain", FRAMES, UNCERTAIN))
    hole = {
        "object": "villain",
        "first_frame": 1001,
        "last_frame": 1005,
        "reason": "not-tracked",
        "cut": None,
    }
    collected = collect(make_shot(tmp_path, states=states, holes=(hole,)).mattes)
    record = collected.record
    both = replace(
        record.shot.document, objects=(*record.shot.document.objects, ObjectInfo(2, "villain", (1001,)))
    )
    run = replace(record.run, prompts_sha256=prompts_sha256(both))

    def with_written(*names: str) -> list[str]:
        told = replace(
            record,
            run=run,
            shot=replace(record.shot, document=both),
            mattes=replace(record.mattes, objects=names),
        )
        found = validate(replace(collected, record=told))
        return [one.check for one in found if one.object_name == "villain"]

    assert with_written("hero") == []
    assert with_written() == ["range-complete", "reviewed"]


@pytest.mark.parametrize("aspect", [1.0, 2.0, 1.4587, 0.9091, 1.25])
def test_a_png_keeps_its_aspect_as_well_as_it_can(tmp_path: Path, aspect: float) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    collected = collect(make_shot(tmp_path).mattes)
    spec = oiio.ImageSpec(16, 8, 1, "uint16")
    spec.attribute("PixelAspectRatio", aspect)
    written = oiio.ImageOutput.create(str(tmp_path / "matte.png"))
    assert written.open(str(tmp_path / "matte.png"), spec)
    assert written.write_image(oiio.ImageBuf(spec).get_pixels())
    written.close()
    header = read_header(tmp_path / "matte.png")

    def asked(plates: float) -> list[Problem]:
        part = replace(collected.pictures[0], kind="png16", headers={1001: header})
        plate = replace(collected.record.plate, pixel_aspect=plates)
        record = replace(collected.record, plate=plate)
        return list(pixel_aspect(replace(collected, parts=(part,), record=record)))

    assert asked(aspect) == []
    assert len(asked(aspect * 1.1)) == 1
