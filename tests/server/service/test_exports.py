from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import OpenImageIO as oiio
import pytest

from fakes.engine import FakeEngine
from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet import event_codec
from masklet.events import ExportFinished
from masklet.holes import Hole, HoleReason
from masklet.types import FrameRange
from masklet.v1 import export_pb2, prompt_pb2, session_pb2, track_pb2, values_pb2
from masklet_server.mattes.files import write_whole
from masklet_server.service import exports
from masklet_server.service.settings import ServerSettings
from platforms import make_link

Work = Callable[[Running, FakeClient, str], Coroutine[Any, Any, None]]
FRAMES = values_pb2.FrameRange(first=2, last=4)


def serve(
    folder: Path, work: Work, *, engine: FakeEngine | None = None, settings: ServerSettings | None = None
) -> None:
    """Work on a session with two objects, tracked over frames 1 to 4 of 10."""

    async def run() -> None:
        async with running(folder, engine=engine, settings=settings) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip", "hero", "left hand")
            tracking = track_pb2.TrackRequest(
                session_id=session_id, range=values_pb2.FrameRange(first=1, last=4)
            )
            async for _ in client.tracks.Track(tracking):
                pass
            await work(server, client, session_id)

    asyncio.run(run())


async def mattes(client: FakeClient, session_id: str, **fields: Any) -> list[export_pb2.ExportEvent]:
    request = export_pb2.ExportMattesRequest(session_id=session_id, request_id=new_id(), **fields)
    return [response.event async for response in client.exports.ExportMattes(request)]


