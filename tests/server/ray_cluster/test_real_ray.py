"""Real Ray on this machine: it places servers and watches them, and what artists do goes on without it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import masklet
from fakes.kept import plates
from masklet.session import Session
from masklet.types import MaskFormat
from masklet_server.ray_cluster.cluster_key import ClusterKey
from masklet_server.ray_cluster.ray_processes import ray_processes
from real_ray import RayCluster, asked_for, is_free, ray_python, until

SMALL = MaskFormat(max_side_px=32)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head with one server, and a second machine with another."""
    asked_for()
    with tempfile.TemporaryDirectory(prefix="mk") as folder:
        made = RayCluster(Path(folder), frame_s=0.05)
        try:
            made.up(slots=1)
            made.join("two")
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def clip(cluster: RayCluster) -> Path:
    return plates(cluster.clips, frames=40)


def clicked(client: masklet.Server, clip: Path) -> Session:
    session = client.open(clip)
    session.object("hero").click(frame=1, x_px=8.0, y_px=9.0)
    return session


def test_each_device_of_each_machine_gets_one_server(cluster: RayCluster) -> None:
    seen = cluster.status()
    assert {each["name"]: each["devices"] for each in seen["nodes"]} == {"head": 1, "two": 1}
    assert {each["worker"]: each["state"] for each in seen["workers"]} == {
        "head-slot0": "alive",
        "two-slot0": "alive",
    }
    assert all(each["keeper"] and each["free_bytes"] > 0 for each in seen["workers"])
    assert all(each["lease_age_s"] < 4.0 for each in seen["workers"])
    assert seen["waiting"] == 0
    assert seen["troubles"] == []
    # Nobody else gets at Ray's sockets.
    assert all(node.ray_folder.stat().st_mode & 0o077 == 0 for node in cluster.nodes.values())


def test_nothing_listens_but_where_it_was_told(cluster: RayCluster) -> None:
    for name, node in cluster.nodes.items():
        for process in cluster.processes(name):
            for each in process.net_connections("inet"):
                if each.status != psutil.CONN_LISTEN:
                    continue
                port = each.laddr.port
                assert each.laddr.ip.removeprefix("::ffff:") == "127.0.0.1", (process, each)
                assert node.ports.holds(port) or (node.is_head and port == cluster.gateway_port), (
                    process,
                    each,
                )
    # Of Ray's server for remote drivers.
    assert is_free(10001)


def test_nobody_gets_in_without_the_key(cluster: RayCluster, tmp_path: Path) -> None:
    head = cluster.nodes["head"].head
    words = ("join", head, "--name", "three", "--slots", "1", "--port", "31900", "--folder", str(tmp_path))
    refused = cluster.masklet(*words, check=False)
    assert refused.returncode == 1
    assert "copy cluster.key from the folder of the machine where masklet cluster up ran" in refused.stderr

    ClusterKey.make(with_tls=False).write(tmp_path / "other.key")
    refused = cluster.masklet(*words, "--key", str(tmp_path / "other.key"), check=False)
    assert refused.returncode == 1
    assert f"masklet-server: the cluster at {head} has another key" in refused.stderr
    assert {each["name"] for each in cluster.status()["nodes"]} == {"head", "two"}


def test_rays_own_calls_are_refused_without_its_token(cluster: RayCluster) -> None:
    ask = "import ray; ray.init(address={!r}); print('in', ray.get(ray.remote(lambda: 1).remote()))"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [ray_python(), "-c", ask.format(cluster.nodes["head"].head)],
        env={**variables, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "in 1" not in done.stdout
    assert "token" in done.stderr.lower()


def test_a_machine_joins_once(cluster: RayCluster, tmp_path: Path) -> None:
    head, two = cluster.nodes["head"], cluster.nodes["two"]
    words = ("join", head.head, "--key", str(head.key_file), "--slots", "1", "--port", "31900")
    again = cluster.masklet(*words, "--folder", str(two.folder), check=False)
    assert f"this machine is in the cluster at {head.head} already, as two" in again.stderr
    named = cluster.masklet(*words, "--name", "two", "--folder", str(tmp_path), check=False)
    assert f"the cluster at {head.head} has a node two already" in named.stderr


def test_an_actor_that_is_killed_comes_back_to_the_server_that_runs(cluster: RayCluster, clip: Path) -> None:
    with masklet.connect(f"127.0.0.1:{cluster.gateway_port}") as client:
        session = clicked(client, clip)
        server, keeper = cluster.server_of("two"), cluster.keeper_of("two")
        keeper.kill()
        # An artist notices nothing.
        frames = [update.frame for update in session.track(mask_format=SMALL)]
        assert frames == list(range(1, 41))

        def is_back() -> bool:
            return any(each.pid != keeper.pid for each in cluster.keepers_of("two"))

        until(is_back, within_s=60)
        assert cluster.server_of("two") == server
        assert psutil.pid_exists(server)
        session.close()


def test_a_server_that_is_killed_is_started_anew_and_its_sessions_are_back(
    cluster: RayCluster, clip: Path
) -> None:
    with masklet.connect(f"127.0.0.1:{cluster.gateway_port}") as client:
        session = clicked(client, clip)
        former = {name: cluster.server_of(name) for name in cluster.nodes}
        for process in former.values():
            psutil.Process(process).kill()
        assert [update.frame for update in session.track(mask_format=SMALL)] == list(range(1, 41))
        until(lambda: cluster.server_of("two") != former["two"], within_s=60)
        session.close()


def test_a_machine_is_drained_while_an_artist_works(cluster: RayCluster, clip: Path) -> None:
    with masklet.connect(f"127.0.0.1:{cluster.gateway_port}") as client:
        sessions = [clicked(client, clip) for _ in range(2)]
        frames: list[list[int]] = [[] for _ in sessions]

        def track(number: int) -> None:
            frames[number] += [update.frame for update in sessions[number].track(mask_format=SMALL)]

        threads = [threading.Thread(target=track, args=(number,)) for number in range(len(sessions))]
        for thread in threads:
            thread.start()
        told = cluster.told("drain", "two", "--folder", str(cluster.nodes["head"].folder))
        for thread in threads:
            thread.join(60)
        assert frames == [list(range(1, 41))] * 2
        assert told["node"] == "two"
        assert cluster.workers()["two-slot0"]["sessions"] == 0
        # It ends by itself, and its keeper does not start another one.
        former = cluster.server_of("two")
        until(lambda: not psutil.pid_exists(former), within_s=60)
        until(lambda: cluster.workers()["two-slot0"]["state"] == "drained", within_s=60)
        cluster.masklet("down", "--folder", str(cluster.nodes["two"].folder))
        assert ray_processes(cluster.nodes["two"]) == []
        assert is_free(cluster.nodes["two"].ports.server(0))
        # And the artist goes on.
        assert [update.frame for update in sessions[0].masks(mask_format=SMALL)] == list(range(1, 41))
        for session in sessions:
            session.close()
