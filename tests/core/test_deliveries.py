"""Files of another run are never replaced in silence."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from masklet.deliveries import Delivery, Existing, ExportPlan, RunMark
from masklet.delivery_folder import DeliveryFolder, make_next_version, next_version
from masklet.delivery_note import MAX_BYTES, note_path, read_note
from masklet.errors import BadInputError, ExistingFilesError, OutputError, PathNotAllowedError
from masklet.events import ExportEvent, ExportFinished, FileChunk, FileWritten
from masklet.holes import Hole, HoleReason
from masklet.matte_files import read_plan, receive, write_chunks
from masklet.types import FrameRange

OURS = b"v/1\x01 header \0masklet/promptsSha256\0string\0@\0\0\0 pixels"
RUN = RunMark("aa" * 32, "embedded", "bb" * 32, '{"profile": "near"}')
MATTES = Delivery("shot_mattes.%04d.exr", "exr", ("hero", "car"), 64, 48, FrameRange(1001, 1004))
PLAN = ExportPlan("shot", RUN, (MATTES,))


def frames(plan: ExportPlan, *numbers: int) -> list[ExportEvent]:
    """What a server sends that writes these frames of the plan's first delivery."""
    (delivery, *_) = plan.deliveries
    chunks = [
        FileChunk(
            delivery.files % frame, OURS + str(plan.run).encode(), len(OURS + str(plan.run).encode()), True
        )
        for frame in numbers
    ]
    return [plan, *chunks, ExportFinished(len(numbers))]


def wrote(folder: Path, plan: ExportPlan = PLAN, *numbers: int, existing: Existing = Existing.KEEP) -> None:
    receive(frames(plan, *(numbers or (1001, 1002, 1003, 1004))), folder, existing=existing)


def changed(**fields: object) -> ExportPlan:
    """The plan with another delivery."""
    return replace(PLAN, deliveries=(replace(MATTES, **fields),))  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def test_the_same_run_may_write_over_its_own_files(tmp_path: Path) -> None:
    wrote(tmp_path)
    first = contents(tmp_path)
    wrote(tmp_path)

    assert contents(tmp_path) == first
    assert sorted(first) == [
        "shot.masklet.json",
        *(f"shot_mattes.{frame}.exr" for frame in range(1001, 1005)),
    ]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (changed(layers=("hero",)), "the layer car would be gone"),
        (changed(layers=("hero", "car", "dog")), "without the layer dog"),
        (changed(width_px=128, height_px=96), "with 64 x 48 pixels, not 128 x 96"),
        (changed(kind="cryptomatte"), "in the format exr, not cryptomatte"),
        (changed(frames=FrameRange(1001, 1002)), "frames 1003-1004 of the earlier run would stay"),
        (replace(PLAN, run=replace(RUN, prompts_sha256="cc" * 32)), "made from other prompts"),
        (replace(PLAN, run=replace(RUN, settings="{}")), "made with other settings"),
        (replace(PLAN, run=replace(RUN, model="large")), "made with other weights"),
    ],
)
def test_another_run_says_what_it_would_change_and_stops(
    tmp_path: Path, plan: ExportPlan, words: str
) -> None:
    wrote(tmp_path)
    before = contents(tmp_path)

    with pytest.raises(ExistingFilesError) as refused:
        wrote(tmp_path, plan, 1001)

    sentence = str(refused.value)
    assert words in sentence
    assert "shot_mattes.####.exr is there already, frames 1001-1004" in sentence
    for way in ("--version", "v001", "--replace", "merge the layers"):
        assert way in sentence
    assert contents(tmp_path) == before


def test_a_wider_range_of_the_same_run_goes_on_with_the_sequence(tmp_path: Path) -> None:
    wrote(tmp_path, changed(frames=FrameRange(1001, 1002)), 1001, 1002)
    wrote(tmp_path)

    (run,) = read_note(note_path(tmp_path, "shot"))["shot_mattes.%04d.exr"].runs
    assert run.frames == (FrameRange(1001, 1004),)


