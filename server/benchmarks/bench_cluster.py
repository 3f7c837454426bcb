"""A cluster of real Ray on this machine under faults, and how it grows with its servers.

    python server/benchmarks/bench_cluster.py faults head scale >> server/benchmarks/results/cluster.jsonl

``faults``: an actor, a machine and a hang of 70 s; ``head``: Ray's head is gone for 90 s and comes back;
``scale``: sessions and frames a second with 1, 2 and 4 servers. The network is a stand-in that takes 30 ms
for a frame. Machines are folders and ports of this one: a machine that is lost is all of its processes,
killed; one that hangs is all of them, stopped. Needs ``python installers/host_environments.py ray``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from records import begin, write_line

import masklet
from fakes.kept import plates
from masklet.errors import LimitError, MaskletError
from masklet.session import Session
from masklet.types import MaskFormat
from masklet_server.ray_cluster.ray_processes import ray_processes
from real_ray import RayCluster, until

SMALL = MaskFormat(max_side_px=32)
FRAME_S = 0.03
FRAMES = 40
FROZEN_S = 70.0
HEADLESS_S = 90.0


class Artist:
    """A session in which something is done all the time, and what its longest pause was."""

    def __init__(self, address: str, clip: Path) -> None:
        self.client = masklet.connect(address)
        self.session = self.client.open(clip)
        self.hero = self.session.object("hero")
        self.hero.click(frame=1, x_px=8.0, y_px=9.0, mask_format=SMALL)
        self.frames = 0
        self.tracks = 0
        self.incomplete = 0
        self.errors: list[str] = []
        self.longest_pause_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Count pauses from now."""
        self.longest_pause_s = 0.0

    def end(self) -> None:
        """Stop after the track that runs."""
        self._stop.set()
        self._thread.join(120)
        with suppress(MaskletError):
            self.client.close()

    def _work(self) -> None:
        last_s = time.monotonic()
        while not self._stop.is_set():
            found = []
            try:
                self.hero.click(frame=1, x_px=8.0 + self.tracks % 8, y_px=9.0, mask_format=SMALL)
                for update in self.session.track(mask_format=SMALL):
                    now_s = time.monotonic()
                    self.longest_pause_s = max(self.longest_pause_s, now_s - last_s)
                    last_s = now_s
                    found.append(update.frame)
                    self.frames += 1
            except MaskletError as error:
                self.errors.append(str(error)[:100])
                time.sleep(0.2)
                continue
            self.tracks += 1
            self.incomplete += found != list(range(1, FRAMES + 1))


@contextmanager
def clusters(*names: str, head_slots: int = 0) -> Iterator[RayCluster]:
    """A head, and machines with one server each that enter side by side."""
    with tempfile.TemporaryDirectory(prefix="mk") as folder:
        made = RayCluster(Path(folder), frame_s=FRAME_S)
        try:
            made.up(slots=head_slots)
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(made.join, names))
            yield made
        finally:
            made.close()


def clip_of(cluster: RayCluster, number: int) -> Path:
    """A clip of its own: plates draw sessions to the server that has them."""
    return plates(cluster.clips / f"clip{number}", frames=FRAMES)


def artists_on(cluster: RayCluster, count: int, *, first_clip: int = 0) -> list[Artist]:
    """Artists, each with a clip: one that a server has had before is placed there again."""
    address = f"127.0.0.1:{cluster.gateway_port}"
    # A server that has just joined counts as full until it has reported.
    until(lambda: all(each["free_bytes"] for each in cluster.workers().values()), within_s=60)
    return [Artist(address, clip_of(cluster, first_clip + number)) for number in range(count)]


def told(artists: list[Artist]) -> dict[str, Any]:
    """What came of their work."""
    return {
        "artists": len(artists),
        "longest_pause_s": round(max(each.longest_pause_s for each in artists), 2),
        "tracks": sum(each.tracks for each in artists),
        "tracks_incomplete": sum(each.incomplete for each in artists),
        "errors_told": [error for each in artists for error in each.errors],
    }


def faults() -> None:
    """An actor is killed, a machine is lost, a machine hangs."""
    with clusters("one", "two") as cluster:
        artists = artists_on(cluster, 4)
        placed = {name: each["sessions"] for name, each in cluster.workers().items()}
        write_line({"drill": "placement", "sessions": placed})

        for each in artists:
            each.begin()
        keeper, server = cluster.keeper_of("one"), cluster.server_of("one")
        keeper.kill()
        back_s = until(lambda: _keeper(cluster, "one") not in (0, keeper.pid), within_s=60)
        time.sleep(3.0)
        same = cluster.server_of("one") == server and psutil.pid_exists(server)
        write_line(
            {"drill": "kill -9 actor", "actor_back_s": round(back_s, 2), "same_server": same, **told(artists)}
        )

        for each in artists:
            each.begin()
        cluster.send("two", signal.SIGKILL)
        time.sleep(12.0)
        write_line({"drill": "kill -9 machine", **told(artists)})
        cluster.masklet("down", "--folder", str(cluster.nodes["two"].folder), check=False)
        cluster.again("two")

        write_line(hang(cluster, artists))
        for each in artists:
            each.end()


