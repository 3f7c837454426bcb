"""A session is opened to another artist by its owner alone, and closed to that one again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet import sharing_codec
from masklet.scopes import Scope
from masklet.types import SessionSummary, Share
from masklet.v1 import prompt_pb2, session_pb2, track_pb2
from masklet_server.service.settings import ServerSettings

ANN, BOB, CARL, EVE = (f"{name}-has-a-long-token" for name in ("ann", "bob", "carl", "eve"))
TOKENS = f"ann:{ANN}\nbob:{BOB}\ncarl:{CARL}\nacme/bob:{EVE}\n"
ALL = (Scope.READ, Scope.PROMPT, Scope.TRACK, Scope.EXPORT)
Work = Callable[[Running], Coroutine[Any, Any, None]]


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    path = tmp_path / "tokens"
    path.write_text(TOKENS)
    path.chmod(0o600)
    return ServerSettings(token_file=path, sessions_folder=tmp_path / "sessions")


def serve(folder: Path, settings: ServerSettings, *works: Work) -> None:
    """One server after the other, on the same folder."""

    async def run() -> None:
        for work in works:
            async with running(folder, settings=settings) as server:
                await work(server)

    asyncio.run(run())


async def share(client: FakeClient, session_id: str, user: str, rights: Sequence[Scope]) -> tuple[Share, ...]:
    request = session_pb2.ShareSessionRequest(
        session_id=session_id,
        request_id=new_id(),
        user=user,
        rights=sharing_codec.scopes_to_wire(rights),
    )
    answer = await client.sessions.ShareSession(request)
    return tuple(map(sharing_codec.share_from_wire, answer.shares))


async def unshare(client: FakeClient, session_id: str, user: str) -> tuple[Share, ...]:
    request = session_pb2.UnshareSessionRequest(session_id=session_id, request_id=new_id(), user=user)
    answer = await client.sessions.UnshareSession(request)
    return tuple(map(sharing_codec.share_from_wire, answer.shares))


async def listed(client: FakeClient) -> list[SessionSummary]:
    answer = await client.sessions.ListSessions(session_pb2.ListSessionsRequest())
    return [sharing_codec.summary_from_wire(each) for each in answer.sessions]


def asking(session_id: str) -> session_pb2.GetSessionRequest:
    return session_pb2.GetSessionRequest(session_id=session_id)


@asynccontextmanager
async def both(server: Running) -> AsyncIterator[tuple[FakeClient, FakeClient]]:
    async with server.client(token=ANN) as ann, server.client(token=BOB) as bob:
        yield ann, bob


def test_another_artist_goes_on_where_the_owner_was(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, (hero,) = await ann.clicked(server.root / "clip")
            told = await share(ann, session_id, "bob", [Scope.PROMPT, Scope.TRACK])
            assert told == (Share("bob", (Scope.READ, Scope.PROMPT, Scope.TRACK)),)

            (found,) = await listed(bob)
            assert (found.session_id, found.owner) == (session_id, "ann")
            assert found.rights == (Scope.READ, Scope.PROMPT, Scope.TRACK)
            (own,) = await listed(ann)
            assert (own.owner, own.rights) == ("", ())

            await bob.click(session_id, hero, frame=2)
            document = await ann.prompts.GetPromptDocument(
                prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
            )
            assert {each.frame for each in document.document.prompts} == {1, 2}
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            metadata = (("authorization", f"Bearer {BOB}"),)
            events = [event async for event in bob.tracks.Track(request, metadata=metadata)]
            assert events[-1].HasField("finished")

    serve(tmp_path, settings, work)


def test_a_track_of_somebody_who_is_let_in_no_more_ends_with_a_sentence(
    tmp_path: Path, settings: ServerSettings
) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, _ = await ann.clicked(server.root / "clip")
            await share(ann, session_id, "bob", [Scope.TRACK])
            server.engine.trackers[0].frame_s = 0.1
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            seen = []

            async def watch() -> None:
                async for event in bob.tracks.Track(request, metadata=(("authorization", f"Bearer {BOB}"),)):
                    seen.append(event)
                    if event.HasField("update") and event.update.frame == 3:
                        await unshare(ann, session_id, "bob")

            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await watch()

            assert ended.value.code() == grpc.StatusCode.PERMISSION_DENIED
            assert ended.value.details() == (
                "ann no longer shares this session with you, and this was stopped: ask ann for it"
            )
            # One may have been on its way; what was tracked is the owner's.
            assert seen[-1].update.frame <= 4
            fetch = track_pb2.FetchMasksRequest(session_id=session_id)
            metadata = (("authorization", f"Bearer {ANN}"),)
            kept = [each async for each in ann.tracks.FetchMasks(fetch, metadata=metadata)]
            assert 3 <= len(kept) < 10

    serve(tmp_path, settings, work)


def test_sharing_with_many_at_once_forgets_nobody(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with server.client(token=ANN) as ann:
            session_id, _ = await ann.clicked(server.root / "clip")
            names = [f"artist{number}" for number in range(12)]
            await asyncio.gather(*(share(ann, session_id, name, [Scope.READ]) for name in names))
            answer = await ann.sessions.ListShares(session_pb2.ListSharesRequest(session_id=session_id))
            assert sorted(each.user for each in answer.shares) == sorted(names)

    serve(tmp_path, settings, work)


def test_what_was_not_shared_is_refused_with_whom_to_ask(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, _ = await ann.clicked(server.root / "clip")
            await share(ann, session_id, "bob", [Scope.READ])

            assert (await bob.sessions.GetSession(asking(session_id))).session.objects
            refused = await refusal(
                bob.sessions.AddObject(
                    session_pb2.AddObjectRequest(session_id=session_id, request_id=new_id())
                )
            )
            owners = await refusal(
                bob.sessions.ListShares(session_pb2.ListSharesRequest(session_id=session_id))
            )

            assert refused[:2] == (grpc.StatusCode.PERMISSION_DENIED, "not-permitted")
            assert refused[2] == (
                "ann shares this session with you for read, and this needs prompt: ask ann for it"
            )
            assert owners[:2] == refused[:2]
            assert "ann's, who alone can do this" in owners[2]

    serve(tmp_path, settings, work)


def test_who_may_do_much_can_neither_share_on_nor_close(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob), server.client(token=CARL) as carl:
            session_id, _ = await ann.clicked(server.root / "clip")
            await share(ann, session_id, "bob", ALL)

            sharing = session_pb2.ShareSessionRequest(session_id=session_id, user="carl", rights=[1])
            assert (await refusal(bob.sessions.ShareSession(sharing)))[1] == "not-permitted"
            taking = session_pb2.UnshareSessionRequest(session_id=session_id, user="bob")
            assert (await refusal(bob.sessions.UnshareSession(taking)))[1] == "not-permitted"
            await bob.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session_id))
            assert (await refusal(carl.sessions.GetSession(asking(session_id))))[1] == "session-not-found"
            assert (await ann.sessions.GetSession(asking(session_id))).session.objects

    serve(tmp_path, settings, work)


def test_a_share_that_is_taken_back_leaves_nothing(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, _ = await ann.clicked(server.root / "clip")
            await share(ann, session_id, "bob", ALL)
            assert await unshare(ann, session_id, "bob") == ()
            assert await unshare(ann, session_id, "bob") == ()

            gone = await refusal(bob.sessions.GetSession(asking(session_id)))
            assert gone == await refusal(bob.sessions.GetSession(asking("0" * 32)))
            assert await listed(bob) == []

    serve(tmp_path, settings, work)


def test_shares_outlive_the_server_and_end_with_the_session(tmp_path: Path, settings: ServerSettings) -> None:
    ids: list[str] = []

    async def before(server: Running) -> None:
        async with both(server) as (ann, _):
            session_id, _ = await ann.clicked(server.root / "clip")
            ids.append(session_id)
            await share(ann, session_id, "bob", [Scope.PROMPT])
            await share(ann, session_id, "carl", [Scope.READ])
            await unshare(ann, session_id, "carl")

    async def after(server: Running) -> None:
        async with both(server) as (ann, bob), server.client(token=CARL) as carl:
            (session_id,) = ids
            assert [(each.session_id, each.owner) for each in await listed(bob)] == [(session_id, "ann")]
            assert (await refusal(carl.sessions.GetSession(asking(session_id))))[1] == "session-not-found"
            # The guest brings it back, and it is the owner's all the same, once for both.
            found = await asyncio.gather(
                *(each.sessions.GetSession(asking(session_id)) for each in (bob, ann, bob, ann))
            )
            assert all(each.session.objects for each in found)
            assert len(server.server.store) == 1
            await bob.click(session_id, 1, frame=3)
            assert (
                await refusal(bob.sessions.ListShares(session_pb2.ListSharesRequest(session_id=session_id)))
            )[1] == "not-permitted"
            await ann.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session_id))
            assert await listed(bob) == []

    serve(tmp_path, settings, before, after)


def test_tenants_never_meet_not_even_by_sharing(tmp_path: Path, settings: ServerSettings) -> None:
    async def work(server: Running) -> None:
        async with server.client(token=ANN) as ann, server.client(token=EVE) as other_bob:
            session_id, _ = await ann.clicked(server.root / "clip")
            await share(ann, session_id, "bob", ALL)
            for name in ("acme/bob", "", " ", "a\nb", "x" * 129):
                sharing = session_pb2.ShareSessionRequest(session_id=session_id, user=name, rights=[1])
                assert (await refusal(ann.sessions.ShareSession(sharing)))[1] == "bad-input"

            assert (await refusal(other_bob.sessions.GetSession(asking(session_id))))[
                1
            ] == "session-not-found"
            assert await listed(other_bob) == []

    serve(tmp_path, settings, work)


@pytest.mark.parametrize("rights", [[], [0], [5], [1, 5], [99]])
def test_only_what_artists_do_can_be_shared(
    tmp_path: Path, settings: ServerSettings, rights: list[int]
) -> None:
    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, _ = await ann.clicked(server.root / "clip")
            sharing = session_pb2.ShareSessionRequest(session_id=session_id, user="bob", rights=rights)  # type: ignore[arg-type]
            assert (await refusal(ann.sessions.ShareSession(sharing)))[1] == "bad-input"
            assert await listed(bob) == []
            with_oneself = session_pb2.ShareSessionRequest(session_id=session_id, user="ann", rights=[1])
            assert "yours already" in (await refusal(ann.sessions.ShareSession(with_oneself)))[2]

    serve(tmp_path, settings, work)


def test_a_disk_that_takes_nothing_leaves_sharing_as_it_was(
    tmp_path: Path, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masklet.errors import OutputError
    from masklet_server.journal.journal import FileJournal

    async def refuse(*_: object) -> None:
        raise OutputError("the disk is full")

    async def work(server: Running) -> None:
        async with both(server) as (ann, bob):
            session_id, _ = await ann.clicked(server.root / "clip")
            monkeypatch.setattr(FileJournal, "share", refuse)
            sharing = session_pb2.ShareSessionRequest(session_id=session_id, user="bob", rights=[1])
            assert (await refusal(ann.sessions.ShareSession(sharing)))[1] == "output"
            assert await listed(bob) == []

    serve(tmp_path, settings, work)


def test_damaged_shares_let_nobody_in_and_lose_nothing_else(tmp_path: Path, settings: ServerSettings) -> None:
    import sqlite3

    ids: list[str] = []

    async def before(server: Running) -> None:
        async with both(server) as (ann, _):
            session_id, _ = await ann.clicked(server.root / "clip")
            ids.append(session_id)
            await share(ann, session_id, "bob", ALL)

    async def after(server: Running) -> None:
        async with both(server) as (ann, bob):
            assert (await refusal(bob.sessions.GetSession(asking(ids[0]))))[1] == "session-not-found"
            assert (await ann.sessions.GetSession(asking(ids[0]))).session.objects

    serve(tmp_path, settings, before)
    file = tmp_path / "sessions" / ids[0] / "session.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE record SET value = ? WHERE kind = 'shares'", (b'{"bob":["prompt","read"]} ',)
        )
    connection.close()
    serve(tmp_path, settings, after)
