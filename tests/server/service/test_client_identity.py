"""The client end to end: sharing, lists, fresh tokens and certificates, on a server with a fake engine."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import masklet
from fakes.authority import Authority, with_certificates
from fakes.service import Running, running
from masklet import cli
from masklet.errors import AccessDeniedError, BadInputError, NotPermittedError, SessionNotFoundError
from masklet.scopes import Scope
from masklet.types import Share
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token, revoke_token
from masklet_server.service import server as server_module
from masklet_server.service.settings import ServerSettings

Register = Path
HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVER", "TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(f"MASKLET_{name}", raising=False)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    path = tmp_path / "tokens.json"
    make_token(path, named("keeper"), HOUR_S)
    return path


def token_of(register: Register, name: str) -> str:
    return make_token(register, named(name), HOUR_S)[0]


def beside(folder: Path, register: Register, work: Callable[[Running], None]) -> None:
    """Some work of clients, in a thread, while the server runs."""

    async def run() -> None:
        async with running(folder, settings=ServerSettings(signed_tokens=register)) as server:
            await asyncio.to_thread(work, server)

    asyncio.run(run())


def test_a_session_is_shared_looked_up_and_taken_back(tmp_path: Path, register: Register) -> None:
    ann, bob = token_of(register, "ann"), token_of(register, "bob")

    def work(server: Running) -> None:
        with (
            masklet.connect(server.address, token=ann) as own,
            masklet.connect(server.address, token=bob) as other,
        ):
            session = own.open(server.root / "clip")
            session.object("hero").click(frame=1, x_px=10, y_px=10)
            everything = (Scope.READ, Scope.PROMPT, Scope.TRACK, Scope.EXPORT)
            assert session.share("bob") == (Share("bob", everything),)

            (found,) = other.sessions()
            assert (found.owner, found.rights) == ("ann", everything)
            theirs = other.resume(found.session_id)
            theirs.object("hero").click(frame=2, x_px=10, y_px=10)
            assert session.info().objects[0].prompted_frames == (1, 2)
            with pytest.raises(NotPermittedError, match="ann's"):
                theirs.share("carl")
            theirs.close()
            assert session.info().objects

            assert session.share("bob", rights=("read",)) == (Share("bob", (Scope.READ,)),)
            with pytest.raises(NotPermittedError, match="for read, and this needs prompt"):
                theirs.object("hero").click(frame=3, x_px=10, y_px=10)
            with pytest.raises(BadInputError, match="no scope 'everything'"):
                session.share("bob", rights=("everything",))
            assert session.unshare("bob") == session.shares() == ()
            with pytest.raises(SessionNotFoundError):
                theirs.info()

    beside(tmp_path, register, work)


def test_the_command_line_lists_shares_and_takes_back(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for name in ("ann", "bob"):
        files[name] = tmp_path / f"{name}.token"
        files[name].write_text(token_of(register, name))

    def run(server: Running, name: str, *words: str) -> Any:
        whose = ["--server", server.address, "--token-file", str(files[name])]
        monkeypatch.setattr(sys, "argv", ["masklet", *words, *whose, "--json"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr().out
        return json.loads(told) if ended.value.code in (0, None) else ended.value.code

    def work(server: Running) -> None:
        with masklet.connect(server.address, token_file=files["ann"]) as own:
            own.open(server.root / "clip")
        (mine,) = run(server, "ann", "sessions")["sessions"]
        begin = mine["session"][:6]
        shared = run(server, "ann", "share", begin, "bob", "--may", "track")
        assert shared == {"shares": [{"user": "bob", "rights": ["read", "track"]}]}
        (theirs,) = run(server, "bob", "sessions")["sessions"]
        assert (theirs["session"], theirs["owner"], theirs["rights"]) == (
            mine["session"],
            "ann",
            ["read", "track"],
        )
        assert (mine["owner"], mine["rights"]) == (None, None)
        assert run(server, "bob", "share", begin, "carl") not in (0, None)
        assert run(server, "ann", "unshare", begin, "bob") == {"shares": []}
        assert run(server, "bob", "sessions") == {"sessions": []}
        assert run(server, "bob", "share", begin, "carl") not in (0, None)

    beside(tmp_path, register, work)


def test_a_fresh_token_in_the_file_is_taken_up_without_connecting_anew(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "TIDY_EVERY_S", 0.02)
    file = tmp_path / "ann.token"
    first, made = make_token(register, named("ann"), HOUR_S)
    second = token_of(register, "ann")
    file.write_text(first)

    def work(server: Running) -> None:
        with masklet.connect(server.address, token_file=file) as connected:
            session = connected.open(server.root / "clip")
            session.object("hero").click(frame=1, x_px=10, y_px=10)
            revoke_token(register, made.token_id)
            refused = False
            for _ in range(500):
                try:
                    connected.info()
                except AccessDeniedError as error:
                    refused = "taken back" in str(error)
                    break
                time.sleep(0.02)
            assert refused
            file.write_text(second + "\n")
            assert connected.info().version
            assert [update.frame for update in session.track()]
            # Streams find it as well.
            connected._transport._channel._token = first  # type: ignore[attr-defined]
            assert [update.frame for update in session.masks()]

    beside(tmp_path, register, work)


def test_a_certificate_of_ones_own_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        studio = Authority(tmp_path, "studio")
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    certificate, key = studio.sign("ann", "ann")
    monkeypatch.setenv("MASKLET_TLS_CA", str(studio.certificate))
    monkeypatch.setenv("MASKLET_TLS_CERT", str(certificate))
    monkeypatch.setenv("MASKLET_TLS_KEY", str(key))

    async def run() -> None:
        async with running(tmp_path, settings=with_certificates(studio)) as found:
            server = found.on("127.0.0.1")

            def work() -> None:
                with masklet.connect(server.address) as connected:
                    connected.open(server.root / "clip")
                with pytest.raises(BadInputError, match="cannot be read"):
                    masklet.connect(server.address, tls_cert_file=tmp_path / "none.pem")

            await asyncio.to_thread(work)

    asyncio.run(run())
