from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from pathlib import Path

import grpc
import pytest

from fakes.engine import FakeClock
from fakes.service import refusal, running
from masklet.errors import AccessDeniedError, BadInputError
from masklet.v1 import server_pb2
from masklet_server.identity.plain_tokens import TokenFile
from masklet_server.service import server as server_module
from masklet_server.service.door import WINDOW_S, WRONG_TOKENS, Door, place_of
from masklet_server.service.listen import Access
from masklet_server.service.settings import ServerSettings

ANN, BOB = "ann-has-a-long-token", "bob-has-a-long-token"
HERE, THERE = "ipv4:10.0.0.7:5001", "ipv4:10.0.0.8:5001"
posix = pytest.mark.skipif(os.name != "posix", reason="modes say who may write on POSIX only")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"ann:{ANN}\nbob:{BOB}\n")
    path.chmod(0o600)
    return path


def bearer(token: str) -> list[tuple[str, str | bytes]]:
    return [("authorization", f"Bearer {token}")]


def user_at(door: Door, metadata: list[tuple[str, str | bytes]], peer: str) -> str:
    return door.identity_of(metadata, peer).account


def user_in(tokens: TokenFile, token: str) -> str | None:
    identity = tokens.identity_of(token)
    return None if identity is None else identity.account


def knock(door: Door, peer: str, times: int) -> None:
    for number in range(times):
        with pytest.raises(AccessDeniedError):
            user_at(door, bearer(f"wrong-wrong-wrong-{number}"), peer)


def test_after_ten_wrong_tokens_a_machine_tries_in_vain_for_a_minute(token_file: Path) -> None:
    clock = FakeClock()
    door = Door(TokenFile(token_file), clock_s=clock)
    knock(door, HERE, WRONG_TOKENS)

    with pytest.raises(AccessDeniedError, match="wait a minute"):
        user_at(door, bearer(ANN), "ipv4:10.0.0.7:6002")
    assert user_at(door, bearer(ANN), THERE) == "ann"
    clock.now_s = WINDOW_S
    assert user_at(door, bearer(ANN), HERE) == "ann"


def test_who_was_let_in_before_is_not_shut_out_by_a_neighbour(token_file: Path) -> None:
    door = Door(TokenFile(token_file), clock_s=FakeClock())
    assert user_at(door, bearer(ANN), HERE) == "ann"
    knock(door, HERE, 3 * WRONG_TOKENS)

    assert user_at(door, bearer(ANN), HERE) == "ann"
    with pytest.raises(AccessDeniedError, match="wait a minute"):
        user_at(door, bearer(BOB), HERE)


