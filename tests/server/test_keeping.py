"""Probes and hooks: health is asked as clients call, a drain lets artists finish, systemd hears of it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from certificates import issue
from fakes.service import new_id, refusal, running
from masklet.v1 import session_pb2
from masklet_server.cli import app
from masklet_server.service import server as server_module
from masklet_server.service.health_probe import Health, ask_health
from masklet_server.service.settings import ServerSettings
from masklet_server.service.supervisor import Supervisor

posix = pytest.mark.skipif(os.name != "posix", reason="signals and Unix sockets are of POSIX")


def test_health_is_asked_with_and_without_tls(tmp_path: Path) -> None:
    own = issue(tmp_path, "own", names="DNS:render1.studio")
    tokens = tmp_path / "tokens"
    tokens.write_text("ann:0123456789abcdef\n", encoding="utf-8")
    tokens.chmod(0o600)
    secured = ServerSettings(
        address="0.0.0.0:0", tls_certificate=own.certificate, tls_key=own.key, token_file=tokens
    )

    async def run(settings: ServerSettings) -> None:
        async with running(tmp_path, settings=settings) as server:
            asked = replace(settings, address=server.address)

            async def ask() -> Health:
                return (await asyncio.to_thread(ask_health, asked, timeout_s=5.0)).health

            assert await ask() is Health.SERVING
            server.server.begin_drain()
            async with asyncio.timeout(10):
                while await ask() is Health.SERVING:
                    await asyncio.sleep(0.1)
            assert await ask() is Health.NOT_SERVING

    asyncio.run(run(ServerSettings()))
    asyncio.run(run(secured))


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"127.0.0.1:{door.getsockname()[1]}"
    answer = ask_health(ServerSettings(address=address), timeout_s=2.0)

    assert answer.health is Health.SILENT
    assert answer.reason


def test_the_probe_ends_with_1_where_nobody_answers(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('address = "127.0.0.1:1"\n', encoding="utf-8")

    done = CliRunner().invoke(app, ["health", "--config", str(file), "--timeout-s", "1"])

    assert done.exit_code == 1
    assert "not answering" in done.stdout


def test_a_server_that_drains_opens_nothing_and_finishes_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "QUIET_S", 1.5)
    monkeypatch.setattr(server_module, "TIDY_EVERY_S", 0.05)

    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            server.server.begin_drain()

            request = session_pb2.OpenSessionRequest(request_id=new_id(), path=str(server.root / "clip"))
            assert (await refusal(client.sessions.OpenSession(request)))[1] == "restarting"
            for number in range(5):
                await client.click(session_id, hero, frame=1 + number)
                await asyncio.sleep(0.4)
                assert not server.server.drained.is_set()
            async with asyncio.timeout(20):
                await server.server.drained.wait()

    asyncio.run(run())


ENDED_BY = """
import asyncio, os, signal, sys
from pathlib import Path
from fakes.engine import FakeEngine
from fakes.service import MODEL, FakeOpener
from masklet_server.service import server
from masklet_server.service.running import run_server
from masklet_server.service.settings import ServerSettings

folder, number = Path(sys.argv[1]), int(sys.argv[2])
server.QUIET_S, server.TIDY_EVERY_S = 0.1, 0.05
asyncio.run(
    run_server(
        ServerSettings(address="127.0.0.1:0", roots=(folder,), upload_folder=folder),
        server.Engine(FakeEngine(), MODEL, (MODEL,), "cpu"),
        announce=lambda line: os.kill(os.getpid(), number),
        opener=FakeOpener(),
        on_drained=lambda: print("drained", flush=True),
    )
)
"""


@posix
@pytest.mark.parametrize(("ended_by", "said"), [("SIGTERM", ""), ("SIGUSR1", "drained\n")])
def test_a_server_that_was_drained_says_so_as_it_ends(tmp_path: Path, ended_by: str, said: str) -> None:
    # In a process of its own: signals and a server's end are those of a process.
    done = subprocess.run(
        [sys.executable, "-c", ENDED_BY, str(tmp_path), str(getattr(signal, ended_by).value)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, said), done.stderr


@contextmanager
def process(seconds: float, *, handles: bool) -> Iterator[subprocess.Popen[bytes]]:
    """One that ends soon after it is asked to drain, or ignores that."""
    action = f"lambda *_: (time.sleep({seconds}), os._exit(0))" if handles else "lambda *_: None"
    code = (
        f"import os, signal, time; signal.signal(signal.SIGUSR1, {action}); print('up', flush=True); "
        "time.sleep(30); time.sleep(30)"
    )
    started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.readline()
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


@posix
def test_the_hook_waits_for_the_end_and_not_for_ever() -> None:
    with process(0.2, handles=True) as ending:
        done = CliRunner().invoke(app, ["drain", "--pid", str(ending.pid), "--wait-s", "20"])
        assert "has ended" in done.stdout
    with process(0.0, handles=False) as staying:
        begun_s = time.monotonic()
        done = CliRunner().invoke(app, ["drain", "--pid", str(staying.pid), "--wait-s", "0.1"])
        assert time.monotonic() - begun_s < 5.0
        assert "still has work" in done.stdout
        assert staying.poll() is None
    done = CliRunner().invoke(app, ["drain", "--pid", str(ending.pid)])
    assert "there is no process" in str(done.exception)


@posix
def test_systemd_hears_when_calls_are_answered_and_that_the_loop_turns(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(place)
        heard.settimeout(5)
        supervisor = Supervisor({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "90000"})

        async def run() -> None:
            keeping = asyncio.create_task(supervisor.keep_alive())
            supervisor.ready("listening on 127.0.0.1:1")
            await asyncio.sleep(0.2)
            supervisor.stopping()
            keeping.cancel()

        asyncio.run(run())
        told = [heard.recv(200).decode()]
        while told[-1] != "STOPPING=1":
            told.append(heard.recv(200).decode())

    assert told[0] == "READY=1\nSTATUS=listening on 127.0.0.1:1"
    assert told.count("WATCHDOG=1") >= 3


def test_a_systemd_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(place)
        supervisor = Supervisor({"NOTIFY_SOCKET": place})
        done = threading.Event()

        def tell() -> None:
            # More than the system keeps for a listener.
            for _ in range(2000):
                supervisor.status("up")
            done.set()

        threading.Thread(target=tell, daemon=True).start()
        assert done.wait(20)


def test_without_systemd_nothing_is_said() -> None:
    supervisor = Supervisor({})
    supervisor.ready("up")
    asyncio.run(supervisor.keep_alive())
    # Of a process that started this one: not meant for it.
    asyncio.run(Supervisor({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).keep_alive())
