"""The status page on a server that works: what it shows is so, and what is done there happens."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from certificates import issue
from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet.errors import BadInputError
from masklet.scopes import Scope
from masklet.v1 import session_pb2, track_pb2
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.store import StoreLimits

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

SETTINGS = replace(ServerSettings(), status_address="127.0.0.1:0")


class Page:
    """The page of a server, in a browser that keeps cookies and follows redirects."""

    def __init__(self, server: Running, token: str = "") -> None:
        self._url = f"http://{server.server.status_address}"
        self._bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        )

    async def get(self, path: str) -> bytes:
        return await asyncio.to_thread(self._open, path, None)

    async def facts(self) -> Any:
        return json.loads(await self.get("/status.json"))

    async def press(self, path: str) -> str:
        """Answer a question with its button; what the page says then."""
        key = re.search(rb'name="key" value="([^"]+)"', await self.get(path))
        assert key is not None
        body = urllib.parse.urlencode({"key": key[1].decode()}).encode()
        return (await asyncio.to_thread(self._open, path, body)).decode()

    def _open(self, path: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(self._url + path, body, self._bearer)
        with self._browser.open(request, timeout=20) as answer:
            return bytes(answer.read())


Work = Callable[[Running, FakeClient, Page], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, settings: ServerSettings = SETTINGS, **how: Any) -> None:
    async def run() -> None:
        async with running(folder, settings=settings, **how) as server, server.client() as client:
            await work(server, client, Page(server))

    asyncio.run(run())


def test_it_shows_sessions_users_and_the_latest_errors(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, page: Page) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        await refusal(client.click(session_id, hero + 7))

        facts = await page.facts()

        (row,) = facts["sessions"]
        assert (row["session_id"], row["user"], row["clip"], row["objects"]) == (
            session_id,
            "local",
            "clip",
            1,
        )
        assert row["state"] == "idle"
        assert row["held_bytes"] == 1000
        assert facts["state"] == "serving"
        assert facts["device"]["held_bytes"] == 1000
        (error,) = facts["errors"]
        assert error["kind"] == "object-not-found"
        assert error["call"] == "PromptService/AddClick"
        # Whoever looks is no call: sessions grow idle all the same.
        assert facts["sessions"][0]["idle_s"] < (await page.facts())["sessions"][0]["idle_s"]

    serve(tmp_path, work)


def test_who_waits_for_whom_is_told(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, page: Page) -> None:
        first, _ = await client.clicked(server.root / "clip")
        second, (other,) = await client.clicked(server.root / "clip")
        for tracker in server.engine.trackers:
            tracker.frame_s = 0.4
        request = track_pb2.TrackRequest(session_id=first, request_id=new_id(), mask_format=SMALL)
        track = client.tracks.Track(request)
        await track.read()
        click = asyncio.create_task(client.click(second, other, frame=2))
        waits = []
        async with asyncio.timeout(10):
            while not (waits := (await page.facts())["waits"]):
                await asyncio.sleep(0.01)
        facts = await page.facts()
        await click
        track.cancel()

        assert waits[0]["wants"] == "the device, for a click"
        assert waits[0]["waits_for"] == "local on clip, a frame of a track"
        assert {row["state"] for row in facts["sessions"]} & {"tracking", "waiting"}

    serve(tmp_path, work)


def test_whoever_waits_for_a_session_is_told_of_with_those_who_have_one(tmp_path: Path) -> None:
    settings = replace(SETTINGS, store=StoreLimits(max_sessions=1))

    async def work(server: Running, client: FakeClient, page: Page) -> None:
        await client.clicked(server.root / "clip")
        request = session_pb2.OpenSessionRequest(
            request_id=new_id(), path=str(server.root / "clip"), can_wait=True
        )
        asking = client.sessions.OpenSession(request)
        async with asyncio.timeout(10):
            while not (waits := (await page.facts())["waits"]):
                await asyncio.sleep(0.02)
        asking.cancel()

        (row,) = waits
        assert row["wants"] == "a session"
        assert row["waits_for"] == "those who have one: local (1)"
        assert row["waited_s"] >= 0.0

    serve(tmp_path, work, settings)


def test_a_session_is_parked_and_removed_and_the_server_drained(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, page: Page) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        assert "has given its memory back" in await page.press(f"/sessions/{session_id}/park")
        assert (await page.facts())["sessions"][0]["state"] == "parked"
        assert server.engine.calls[-1] == ("park",)
        # Parked, and not gone.
        await client.click(session_id, hero, frame=2)

        assert "gone for good" in await page.press(f"/sessions/{session_id}/remove")
        assert (await page.facts())["sessions"] == []
        assert (await refusal(client.click(session_id, hero)))[1] == "session-not-found"

        assert "draining" in await page.press("/drain")
        request = session_pb2.OpenSessionRequest(request_id=new_id(), path=str(server.root / "clip"))
        assert (await refusal(client.sessions.OpenSession(request)))[1] == "restarting"

    serve(tmp_path, work)


def test_pictures_are_shown_where_the_settings_say_so(tmp_path: Path) -> None:
    async def shown(server: Running, client: FakeClient, page: Page) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        picture = await page.get(f"/sessions/{session_id}/picture.jpg")
        assert picture.startswith(b"\xff\xd8")

    async def hidden(server: Running, client: FakeClient, page: Page) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            await page.get(f"/sessions/{session_id}/picture.jpg")

    serve(tmp_path, shown, replace(SETTINGS, status_pictures=True))
    serve(tmp_path, hidden)


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, page: Page) -> None:
        other = replace(SETTINGS, status_address=str(server.server.status_address))
        with pytest.raises(BadInputError, match="another --status-address"):
            async with running(tmp_path, settings=other):
                pass

    serve(tmp_path, work)


def test_other_machines_reach_it_with_tls_and_tokens_alone(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(BadInputError, match="TLS and a token file are missing"):
            async with running(tmp_path, settings=replace(SETTINGS, status_address="0.0.0.0:0")):
                pass

    asyncio.run(run())


def test_a_page_for_other_machines_needs_tokens_beside_certificates(tmp_path: Path) -> None:
    own = issue(tmp_path, "own")
    settings = replace(
        SETTINGS,
        status_address="0.0.0.0:0",
        tls_certificate=own.certificate,
        tls_key=own.key,
        tls_client_ca=own.certificate,
    )

    async def run() -> None:
        with pytest.raises(BadInputError, match="a token file is missing"):
            async with running(tmp_path, settings=settings):
                pass

    asyncio.run(run())


def test_only_a_token_with_the_scope_admin_keeps_the_server(tmp_path: Path) -> None:
    register, plain, audit = tmp_path / "tokens.json", tmp_path / "tokens", tmp_path / "audit"
    artist, _ = make_token(register, named("ann"), 3600.0)
    keeper, _ = make_token(register, named("kim", scopes={Scope.ADMIN, Scope.READ}), 3600.0)
    plain.write_text("bob:0123456789abcdef\n", encoding="utf-8")
    plain.chmod(0o600)
    settings = replace(SETTINGS, signed_tokens=register, token_file=plain, audit=audit)

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client(token=artist) as client:
            session_id, _ = await client.clicked(server.root / "clip")
            for token in ("", artist, "0123456789abcdef", "guessed-0123456789"):
                with pytest.raises(urllib.error.HTTPError, match="401" if not token else "403"):
                    await Page(server, token).facts()
            page = Page(server, keeper)
            assert (await page.facts())["sessions"][0]["user"] == "ann"
            await asyncio.to_thread(page._open, f"/sessions/{session_id}/remove", b"")
            assert (await page.facts())["sessions"] == []

    asyncio.run(run())

    noted = "".join(file.read_text(encoding="utf-8") for file in audit_files(audit))
    (line,) = [json.loads(line) for line in noted.splitlines() if "session-removed" in line]
    assert "kim" in json.dumps(line)
    assert keeper not in noted


def audit_files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [file for file in sorted(place.rglob("*")) if file.is_file()]