def test_wrong_tokens_are_logged_by_machine_never_by_token_and_do_not_fill_the_log(
    token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(TokenFile(token_file), clock_s=FakeClock())
    with caplog.at_level(logging.WARNING):
        knock(door, HERE, 50)

    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(lines) == WRONG_TOKENS
    assert all("10.0.0.7" in line and "wrong-wrong" not in line for line in lines)


@pytest.mark.parametrize(
    ("peer", "place"),
    [
        ("ipv4:10.0.0.7:5001", "10.0.0.7"),
        ("ipv6:%5B::1%5D:5001", "::1"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:1", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2:9::1%5D:2", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:10.0.0.7%5D:1", "10.0.0.7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:1", "fe80::/64"),
        ("unix:", "unix"),
        ("", ""),
        ("ipv4:nonsense", "ipv4"),
    ],
)
def test_a_place_is_a_machine_whatever_port_it_calls_from(peer: str, place: str) -> None:
    assert place_of(peer) == place


@pytest.mark.parametrize("tidying", ["as ever", "fails", "waits for a disk"])
def test_a_token_that_is_taken_out_of_the_file_is_nobodys_while_the_server_runs(
    tmp_path: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch, tidying: str
) -> None:
    monkeypatch.setattr(server_module, "TIDY_EVERY_S", 0.05)

    async def tidy() -> None:
        if tidying == "fails":
            raise ValueError("a byte that nobody foresaw")
        await asyncio.get_running_loop().create_future()

    async def run() -> None:
        settings = ServerSettings(token_file=token_file)
        async with running(tmp_path, settings=settings) as server, server.client(token=ANN) as ann:
            if tidying != "as ever":
                monkeypatch.setattr(server.server.store, "tidy", tidy)
            await ann.server.GetServerInfo(server_pb2.GetServerInfoRequest())
            token_file.write_text(f"bob:{BOB}\ncarl:carl-has-a-long-token\n")
            async with server.client(token="carl-has-a-long-token") as carl:
                for _ in range(100):
                    await asyncio.sleep(0.05)
                    try:
                        await carl.server.GetServerInfo(server_pb2.GetServerInfoRequest())
                        break
                    except grpc.aio.AioRpcError:
                        continue
            call = ann.server.GetServerInfo(server_pb2.GetServerInfoRequest())
            assert (await refusal(call))[0] == grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(run())


def test_a_token_file_that_becomes_unusable_locks_nobody_out_and_is_told(
    token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = TokenFile(token_file)
    for content in (b"", b"short", b"\xff\xfe\x00"):
        token_file.write_bytes(content)
        with caplog.at_level(logging.ERROR):
            tokens.refresh()
        assert user_in(tokens, ANN) == "ann"
    token_file.unlink()
    tokens.refresh()
    tokens.refresh()
    assert user_in(tokens, ANN) == "ann"
    assert len([record for record in caplog.records if "stays as it was" in record.getMessage()]) == 4

    token_file.write_text(f"bob:{BOB}\n")
    tokens.refresh()
    assert (user_in(tokens, ANN), user_in(tokens, BOB)) == (None, "bob")


@posix
@pytest.mark.parametrize("mode", [0o602, 0o666])
def test_a_token_file_that_everybody_may_change_is_refused_with_its_mode(token_file: Path, mode: int) -> None:
    token_file.chmod(mode)
    with pytest.raises(BadInputError, match=rf"mode {mode:04o}.*chmod o-w "):
        Access.of(ServerSettings(token_file=token_file))


@posix
def test_a_token_file_in_a_folder_where_everybody_may_replace_it_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "tokens").write_text(f"{ANN}\n")
    folder.chmod(0o777)
    with pytest.raises(BadInputError, match="folder of the mode 0777"):
        TokenFile(folder / "tokens")
    folder.chmod(0o1777)  # as /tmp is
    assert user_in(TokenFile(folder / "tokens"), ANN) == "local"


@posix
def test_a_token_file_that_everybody_may_read_is_warned_of(
    token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token_file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        TokenFile(token_file)
    assert "can be read by everybody" in caplog.text


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pems")
    making = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    try:
        for name in ("a", "b"):
            files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
            subprocess.run([*making.split(), *files], check=True, capture_output=True)
        locking = ["openssl", "pkey", "-in", str(folder / "a.key"), "-aes256", "-passout", "pass:word"]
        subprocess.run([*locking, "-out", str(folder / "locked.key")], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    (folder / "text").write_text("no certificate")
    (folder / "cut.pem").write_text((folder / "a.pem").read_text()[:400] + "\n-----END CERTIFICATE-----\n")
    (folder / "cut.key").write_text((folder / "a.key").read_text()[:400] + "\n-----END PRIVATE KEY-----\n")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("text", "a.key", r"TLS certificate \S+text is no PEM"),
        ("a.key", "a.key", r"TLS certificate \S+a.key is no PEM"),
        ("cut.pem", "a.key", r"TLS certificate \S+cut.pem is damaged"),
        ("a.pem", "text", r"TLS key \S+text is no PEM"),
        ("a.pem", "cut.key", r"TLS key \S+cut.key is damaged"),
        ("a.pem", "b.key", r"TLS key \S+b.key is not that of the certificate \S+a.pem"),
        ("a.pem", "locked.key", r"TLS key \S+locked.key is encrypted"),
        ("none.pem", "a.key", r"TLS certificate \S+none.pem cannot be read"),
        ("a.pem", "none.key", r"TLS key \S+none.key cannot be read"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_of_its_file(
    pems: Path, certificate: str, key: str, words: str
) -> None:
    settings = ServerSettings(tls_certificate=pems / certificate, tls_key=pems / key)
    with pytest.raises(BadInputError, match=words):
        Access.of(settings)


@posix
def test_a_key_that_everybody_may_change_is_refused(pems: Path, tmp_path: Path) -> None:
    key = tmp_path / "open.key"
    key.write_bytes((pems / "a.key").read_bytes())
    key.chmod(0o666)
    with pytest.raises(BadInputError, match=r"TLS key \S+open.key has the mode 0666"):
        Access.of(ServerSettings(tls_certificate=pems / "a.pem", tls_key=key))
    assert Access.of(ServerSettings(tls_certificate=pems / "a.pem", tls_key=pems / "a.key")).tls is not None


def test_a_certificate_makes_nobody_everybody() -> None:
    door = Door(None, by_certificate=True)
    assert door.identity_of((), "ipv4:10.0.0.1:1", "acme/local").account == "acme/local"
    with pytest.raises(AccessDeniedError, match="names no user"):
        door.identity_of((), "ipv4:10.0.0.1:1", "local")
