"""Real Ray beyond the loopback address: TLS, the token, and who gets in by neither."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fakes.kept import plates
from masklet.errors import AccessDeniedError, ServerUnreachableError
from masklet.types import MaskFormat
from masklet_server.ray_cluster.cluster_key import ClusterKey
from real_ray import RayCluster, asked_for, is_free, until

SMALL = MaskFormat(max_side_px=32)


def own_address() -> str:
    """An address of this machine that others could reach."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family.name == "AF_INET" and not each.address.startswith("127."):
                return each.address
    pytest.skip("this machine has no address but the loopback one")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head with one server, and a second machine with another, which speak TLS."""
    asked_for()
    with tempfile.TemporaryDirectory(prefix="mk") as folder:
        made = RayCluster(Path(folder), frame_s=0.05, host=own_address())
        try:
            made.up(slots=1)
            made.join("two")
            yield made
        finally:
            made.close()


def test_an_artist_works_over_tls_while_an_actor_is_killed(cluster: RayCluster) -> None:
    assert {each["worker"]: each["state"] for each in cluster.status()["workers"]} == {
        "head-slot0": "alive",
        "two-slot0": "alive",
    }
    clip = plates(cluster.clips, frames=40)
    with cluster.connect() as client:
        session = client.open(clip)
        session.object("hero").click(frame=1, x_px=8.0, y_px=9.0)
        keeper = cluster.keeper_of("two")
        keeper.kill()
        assert [each.frame for each in session.track(mask_format=SMALL)] == list(range(1, 41))
        until(lambda: any(each.pid != keeper.pid for each in cluster.keepers_of("two")), within_s=90)
        session.close()


def test_nobody_gets_in_without_what_lets_in(cluster: RayCluster, tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError):
        cluster.connect(token="x" * 40)
    with pytest.raises(ServerUnreachableError):
        # The system's authorities did not sign it.
        cluster.connect(tls_ca_file=None)
    head = cluster.nodes["head"]
    other = ClusterKey.make(with_tls=True)
    same_token = ClusterKey(ClusterKey.read(head.key_file).token, other.authority, other.authority_key)
    for name, key in (("other", other), ("same-token", same_token)):
        folder = tmp_path / name
        folder.mkdir()
        key.write(folder / "copied.key")
        words = ["join", head.head, "--host", cluster.host, "--name", "three", "--slots", "1"]
        words += ["--port", "31900", "--folder", str(folder), "--key", str(folder / "copied.key")]
        words += ["--signed-tokens", str(cluster.folder / "tokens.json")]
        words += ["--worker-token", str(cluster.folder / "worker.token")]
        refused = cluster.masklet(*words, check=False)
        assert refused.returncode == 1
        assert "cluster.key" in refused.stderr
    assert {each["name"] for each in cluster.status()["nodes"]} == {"head", "two"}


def test_every_listener_is_one_of_the_hundred_ports(cluster: RayCluster) -> None:
    for name, node in cluster.nodes.items():
        for process in cluster.processes(name):
            for each in process.net_connections("inet"):
                if each.status == psutil.CONN_LISTEN:
                    port = each.laddr.port
                    known = node.ports.holds(port) or (node.is_head and port == cluster.gateway_port)
                    assert known, (process, each)
    assert is_free(10001)
