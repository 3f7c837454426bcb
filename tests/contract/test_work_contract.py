"""What every transport promises of long work: on a real server, in this process and through a helper."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from masklet.anchors import AnchorKind, AnchorTrack
from masklet.errors import (
    NotPromptedError,
    OutputError,
)
from masklet.events import (
    CutsFound,
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
from masklet.interpolation import Interpolation
from masklet.matte_files import receive
from masklet.shapes import ObjectShapes
from masklet.transport.interface import (
    AnchorRequest,
    ExportRequest,
    TrackRequest,
    Transport,
)
from masklet.types import (
    Click,
    CutPolicy,
    Direction,
    FrameRange,
    FrameState,
    MaskFormat,
    MaskUpdate,
    SessionInfo,
)
from masklet_server.demo.clip_writer import DemoClip

FULL = MaskFormat()
SMALL = MaskFormat(max_side_px=214, bits=True)


def add_duck(transport: Transport, session_id: str, clip: DemoClip) -> int:
    duck = transport.add_object(session_id, "duck")
    for frame, x_px, y_px in clip.clicks:
        transport.add_click(session_id, duck.object_id, frame, Click(x_px, y_px), FULL)
    return duck.object_id


def track_all(transport: Transport, session_id: str) -> list[MaskUpdate]:
    events = transport.track(session_id, TrackRequest(mask_format=SMALL))
    return [event for event in events if isinstance(event, MaskUpdate)]


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
    # Frame 1001 was clicked: somebody has looked there.
    assert place.frame == 1002
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


def test_a_second_look_is_told_before_the_work_that_needs_it(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    track_all(transport, opened.session_id)
    frames = FrameRange(1002, 1004)

    def shapes(*, raw_edges: bool) -> list[WorkProgress | ObjectShapes]:
        return list(
            transport.fit_shapes(opened.session_id, object_id, frames, tolerance_px=1.5, raw_edges=raw_edges)
        )

    raw = shapes(raw_edges=True)
    events = list(transport.export_mattes(opened.session_id, ExportRequest(frames)))
    refined = shapes(raw_edges=False)

    told = [event for event in events if isinstance(event, ExportProgress)]
    looks = [event for event in told if event.looking_at is not None]
    # The first frame too: on it the object was clicked, and the asked ones build on it.
    assert looks == [ExportProgress(done, 4, "duck") for done in range(5)]
    assert told[: len(looks)] == looks
    # Seen for the export already, and not asked for where edges stay raw.
    assert not any(isinstance(event, WorkProgress) and event.looking_at for event in (*raw, *refined))
    assert raw[-1] != refined[-1]


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
    note = next(folder.glob("*.masklet.json"))
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted([*exported.files, note])
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

    note, file = sorted(folder.iterdir())
    assert note.name == "sh010.masklet.json"
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


def test_a_stream_is_not_begun_before_it_is_read(transport: Transport, opened: SessionInfo) -> None:
    events = transport.track(opened.session_id, TrackRequest())

    with pytest.raises(NotPromptedError):
        next(events)


def test_both_ways_give_the_same_values(both: dict[str, Transport], clip: DemoClip) -> None:
    found = []
    for way in both.values():
        session_id = way.open_session(path=str(clip.pattern)).session_id
        object_id = add_duck(way, session_id, clip)
        tracked = list(way.track(session_id, TrackRequest(mask_format=SMALL)))
        *_, shapes = way.fit_shapes(
            session_id, object_id, None, tolerance_px=1.0, interpolation=Interpolation.NUKE_SMOOTH
        )
        assert isinstance(shapes, ObjectShapes)
        assert shapes.report.interpolation is Interpolation.NUKE_SMOOTH
        *_, anchor = way.track_anchor(session_id, AnchorRequest(object_id, AnchorKind.SIMILARITY))
        info = way.get_session(session_id)
        found.append((tracked, shapes, anchor, way.get_prompts(session_id), info.states, info.clip))
        way.close_session(session_id)

    assert found[0] == found[1]
