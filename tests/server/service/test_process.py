from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest

from fakes.service import SMALL, FakeClient, refusal
from masklet import __version__
from masklet.errors import BadInputError
from masklet.v1 import track_pb2

TESTS = Path(__file__).parents[2]
CLI = [sys.executable, "-m", "masklet_server.cli"]


@contextmanager
def process(
    folder: Path, *, frame_s: float = 0.0, more: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    for number in range(1, 41):
        cv2.imwrite(str(folder / f"plate.{number:04d}.png"), np.zeros((24, 32, 3), np.uint8))
    command = [sys.executable, "-m", "fakes.serving", str(folder), str(frame_s), *more]
    running = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running, json.loads(running.stdout.readline())["address"]
    finally:
        running.kill()
        running.wait()
        running.stdin.close()
        running.stdout.close()


def refused(*arguments: str) -> str:
    """What the command says on standard error when it ends with exit code 1."""
    done = subprocess.run([*CLI, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


def test_a_server_ends_with_the_standard_input_of_whoever_started_it(tmp_path: Path) -> None:
    with process(tmp_path) as (running, _):
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(timeout=10) == 0
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that can be handled")
def test_sigterm_ends_a_track_after_its_frame_and_the_server_with_0(tmp_path: Path) -> None:
    async def run(client: FakeClient, running: subprocess.Popen[bytes]) -> list[track_pb2.TrackResponse]:
        session_id, _ = await client.clicked(tmp_path / "plate.%04d.png")
        request = track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL)
        events = []
        async for event in client.tracks.Track(request):
            events.append(event)
            if event.update.frame == 3:
                running.send_signal(signal.SIGTERM)
        return events

    async def connected(address: str, running: subprocess.Popen[bytes]) -> list[track_pb2.TrackResponse]:
        async with grpc.aio.insecure_channel(address) as channel:
            return await run(FakeClient(channel), running)

    with process(tmp_path, frame_s=0.05) as (running, address):
        events = asyncio.run(connected(address, running))

        assert events[-1].finished.cancelled
        assert running.wait(timeout=10) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that can be handled")
@pytest.mark.parametrize("place", ["hung", "gone"])
def test_sigterm_ends_a_server_whose_plates_disk_does_not_answer(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()

    async def run(address: str, running: subprocess.Popen[bytes]) -> float:
        async with grpc.aio.insecure_channel(address) as channel:
            client = FakeClient(channel)
            waiting = asyncio.ensure_future(client.clicked(tmp_path / place))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            running.send_signal(signal.SIGTERM)
            started_s = time.perf_counter()
            await asyncio.gather(waiting, return_exceptions=True)
            await asyncio.to_thread(running.wait, 15.0)
            return time.perf_counter() - started_s

    with process(tmp_path, more=["hang"]) as (running, address):
        assert asyncio.run(run(address, running)) < 10.0
        assert running.returncode == 0


def test_a_server_killed_in_mid_track_is_an_unavailable_one(tmp_path: Path) -> None:
    async def run(address: str, running: subprocess.Popen[bytes]) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            client = FakeClient(channel)
            session_id, _ = await client.clicked(tmp_path / "plate.%04d.png")
            call = client.tracks.Track(track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL))
            async for event in call:
                if event.update.frame == 3:
                    running.kill()
                    break
            started_s = time.perf_counter()
            status, _, _ = await refusal(call)

            assert status == grpc.StatusCode.UNAVAILABLE
            assert time.perf_counter() - started_s < 5.0

    with process(tmp_path, frame_s=0.05) as (running, address):
        asyncio.run(run(address, running))


def test_the_command_refuses_an_open_address_in_one_sentence() -> None:
    message = refused("serve", "--address", "0.0.0.0:7700")

    assert message.startswith("masklet-server: 0.0.0.0:7700 can be reached from other machines")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--profile", "fast", "no profile 'fast'"),
        ("--address", "here", "not an address"),
        ("--token-file", "nowhere", "token file nowhere cannot be read"),
        ("--root", "nowhere", "root nowhere does not exist"),
        ("--sessions", "/dev/null/sessions", "folder for sessions /dev/null/sessions cannot be made"),
        ("--tls-cert", "nowhere", "TLS needs both files"),
    ],
)
def test_the_command_names_what_it_cannot_use(option: str, value: str, words: str) -> None:
    from masklet_server.cli import app

    with pytest.raises(BadInputError, match=words):
        app(["serve", "--address", "127.0.0.1:0", option, value], standalone_mode=False)


def test_the_command_says_that_a_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "taken" in refused("serve", "--address", f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize(("flag", "words"), [("--version", f"masklet-server {__version__}"), ("-h", "Usage")])
def test_the_server_tells_its_version_and_helps_by_a_short_flag(flag: str, words: str) -> None:
    from typer.testing import CliRunner

    from masklet_server.cli import app

    assert words in CliRunner().invoke(app, [flag]).output
