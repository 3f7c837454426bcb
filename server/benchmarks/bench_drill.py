"""Servers that die while artists work: what is lost, and how long until they go on.

    python server/benchmarks/bench_drill.py --kills 20 --sessions 12

A stand-in engine of 30 ms a frame draws each mask from a digest of all that it follows from, so that one
wrong bit in what a session comes back with is another mask on every frame behind. Sessions click and track
at once; the server is killed (``kill -9``) at random moments and started again on the same folder. Counted
are clicks that were acknowledged and are not there, and masks of tracks that came twice, not at all, or are
others than those that the session holds, or that the same document makes in a session of its own. Recovery is
the time from the first moment at which the new process answers to a session's first answer: without the start
of Python and of the engine, which is told beside it.

Then: a server that is stopped (SIGTERM) under 16 tracks, one that is frozen (SIGSTOP) and wakes up after
another has taken its sessions, and clients that are killed in mid-upload and in mid-track. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from records import ROOT, begin, write_line

sys.path.insert(0, str(ROOT / "tests"))

import masklet
from fakes.kept import KeptServer, plates
from masklet.errors import MaskletError, SessionNotFoundError
from masklet.events import TrackFinished
from masklet.session import Session
from masklet.types import MaskFormat, MaskUpdate

FRAMES = 48
SMALL = MaskFormat(max_side_px=32)

Masks = dict[int, bytes]


@dataclass
class Count:
    """What went wrong, and how much there was."""

    clicks: int = 0
    clicks_lost: int = 0
    tracks: int = 0
    masks: int = 0
    masks_missing: int = 0
    masks_twice: int = 0
    masks_different: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class Artist:
    """One session: clicks and tracks until told to stop, and knows what it was answered."""

    def __init__(self, server: KeptServer, clip: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._client = masklet.connect(server.address)
        self.session = self._client.open(clip)
        self._hero = self.session.object("hero")
        self._acknowledged: list[tuple[int, float]] = []
        self.count = Count()

    def work(self, stop: threading.Event) -> None:
        """Until told to stop; errors are counted."""
        while not stop.is_set():
            try:
                self._round()
            except MaskletError as error:
                self.count.errors[str(error)[:80]] += 1

    def _round(self) -> None:
        for _ in range(self._random.randint(1, 3)):
            frame, x_px = self._random.randint(1, FRAMES), float(self._random.randint(0, 31))
            self._hero.click(frame=frame, x_px=x_px, y_px=5.0, mask_format=SMALL)
            self._acknowledged.append((frame, x_px))
            self.count.clicks += 1
        delivered: dict[int, list[bytes]] = {}
        track = self.session.track(mask_format=SMALL)
        for event in track.events():
            if isinstance(event, MaskUpdate):
                delivered.setdefault(event.frame, []).append(event.mask.alpha)
        assert isinstance(track.finished, TrackFinished)
        assert not track.finished.cancelled
        held = masks_of(self.session)
        self.count.tracks += 1
        self.count.masks += sum(map(len, delivered.values()))
        self.count.masks_missing += sum(frame not in delivered for frame in range(1, FRAMES + 1))
        self.count.masks_twice += sum(len(found) - 1 for found in delivered.values())
        self.count.masks_different += sum(
            held.get(frame) != mask for frame, found in delivered.items() for mask in found
        )
        self._count_lost()

    def _count_lost(self) -> None:
        said = Counter(
            (item.frame, click.x_px) for item in self.session.prompts().prompts for click in item.clicks
        )
        wanted = Counter(self._acknowledged)
        self.count.clicks_lost += sum((wanted - said).values()) + sum((said - wanted).values())

    def compare_with_replay(self, clip: Path) -> None:
        """The same document in a session of its own gives the same masks."""
        for _ in self.session.track(mask_format=SMALL):
            pass
        other = self._client.open(clip)
        other.load_prompts(self.session.prompts())
        for _ in other.track(mask_format=SMALL):
            pass
        ours, theirs = masks_of(self.session), masks_of(other)
        self.count.masks_different += sum(ours.get(frame) != theirs.get(frame) for frame in {*ours, *theirs})
        other.close()

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


def masks_of(session: Session) -> Masks:
    """All masks of a session by frame."""
    return {update.frame: update.mask.alpha for update in session.masks(mask_format=SMALL)}


def kills(folder: Path, *, count: int, sessions: int, frame_s: float, seed: int) -> dict[str, Any]:
    """``kill -9`` at random moments."""
    clip = plates(folder / "clip", frames=FRAMES)
    server = KeptServer(folder, frame_s)
    server.start()
    artists = [Artist(server, clip, seed + number) for number in range(sessions)]
    ids = [artist.session.session_id for artist in artists]
    stop, moments = threading.Event(), random.Random(seed)
    recoveries_s: list[float] = []
    starts_s: list[float] = []

    def recovered(session_id: str, ready_s: float) -> float:
        with masklet.connect(server.address) as client:
            client.resume(session_id)
            return time.perf_counter() - ready_s

    with ThreadPoolExecutor(sessions) as working, ThreadPoolExecutor(sessions) as asking:
        running = [working.submit(artist.work, stop) for artist in artists]
        try:
            for _ in range(count):
                time.sleep(moments.uniform(0.5, 4.0))
                server.kill()
                starts_s.append(server.start())
                ready_s = time.perf_counter()
                recoveries_s += asking.map(recovered, ids, [ready_s] * sessions)
        finally:
            stop.set()
        for each in running:
            each.result()
        list(working.map(lambda artist: artist.compare_with_replay(clip), artists))
    counts = [artist.count for artist in artists]
    errors: Counter[str] = sum((each.errors for each in counts), Counter())
    for artist in artists:
        artist.close()
    server.kill()
    names = ("clicks", "clicks_lost", "tracks", "masks", "masks_missing", "masks_twice", "masks_different")
    return {
        "drill": "kill -9",
        "kills": count,
        "sessions": sessions,
        "frame_ms": 1000 * frame_s,
        **{name: sum(getattr(each, name) for each in counts) for name in names},
        "errors_told": dict(errors),
        "recovery_s": {"p50": median(recoveries_s), "max": round(max(recoveries_s), 3)},
        "process_start_s": {"p50": median(starts_s), "max": round(max(starts_s), 3)},
    }


def stops(folder: Path, *, frame_s: float, streams: int = 16) -> dict[str, Any]:
    """SIGTERM under tracks: everybody goes on after the next start."""
    clip = plates(folder / "clip", frames=FRAMES)
    server = KeptServer(folder, frame_s)
    server.start()
    barrier = threading.Barrier(streams + 1)

    def track() -> list[int]:
        with masklet.connect(server.address) as client:
            session = client.open(clip)
            session.object("hero").click(frame=20, x_px=8.0, y_px=9.0)
            frames = []
            for update in session.track(mask_format=SMALL):
                frames.append(update.frame)
                if len(frames) == 2:
                    barrier.wait(120)
            return frames

    with ThreadPoolExecutor(streams) as pool:
        tracks = [pool.submit(track) for _ in range(streams)]
        barrier.wait(120)
        exit_s = server.stop()
        code = server.process.returncode
        server.start()
        found = [sorted(each.result(240)) for each in tracks]
    server.kill()
    whole = sum(frames == list(range(1, FRAMES + 1)) for frames in found)
    return {
        "drill": "SIGTERM",
        "streams": streams,
        "streams_whole": whole,
        "exit_s": round(exit_s, 2),
        "exit_code": code,
    }


def freezes(folder: Path) -> dict[str, Any]:
    """An owner that wakes up after another has taken over."""
    clip = plates(folder / "clip", frames=FRAMES)
    first = KeptServer(folder)
    first.start()
    accepted = 0
    with masklet.connect(first.address) as client:
        session = client.open(clip)
        session.object("hero").click(frame=3, x_px=1.0, y_px=1.0)
        first.freeze()
        second = KeptServer(folder, more=("--take-over",))
        second.start()
        with masklet.connect(second.address) as other:
            back = other.resume(session.session_id)
            back.object("hero").click(frame=4, x_px=1.0, y_px=1.0)
            document = back.prompts()
            first.thaw()
            for frame in range(5, 15):
                try:
                    session.object("hero").click(frame=frame, x_px=1.0, y_px=1.0)
                    accepted += 1
                except SessionNotFoundError:
                    pass
            changed = back.prompts() != document
    first.kill()
    second.kill()
    return {
        "drill": "SIGSTOP",
        "writes_of_the_former_owner": 10,
        "accepted": accepted,
        "document_changed": changed,
    }


_CLIENT = """
import sys, masklet
with masklet.connect(sys.argv[1]) as client:
    if sys.argv[2] == "upload":
        client.open(sys.argv[3], upload=True, on_progress=lambda done, total: print(done, flush=True))
    else:
        session = client.resume(sys.argv[3])
        for update in session.track():
            print(update.frame, flush=True)