def hang(cluster: RayCluster, artists: list[Artist]) -> dict[str, Any]:
    """A machine is frozen for 70 s, and its server wakes up with sessions that are others' by now."""
    node = cluster.nodes["one"]
    address = f"127.0.0.1:{node.ports.server(0)}"
    sleeper, writes = masklet.connect(address), 0
    mine = [each for each in artists if _lives_at(each.session, sleeper)]
    for each in artists:
        each.begin()
    cluster.send("one", signal.SIGSTOP)
    began_s = time.monotonic()
    time.sleep(FROZEN_S - 2.0)
    line = told(artists)
    cluster.send("one", signal.SIGCONT)
    frozen_s = time.monotonic() - began_s
    # Whoever still talks to the server that slept may change nothing there.
    for each in mine:
        for number in range(5):
            with suppress(MaskletError):
                former = sleeper.resume(each.session.session_id)
                former.object("hero").click(frame=2 + number, x_px=1.0, y_px=1.0, mask_format=SMALL)
                writes += _at(cluster, each) == "one-slot0"
    time.sleep(3.0)
    return {
        "drill": "frozen machine",
        "frozen_s": round(frozen_s, 1),
        "sessions_there": len(mine),
        "writes_tried_by_the_former_owner": 5 * len(mine),
        "writes_accepted_from_the_old_epoch": writes,
        **line,
    }


def head() -> None:
    """Ray's head is lost for longer than Ray's own processes live without it."""
    with clusters("one", "two") as cluster:
        artists = artists_on(cluster, 4)
        servers = {name: cluster.server_of(name) for name in ("one", "two")}
        for each in artists:
            each.begin()
        for process in ray_processes(cluster.nodes["head"]):
            with suppress(psutil.Error):
                process.kill()
        time.sleep(HEADLESS_S)
        keepers = sum(_keeper(cluster, name) != 0 for name in ("one", "two"))
        line = {"drill": "kill -9 head", "headless_s": HEADLESS_S, "actors_left": keepers, **told(artists)}
        same = {name: cluster.server_of(name) for name in ("one", "two")} == servers
        status = cluster.status()
        line |= {"same_servers": same, "status_says": status["troubles"]}
        write_line(line)
        for each in artists:
            each.begin()
        for name in ("one", "two", "head"):
            node = cluster.nodes[name]
            cluster.masklet("down", "--keep-servers", "--folder", str(node.folder))
        cluster.again("head")
        for name in ("one", "two"):
            cluster.again(name)
        same = {name: cluster.server_of(name) for name in ("one", "two")} == servers
        keepers = sum(_keeper(cluster, name) != 0 for name in ("one", "two"))
        write_line({"drill": "head back", "servers_adopted": same, "actors": keepers, **told(artists)})
        for each in artists:
            each.end()


def scale() -> None:
    """Frames and sessions a second with 1, 2 and 4 servers."""
    with clusters(head_slots=1) as cluster:
        for servers, more in ((1, 0), (2, 1), (4, 2)):
            if more:
                cluster.join(f"machine{servers}", slots=more)
            artists = artists_on(cluster, 16, first_clip=100 * servers)
            time.sleep(2.0)
            before, began_s = sum(each.frames for each in artists), time.monotonic()
            cpu_s = _cpu_s()
            time.sleep(12.0)
            passed_s = time.monotonic() - began_s
            frames = sum(each.frames for each in artists) - before
            busy = (_cpu_s() - cpu_s) / passed_s
            placed = sorted(each["sessions"] for each in cluster.workers().values())
            for each in artists:
                each.end()
            line = {
                "drill": "scale",
                "servers": servers,
                "artists": len(artists),
                "sessions_by_server": placed,
            }
            line |= {"frames_per_s": round(frames / passed_s, 1), "cores_busy": round(busy, 2)}
            write_line({**line, "opened_per_s": round(_opened_per_s(cluster), 1)})


def _opened_per_s(cluster: RayCluster) -> float:
    """Sessions opened and closed, by eight artists at once."""
    clip, until_s = clip_of(cluster, 0), time.monotonic() + 5.0

    def open_and_close(_: int) -> int:
        opened = 0
        with masklet.connect(f"127.0.0.1:{cluster.gateway_port}") as client:
            while time.monotonic() < until_s:
                try:
                    client.open(clip).close()
                except LimitError:
                    # The directory learns once a second who has room.
                    time.sleep(0.05)
                else:
                    opened += 1
        return opened

    began_s = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        opened = sum(pool.map(open_and_close, range(8)))
    return opened / (time.monotonic() - began_s)


def _cpu_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _keeper(cluster: RayCluster, name: str) -> int:
    return next((int(each.pid) for each in cluster.keepers_of(name)), 0)


def _at(cluster: RayCluster, artist: Artist) -> str:
    """Name of the server that an artist's session lives at."""
    for name in ("one", "two"):
        node = cluster.nodes[name]
        with masklet.connect(f"127.0.0.1:{node.ports.server(0)}") as client:
            if _lives_at(artist.session, client):
                return node.worker_name(0)
    return ""


def _lives_at(session: Session, server: masklet.Server) -> bool:
    return session.session_id in {each.session_id for each in server.sessions()}


def main() -> None:
    """Run the parts that are named."""
    parts: dict[str, Callable[[], None]] = {"faults": faults, "head": head, "scale": scale}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=parts)
    given = parser.parse_args().parts
    # What shares the machine counts here as much as the machine.
    begin(
        "bench_cluster",
        load_average=round(os.getloadavg()[0], 1),
        footage="plain pictures of 32 x 24, 40 frames; stand-in engine",
        ray="2.60.0",
        parts=given,
    )
    for part in given:
        parts[part]()


if __name__ == "__main__":
    main()
