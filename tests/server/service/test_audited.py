"""The audit log has who opened, prompted, exported and was refused; never a token, never a pixel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from fakes.protocol import bearer
from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet.errors import ServerFaultError
from masklet.v1 import export_pb2, server_pb2, session_pb2, values_pb2
from masklet.v1.prompt_pb2 import SetPromptsRequest
from masklet_server.audit.chain import verify
from masklet_server.service.rates import RateSettings
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.store import SessionStore

ANN, BOB = "ann-has-a-long-token", "bob-has-a-long-token"
Work = Callable[[Running, FakeClient, FakeClient], Coroutine[Any, Any, None]]


def audited(folder: Path, work: Work, **more: Any) -> list[dict[str, Any]]:
    """What is in the log after some work, without the start and the end."""
    tokens, log = folder / "tokens", folder / "audit.jsonl"
    tokens.write_text(f"acme/ann:{ANN}\nbob:{BOB}\n")
    tokens.chmod(0o600)

    async def run() -> None:
        settings = ServerSettings(token_file=tokens, audit=log, **more)
        async with (
            running(folder, settings=settings) as server,
            server.client(token=ANN) as ann,
            server.client(token=BOB) as bob,
        ):
            await work(server, ann, bob)

    asyncio.run(run())
    assert verify(log).broken is None
    text = log.read_text()
    assert ANN not in text
    assert BOB not in text
    records = [json.loads(line) for line in text.splitlines()]
    assert [records[0]["did"], records[-1]["did"]] == ["server-started", "server-stopped"]
    return records[1:-1]


def test_a_call_that_fails_in_a_way_nobody_foresaw_is_not_noted_as_one_whose_client_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(SessionStore, "open", fails)

    async def work(server: Running, ann: FakeClient, bob: FakeClient) -> None:
        await refusal(ann.open(server.root / "clip"))

    (record,) = audited(tmp_path, work)

    assert (record["did"], record["result"]) == ("open", ServerFaultError.kind)


def test_what_artists_do_is_noted_with_who_where_and_what(tmp_path: Path) -> None:
    ids: list[str] = []

    async def work(server: Running, ann: FakeClient, bob: FakeClient) -> None:
        session_id, (hero,) = await ann.clicked(server.root / "clip")
        ids.append(session_id)
        prompts = values_pb2.FramePrompts(
            object_id=hero, frame=2, clicks=[values_pb2.Click(x_px=1, y_px=1, positive=True)]
        )
        await ann.prompts.SetPrompts(
            SetPromptsRequest(session_id=session_id, request_id=new_id(), prompts=prompts)
        )
        request = export_pb2.ExportMattesRequest(session_id=session_id, request_id=new_id())
        metadata = bearer(ANN)
        async for _ in ann.exports.ExportMattes(request, metadata=metadata):
            pass
        await ann.sessions.ShareSession(
            session_pb2.ShareSessionRequest(session_id=session_id, user="carl", rights=[1])
        )
        await ann.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session_id))
        await ann.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session_id))

    records = audited(tmp_path, work)

    assert [each["did"] for each in records] == [
        "open",
        "add-object",
        "prompt",
        "prompt",
        "export",
        "share",
        "close",
    ]
    assert {(each["user"], each["tenant"], each["place"]) for each in records} == {
        ("ann", "acme", "127.0.0.1")
    }
    assert {each["session_id"] for each in records} == set(ids)
    opened, _, clicked, prompted, _, shared, _ = records
    assert opened["path"].endswith("/root/clip")
    assert opened["clip_name"] == "clip"
    assert (clicked["call"], clicked["frame"], clicked["result"]) == ("AddClick", 1, "ok")
    assert (prompted["call"], prompted["frame"], prompted["object_id"]) == ("SetPrompts", 2, 1)
    assert shared["with_user"] == "carl"
    assert all("x_px" not in json.dumps(each) for each in records)


def test_what_is_refused_is_noted_with_its_reason(tmp_path: Path) -> None:
    async def work(server: Running, ann: FakeClient, bob: FakeClient) -> None:
        session_id, _ = await ann.clicked(server.root / "clip")
        stolen = session_pb2.GetSessionRequest(session_id=session_id)
        await refusal(bob.sessions.GetSession(stolen))
        await refusal(
            bob.sessions.OpenSession(session_pb2.OpenSessionRequest(request_id=new_id(), path="/etc/passwd"))
        )
        async with server.client(token="guess-guess-guess-guess") as nobody:
            for _ in range(30):
                await refusal(nobody.server.GetServerInfo(server_pb2.GetServerInfoRequest()))

    records = [each for each in audited(tmp_path, work) if each["did"] == "refused"]
    named = [(each["call"], each["result"], each.get("user")) for each in records]

    assert named[:2] == [
        ("GetSession", "session-not-found", "bob"),
        ("OpenSession", "path-not-allowed", "bob"),
    ]
    assert named[2:] == [("GetServerInfo", "access-denied", None)] * 10, "and whoever knocks on fills no log"


def test_too_many_calls_are_noted_once_and_not_each(tmp_path: Path) -> None:
    async def work(server: Running, ann: FakeClient, bob: FakeClient) -> None:
        calls = [bob.server.GetServerInfo(server_pb2.GetServerInfoRequest()) for _ in range(50)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(each, Exception) for each in ended) == 49

    records = audited(tmp_path, work, rates=RateSettings(user_calls_per_s=0.01))

    assert [(each["call"], each["result"]) for each in records] == [("GetServerInfo", "busy")]


def test_long_and_strange_texts_of_clients_make_one_short_line(tmp_path: Path) -> None:
    strange = '/x/"\n{"did":"export"}\u202e' + "y" * 3000

    async def work(server: Running, ann: FakeClient, bob: FakeClient) -> None:
        request = session_pb2.OpenSessionRequest(request_id=new_id(), path=strange)
        await refusal(ann.sessions.OpenSession(request))

    (record,) = audited(tmp_path, work)

    assert record["path"].startswith(strange[:500])
    assert record["path"].endswith(f"({len(strange)} characters)")
    assert len(json.dumps(record)) < 2000


def test_a_server_without_an_audit_log_writes_none(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            await client.open(server.root / "clip")

    asyncio.run(run())
    assert not list(tmp_path.glob("**/*.jsonl"))


def test_an_audit_log_that_cannot_be_written_is_said_before_the_server_starts(tmp_path: Path) -> None:
    from masklet.errors import BadInputError

    (tmp_path / "file").touch()

    async def run() -> None:
        async with running(tmp_path, settings=ServerSettings(audit=tmp_path / "file" / "log")):
            pass

    with pytest.raises(BadInputError, match=r"the audit log .* cannot be written"):
        asyncio.run(run())