def test_a_run_that_replaces_leaves_nothing_of_the_earlier_one(tmp_path: Path) -> None:
    wrote(tmp_path)
    other = replace(changed(frames=FrameRange(1002, 1003), layers=("hero",)), run=replace(RUN, model="large"))

    exported = receive(frames(other, 1003), tmp_path, existing=Existing.REPLACE)

    assert sorted(path.name for path in exported.removed) == [
        f"shot_mattes.{frame}.exr" for frame in (1001, 1002, 1004)
    ]
    assert sorted(contents(tmp_path)) == ["shot.masklet.json", "shot_mattes.1003.exr"]
    past = read_note(note_path(tmp_path, "shot"))["shot_mattes.%04d.exr"]
    assert past.layers == ("hero",)
    assert [(run.mark.model, run.frames) for run in past.runs] == [("large", (FrameRange(1003, 1003),))]


def test_nothing_is_deleted_when_a_run_that_replaces_breaks_off(tmp_path: Path) -> None:
    wrote(tmp_path)
    other = replace(PLAN, run=replace(RUN, model="large"))
    events = write_chunks(frames(other, 1001, 1002), tmp_path, Existing.REPLACE)
    for event in events:
        if isinstance(event, FileWritten):
            break
    events.close()

    assert len(contents(tmp_path)) == 5
    past = read_note(note_path(tmp_path, "shot"))["shot_mattes.%04d.exr"]
    assert [(run.mark.model, run.frames, run.complete) for run in past.runs] == [
        ("embedded", (FrameRange(1002, 1004),), True),
        ("large", (FrameRange(1001, 1001),), False),
    ]


def test_a_host_that_updates_its_folder_writes_its_frames_and_leaves_the_rest(tmp_path: Path) -> None:
    wrote(tmp_path)
    other = replace(changed(frames=FrameRange(1002, 1002)), run=replace(RUN, prompts_sha256="cc" * 32))

    wrote(tmp_path, other, 1002, existing=Existing.UPDATE)

    past = read_note(note_path(tmp_path, "shot"))["shot_mattes.%04d.exr"]
    assert [run.frames for run in past.runs] == [
        (FrameRange(1001, 1001), FrameRange(1003, 1004)),
        (FrameRange(1002, 1002),),
    ]
    with pytest.raises(ExistingFilesError, match="128 x 96"):
        wrote(
            tmp_path,
            changed(frames=FrameRange(1002, 1002), width_px=128, height_px=96),
            1002,
            existing=Existing.UPDATE,
        )


@pytest.mark.parametrize("existing", list(Existing))
def test_files_of_others_are_never_written_over(tmp_path: Path, existing: Existing) -> None:
    rendered = tmp_path / "shot_mattes.1002.exr"
    # Nuke hands on the attributes of what it read.
    rendered.write_bytes(OURS + b"\0nuke/version\0string\0")

    with pytest.raises(ExistingFilesError, match=r"did not write \(frames 1002\)"):
        wrote(tmp_path, existing=existing)

    assert contents(tmp_path) == {"shot_mattes.1002.exr": OURS + b"\0nuke/version\0string\0"}


def test_files_of_others_beside_the_range_are_not_mixed_with_ours(tmp_path: Path) -> None:
    (tmp_path / "shot_mattes.1090.exr").write_bytes(b"v/1\x01 of a renderer")

    for existing in (Existing.KEEP, Existing.REPLACE):
        with pytest.raises(ExistingFilesError, match="did not write"):
            wrote(tmp_path, existing=existing)


def test_files_without_a_note_are_known_by_their_headers(tmp_path: Path) -> None:
    wrote(tmp_path)
    note_path(tmp_path, "shot").unlink()

    with pytest.raises(ExistingFilesError, match="left no note"):
        wrote(tmp_path)
    wrote(tmp_path, existing=Existing.REPLACE)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"masklet_delivery": 9}', '{"masklet_delivery": 1, "files": 3}']
)
def test_a_note_that_cannot_be_understood_is_no_note(tmp_path: Path, text: str) -> None:
    wrote(tmp_path)
    note_path(tmp_path, "shot").write_text(text)

    assert read_note(note_path(tmp_path, "shot")) == {}
    with pytest.raises(ExistingFilesError, match="left no note"):
        wrote(tmp_path)


def test_a_note_of_no_sensible_size_is_not_read(tmp_path: Path) -> None:
    note_path(tmp_path, "shot").write_bytes(b" " * (MAX_BYTES + 1))

    assert read_note(note_path(tmp_path, "shot")) == {}


MOVIE = Delivery("shot_overlay.mp4", "movie", ("hero",), 0, 0, FrameRange(1001, 1004))


