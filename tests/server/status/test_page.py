"""The page for whoever keeps a server, as a browser without JavaScript and a script get it."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fakes.operated import ARTIST, KEEPER, FakeKeys, FakeOperated, session_row
from masklet_server.status.facts import ErrorRow, UserRow, WaitRow
from masklet_server.status.serving import StatusServer, Tls

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str
    cookie: str


@dataclass
class Browser:
    """Keeps one cookie, as a browser does; does not follow redirects."""

    port: int
    cookie: str = ""

    async def get(self, path: str, **headers: str) -> Answer:
        return await asyncio.to_thread(self._ask, "GET", path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        return await asyncio.to_thread(self._ask, "POST", path, urlencode(fields), headers)

    async def key(self, path: str) -> str:
        """The hidden field of the form on a page."""
        found = re.search(r'name="key" value="([^"]+)"', (await self.get(path)).text)
        assert found is not None
        return unescape(found[1])

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["cookie"] = self.cookie
        if body is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        told = SimpleCookie(response.headers.get("set-cookie", ""))
        for name, morsel in told.items():
            self.cookie = f"{name}={morsel.value}"
        text = response.read().decode("utf-8", "replace")
        connection.close()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, text, response.headers.get("set-cookie", ""))


@asynccontextmanager
async def shown(
    server: FakeOperated, keys: FakeKeys | None = None, *, secure: bool = False
) -> AsyncIterator[Browser]:
    from masklet_server.status.app import StatusPage

    page = StatusServer(StatusPage(server, keys or FakeKeys(), secure=secure).app, "127.0.0.1", 0, None)
    port = await page.start()
    try:
        yield Browser(port)
    finally:
        await page.stop()


def visit(run: Callable[[Browser, FakeOperated], object], **made: object) -> FakeOperated:
    server = FakeOperated()
    keys = made.pop("keys", None)

    async def act() -> None:
        async with shown(server, keys, **made) as browser:  # type: ignore[arg-type]
            await run(browser, server)  # type: ignore[misc]

    asyncio.run(act())
    return server


def test_it_shows_who_is_there_and_who_waits_for_whom() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        assert (await browser.get("/")).headers["location"] == "/status"
        page = await browser.get("/status")
        assert page.status == 200
        text = unescape(re.sub(r"<[^>]+>|\s+", " ", page.text))
        for words in (
            "sh010_comp_v012",
            "184 frames left",
            "NVIDIA L40S",
            "a session has at most 64 objects",
        ):
            assert words in text
        assert re.search(r"dan\s+–\s+a session\s+those who have one: ann \(2\)", text)
        assert "<script" not in page.text
        assert "<img" not in page.text
        told = json.loads((await browser.get("/status.json")).text)
        assert told["sessions"][0]["user"] == "ann"

    visit(run)


def test_names_of_users_and_clips_are_text_wherever_they_stand() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"

    async def run(browser: Browser, server: FakeOperated) -> None:
        row = session_row(9, evil, evil, "idle")
        server.shown = replace(
            server.shown,
            address=evil,
            sessions=(row,),
            users=(UserRow(evil, 1, 0, 0, 1.0),),
            waits=(WaitRow(evil, evil, "a session", evil, 1.0),),
            errors=(ErrorRow(0.0, evil, evil, "limit", evil),),
        )
        server.shows_pictures = True
        for path in ("/status", f"/sessions/{row.session_id}/remove", f"/sessions/{row.session_id}/park"):
            page = (await browser.get(path)).text
            assert "<script" not in page
            assert "onerror=alert(2)>" not in page
            # A template is filled in once.
            assert "{{7*7}}" in page
            # Quotes cannot end an attribute.
            assert page.count("&lt;script&gt;") >= 1
            assert '"><img src=x' not in page

    visit(run)


def test_nothing_may_come_from_elsewhere_or_be_kept() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        for path in ("/status", "/status.css", "/nowhere", "/login"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers

    visit(run)


def test_a_session_is_parked_or_removed_after_a_question() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        bob, ann = server.shown.sessions[1].session_id, server.shown.sessions[0].session_id
        question = await browser.get(f"/sessions/{bob}/remove")
        assert "Remove the session of bob on sh020.mov?" in question.text
        assert server.done == []

        key = await browser.key(f"/sessions/{bob}/remove")
        answer = await browser.post(f"/sessions/{bob}/remove", {"key": key})
        assert (answer.status, answer.headers["location"]) == (303, "/status?done=removed")
        answer = await browser.post(f"/sessions/{ann}/park", {"key": key})
        assert answer.headers["location"] == "/status?done=busy"
        assert "at work, or gone" in (await browser.get("/status?done=busy")).text
        await browser.post("/drain", {"key": key})
        assert server.done == [
            ("remove", bob, "this machine"),
            ("park", ann, "this machine"),
            ("drain", "this machine"),
        ]
        page = (await browser.get("/status")).text
        assert "draining" in page
        assert "/drain" not in page

    visit(run)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "text/plain"},
    ],
)
def test_a_form_of_another_page_does_nothing(headers: dict[str, str]) -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        key = await browser.key("/drain")
        fields = {"key": key} if headers else {"key": "guessed"}
        answer = await browser.post("/drain", fields, **headers)
        assert answer.status == 403
        assert "Nothing was done" in answer.text
        # Nor does the right key of another browser.
        browser.cookie = ""
        assert (await browser.post("/drain", {"key": key})).status == 403
        assert (await browser.get("/drain")).status == 200

    assert visit(run).done == []


def test_a_long_form_and_an_unknown_method_are_refused() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        key = await browser.key("/drain")
        assert (await browser.post("/drain", {"key": key, "rest": "x" * 100_000})).status == 403
        assert (await browser.post("/status", {"key": key})).status == 405

    assert visit(run).done == []


def test_a_name_of_somebody_elses_that_leads_here_gets_nothing() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        answer = await browser.get("/status.json", host="rebound.example:80")
        assert answer.status == 421
        assert "ann" not in answer.text
        for host in ("localhost", "127.0.0.1:1", "[::1]:7780"):
            assert (await browser.get("/status", host=host)).status == 200

    visit(run)


def test_where_there_are_tokens_only_a_keepers_gets_in() -> None:
    keys = FakeKeys(asks=True)

    async def run(browser: Browser, server: FakeOperated) -> None:
        assert (await browser.get("/status")).headers["location"] == "/login"
        assert (await browser.get("/status.json")).status == 401
        for token, words in ((ARTIST, "may not keep the server"), ("guess", "does not know this token")):
            answer = await browser.post("/login", {"token": token})
            assert answer.status == 401
            assert words in answer.text
            assert token not in answer.text
        answer = await browser.post("/login", {"token": KEEPER})
        assert answer.status == 303
        assert KEEPER not in answer.cookie
        for word in ("HttpOnly", "SameSite=strict", "Secure", "__Host-"):
            assert word in answer.cookie
        page = await browser.get("/status")
        assert "Sign out ann" in page.text
        key = await browser.key("/status")

        # One that was taken back counts no more, signed in or not.
        keys.revoked = True
        assert (await browser.get("/status")).status == 401
        keys.revoked = False
        assert (await browser.get("/status")).headers["location"] == "/login"
        await browser.post("/login", {"token": KEEPER})
        key = await browser.key("/status")
        await browser.post("/logout", {"key": key})
        assert (await browser.get("/status")).headers["location"] == "/login"
        assert set(keys.peers) == {"127.0.0.1"}

    visit(run, keys=keys, secure=True)


def test_a_script_brings_its_token_along() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        bearer = f"Bearer {KEEPER}"
        assert (
            json.loads((await browser.get("/status.json", authorization=bearer)).text)["state"] == "serving"
        )
        refused = await browser.get("/status.json", authorization=f"Bearer {ARTIST}")
        assert refused.status == 403
        # No browser sends it by itself, so there is no form to forge.
        assert (await browser.post("/drain", {}, authorization=bearer)).status == 303
        assert browser.cookie == ""

    assert visit(run, keys=FakeKeys(asks=True)).done == [("drain", "ann")]


def test_pictures_are_shown_only_where_the_keeper_wants_them() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        path = f"/sessions/{server.shown.sessions[0].session_id}/picture.jpg"
        assert (await browser.get(path)).status == 403
        server.shows_pictures = True
        answer = await browser.get(path)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
        assert path in (await browser.get("/status")).text
        assert (await browser.get("/sessions/none/picture.jpg")).status == 404

    visit(run)


def test_it_loads_itself_anew_only_when_asked() -> None:
    async def run(browser: Browser, server: FakeOperated) -> None:
        assert "http-equiv" not in (await browser.get("/status")).text
        assert '<meta http-equiv="refresh" content="5">' in (await browser.get("/status?every=5")).text
        for every in ("0", "1", "-5", "5;url=http://evil.example", "9" * 5000):
            assert "http-equiv" not in (await browser.get(f"/status?every={every}")).text

    visit(run)


def test_a_page_that_cannot_begin_is_no_page_that_is_shown(tmp_path: Path) -> None:
    async def begin() -> None:
        await StatusServer(None, "127.0.0.1", 0, Tls(tmp_path / "none.pem", tmp_path / "none.key")).start()

    with pytest.raises(FileNotFoundError):
        asyncio.run(begin())
