"""A server that reaches out to nobody: the system sees to it, and what is open can be listed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import grpc.aio
import pytest

from fakes.service import FakeClient
from generated_media import scene, write_picture
from masklet.errors import WeightsError
from masklet.findings import Verdict
from masklet_server.doctor.listeners import examine_listeners
from masklet_server.model.download import pull_weights
from masklet_server.service.network import listeners, open_sockets, ways_out
from masklet_server.service.settings import ServerSettings

TESTS = Path(__file__).parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux refuses connections")
TRIES = """
import errno, os, socket, subprocess, sys, threading

def tried(what):
    try:
        what()
    except OSError as error:
        print(errno.errorcode[error.errno])
    else:
        print("made")

listening = socket.create_server(("127.0.0.1", 0))
idle = threading.Event()
late = []
thread = threading.Thread(target=lambda: (idle.wait(), tried(lambda: socket.socket())))
thread.start()
from masklet_server.sandbox.no_egress import close_ways_out
assert close_ways_out()
tried(lambda: socket.create_connection(listening.getsockname()))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
tried(lambda: socket.socket(socket.AF_INET6))
tried(lambda: socket.socket(socket.AF_UNIX))
tried(lambda: listening.connect(("127.0.0.1", 9)))
idle.set()
thread.join()
code = "import socket; socket.socket()"
print(subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode)
print(listening.getsockname()[1], flush=True)
caller, _ = listening.accept()
print(caller.recv(5).decode())
"""


@LINUX
def test_after_it_listens_no_thread_and_no_child_gets_out_and_callers_get_in() -> None:
    with subprocess.Popen([sys.executable, "-c", TRIES], stdout=subprocess.PIPE, text=True) as trying:
        assert trying.stdout is not None
        told = [trying.stdout.readline().strip() for _ in range(8)]
        with socket.create_connection(("127.0.0.1", int(told.pop())), timeout=5.0) as call:
            call.sendall(b"hello")
            assert trying.stdout.readline().strip() == "hello"
    refused_tcp, refused_udp, refused_six, within, from_listener, from_thread, from_child = told
    assert (refused_tcp, refused_udp, refused_six) == ("EACCES", "EACCES", "EACCES")
    assert within == "made"
    assert from_listener == "EISCONN"
    assert from_thread == "EACCES"
    assert from_child == "1"


@LINUX
def test_from_the_first_line_on_no_connection_is_made_and_listening_works() -> None:
    code = (
        "import socket\n"
        "from masklet_server.sandbox.landlock import refuse_connections, version\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "if version() >= 4:\n"
        "    refuse_connections()\n"
        "    socket.create_server(('127.0.0.1', 0)).close()\n"
        "    try: socket.create_connection(listening.getsockname())\n"
        "    except PermissionError: print('refused')\n"
        "else: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


@LINUX
def test_a_server_without_egress_serves_and_has_nothing_open_but_its_port(tmp_path: Path) -> None:
    for frame in (1, 2):
        write_picture(tmp_path / f"plate.{frame:04d}.png", scene(frame=frame))
    command = [sys.executable, "-m", "fakes.serving", str(tmp_path), "0", "closed"]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())

        async def work() -> None:
            for _ in range(3):
                async with grpc.aio.insecure_channel(told["address"]) as channel:
                    await FakeClient(channel).clicked(tmp_path / "plate.%04d.png")

        asyncio.run(work())
        sockets = open_sockets(server.pid)
        listening = [each for each in sockets if not each.remote]
        assert [each.local for each in listening] == [told["address"]]
        assert not any(each.leaves_machine for each in sockets)
        settings = ServerSettings(address=told["address"], no_egress=True)
        outgoing = [each for each in examine_listeners(settings) if each.subject == "outgoing"]
        assert outgoing[-1].verdict is Verdict.GOOD
        assert "refuses its processes every connection" in outgoing[-1].cause
        server.stdin.close()
        assert server.wait(10) == 0


def test_every_listener_and_every_way_out_is_listed() -> None:
    plain = ServerSettings()
    assert [each.address for each in listeners(plain)] == ["127.0.0.1:7700"]
    more = ServerSettings(
        address="0.0.0.0:7700",
        metrics_port=9464,
        token_file=Path("t"),
        tls_certificate=Path("c"),
        no_egress=True,
    )
    assert [each.address for each in listeners(more)] == ["0.0.0.0:7700", "127.0.0.1:9464"]
    assert listeners(more)[0].guarded_by == "TLS and a token"
    assert [way.is_closed for way in ways_out(plain)] == [False]
    assert all(way.is_closed for way in ways_out(more))


def test_no_source_of_the_server_connects_but_those_that_are_listed() -> None:
    root = TESTS.parent / "server" / "masklet_server"
    libraries = (
        "urllib.request|http.client|requests|httpx|aiohttp|smtplib|ftplib|paramiko|opentelemetry.exporter"
    )
    imports = re.compile(rf"^\s*(?:import|from) (?:{libraries})\b", re.M)
    found = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if imports.search(file.read_text(encoding="utf-8"))
    }
    # Whatever joins these belongs into ways_out as well.
    assert found == {"model/download.py", "service/tracing.py"}


@pytest.mark.parametrize("yes", ["true", "1", "Y", " on"])
def test_where_nothing_may_be_fetched_weights_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yes: str
) -> None:
    monkeypatch.setenv("MASKLET_SERVE_NO_EGRESS", yes)

    with pytest.raises(WeightsError, match="copy the file here and add it"):
        pull_weights("sam2.1_hiera_tiny", folder=tmp_path, base_address="http://127.0.0.1:1")
