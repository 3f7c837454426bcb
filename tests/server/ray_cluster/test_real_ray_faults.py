"""Real Ray, and what artists see of it when machines die, hang, come back and are brought up to date."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import masklet
from fakes.kept import plates
from masklet.errors import MaskletError
from masklet.types import MaskFormat
from masklet.version import VERSION
from masklet_server.ray_cluster.ray_processes import ray_processes
from real_ray import RayCluster, asked_for, until

SMALL = MaskFormat(max_side_px=32)
NEXT = "{}.{}.{}".format(*VERSION.split(".")[:2], int(VERSION.split(".")[2]) + 1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head without servers, and two machines with one each."""
    asked_for()
    with tempfile.TemporaryDirectory(prefix="mk") as folder:
        made = RayCluster(Path(folder), frame_s=0.05)
        try:
            made.up(slots=0)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(made.join, ("one", "two")))
            yield made
        finally:
            made.close()


class Artist:
    """Tracks over and over, and notes what did not come."""

    def __init__(self, cluster: RayCluster) -> None:
        self.client = cluster.connect()
        self.session = self.client.open(plates(cluster.clips, frames=40))
        self.session.object("hero").click(frame=1, x_px=8.0, y_px=9.0)
        self.tracks = 0
        self.faults: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __enter__(self) -> Artist:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(60)
        with suppress(MaskletError):
            self.session.close()
        self.client.close()

    def has_tracked_on(self) -> None:
        """Wait for a track that began after now, and see that none was incomplete."""
        before = self.tracks
        until(lambda: self.faults or self.tracks >= before + 2, within_s=90)
        assert self.faults == []

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                self.session.object("hero").click(frame=1, x_px=8.0 + self.tracks % 8, y_px=9.0)
                found = [each.frame for each in self.session.track(mask_format=SMALL)]
            except MaskletError as error:
                self.faults.append(str(error))
                continue
            if found != list(range(1, 41)):
                self.faults.append(str(found))
            self.tracks += 1


def holder(cluster: RayCluster) -> str:
    """Name of the machine that has the only session."""
    found = [each["node"] for each in cluster.workers().values() if each["sessions"]]
    return found[0] if len(found) == 1 else ""


def test_a_machine_is_lost_and_one_hangs_and_an_artist_works_on(cluster: RayCluster) -> None:
    with Artist(cluster) as artist:
        artist.has_tracked_on()
        lost = holder(cluster)
        cluster.send(lost, signal.SIGKILL)
        artist.has_tracked_on()
        assert holder(cluster) not in ("", lost)
        cluster.masklet("down", "--folder", str(cluster.nodes[lost].folder), check=False)
        cluster.again(lost)

        hangs = holder(cluster)
        with masklet.connect(f"127.0.0.1:{cluster.nodes[hangs].ports.server(0)}") as asleep:
            former = asleep.resume(artist.session.session_id)
            cluster.send(hangs, signal.SIGSTOP)
            artist.has_tracked_on()
            cluster.send(hangs, signal.SIGCONT)
            with suppress(MaskletError):
                former.object("late").click(frame=2, x_px=1.0, y_px=1.0)
        artist.has_tracked_on()
        assert [each.name for each in artist.session.info().objects] == ["hero"]
        until(lambda: cluster.workers()[f"{hangs}-slot0"]["state"] == "alive", within_s=60)


def test_the_head_is_lost_and_comes_back_and_takes_over_the_servers_that_run(cluster: RayCluster) -> None:
    servers = {name: cluster.server_of(name) for name in ("one", "two")}
    with Artist(cluster) as artist:
        for process in ray_processes(cluster.nodes["head"]):
            with suppress(psutil.Error):
                process.kill()
        artist.has_tracked_on()
        assert "Ray's head" in " ".join(cluster.status()["troubles"])
        for name in ("one", "two", "head"):
            cluster.masklet("down", "--keep-servers", "--folder", str(cluster.nodes[name].folder))
        for name in ("head", "one", "two"):
            cluster.again(name)
        artist.has_tracked_on()
    assert {name: cluster.server_of(name) for name in ("one", "two")} == servers
    assert cluster.status()["troubles"] == []
    assert all(each["keeper"] for each in cluster.workers().values())


def test_machines_are_brought_up_to_date_one_by_one_while_an_artist_works(cluster: RayCluster) -> None:
    cluster.version = NEXT
    with Artist(cluster) as artist:
        for name in ("one", "two"):
            cluster.told("drain", name, "--folder", str(cluster.nodes["head"].folder))
            cluster.masklet("down", "--folder", str(cluster.nodes[name].folder))
            cluster.again(name)
            artist.has_tracked_on()
        for name in ("one", "two"):
            with masklet.connect(f"127.0.0.1:{cluster.nodes[name].ports.server(0)}") as server:
                assert server.info().version == NEXT
