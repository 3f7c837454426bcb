"""What a server shows decides whether clients speak to it at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from certificates import Issued, issue
from fakes.service import refusal, running
from masklet.v1 import server_pb2
from masklet_server.service.settings import ServerSettings

ANN = "ann-has-a-long-token"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issue(tmp_path_factory.mktemp("studio"), "studio", names="", is_authority=True)


@pytest.mark.parametrize(
    ("names", "until", "is_heard"),
    [
        ("DNS:localhost,IP:127.0.0.1", "20991231000000Z", True),
        ("DNS:localhost,IP:127.0.0.1", "20250101000000Z", False),
        ("DNS:elsewhere.example", "20991231000000Z", False),
    ],
    ids=["right", "ended", "of another machine"],
)
def test_a_server_whose_certificate_has_ended_or_is_anothers_gets_no_token(
    tmp_path: Path, studio: Issued, names: str, until: str, is_heard: bool
) -> None:
    shown = issue(tmp_path, "shown", names=names, until=until, by=studio)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ann:{ANN}\n")
    tokens.chmod(0o600)
    settings = ServerSettings(token_file=tokens, tls_certificate=shown.certificate, tls_key=shown.key)
    trusted = grpc.ssl_channel_credentials(studio.certificate.read_bytes())

    async def run() -> None:
        async with (
            running(tmp_path, settings=settings) as server,
            server.client(token=ANN, credentials=trusted) as client,
        ):
            call = client.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=5)
            if is_heard:
                assert (await call).version
            else:
                assert (await refusal(call))[0] is grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())
