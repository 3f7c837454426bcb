"""What every transport promises, shown on a real server: in this process and through a helper."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from masklet.anchors import AnchorKind, AnchorTrack
from masklet.errors import (
    BadInputError,
    CancelledError,
    ClipError,
    FrameMissingError,
    MaskletError,
    NameTakenError,
    NotPromptedError,
    ObjectNotFoundError,
    OutputError,
    SessionNotFoundError,
)
from masklet.events import (
    CutsFound,
    EditKind,
    ExportFinished,
    ExportProgress,
    FileChunk,
    FileWritten,
    MatteFormat,
    OverlayKind,
    TrackFinished,
    TrackStarted,
    WorkProgress,
)
from masklet.matte_files import receive
from masklet.matte_settings import MatteSettings
from masklet.shapes import ObjectShapes
from masklet.transport.interface import (
    AnchorRequest,
    ClipFile,
    ExportRequest,
    TrackRequest,
    Transport,
)
from masklet.types import (
    Box,
    Click,
    CutPolicy,
    Direction,
    FramePrompts,
    FrameRange,
    FrameState,
    LockedRange,
    Mask,
    MaskFormat,
    MaskUpdate,
    Presence,
    SessionInfo,
)
from masklet_server.demo.clip_writer import DemoClip

FULL = MaskFormat()
SMALL = MaskFormat(max_side_px=214, bits=True)
WHOLE = FrameRange(1001, 1004)


def add_duck(transport: Transport, session_id: str, clip: DemoClip) -> int:
    duck = transport.add_object(session_id, "duck")
    for frame, x_px, y_px in clip.clicks:
        transport.add_click(session_id, duck.object_id, frame, Click(x_px, y_px), FULL)
    return duck.object_id


def track_all(transport: Transport, session_id: str) -> list[MaskUpdate]:
    events = transport.track(session_id, TrackRequest(mask_format=SMALL))
    return [event for event in events if isinstance(event, MaskUpdate)]


def raised(call: Callable[[], object]) -> tuple[type[MaskletError], str]:
    with pytest.raises(MaskletError) as caught:
        call()
    return type(caught.value), str(caught.value)


def test_a_server_tells_what_it_is(transport: Transport) -> None:
    info = transport.server_info()

    assert info.model.name == "masklet_embedded"
    assert info.model in info.models
    assert info.opens_paths


def test_a_session_is_opened_found_again_and_forgotten(transport: Transport, clip: DemoClip) -> None:
    opened = transport.open_session(path=str(clip.pattern), colour_space="sRGB")

    assert opened.clip.frames == WHOLE
    assert (opened.clip.width_px, opened.clip.height_px) == (854, 480)
    assert transport.get_session(opened.session_id) == opened

    transport.close_session(opened.session_id)
    transport.close_session(opened.session_id)
    with pytest.raises(SessionNotFoundError):
        transport.get_session(opened.session_id)


def test_an_uploaded_clip_is_opened_by_its_id(transport: Transport, clip: DemoClip) -> None:
    files = [ClipFile(Path(str(clip.pattern) % frame), frame) for frame in (1001, 1002)]

    upload_id = transport.upload("duck.%04d.png", files)
    opened = transport.open_session(upload_id=upload_id)

    assert opened.clip.name == "duck.%04d.png"
    assert opened.clip.frames == FrameRange(1001, 1002)
    transport.close_session(opened.session_id)


def test_an_upload_tells_how_far_it_is_and_can_be_left(transport: Transport, tmp_path: Path) -> None:
    file = tmp_path / "plate.mov"
    file.write_bytes(os.urandom(3 << 20))
    told: list[tuple[int, int]] = []

    def leave(done: int, total: int) -> None:
        told.append((done, total))
        raise CancelledError("enough")

    with pytest.raises(CancelledError, match="enough"):
        transport.upload("plate.mov", [ClipFile(file, None)], on_progress=leave)
    left = len(told)
    transport.upload(
        "plate.mov", [ClipFile(file, None)], on_progress=lambda done, total: told.append((done, total))
    )

    assert left == 1
    assert told[-1] == (6 << 20, 6 << 20)
    assert told[left:] == sorted(told[left:])


def test_a_file_that_cannot_be_read_ends_an_upload_with_its_name(
    transport: Transport, tmp_path: Path
) -> None:
    with pytest.raises(ClipError, match=r"gone\.1001\.png cannot be read"):
        transport.upload("gone.%04d.png", [ClipFile(tmp_path / "gone.1001.png", 1001)])


def test_objects_are_added_renamed_and_removed(transport: Transport, opened: SessionInfo) -> None:
    first = transport.add_object(opened.session_id, "hero")
    second = transport.add_object(opened.session_id, "")

    assert first.name == "hero"
    assert second.name
    assert transport.rename_object(opened.session_id, first.object_id, "héros 2").name == "héros 2"
    transport.remove_object(opened.session_id, second.object_id)
    assert [info.name for info in transport.get_session(opened.session_id).objects] == ["héros 2"]


def test_a_click_answers_with_the_mask_on_its_frame(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    duck = transport.add_object(opened.session_id, "duck")
    frame, x_px, y_px = clip.clicks[0]

    update = transport.add_click(opened.session_id, duck.object_id, frame, Click(x_px, y_px), FULL)

    assert (update.object_id, update.object_name, update.frame) == (duck.object_id, "duck", frame)
    assert (update.mask.width_px, update.mask.height_px) == (854, 480)
    assert update.presence is Presence.PRESENT
    assert update.prompted
    assert update.mask.alpha[int(y_px) * 854 + int(x_px)] > 200


def test_prompts_of_a_frame_are_replaced_and_taken_away(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    drawn = Mask(854, 480, bytes(854 * 200) + bytes([255]) * (854 * 280))

    boxed = transport.set_prompts(
        opened.session_id, FramePrompts(item.object_id, 1002, box=Box(100, 200, 300, 420)), SMALL
    )
    masked = transport.set_prompts(opened.session_id, FramePrompts(item.object_id, 1003, mask=drawn), FULL)
    document = transport.get_prompts(opened.session_id)

    assert boxed is not None
    assert (boxed.mask.width_px, boxed.mask.height_px) == (214, 120)
    assert masked is not None
    assert [prompts.frame for prompts in document.prompts] == [1002, 1003]
    assert document.prompts[1].mask == drawn
    assert transport.set_prompts(opened.session_id, FramePrompts(item.object_id, 1002), SMALL) is None


def test_edits_are_undone_and_made_again(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    transport.add_click(opened.session_id, item.object_id, 1001, Click(200.5, 340.5), SMALL)

    undone = transport.undo_prompt(opened.session_id, SMALL)
    redone = transport.redo_prompt(opened.session_id, SMALL)

    assert undone.kind is EditKind.PROMPTS
    assert undone.prompts == FramePrompts(item.object_id, 1001)
    assert undone.update is None
    assert redone.prompts == FramePrompts(item.object_id, 1001, (Click(200.5, 340.5),))
    assert redone.update is not None
    assert redone.redo_left == 0


def test_locks_and_matte_settings_show_in_the_session(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    settings = MatteSettings(grow_px=2.5, gamma=1.25, invert=True)

    locks = transport.set_lock(opened.session_id, item.object_id, FrameRange(1001, 1003), locked=True)
    left = transport.set_lock(opened.session_id, item.object_id, FrameRange(1002, 1002), locked=False)
    transport.set_matte(opened.session_id, item.object_id, settings)
    info = transport.get_session(opened.session_id)

    assert locks == (LockedRange(item.object_id, FrameRange(1001, 1003)),)
    assert [lock.frames for lock in left] == [FrameRange(1001, 1001), FrameRange(1003, 1003)]
    assert info.locks == left
    assert info.mattes[0].settings == settings


def test_a_document_makes_the_same_session_again(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    transport.set_lock(opened.session_id, object_id, FrameRange(1002, 1002), locked=True)
    document = transport.get_prompts(opened.session_id)

    (again,) = transport.set_prompts_of_session(opened.session_id, document)
    rebuilt = transport.get_prompts(opened.session_id)

    assert again.name == "duck"
    assert again.prompted_frames == (1001,)
    assert [prompts.clicks for prompts in rebuilt.prompts] == [prompts.clicks for prompts in document.prompts]
    assert [lock.frames for lock in rebuilt.locks] == [FrameRange(1002, 1002)]


def test_a_track_tells_its_plan_its_masks_and_its_end(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    request = TrackRequest(
        FrameRange(1001, 1003), (object_id,), Direction.FORWARD, SMALL, at_cuts=CutPolicy.IGNORE
    )

    events = list(transport.track(opened.session_id, request))

    assert isinstance(events[0], TrackStarted)
    assert events[0].updates == 3
    masks = [event for event in events if isinstance(event, MaskUpdate)]
    assert [mask.frame for mask in masks] == [1001, 1002, 1003]
    assert {(mask.mask.width_px, mask.mask.height_px) for mask in masks} == {(214, 120)}
    assert isinstance(events[-1], TrackFinished)
    assert not events[-1].cancelled


def test_masks_are_fetched_and_the_next_place_to_look_is_found(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    tracked = track_all(transport, opened.session_id)

    fetched = list(
        transport.fetch_masks(opened.session_id, TrackRequest(FrameRange(1002, 1003), mask_format=SMALL))
    )
    place = transport.next_frame(
        opened.session_id, after=1000, object_ids=(object_id,), states={FrameState.PRESENT}, backward=False
    )
    nowhere = transport.next_frame(
        opened.session_id, after=1001, object_ids=(), states=(FrameState.ABSENT,), backward=True
    )

    assert [update.mask for update in fetched] == [
        update.mask
        for update in sorted(tracked, key=lambda update: update.frame)
        if 1002 <= update.frame <= 1003
    ]
    assert place is not None
    assert place.frame == 1001
    assert FrameState.PRESENT in place.state.states
    assert nowhere is None


def test_leaving_a_track_early_stops_it_at_the_server(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    add_duck(transport, opened.session_id, clip)
    events = transport.track(opened.session_id, TrackRequest(mask_format=SMALL))
    assert isinstance(next(events), TrackStarted)

    events.close()

    # A track that still ran would refuse the next one as busy, or tell that it was running.
    for _ in range(100):
        if not transport.cancel(opened.session_id):
            break
        time.sleep(0.05)
    assert not transport.cancel(opened.session_id)
    assert len(track_all(transport, opened.session_id)) == 4


def test_a_track_is_cancelled_from_another_thread_and_keeps_what_it_has(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    add_duck(transport, opened.session_id, clip)
    events = transport.track(opened.session_id, TrackRequest(mask_format=SMALL))
    assert isinstance(next(events), TrackStarted)
    was_tracking: list[bool] = []

    other = threading.Thread(target=lambda: was_tracking.append(transport.cancel(opened.session_id)))
    other.start()
    rest = list(events)
    other.join()

    kept = list(transport.fetch_masks(opened.session_id, TrackRequest(mask_format=SMALL)))
    finished = rest[-1]
    assert isinstance(finished, TrackFinished)
    assert finished.cancelled is was_tracking[0]
    assert len(kept) >= finished.updates


def test_cuts_are_looked_for(transport: Transport, opened: SessionInfo) -> None:
    found = list(transport.find_cuts(opened.session_id, None))

    assert all(isinstance(event, CutsFound) for event in found)
    assert found[-1].cuts == ()
    assert found[-1].progress.done == found[-1].progress.total


def test_shapes_and_anchors_come_after_their_progress(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    track_all(transport, opened.session_id)

    *progress, shapes = transport.fit_shapes(opened.session_id, object_id, None, tolerance_px=1.5)
    *_, anchor = transport.track_anchor(
        opened.session_id, AnchorRequest(object_id, AnchorKind.CENTROID, FrameRange(1001, 1004))
    )

    assert all(isinstance(event, WorkProgress) for event in progress)
    assert isinstance(shapes, ObjectShapes)
    assert shapes.name == "duck"
    assert shapes.report.tolerance_px == 1.5
    assert shapes.pieces[0].vertex_count >= 3
    assert isinstance(anchor, AnchorTrack)
    assert [key.frame for key in anchor.keys] == [1001, 1002, 1003, 1004]


def test_mattes_become_whole_files_on_this_machine(
    transport: Transport, opened: SessionInfo, clip: DemoClip, tmp_path: Path
) -> None:
    add_duck(transport, opened.session_id, clip)
    track_all(transport, opened.session_id)
    progress: list[tuple[int, int]] = []
    folder = tmp_path / "mattes"
    request = ExportRequest(FrameRange(1002, 1003), matte_format=MatteFormat.PNG8, client_folder=folder)

    events = transport.export_mattes(opened.session_id, request)
    exported = receive(events, folder, on_progress=lambda done, total: progress.append((done, total)))

    assert len(exported.files) == 2
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in exported.files)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(exported.files)
    assert progress[-1] == (2, 2)


def test_without_a_folder_files_come_in_chunks(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    add_duck(transport, opened.session_id, clip)

    events = list(transport.export_mattes(opened.session_id, ExportRequest(FrameRange(1001, 1001))))

    chunks = [event for event in events if isinstance(event, FileChunk)]
    assert sum(len(chunk.data) for chunk in chunks) == chunks[0].size_bytes
    assert chunks[-1].last
    assert any(isinstance(event, ExportProgress) for event in events)
    assert events[-1] == ExportFinished(1)


def test_a_server_that_sees_the_folder_writes_there_itself(
    transport: Transport, opened: SessionInfo, clip: DemoClip, tmp_path: Path
) -> None:
    add_duck(transport, opened.session_id, clip)
    folder = tmp_path / "out"
    folder.mkdir()

    request = ExportRequest(FrameRange(1001, 1001), server_folder=str(folder), base_name="sh010")
    written = [
        event
        for event in transport.export_mattes(opened.session_id, request)
        if isinstance(event, FileWritten)
    ]

    (file,) = folder.iterdir()
    assert file.name == written[0].relative_name
    assert file.stat().st_size == written[0].size_bytes


def test_an_overlay_becomes_a_picture_on_this_machine(
    transport: Transport, opened: SessionInfo, clip: DemoClip, tmp_path: Path
) -> None:
    add_duck(transport, opened.session_id, clip)
    track_all(transport, opened.session_id)
    request = ExportRequest(overlay_kind=OverlayKind.SHEET, client_folder=tmp_path)

    exported = receive(transport.export_overlay(opened.session_id, request), tmp_path)

    (sheet,) = exported.files
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_a_file_is_an_output_error(
    transport: Transport, opened: SessionInfo, clip: DemoClip, tmp_path: Path
) -> None:
    add_duck(transport, opened.session_id, clip)
    folder = tmp_path / "file"
    folder.touch()
    request = ExportRequest(FrameRange(1001, 1001), client_folder=folder)

    with pytest.raises(OutputError, match="cannot be written"):
        receive(transport.export_mattes(opened.session_id, request), folder)


def test_errors_are_of_their_classes_and_keep_cause_and_repair(
    transport: Transport, opened: SessionInfo
) -> None:
    session_id = opened.session_id
    item = transport.add_object(session_id, "duck")
    click = Click(10.0, 10.0)

    assert raised(lambda: transport.add_object(session_id, "duck"))[0] is NameTakenError
    assert raised(lambda: transport.rename_object(session_id, 99, "x"))[0] is ObjectNotFoundError
    assert raised(lambda: list(transport.track(session_id, TrackRequest())))[0] is NotPromptedError
    assert raised(lambda: transport.get_session("0" * 32))[0] is SessionNotFoundError
    assert raised(lambda: transport.undo_prompt("0" * 32, FULL))[0] is SessionNotFoundError
    assert (
        raised(lambda: transport.add_click(session_id, item.object_id, 7, click, FULL))[0]
        is FrameMissingError
    )
    found, words = raised(lambda: transport.add_object(session_id, "a/b"))
    assert found is BadInputError
    assert "choose another name" in words


def test_a_stream_is_not_begun_before_it_is_read(transport: Transport, opened: SessionInfo) -> None:
    events = transport.track(opened.session_id, TrackRequest())

    with pytest.raises(NotPromptedError):
        next(events)


def test_several_threads_call_at_once(transport: Transport, opened: SessionInfo) -> None:
    def add(number: int) -> str:
        info = transport.add_object(opened.session_id, f"object {number}")
        assert transport.get_session(opened.session_id).clip.frames == WHOLE
        return info.name

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(add, range(8)))

    assert names == {f"object {number}" for number in range(8)}
    assert {info.name for info in transport.get_session(opened.session_id).objects} == names


def test_both_ways_give_the_same_values(both: dict[str, Transport], clip: DemoClip) -> None:
    found = []
    for way in both.values():
        session_id = way.open_session(path=str(clip.pattern)).session_id
        object_id = add_duck(way, session_id, clip)
        tracked = list(way.track(session_id, TrackRequest(mask_format=SMALL)))
        *_, shapes = way.fit_shapes(session_id, object_id, None, tolerance_px=1.0)
        *_, anchor = way.track_anchor(session_id, AnchorRequest(object_id, AnchorKind.SIMILARITY))
        info = way.get_session(session_id)
        found.append((tracked, shapes, anchor, way.get_prompts(session_id), info.states, info.clip))
        way.close_session(session_id)

    assert found[0] == found[1]
