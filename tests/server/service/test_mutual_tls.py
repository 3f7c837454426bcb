"""Where clients have to show certificates, nobody without a good one is heard; it says who calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from fakes.authority import Authority, with_certificates
from fakes.service import refusal, running
from masklet.errors import BadInputError
from masklet.v1 import server_pb2, session_pb2
from masklet_server.service.listen import Access
from masklet_server.service.settings import ServerSettings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    try:
        return Authority(tmp_path_factory.mktemp("studio"), "studio")
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


def shown(authority: Authority, pair: tuple[Path, Path] | None) -> grpc.ChannelCredentials:
    certificate, key = (None, None) if pair is None else (each.read_bytes() for each in pair)
    return grpc.ssl_channel_credentials(authority.certificate.read_bytes(), key, certificate)


def test_the_common_name_is_the_user_and_nobody_else_is_heard(
    tmp_path: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ann = authority.sign("ann", "acme/ann")
    bob = authority.sign("bob", "bob")
    nameless = authority.sign("nameless", "a=b")
    rogue = Authority(tmp_path_factory.mktemp("rogue"), "studio").sign("eve", "acme/ann")
    expired = authority.sign("old", "acme/ann", days=-1)

    async def run() -> None:
        async with running(tmp_path, settings=with_certificates(authority)) as found:
            server = found.on("127.0.0.1")
            async with (
                server.client(credentials=shown(authority, ann)) as own,
                server.client(credentials=shown(authority, bob)) as other,
                server.client(credentials=shown(authority, nameless)) as odd,
            ):
                session = await own.open(server.root / "clip")
                asking = session_pb2.GetSessionRequest(session_id=session.session_id)
                assert (await refusal(other.sessions.GetSession(asking)))[1] == "session-not-found"
                assert (await own.sessions.GetSession(asking)).session.clip.name == "clip"
                (held,) = server.server.store._held.values()
                assert held.access.owner == "acme/ann"
                refused = await refusal(odd.server.GetServerInfo(server_pb2.GetServerInfoRequest()))
                assert refused[:2] == (grpc.StatusCode.UNAUTHENTICATED, "access-denied")
                assert "common name" in refused[2]
            for pair in (None, rogue, expired):
                async with server.client(credentials=shown(authority, pair)) as nobody:
                    call = nobody.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=3)
                    assert (await refusal(call))[0] == grpc.StatusCode.UNAVAILABLE
            async with server.client() as plain:
                call = plain.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=3)
                assert (await refusal(call))[0] == grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())


def test_with_tokens_the_certificate_opens_the_connection_and_the_token_says_who_calls(
    tmp_path: Path, authority: Authority
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("bob:bob-has-a-long-token\n")
    tokens.chmod(0o600)
    ann = authority.sign("ann", "ann")

    async def run() -> None:
        async with running(tmp_path, settings=with_certificates(authority, token_file=tokens)) as found:
            server, credentials = found.on("127.0.0.1"), shown(authority, ann)
            async with server.client(credentials=credentials) as tokenless:
                call = tokenless.server.GetServerInfo(server_pb2.GetServerInfoRequest())
                assert (await refusal(call))[0] == grpc.StatusCode.UNAUTHENTICATED
            async with server.client(credentials=credentials, token="bob-has-a-long-token") as bob:
                await bob.open(server.root / "clip")
                (held,) = server.server.store._held.values()
                assert held.access.owner == "bob"

    asyncio.run(run())


def test_files_that_cannot_be_used_are_named_before_the_server_starts(
    tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(BadInputError, match=r"clients' authority \S+text is no certificate"):
        Access.of(
            ServerSettings(**{**vars(with_certificates(authority)), "tls_client_ca": tmp_path / "text"})
        )
    with pytest.raises(BadInputError, match=r"clients' authority .* cannot be read"):
        Access.of(
            ServerSettings(**{**vars(with_certificates(authority)), "tls_client_ca": tmp_path / "none"})
        )
    with pytest.raises(BadInputError, match="certificates of clients need TLS"):
        Access.of(ServerSettings(tls_client_ca=authority.certificate))