def test_mattes_are_written_under_a_root(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        events = await mattes(client, session_id, range=FRAMES, folder=str(server.root / "out"))

        names = [event.written.relative_name for event in events if event.HasField("written")]
        assert names == [f"clip_mattes.{frame:04d}.exr" for frame in (2, 3, 4)]
        assert [event.progress.frames_done for event in events if event.HasField("progress")] == [1, 2, 3]
        assert events[-1].finished.files == 3
        image = oiio.ImageBuf(str(server.root / "out" / names[0]))
        assert sorted(image.spec().channelnames) == ["hero.A", "left_hand.A"]
        assert image.spec().getattribute("masklet/model") == "fake"
        assert len(image.spec().getattribute("masklet/promptsSha256")) == 64
        assert image.spec().getattribute("smpte:TimeCode") == (0x01000002, 0)
        assert image.spec().getattribute("reelName") == "A001"
        assert np.all(image.get_pixels() == 1.0)

    serve(tmp_path, work)


def test_mattes_arrive_in_chunks_where_no_disk_is_shared(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        events = await mattes(client, session_id, format=export_pb2.MATTE_FORMAT_PNG8, base_name="shot")

        files: dict[str, bytes] = defaultdict(bytes)
        for event in events:
            files[event.chunk.relative_name] += event.chunk.data
        files.pop("")
        assert sorted(files)[0] == "hero/shot_hero.0001.png"
        assert len(files) == 8
        picture = cv2.imdecode(
            np.frombuffer(files["hero/shot_hero.0001.png"], np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert picture.shape == (48, 64)
        assert picture.min() == 255
        assert list(events[-1].finished.empty_frames) == [5, 6, 7, 8, 9, 10]

    serve(tmp_path, work)


@pytest.mark.parametrize(
    "matte_format", [export_pb2.MATTE_FORMAT_EXR_PER_OBJECT, export_pb2.MATTE_FORMAT_PNG16]
)
@pytest.mark.parametrize("with_note", [True, False])
def test_a_server_replaces_nothing_of_another_run_in_its_folders(
    tmp_path: Path, matte_format: export_pb2.MatteFormat.ValueType, with_note: bool
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        folder = server.root / "out"
        words = {"range": FRAMES, "folder": str(folder), "format": matte_format}
        events = await mattes(client, session_id, **words)
        assert events[0].started.checked
        assert [item.files.split("/")[0] for item in events[0].started.deliveries] == ["hero", "left_hand"]
        if with_note:
            await mattes(client, session_id, **words)
        else:
            (folder / "clip.masklet.json").unlink()
        await client.click(session_id, 1, frame=4)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        request = export_pb2.ExportMattesRequest(session_id=session_id, request_id=new_id(), **words)
        status, kind, message = await refusal(client.exports.ExportMattes(request))

        assert (status, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "existing-files")
        assert ("made from other prompts" if with_note else "left no note") in message
        assert str(server.root) not in message
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        narrow = {**words, "range": values_pb2.FrameRange(first=3, last=3)}
        events = await mattes(client, session_id, **narrow, existing=export_pb2.EXISTING_REPLACE)
        assert len(events[-1].finished.removed) == 4
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 3

    serve(tmp_path, work)


def test_a_plan_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        events = await mattes(client, session_id, folder=str(server.root / "out"), plan_only=True)

        assert [event.WhichOneof("event") for event in events] == ["started", "finished"]
        assert not (server.root / "out").exists()

    serve(tmp_path, work)


@pytest.mark.parametrize("quality", ["own", "best"])
def test_a_quality_other_than_the_models_own_is_named_in_what_is_made(tmp_path: Path, quality: str) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        (started, _) = await mattes(client, session_id, plan_only=True)

        named = {} if quality == "own" else {"quality": quality}
        assert json.loads(started.started.run.settings) == {"profile": "editor", **named}

    serve(tmp_path, work, settings=ServerSettings(quality=quality))


def test_a_model_that_proposed_an_object_is_named_in_mattes_of_every_session_of_its_document(
    tmp_path: Path,
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        async def settings(session_id: str) -> dict[str, str]:
            (started, _) = await mattes(client, session_id, plan_only=True)
            named: dict[str, str] = json.loads(started.started.run.settings)
            return named

        assert "proposals" not in await settings(session_id)
        box = values_pb2.Box(left_px=1, top_px=1, right_px=9, bottom_px=9)
        said = values_pb2.FramePrompts(object_id=1, frame=6, box=box, source="boxes of words 2.1")
        asked = prompt_pb2.SetPromptsRequest(session_id=session_id, request_id=new_id(), prompts=said)
        await client.prompts.SetPrompts(asked)
        assert (await settings(session_id))["proposals"] == "boxes of words 2.1"

        document = await client.prompts.GetPromptDocument(
            prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
        )
        other = (await client.open(server.root / "clip")).session_id
        await client.prompts.SetPromptDocument(
            prompt_pb2.SetPromptDocumentRequest(
                session_id=other, request_id=new_id(), document=document.document
            )
        )
        await client.click(other, 1, frame=6)
        assert (await settings(other))["proposals"] == "boxes of words 2.1"

    serve(tmp_path, work)


def holes_of(events: list[export_pb2.ExportEvent]) -> list[Hole]:
    finished = event_codec.export_event_from_wire(events[-1])
    assert isinstance(finished, ExportFinished)
    return list(finished.holes)


def test_an_export_tells_the_frames_without_a_matte_by_object(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        hand = await client.add(session_id, "late")
        await client.click(session_id, hand, frame=3)

        events = await mattes(client, session_id, range=FRAMES)

        assert holes_of(events) == [
            Hole(hand, "late", FrameRange(2, 2), HoleReason.NOT_TRACKED),
            Hole(hand, "late", FrameRange(4, 4), HoleReason.NOT_TRACKED),
        ]

    serve(tmp_path, work)


def test_an_object_that_is_removed_while_files_are_written_is_told(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportMattesRequest(session_id=session_id, range=FRAMES, request_id=new_id())
        events = []
        async for response in client.exports.ExportMattes(request):
            events.append(response.event)
            if len(events) == 1:
                await client.sessions.RemoveObject(
                    session_pb2.RemoveObjectRequest(session_id=session_id, request_id=new_id(), object_id=2)
                )

        (gone,) = holes_of(events)
        assert (gone.object_name, gone.reason, gone.frames.last) == ("left hand", HoleReason.REMOVED, 4)

    serve(tmp_path, work)


def test_an_exclusive_object_exported_alone_is_what_it_is_beside_the_others(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        for object_id in (1, 2):
            asked = prompt_pb2.SetMatteSettingsRequest(
                session_id=session_id,
                request_id=new_id(),
                object_id=object_id,
                settings=values_pb2.MatteSettings(exclusive=True),
            )
            await client.prompts.SetMatteSettings(asked)
        # Both cover everything, and the first keeps it: nothing is left for the second.
        found = {}
        for name, object_ids in (("both", []), ("alone", [2])):
            folder = server.root / name
            folder.mkdir()
            await mattes(client, session_id, range=FRAMES, folder=str(folder), object_ids=object_ids)
            image = oiio.ImageBuf(str(folder / "clip_mattes.0002.exr"))
            channel = image.spec().channelnames.index("left_hand.A")
            found[name] = image.get_pixels()[..., channel]

        assert found["both"].max() == 0.0
        assert np.array_equal(found["alone"], found["both"])

    serve(tmp_path, work)


def test_an_overlay_is_a_movie_or_a_sheet(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        starts = {export_pb2.OVERLAY_KIND_MOVIE: b"ftyp", export_pb2.OVERLAY_KIND_SHEET: b"PNG"}
        for kind, mark in starts.items():
            request = export_pb2.ExportOverlayRequest(session_id=session_id, range=FRAMES, kind=kind)
            events = [response.event async for response in client.exports.ExportOverlay(request)]

            data = b"".join(event.chunk.data for event in events)
            assert mark in data[:16]
            assert events[-1].finished.files == 1
            assert not events[-1].finished.empty_frames

    serve(tmp_path, work)


def test_an_overlay_of_nothing_is_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportOverlayRequest(
            session_id=session_id, range=values_pb2.FrameRange(first=8, last=10)
        )
        status, _, message = await refusal(client.exports.ExportOverlay(request))

        assert status == grpc.StatusCode.INVALID_ARGUMENT
        assert "track it first" in message

    serve(tmp_path, work)


@pytest.mark.parametrize("folder", ["/tmp", "ROOT/../elsewhere", "ROOT/link"])
def test_nothing_is_written_outside_the_roots(tmp_path: Path, folder: str) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        make_link(server.root / "link", tmp_path)
        request = export_pb2.ExportMattesRequest(
            session_id=session_id, folder=folder.replace("ROOT", str(server.root))
        )
        status, kind, message = await refusal(client.exports.ExportMattes(request))

        assert (status, kind) == (grpc.StatusCode.PERMISSION_DENIED, "path-not-allowed")
        assert str(tmp_path) not in message

    serve(tmp_path, work)


def test_an_object_whose_folder_leads_out_of_the_roots_is_not_written(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (server.root / "out").mkdir()
        make_link(server.root / "out" / "hero", outside)
        request = export_pb2.ExportMattesRequest(
            session_id=session_id,
            folder=str(server.root / "out"),
            format=export_pb2.MATTE_FORMAT_PNG16,
            existing=export_pb2.EXISTING_REPLACE,
        )
        status, _, _ = await refusal(client.exports.ExportMattes(request))

        assert status == grpc.StatusCode.PERMISSION_DENIED
        assert not list(outside.iterdir())

    serve(tmp_path, work)


def test_an_objects_folder_that_becomes_a_link_in_mid_export_gets_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    def write_and_swap(path: Path, data: bytes, **more: Any) -> None:
        write_whole(path, data, **more)
        if path.parent.name == "hero" and not path.parent.is_symlink():
            path.parent.rename(path.parent.with_name("moved"))
            make_link(path.parent, outside)

    monkeypatch.setattr(exports, "write_whole", write_and_swap)

    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportMattesRequest(
            session_id=session_id, folder=str(server.root / "out"), format=export_pb2.MATTE_FORMAT_PNG16
        )
        status, kind, message = await refusal(client.exports.ExportMattes(request))

        assert (status, kind) == (grpc.StatusCode.PERMISSION_DENIED, "path-not-allowed")
        assert "hero is a link out of the folders" in message
        assert len(list((server.root / "out" / "moved").iterdir())) == 1
        assert list(outside.iterdir()) == []

    serve(tmp_path, work)


@pytest.mark.parametrize("base_name", ["../x", "a/b", "..", "---", "x" * 101])
def test_file_names_cannot_lead_elsewhere(tmp_path: Path, base_name: str) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportMattesRequest(session_id=session_id, base_name=base_name)
        status, _, message = await refusal(client.exports.ExportMattes(request))

        assert status == grpc.StatusCode.INVALID_ARGUMENT
        assert "file" in message

    serve(tmp_path, work)


@pytest.mark.parametrize(
    ("base_name", "stem"), [("shot 010", "shot_010"), (".hidden", "hidden"), ("Müller.v2", "Muller.v2")]
)
def test_files_begin_with_the_name_that_was_asked_for_in_letters_that_all_tools_read(
    tmp_path: Path, base_name: str, stem: str
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        events = await mattes(client, session_id, base_name=base_name)

        names = {event.chunk.relative_name for event in events if event.HasField("chunk")}
        assert names == {f"{stem}_mattes.{frame:04d}.exr" for frame in (1, 2, 3, 4)}

    serve(tmp_path, work)


def test_a_missing_output_folder_is_said_so(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportMattesRequest(
            session_id=session_id, folder=str(server.root / "missing" / "out")
        )
        status, kind, message = await refusal(client.exports.ExportMattes(request))

        assert (status, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "output")
        assert "does not exist" in message
        assert str(tmp_path) not in message

    serve(tmp_path, work)


def test_clicks_are_answered_while_an_overlay_is_made(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportOverlayRequest(session_id=session_id)
        exporting = client.exports.ExportOverlay(request)
        await exporting.read()

        answer = await asyncio.wait_for(client.click(session_id, 1, 2, 5.0), timeout=5.0)

        assert answer.update.frame == 2
        exporting.cancel()

    serve(tmp_path, work)
