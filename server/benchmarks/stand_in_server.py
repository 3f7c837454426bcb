"""A server of its own process for the studio benchmark, with an engine that only takes its time.

    python server/benchmarks/stand_in_server.py FOLDER FRAME_MS MAX_SESSIONS IDLE_S [--kept]

It stands in for the network, so that what is measured is the server: every call of the engine sleeps for a
frame's time, as a processor does that waits for a GPU, and gives a disc that moves. Everything else is the
server as it is shipped, with journals where ``--kept`` says so. Prints one line of JSON with the address.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from fakes.engine import FAKE_INFO, FakeTracker  # noqa: E402
from fakes.service import MODEL, FakeOpener  # noqa: E402
from masklet.types import ClipInfo  # noqa: E402
from masklet_server.aside import waiting_for_disk  # noqa: E402
from masklet_server.service import running  # noqa: E402
from masklet_server.service.server import Engine  # noqa: E402
from masklet_server.service.settings import ServerSettings  # noqa: E402
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader  # noqa: E402

SIDE = 256
CLIP = replace(FAKE_INFO, width_px=1920, height_px=1080, first_frame=1, last_frame=2_000)


@dataclass
class StandInTracker(FakeTracker):
    """Sleeps for a frame, whatever it is asked, and remembers nothing that grows.

    While it sleeps the next picture of a track is read, as the engine does.
    """

    def __post_init__(self) -> None:
        self.calls = deque(maxlen=8)  # type: ignore[assignment]
        self._ahead: tuple[int, threading.Thread] | None = None

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        """A frame's time for all objects together."""
        self._read(frame)
        coming = frame - 1 if backward else frame + 1
        if coming in self.source.info.frames:
            reading = threading.Thread(target=self.source.read, args=(coming,), daemon=True)
            reading.start()
            self._ahead = coming, reading
        time.sleep(self.frame_s)
        return [self._result(object_id, frame, 0.0) for object_id in object_ids]

    def _work(self, call: str, frame: int, *rest: object) -> None:
        self._read(frame)
        time.sleep(self.frame_s)
        self.features_bytes, self.memories_bytes, self.host_bytes = 600, 400, 0

    def _read(self, frame: int) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            with waiting_for_disk():
                ahead[1].join()
        if ahead is None or ahead[0] != frame:
            self.source.read(frame)

    def _result(self, object_id: int, frame: int, value: float, *, prompted: bool = False) -> ObjectFrame:
        made = super()._result(object_id, frame, 0.0, prompted=prompted)
        return replace(made, logits=_disc((object_id * 37 + frame) % 64))


@dataclass
class StandInOpener(FakeOpener):
    """Opens the stand-in's clip, and remembers nothing that grows either."""

    info: ClipInfo = CLIP

    def __post_init__(self) -> None:
        for name in ("opened", "readings", "uploads", "fences"):
            setattr(self, name, deque(maxlen=8))


@cache
def _disc(place: int) -> NDArray[np.float16]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    distance = np.hypot(rows - SIDE / 2, columns - SIDE / 4 - 2 * place)
    logits: NDArray[np.float16] = np.clip(0.5 * (SIDE / 8 - distance), -8, 8).astype(np.float16)
    return logits


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("frame_ms", type=float)
    parser.add_argument("max_sessions", type=int)
    parser.add_argument("idle_s", type=float)
    parser.add_argument("--metrics-port", type=int)
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--tokens", type=Path)
    parser.add_argument("--switch-s", type=float, help="How soon threads hand over.")
    arguments = parser.parse_args()
    if arguments.switch_s is not None:
        running.SWITCH_S = arguments.switch_s
    folder, frame_s = arguments.folder, arguments.frame_ms / 1e3
    plain = ServerSettings()
    settings = ServerSettings(
        address="127.0.0.1:0",
        roots=(folder,),
        upload_folder=folder,
        sessions_folder=folder / "sessions" if arguments.kept else None,
        metrics_port=arguments.metrics_port,
        token_file=arguments.tokens,
        drain_s=0.5,
        store=replace(plain.store, max_sessions=arguments.max_sessions, idle_s=arguments.idle_s),
    )

    def make_tracker(source: FrameSource, results: ResultReader) -> StandInTracker:
        return StandInTracker(source, results, frame_s=frame_s)

    engine = Engine(make_tracker, MODEL, (MODEL,), "a stand-in")
    asyncio.run(
        running.run_server(
            settings,
            engine,
            announce=lambda line: print(line, flush=True),
            stop_with_stdin=True,
            opener=StandInOpener(),
        )
    )


if __name__ == "__main__":
    main()
