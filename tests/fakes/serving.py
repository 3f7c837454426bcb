"""A server process with a fake engine: ``python -m fakes.serving FOLDER FRAME_S [hang | closed]``."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import typer

from fakes.disks import HangingOpener
from fakes.engine import FakeEngine
from fakes.service import MODEL
from masklet_server.service.running import run_server
from masklet_server.service.server import Engine
from masklet_server.service.settings import ServerSettings


def main() -> None:
    folder, frame_s = Path(sys.argv[1]), float(sys.argv[2])
    settings = ServerSettings(address="127.0.0.1:0", roots=(folder,), upload_folder=folder, drain_s=0.5)
    settings = replace(settings, no_egress=sys.argv[3:] == ["closed"])
    engine = Engine(FakeEngine(frame_s=frame_s), MODEL, (MODEL,), "cpu")
    opener = HangingOpener() if sys.argv[3:] == ["hang"] else None
    asyncio.run(run_server(settings, engine, announce=typer.echo, stop_with_stdin=True, opener=opener))


if __name__ == "__main__":
    main()
