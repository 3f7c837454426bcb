"""Every call asks who makes it and whether that one may; nobody else learns what there is."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.protocol import ASKED, Method, bearer, methods
from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet.errors import BadInputError
from masklet.scopes import SHARED, Scope
from masklet.v1 import export_pb2, session_pb2, track_pb2
from masklet_server.identity.caller import Identity, named
from masklet_server.identity.register import change
from masklet_server.identity.signed_tokens import make_token, revoke_token
from masklet_server.serve_settings import parse_tenant_roots
from masklet_server.service import interceptor as interceptor_module
from masklet_server.service import server as server_module
from masklet_server.service.rules import RULES
from masklet_server.service.settings import ServerSettings

HOUR_S = 3600.0
ALL = methods()
Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


class Keys:
    """A register, and a token of it by name."""

    def __init__(self, folder: Path) -> None:
        self.register = folder / "tokens.json"

    def of(self, account: str, *scopes: Scope, lasts_s: float = HOUR_S) -> str:
        return make_token(self.register, named(account, scopes=scopes or SHARED), lasts_s)[0]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    found = Keys(tmp_path)
    found.of("keeper")
    return found


def serve(folder: Path, keys: Keys, work: Work, **more: Any) -> None:
    async def run() -> None:
        settings = ServerSettings(signed_tokens=keys.register, **more)
        async with running(folder, settings=settings) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def test_every_call_of_every_service_has_a_rule_and_no_rule_is_left_over() -> None:
    from grpc_health.v1 import health_pb2

    health = health_pb2.DESCRIPTOR.services_by_name["Health"]
    paths = {method.path for method in ALL} | {f"/{health.full_name}/{each.name}" for each in health.methods}

    assert len(ALL) >= 36
    assert set(RULES) == paths
    told_to_all = {path for path, rule in RULES.items() if rule.scope is None}
    assert all(path.startswith("/grpc.health.v1.Health/") for path in told_to_all)


def test_what_the_server_asks_of_others_it_does_not_serve(tmp_path: Path, keys: Keys) -> None:
    token = keys.of("ann", *Scope)

    async def work(server: Running, client: FakeClient) -> None:
        for service in ASKED:
            call = client.channel.unary_unary(f"/{service}/FindObjects")(b"", metadata=bearer(token))
            assert (await refusal(call))[0] == grpc.StatusCode.UNIMPLEMENTED

    serve(tmp_path, keys, work)


def test_a_call_without_a_rule_is_refused_before_anybody_is_asked(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    (info,) = [each for each in ALL if each.path.endswith("/GetServerInfo")]
    monkeypatch.delitem(RULES, info.path)  # type: ignore[arg-type]

    token = keys.of("ann", *Scope)

    async def work(server: Running, client: FakeClient) -> None:
        answer = await info.answer(client.channel, metadata=bearer(token))
        assert answer[0] == "UNIMPLEMENTED"

    serve(tmp_path, keys, work)


def test_no_token_opens_any_call_unless_it_counts(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = keys.of("ann", *Scope)
    revoked, made = make_token(keys.register, named("ann", scopes=Scope), HOUR_S)
    revoke_token(keys.register, made.token_id)
    wrong = {
        "none": None,
        "of nobody": "x" * 40,
        "cut": good[:-1],
        "expired": keys.of("ann", *Scope, lasts_s=-HOUR_S),
        "revoked": revoked,
    }
    # All of these come from one machine, which would be shut out after ten.
    monkeypatch.setattr("masklet_server.service.door.WRONG_TOKENS", 10_000)

    async def work(server: Running, client: FakeClient) -> None:
        for what, token in wrong.items():
            for method in ALL:
                status, kind, text, _ = await method.answer(client.channel, metadata=bearer(token))
                assert (status, kind) == ("UNAUTHENTICATED", "access-denied"), (what, method.path)
                assert token is None or token not in text
        for method in ALL:
            status, _, _, _ = await method.answer(client.channel, metadata=bearer(good))
            assert status not in ("UNAUTHENTICATED", "PERMISSION_DENIED"), method.path

    serve(tmp_path, keys, work)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_is_good_for_its_own_scopes_alone(tmp_path: Path, keys: Keys, scope: Scope) -> None:
    token = keys.of("ann", scope)

    async def work(server: Running, client: FakeClient) -> None:
        refused = 0
        for method in ALL:
            needed = RULES[method.path].scope
            status, kind, text, _ = await method.answer(client.channel, metadata=bearer(token))
            if needed in (scope, Scope.READ):
                assert status not in ("UNAUTHENTICATED", "PERMISSION_DENIED"), method.path
            else:
                refused += 1
                assert needed is not None
                assert (status, kind) == ("PERMISSION_DENIED", "not-permitted"), method.path
                assert needed.value in text
        assert refused > 0

    serve(tmp_path, keys, work)


def requests_about(session_id: str) -> list[tuple[Method, Any]]:
    found = []
    for method in ALL:
        if "session_id" in method.request.fields_by_name:
            message = method.message(
                session_id=session_id, request_id=new_id(), object_id=1, user="carl", rights=[1]
            )
            found.append((method, message))
    return found


@pytest.mark.parametrize("kept", [True, False])
def test_somebody_elses_session_answers_as_one_that_is_not_there_to_the_byte(
    tmp_path: Path, keys: Keys, kept: bool
) -> None:
    ann = keys.of("acme/ann")
    strangers = [keys.of("acme/bob"), keys.of("ann"), keys.of("other/ann")]
    missing = "0" * 32

    async def work(server: Running, client: FakeClient) -> None:
        async with server.client(token=ann) as own:
            session_id, _ = await own.clicked(server.root / "clip")
            for token in strangers:
                for (method, theirs), (_, nobodys) in zip(
                    requests_about(session_id), requests_about(missing), strict=True
                ):
                    seen = await method.answer(client.channel, theirs, bearer(token))
                    unknown = await method.answer(client.channel, nobodys, bearer(token))
                    assert seen == unknown, method.path
                    closes = method.path.endswith("/CloseSession")
                    assert seen[:2] == (("OK", "") if closes else ("NOT_FOUND", "session-not-found")), (
                        method.path
                    )
                (listing,) = [each for each in ALL if each.path.endswith("/ListSessions")]
                data = await listing.call(client.channel, b"", bearer(token))
                assert not session_pb2.ListSessionsResponse.FromString(data).sessions
            asking = session_pb2.GetSessionRequest(session_id=session_id)
            assert (await own.sessions.GetSession(asking)).session.objects

    serve(tmp_path, keys, work, sessions_folder=tmp_path / "sessions" if kept else None)


def test_uploads_and_contents_of_another_tenants_namesake_are_not_there(tmp_path: Path, keys: Keys) -> None:
    acme, house = keys.of("acme/ann"), keys.of("ann")
    content = b"first frame"
    digest = hashlib.sha256(content).digest()
    part = session_pb2.UploadClipRequest
    start = session_pb2.UploadFileStart(frame=1, suffix=".exr", size_bytes=len(content), sha256=digest)
    messages = [
        part(header=session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.####.exr")),
        part(file=start),
        part(chunk=content),
        part(commit=session_pb2.UploadCommit(files=1, sha256=digest)),
    ]

    async def work(server: Running, client: FakeClient) -> None:
        sent = await client.sessions.UploadClip(iter(messages), metadata=bearer(acme))
        (opening,) = [each for each in ALL if each.path.endswith("/OpenSession")]
        (finding,) = [each for each in ALL if each.path.endswith("/FindContents")]

        async def opened(upload_id: str, token: str) -> Any:
            request = opening.message(upload_id=upload_id, request_id=new_id())
            return await opening.answer(client.channel, request, bearer(token))

        async def held(token: str) -> list[int]:
            data = await finding.call(client.channel, finding.message(sha256=[digest]), bearer(token))
            return list(session_pb2.FindContentsResponse.FromString(data).held_bytes)

        assert await opened(sent.upload_id, house) == await opened("0" * 32, house)
        assert (await held(acme), await held(house)) == ([len(content)], [0])
        assert (await opened(sent.upload_id, acme))[0] == "OK"

    serve(tmp_path, keys, work)


def test_time_does_not_tell_whether_somebody_else_has_a_session(tmp_path: Path, keys: Keys) -> None:
    ann, bob = keys.of("ann"), keys.of("bob")

    async def work(server: Running, client: FakeClient) -> None:
        async with server.client(token=ann) as own:
            session_id, _ = await own.clicked(server.root / "clip")
        (method,) = [each for each in ALL if each.path.endswith("/GetSession")]
        took_s: dict[str, list[float]] = {session_id: [], "0" * 32: []}
        for turn in range(60):
            for each, times_s in sorted(took_s.items(), reverse=bool(turn % 2)):
                began_s = time.perf_counter()
                await method.answer(client.channel, method.message(session_id=each), bearer(bob))
                times_s.append(time.perf_counter() - began_s)
        there_s, nowhere_s = map(statistics.median, took_s.values())
        # An id of 128 random bits has to be known before it can be asked for.
        assert abs(there_s - nowhere_s) < 0.002

    serve(tmp_path, keys, work, sessions_folder=tmp_path / "sessions")


def test_the_same_user_of_two_tenants_are_two(tmp_path: Path, keys: Keys) -> None:
    first, second = keys.of("one/ann"), keys.of("two/ann")

    async def work(server: Running, client: FakeClient) -> None:
        async with server.client(token=first) as one, server.client(token=second) as two:
            for each in (one, two):
                await each.open(server.root / "clip")
            for each in (one, two):
                listed = await each.sessions.ListSessions(session_pb2.ListSessionsRequest())
                assert len(listed.sessions) == 1

    serve(tmp_path, keys, work)


def test_a_token_that_is_revoked_while_the_server_runs_is_refused_within_seconds(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "TIDY_EVERY_S", 0.05)
    token, made = make_token(keys.register, Identity("ann"), HOUR_S)

    async def work(server: Running, client: FakeClient) -> None:
        (info,) = [each for each in ALL if each.path.endswith("/GetServerInfo")]
        assert (await info.answer(client.channel, metadata=bearer(token)))[0] == "OK"
        revoke_token(keys.register, made.token_id)
        change(keys.register, lambda register: register)
        for _ in range(100):
            await asyncio.sleep(0.05)
            answer = await info.answer(client.channel, metadata=bearer(token))
            if answer[0] != "OK":
                break
        assert answer[:2] == ("UNAUTHENTICATED", "access-denied")
        assert "taken back" in answer[2]

    serve(tmp_path, keys, work)


def test_a_track_ends_with_a_sentence_when_its_token_is_taken_back(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "TIDY_EVERY_S", 0.05)
    monkeypatch.setattr(interceptor_module, "TOKEN_LOOKS_S", 0.0)
    token, made = make_token(keys.register, Identity("ann", scopes=frozenset(Scope)), HOUR_S)

    async def work(server: Running, client: FakeClient) -> None:
        async with server.client(token=token) as ann:
            session_id, _ = await ann.clicked(server.root / "clip")
        server.engine.trackers[0].frame_s = 0.2
        request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
        seen = 0

        async def watch() -> None:
            nonlocal seen
            async for event in client.tracks.Track(request, metadata=bearer(token)):
                seen += event.HasField("update")
                if seen == 2:
                    revoke_token(keys.register, made.token_id)
                    change(keys.register, lambda register: register)

        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await watch()

        assert ended.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert "taken back while this ran" in str(ended.value.details())
        assert seen < 10

    serve(tmp_path, keys, work)


def test_a_tenant_with_roots_of_its_own_has_these_only_to_read_and_to_write(
    tmp_path: Path, keys: Keys
) -> None:
    theirs = tmp_path / "acme"
    (theirs / "clip").mkdir(parents=True)
    ann, bob = keys.of("acme/ann"), keys.of("bob")

    async def work(server: Running, client: FakeClient) -> None:
        async with server.client(token=ann) as acme, server.client(token=bob) as house:
            for client_, own, others in ((acme, theirs, server.root), (house, server.root, theirs)):
                session_id, _ = await client_.clicked(own / "clip")
                opening = session_pb2.OpenSessionRequest(request_id=new_id(), path=str(others / "clip"))
                assert (await refusal(client_.sessions.OpenSession(opening)))[1] == "path-not-allowed"
                metadata = bearer(ann if client_ is acme else bob)
                wrong = export_pb2.ExportMattesRequest(session_id=session_id, folder=str(others / "out"))
                call = client_.exports.ExportMattes(wrong, metadata=metadata)
                assert (await refusal(call))[1] == "path-not-allowed"
                right = export_pb2.ExportMattesRequest(session_id=session_id, folder=str(own / "out"))
                assert [each async for each in client_.exports.ExportMattes(right, metadata=metadata)]
        # After a restart as well: the journal knows whose the clip is.
        await server.server.store.leave_all()

    async def again(server: Running, client: FakeClient) -> None:
        async with server.client(token=ann) as acme:
            (found,) = (await acme.sessions.ListSessions(session_pb2.ListSessionsRequest())).sessions
            asking = session_pb2.GetSessionRequest(session_id=found.session_id)
            assert (await acme.sessions.GetSession(asking)).session.objects
            assert server.opener.fences[-1].folders == (theirs.resolve(),)

    more = {"sessions_folder": tmp_path / "sessions", "tenant_roots": {"acme": (theirs,)}}
    serve(tmp_path, keys, work, **more)
    serve(tmp_path, keys, again, **more)


def test_roots_of_tenants_are_named_on_the_command_line(tmp_path: Path) -> None:
    assert parse_tenant_roots(["acme=/a", "acme=/b=c", "other=/d"]) == {
        "acme": (Path("/a"), Path("/b=c")),
        "other": (Path("/d"),),
    }
    for wrong in ("acme", "acme=", "=/a", "a/b=/c"):
        with pytest.raises(BadInputError, match="tenant"):
            parse_tenant_roots([wrong])