"""


def dead_clients(folder: Path, *, frame_s: float) -> dict[str, Any]:
    """Clients that are killed in mid-upload and in mid-track."""
    clip = plates(folder / "clip", frames=FRAMES)
    large = folder / "large"
    large.mkdir()
    for frame in range(1, 9):
        (large / f"noise.{frame:04d}.png").write_bytes(random.Random(frame).randbytes(24 << 20))
    server = KeptServer(folder, frame_s)
    server.start()
    with masklet.connect(server.address) as client:
        session = client.open(clip)
        session.object("hero").click(frame=3, x_px=1.0, y_px=1.0)
        other = client.open(clip)
        other.object("hero").click(frame=3, x_px=1.0, y_px=1.0)
        for arguments in (("upload", str(large / "noise.%04d.png")), ("track", session.session_id)):
            dying = subprocess.Popen(
                [sys.executable, "-c", _CLIENT, server.address, *arguments],
                stdout=subprocess.PIPE,
                cwd=folder,
            )
            assert dying.stdout is not None
            for _ in range(3):
                dying.stdout.readline()
            dying.kill()
            dying.wait()
            dying.stdout.close()
        clicks_s = []
        for frame in range(10, 20):
            began_s = time.perf_counter()
            other.object("hero").click(frame=frame, x_px=1.0, y_px=1.0)
            clicks_s.append(time.perf_counter() - began_s)
        deadline_s = time.perf_counter() + 30.0
        while any(each.is_busy for each in client.sessions()) and time.perf_counter() < deadline_s:
            time.sleep(0.2)
        busy = sum(each.is_busy for each in client.sessions())
        frames = sorted(update.frame for update in session.track(mask_format=SMALL))
        sessions = len(client.sessions())
    server.kill()
    return {
        "drill": "clients killed in mid-upload and mid-track",
        "sessions_of_broken_uploads": sessions - 2,
        "still_busy": busy,
        "click_of_another_s": {"p50": median(clicks_s), "max": round(max(clicks_s), 3)},
        "track_afterwards_whole": frames == list(range(1, FRAMES + 1)),
    }


def median(values: list[float]) -> float:
    """To the millisecond."""
    return round(statistics.median(values), 3)


def main() -> None:
    """Run the drills, each in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--frame-s", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begin("bench_drill", footage="plain pictures of 32 x 24, 48 frames; stand-in engine")
    drills = (
        lambda folder: kills(
            folder, count=given.kills, sessions=given.sessions, frame_s=given.frame_s, seed=given.seed
        ),
        lambda folder: stops(folder, frame_s=given.frame_s),
        freezes,
        lambda folder: dead_clients(folder, frame_s=given.frame_s),
    )
    for drill in drills:
        with tempfile.TemporaryDirectory() as folder:
            write_line(drill(Path(folder)))


if __name__ == "__main__":
    main()
