"""One real server process, one small clip, and both ways to the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from masklet.transport.bridge import BridgeTransport
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import Transport
from masklet.transport.local_server import LocalServer
from masklet.transport.opening import open_transport
from masklet.types import SessionInfo
from masklet_server.demo.clip_writer import DemoClip, write_clip

WAYS = ("grpc", "bridge")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    """Four frames, 1001 to 1004, of 854x480."""
    return write_clip(tmp_path_factory.mktemp("clip"), frame_count=4)


@pytest.fixture(scope="session")
def process() -> Iterator[LocalServer]:
    """The server's process."""
    server = LocalServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def choice(process: LocalServer) -> ServerChoice:
    """How to reach the server, as one that somebody else runs."""
    return ServerChoice(process.address, process.token)


@pytest.fixture(scope="session")
def both(choice: ServerChoice) -> Iterator[dict[str, Transport]]:
    """Both transports, connected to the same server."""
    ways: dict[str, Transport] = {
        "grpc": open_transport(choice)[0],
        "bridge": BridgeTransport(choice, Path(sys.executable)),
    }
    yield ways
    for way in ways.values():
        way.close()


@pytest.fixture(params=WAYS)
def transport(request: pytest.FixtureRequest, both: dict[str, Transport]) -> Transport:
    """One transport after the other."""
    return both[request.param]


@pytest.fixture
def opened(transport: Transport, clip: DemoClip) -> Iterator[SessionInfo]:
    """A fresh session on the clip."""
    info = transport.open_session(path=str(clip.pattern))
    yield info
    transport.close_session(info.session_id)
