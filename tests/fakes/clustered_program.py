"""``masklet-server`` in a cluster, with a stand-in for the network: ``python -m fakes.clustered_program``.

``gateway`` is the command as it is shipped. ``serve`` takes the options that a cluster gives its servers and
refuses others; the engine is :class:`fakes.kept.SlowTracker`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from fakes.kept import SlowTracker, call_itself
from fakes.service import MODEL
from masklet.version import VERSION
from masklet_server.cluster.joining import member_of
from masklet_server.service import running
from masklet_server.service.server import Engine
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.store import StoreLimits
from masklet_server.tracking import FrameSource, ResultReader

FRAME_VARIABLE = "MASKLET_TEST_FRAME_S"
"""What a frame takes."""
VERSION_VARIABLE = "MASKLET_TEST_VERSION"
"""Which version servers tell that they are."""


def serve(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=Path, required=True)
    parser.add_argument("--root", type=Path, action="append", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--device", choices=["cpu"], required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--signed-tokens", type=Path)
    parser.add_argument("--gateway-token-file", type=Path)
    parser.add_argument("--gateway-ca", type=Path)
    parser.add_argument("--gateway-cert", type=Path)
    parser.add_argument("--gateway-key", type=Path)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--drained-file", type=Path, required=True)
    given = parser.parse_args(words)
    call_itself(os.environ.get(VERSION_VARIABLE, VERSION))
    settings = ServerSettings(
        address=given.address,
        roots=tuple(given.root),
        sessions_folder=given.sessions,
        signed_tokens=given.signed_tokens,
        tls_certificate=given.tls_cert,
        tls_key=given.tls_key,
        store=StoreLimits(),
    )
    frame_s = float(os.environ.get(FRAME_VARIABLE, "0"))

    def make(source: FrameSource, results: ResultReader) -> SlowTracker:
        return SlowTracker(source, results, frame_s=frame_s)

    def ready(line: str) -> None:
        given.ready_file.write_text(line, encoding="utf-8")

    member = member_of({**vars(given), "advertise": ""}, settings)
    engine = Engine(make, MODEL, (MODEL,), "cpu")
    drained = given.drained_file.touch
    asyncio.run(running.run_server(settings, engine, announce=ready, member=member, on_drained=drained))


if __name__ == "__main__":
    if sys.argv[1] == "gateway":
        from masklet_server.cli import main

        main()
    else:
        serve(sys.argv[2:])
