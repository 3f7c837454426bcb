"""One real server process for all tests here, and a short clip of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import masklet
from masklet.session import Session
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip

FRAMES = 5


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    """Five frames, 1001 to 1005, of 854x480."""
    return write_clip(tmp_path_factory.mktemp("clip"), frame_count=FRAMES)


@pytest.fixture(scope="session")
def process() -> Iterator[LocalServer]:
    """The server's process."""
    server = LocalServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server(process: LocalServer) -> Iterator[masklet.Server]:
    """A client of the server."""
    with masklet.connect(process.address, token=process.token) as connected:
        yield connected


@pytest.fixture
def session(server: masklet.Server, clip: DemoClip) -> Iterator[Session]:
    """A fresh session on the clip."""
    with server.open(clip.pattern) as opened:
        yield opened


@pytest.fixture
def environment(process: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The command line finds the server by itself; returns an empty folder to work in."""
    monkeypatch.setenv("MASKLET_SERVER", process.address)
    monkeypatch.setenv("MASKLET_TOKEN", process.token)
    monkeypatch.chdir(tmp_path)
    return tmp_path
