"""The server as a process: taken ports, kills, clients that vanish."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

import masklet
from masklet.errors import ServerUnreachableError, WeightsError
from masklet.session import Session
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip
from platforms import KILL


def test_a_taken_port_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "masklet_server.cli", "serve", "--address", f"127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode != 0
    assert "port is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_for_everybody_needs_tls_and_a_token() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "masklet_server.cli", "serve", "--address", "0.0.0.0:0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "TLS and a token file are missing" in done.stderr


def test_weights_that_are_not_there_are_refused_when_the_server_starts() -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        masklet.connect(weights="nowhere.safetensors")


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_server_killed_in_mid_track_is_said_in_a_sentence(clip: DemoClip) -> None:
    with masklet.connect() as server, server.open(clip.pattern) as session:
        frame, x_px, y_px = clip.clicks[0]
        session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
        finished: list[int] = []

        with pytest.raises(ServerUnreachableError, match="own server stopped in mid-work"):
            _kill_after_the_first_mask(server, session, finished)
        started_s = time.monotonic()
        with pytest.raises(ServerUnreachableError, match="signal 9"):
            server.info()

    assert finished
    assert time.monotonic() - started_s < 5


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_the_server_ends_with_a_client_that_is_killed(clip: DemoClip) -> None:
    code = "import masklet, time; s = masklet.connect(); print(s._own.pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        server_pid = int(client.stdout.readline())
        client.kill()

    assert _gone_within(server_pid, 10)


def test_stopping_a_server_twice_is_fine() -> None:
    server = LocalServer()

    server.stop()
    server.stop()

    assert server.why_dead() is not None


def _kill_after_the_first_mask(server: masklet.Server, session: Session, finished: list[int]) -> None:
    assert isinstance(server._own, LocalServer)
    for update in session.track():
        finished.append(update.frame)
        os.kill(server._own.pid, KILL)


def _gone_within(pid: int, limit_s: float) -> bool:
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
