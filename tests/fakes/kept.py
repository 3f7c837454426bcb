"""A server that keeps its sessions, in a process to be killed: ``python -m fakes.kept`` and its other end.

The tracker is :class:`fakes.remembering.RememberingTracker`: one wrong bit in what a session comes back with
shows in every mask behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import typer

from fakes.remembering import RememberingTracker
from fakes.service import MODEL
from masklet.types import FramePrompts
from masklet.version import VERSION
from masklet_server.cluster.joining import member_of
from masklet_server.service import running
from masklet_server.service import server as server_module
from masklet_server.service.server import Engine
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.store import StoreLimits
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

TESTS = Path(__file__).parents[1]


def plates(folder: Path, *, frames: int = 24) -> Path:
    """A short clip, which it gives the pattern of."""
    folder.mkdir(exist_ok=True)
    for frame in range(1, frames + 1):
        cv2.imwrite(str(folder / f"plate.{frame:04d}.png"), np.full((24, 32, 3), frame, np.uint8))
    return folder / "plate.%04d.png"


@dataclass
class KeptServer:
    """A server process on one port and one folder, however often it is killed.

    Args:
        folder: Holds clips and sessions.
        frame_s: What a frame takes.
    """

    folder: Path
    frame_s: float = 0.0
    more: Sequence[str] = ()
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def sessions(self) -> Path:
        return self.folder / "sessions"

    def start(self) -> float:
        """Start it; how long it took until calls were answered."""
        began_s = time.perf_counter()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "fakes.kept",
                str(self.folder),
                str(self.port),
                *map(str, (self.frame_s, *self.more)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
            },
        )
        assert self.process.stdout is not None
        json.loads(self.process.stdout.readline())
        return time.perf_counter() - began_s

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self._gone()

    def freeze(self) -> None:
        """As a machine that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It wakes up."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> float:
        """``SIGTERM``; how long it took to end."""
        began_s = time.perf_counter()
        self.process.terminate()
        self._gone()
        return time.perf_counter() - began_s

    def _gone(self) -> None:
        self.process.wait(30)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@dataclass
class SlowTracker(RememberingTracker):
    """Takes its time for a frame."""

    frame_s: float = 0.0

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        time.sleep(self.frame_s)
        return super().prompt(prompts)

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        time.sleep(self.frame_s)
        return super().track(frame, object_ids, backward=backward, since=since)


def call_itself(version: str) -> None:
    """Have servers of this process be of another version: the same code, by what they tell."""
    for module in (running, server_module):
        module.VERSION = version  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("frame_s", type=float)
    parser.add_argument("--take-over", action="store_true")
    parser.add_argument("--sessions", default="sessions")
    parser.add_argument("--gateway")
    parser.add_argument("--worker", default="")
    parser.add_argument("--signed-tokens", type=Path)
    parser.add_argument("--gateway-token-file", type=Path)
    parser.add_argument("--gateway-ca", type=Path)
    parser.add_argument("--gateway-cert", type=Path)
    parser.add_argument("--gateway-key", type=Path)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--tls-client-ca", type=Path)
    parser.add_argument("--version", default=VERSION)
    given = parser.parse_args()
    call_itself(given.version)
    settings = ServerSettings(
        address=f"127.0.0.1:{given.port}",
        roots=(given.folder,),
        upload_folder=given.folder,
        sessions_folder=given.folder / given.sessions,
        take_over=given.take_over,
        signed_tokens=given.signed_tokens,
        tls_certificate=given.tls_cert,
        tls_key=given.tls_key,
        tls_client_ca=given.tls_client_ca,
        store=StoreLimits(),
    )
    member = member_of({**vars(given), "advertise": ""}, settings)

    def make(source: FrameSource, results: ResultReader) -> SlowTracker:
        return SlowTracker(source, results, frame_s=given.frame_s)

    engine = Engine(make, MODEL, (MODEL,), "cpu")
    asyncio.run(
        running.run_server(settings, engine, announce=typer.echo, stop_with_stdin=True, member=member)
    )


if __name__ == "__main__":
    main()