def movie(run: RunMark = RUN, data: bytes = b"movie") -> list[ExportEvent]:
    plan = ExportPlan("shot", run, (MOVIE,))
    return [plan, FileChunk("shot_overlay.mp4", data, len(data), True), ExportFinished(1)]


def test_a_single_file_is_known_by_its_digest(tmp_path: Path) -> None:
    receive(movie(), tmp_path)
    receive(movie(), tmp_path)
    with pytest.raises(ExistingFilesError, match="made from other prompts"):
        receive(movie(replace(RUN, prompts_sha256="dd" * 32)), tmp_path)
    (tmp_path / "shot_overlay.mp4").write_bytes(b"cut by somebody")
    for existing in Existing:
        with pytest.raises(ExistingFilesError, match="not as masklet wrote it"):
            receive(movie(), tmp_path, existing=existing)

    assert (tmp_path / "shot_overlay.mp4").read_bytes() == b"cut by somebody"


def test_the_note_says_what_the_files_are_and_what_is_missing(tmp_path: Path) -> None:
    hole = Hole(1, "hero", FrameRange(1003, 1004), HoleReason.BEHIND_CUT, 1003)
    receive([*frames(PLAN, 1001, 1002)[:-1], ExportFinished(2, (1003, 1004), (hole,))], tmp_path)

    content = json.loads(note_path(tmp_path, "shot").read_text(encoding="utf-8"))
    told = content["files"]["shot_mattes.%04d.exr"]
    assert (told["kind"], told["layers"], told["width_px"]) == ("exr", ["hero", "car"], 64)
    assert told["runs"] == [
        {
            "prompts_sha256": "aa" * 32,
            "model": "embedded",
            "weights_sha256": "bb" * 32,
            "settings": '{"profile": "near"}',
            "frames": [[1001, 1002]],
            "complete": True,
        }
    ]
    assert told["holes"] == [hole.as_json()]


def test_planning_alone_looks_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    assert read_plan([PLAN, ExportFinished(0)], folder) == PLAN
    # A server that knows no plans goes on exporting.
    assert read_plan([FileChunk("a.exr", b"new", 3, True)], folder) is None
    assert not folder.exists()
    wrote(folder)
    with pytest.raises(ExistingFilesError, match="would be gone"):
        read_plan([changed(layers=("hero",))], folder)


def test_a_server_that_tells_no_plan_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_bytes(b"approved")

    with pytest.raises(ExistingFilesError, match="is there already"):
        receive([FileChunk("a.exr", b"new", 3, True), ExportFinished(1)], tmp_path)

    assert contents(tmp_path) == {"a.exr": b"approved"}


@pytest.mark.parametrize("name", ["../x.%04d.exr", "/x.%04d.exr", "a\\b.%04d.exr", "c:x.%04d.exr", ""])
def test_a_delivery_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="outside the output folder"):
        DeliveryFolder(tmp_path, changed(files=name), Existing.KEEP)


def test_versions_count_from_the_highest_that_is_there(tmp_path: Path) -> None:
    mattes = tmp_path / "mattes"

    assert make_next_version(mattes) == mattes / "v001"
    (mattes / "V007").mkdir()
    (mattes / "v2").mkdir()
    (mattes / "vfx").mkdir()
    assert next_version(mattes) == mattes / "v008"
    assert make_next_version(mattes / "v001") == mattes / "v008"
    assert make_next_version(mattes) == mattes / "v009"
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        make_next_version(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be made"):
        make_next_version(tmp_path / "file" / "out")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_in_a_files_place_is_foreign_and_not_waited_for(tmp_path: Path) -> None:
    for name in ("shot_mattes.1001.exr", "shot.masklet.json"):
        os.mkfifo(tmp_path / name)

    with pytest.raises(ExistingFilesError, match="did not write"):
        DeliveryFolder(tmp_path, PLAN, Existing.KEEP)


def test_a_folder_is_asked_about_whenever_it_is_touched(tmp_path: Path) -> None:
    place = DeliveryFolder(tmp_path, PLAN, Existing.KEEP, allowed=lambda path: path == tmp_path.resolve())
    place.allowed = lambda _: False

    with pytest.raises(PathNotAllowedError, match="link out of the folders"):
        place.about_to_write("shot_mattes.1001.exr")
    with pytest.raises(PathNotAllowedError):
        DeliveryFolder(tmp_path, PLAN, Existing.KEEP, allowed=lambda _: False)
    assert contents(tmp_path) == {}
