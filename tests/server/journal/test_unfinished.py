"""Exports that were under way when a server died are said when their session comes back, once."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.clips import clip_of
from fakes.engine import FakeClip
from fakes.histories import CLIP
from fakes.journals import store_in
from fakes.service import FakeClient, new_id, running
from masklet.errors import OutputError
from masklet.v1 import export_pb2, session_pb2, track_pb2
from masklet_server.mattes import export as matte_export
from masklet_server.mattes.files import RenderedFile
from masklet_server.service.finished_frames import FinishedFrames
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions import unfinished
from masklet_server.sessions.unfinished import FILE_NAME, take_notes, write_notes
from masklet_server.sessions.worker_threads import WorkerThreads

REFERENCE = clip_of(lambda: FakeClip(CLIP))
WHAT = "an export of mattes to /shows/x"
SAID = f"{WHAT} was cut off when the server stopped: "


def test_what_a_killed_server_was_writing_is_said_once(tmp_path: Path) -> None:
    folder, killed = tmp_path / "lives", tmp_path / "killed"

    async def work() -> None:
        async with store_in(folder) as store:
            session = await store.open("ann", REFERENCE)
            await session.add_object("hero")
            notes = store.unfinished(session.session_id)
            async with notes.noted("an export that ended well"):
                pass
            with pytest.raises(OutputError):
                async with notes.noted("an export that failed"):
                    raise OutputError("full")
            async with notes.noted(WHAT), notes.noted("an export of an overlay to /shows/y"):
                await session._journal.settle()
                shutil.copytree(folder, killed)
            assert not (folder / session.session_id / FILE_NAME).exists()
        async with store_in(folder) as alive:
            assert (await alive.get(session.session_id, "ann")).clip.notices == ()
        async with store_in(killed) as again:
            notices = (await again.get(session.session_id, "ann")).clip.notices
            assert len(notices) == 2
            assert notices[0].startswith(SAID)
        async with store_in(killed) as later:
            assert (await later.get(session.session_id, "ann")).clip.notices == ()

    asyncio.run(work())


def test_an_export_that_a_stop_cuts_off_is_said_and_one_that_its_client_left_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, pause_s = FakeClip.read, [0.0]

    def slowly(clip: FakeClip, frame: int) -> NDArray[np.uint8]:
        time.sleep(pause_s[0])
        return read(clip, frame)

    monkeypatch.setattr(FakeClip, "read", slowly)
    settings = replace(ServerSettings(), sessions_folder=tmp_path / "kept")

    async def told(session_id: str) -> list[str]:
        pause_s[0] = 0.0
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            request = session_pb2.GetSessionRequest(session_id=session_id)
            return list((await client.sessions.GetSession(request)).session.clip.notices)

    async def export(*, leaves: bool) -> str:
        pause_s[0] = 0.0
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            async for _ in client.tracks.Track(request):
                pass
            out = server.root / f"out-{leaves}"
            out.mkdir()
            # Not done before it is cut off.
            pause_s[0] = 0.2
            call = client.exports.ExportMattes(
                export_pb2.ExportMattesRequest(
                    session_id=session_id, request_id=new_id(), format=1, folder=str(out)
                )
            )
            await call.read()
            note = tmp_path / "kept" / session_id / FILE_NAME
            async with asyncio.timeout(20):
                while not note.exists():
                    await call.read()
            if leaves:
                call.cancel()
                async with asyncio.timeout(20):
                    while note.exists():
                        await asyncio.sleep(0.02)
            else:
                await server.server.stop()
                assert note.exists()
            return session_id

    async def work() -> None:
        assert await told(await export(leaves=True)) == []
        (notice,) = await told(await export(leaves=False))
        assert "an export of mattes to" in notice
        assert "made again, goes on behind them" in notice

    asyncio.run(work())


def test_the_same_export_made_again_goes_on_behind_what_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render, pause_s, rendered = matte_export.render_mattes, [0.0], list[int]()

    def slowly(*args: Any, **how: Any) -> Any:
        time.sleep(pause_s[0])
        rendered.extend(args[3])
        return render(*args, **how)

    monkeypatch.setattr(matte_export, "render_mattes", slowly)
    settings = replace(ServerSettings(), sessions_folder=tmp_path / "kept")

    async def work() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            async for _ in client.tracks.Track(request):
                pass
            out = server.root / "out"
            out.mkdir()
            pause_s[0] = 0.1
            names = await exported(client, session_id, out, stop_at=4)
            await server.server.stop()
        # One was changed since, in its last byte: it is made again.
        content = bytearray((out / names[1]).read_bytes())
        content[-1] ^= 255
        (out / names[1]).write_bytes(content)
        before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.exr")}
        rendered.clear()
        pause_s[0] = 0.0
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            told = await exported(client, session_id, out)
            assert len(told) == len(set(told)) == 10
            kept = {name for name, at in before.items() if (out / name).stat().st_mtime_ns == at}
            assert {names[0], names[2]} <= kept
            assert names[1] not in kept
            # From where it was cut off, which is some frame behind the one that was told last.
            _, *behind = sorted(set(rendered))
            assert (min(rendered), behind) == (2, list(range(behind[0], 11)))
            assert behind[0] >= 4
            # It came to its end: once more is another export.
            rendered.clear()
            await exported(client, session_id, out)
            assert set(rendered) == set(range(1, 11))

    asyncio.run(work())


async def exported(client: FakeClient, session_id: str, out: Path, *, stop_at: int = 0) -> list[str]:
    """Names of the files that an export tells of; left after so many."""
    request = export_pb2.ExportMattesRequest(
        session_id=session_id, request_id=new_id(), format=1, folder=str(out)
    )
    names: list[str] = []
    async for response in client.exports.ExportMattes(request):
        if response.event.HasField("written"):
            names.append(response.event.written.relative_name)
            if len(names) == stop_at:
                break
    return names


def test_a_frame_whose_mask_changes_while_it_is_exported_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render, rendered, goes_on = matte_export.render_mattes, list[int](), threading.Event()
    meanwhile: dict[int, Callable[[], object]] = {9: lambda: goes_on.wait(30)}

    def watched(*args: Any, **how: Any) -> Iterator[RenderedFile]:
        (frame,) = args[3]
        files = list(render(*args, **how))
        rendered.append(frame)
        meanwhile.get(frame, lambda: None)()
        yield from files

    monkeypatch.setattr(matte_export, "render_mattes", watched)
    settings = replace(ServerSettings(), sessions_folder=tmp_path / "kept")

    async def work() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            async for _ in client.tracks.Track(request):
                pass
            (held,) = server.server.store.overview.sessions()
            known = held.session.results.find(hero, 4)
            assert known is not None
            meanwhile[4] = lambda: held.session.results.put(replace(known, logits=-known.logits))
            out = server.root / "out"
            out.mkdir()
            export = asyncio.create_task(exported(client, session_id, out))
            async with asyncio.timeout(20):
                while 9 not in rendered:
                    await asyncio.sleep(0.01)
                export.cancel()
                while held.session.is_busy:
                    await asyncio.sleep(0.01)
            meanwhile.clear()
            goes_on.set()
            rendered.clear()
            assert len(await exported(client, session_id, out)) == 10
            # Those whose edges it calms, and itself: its file shows what it was before.
            assert rendered == [2, 3, 4, 9, 10]

    asyncio.run(work())


def test_notes_that_cannot_be_made_hold_no_export_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hangs(*_: object) -> None:
        asked.append(1)
        raise OutputError("the disk for sessions does not answer")

    monkeypatch.setattr(FinishedFrames, "note", hangs)
    settings = replace(ServerSettings(), sessions_folder=tmp_path / "kept")

    async def work() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            out = server.root / "out"
            out.mkdir()
            assert len(await exported(client, session_id, out)) == 1
            assert len(asked) == 1

    asyncio.run(work())


def test_a_disk_of_notes_that_hangs_holds_no_export_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(unfinished, "write_notes", lambda *_: answers.wait(30))

    async def work() -> None:
        workers = WorkerThreads("notes", at_once=2, disk_s=0.1)
        try:
            async with asyncio.timeout(10), unfinished.Unfinished(tmp_path, workers, "ann").noted(WHAT):
                pass
        finally:
            answers.set()
            workers.close()

    asyncio.run(work())


def test_notes_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    for content in ("", "{", "7", '{"a": 1}', "[1, null]", "[" * 50_000):
        (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")
        assert take_notes(tmp_path) == ()
        assert not (tmp_path / FILE_NAME).exists()
    write_notes(tmp_path, [WHAT])
    assert take_notes(tmp_path)[0].startswith(SAID)
    assert take_notes(tmp_path) == ()
