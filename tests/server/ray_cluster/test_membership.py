"""Starting and entering a cluster: what is refused, in which words, before anything runs."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from masklet.errors import AccessDeniedError, BadInputError, NameTakenError, ServerUnreachableError
from masklet.own_folder import remove_tree
from masklet_server.cli import app
from masklet_server.ray_cluster import membership, ray_processes
from masklet_server.ray_cluster.asking import check_reachable
from masklet_server.ray_cluster.cluster_key import ClusterKey
from masklet_server.ray_cluster.membership import Machine
from masklet_server.ray_cluster.node import Node
from masklet_server.ray_cluster.ray_environment import RayMissingError, ray_environment, ray_error
from masklet_server.ray_cluster.ray_processes import check_ports, start_ray
from masklet_server.ray_cluster.server_command import gateway_command, server_command


def machine(folder: Path, **changes: object) -> Machine:
    return replace(Machine(folder, "node1", "127.0.0.1", 7800, 1), **changes)  # type: ignore[arg-type]


def node_of(folder: Path, *, with_tls: bool = False, **changes: object) -> Node:
    tokens = {"signed_tokens": folder / "tokens.json", "worker_token": folder / "worker"} if with_tls else {}
    made = machine(folder, **{**tokens, **changes})
    return made.node(head="10.0.0.5:7800", gateway="10.0.0.5:7700", is_head=False, with_tls=with_tls)


@pytest.fixture
def ray_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "2.60.0" if name == "ray" else version(name))


def test_without_ray_a_cluster_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    result = CliRunner().invoke(app, ["cluster", "up", "--folder", str(tmp_path), "--slots", "1", "--json"])
    assert isinstance(result.exception, RayMissingError)
    assert "pip install 'masklet[cluster]'" in str(result.exception)
    assert '"kind": "ray-missing"' in result.output
    monkeypatch.setattr(metadata, "version", lambda name: "2.9.3")
    with pytest.raises(RayMissingError, match=r"Ray 2\.9\.3 is installed and masklet was tested with 2\.60"):
        membership.up(machine(tmp_path), gateway="127.0.0.1:7700")


@pytest.mark.usefixtures("ray_is_installed")
def test_what_cannot_be_a_cluster_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(made: Machine) -> str:
        with pytest.raises(BadInputError) as caught:
            membership.up(made, gateway=f"{made.host}:7700")
        return str(caught.value)

    assert "'a b' is no name of a node" in refusal(machine(tmp_path, name="a b"))
    assert "it does not ask who calls: give --signed-tokens" in refusal(machine(tmp_path, host="10.0.0.5"))
    assert "a machine has at most 40 devices" in refusal(machine(tmp_path, slots=41))
    assert "cannot be the first of a hundred ports" in refusal(machine(tmp_path, first_port=80))
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        assert f"port {port} of 127.0.0.1 cannot be listened on" in refusal(
            machine(tmp_path, first_port=port)
        )
    monkeypatch.setattr(membership, "count_gpus", lambda: 0)
    with pytest.raises(BadInputError, match="no graphics card that can be seen: say with --slots"):
        node_of(tmp_path, slots=None)


@pytest.mark.usefixtures("ray_is_installed")
def test_who_has_no_key_or_finds_no_head_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AccessDeniedError, match=r"copy cluster\.key from the folder of the machine"):
        membership.join(machine(tmp_path), "127.0.0.1:1", key_file=None)
    (tmp_path / "cluster.key").write_text('{"token": "short"}')
    with pytest.raises(AccessDeniedError, match="is no key of a cluster"):
        membership.join(machine(tmp_path), "127.0.0.1:1", key_file=None)
    ClusterKey.make(with_tls=False).write(tmp_path / "cluster.key")
    with pytest.raises(ServerUnreachableError, match=r"Ray's head at 127\.0\.0\.1:1 does not answer"):
        membership.join(machine(tmp_path), "127.0.0.1:1", key_file=None)
    with pytest.raises(BadInputError, match=r"cannot reach 127\.0\.0\.1: say with --host"):
        membership.join(machine(tmp_path), "10.0.0.5:7800", key_file=None)
    with pytest.raises(ServerUnreachableError, match="is that machine on"):
        check_reachable("no-port")
    # Nothing is left of a machine whose name another has, either.
    there = {"nodes": [{"name": "node1", "alive": True}], "gateway": "127.0.0.1:2"}
    made: list[Path] = []

    def answer(node: Node, command: str) -> object:
        made.append(node.ray_folder)
        return there

    monkeypatch.setattr(membership, "check_reachable", lambda head: None)
    monkeypatch.setattr(membership, "check_ports", lambda node: None)
    monkeypatch.setattr(membership, "ask_ray", answer)
    with pytest.raises(NameTakenError, match="has a node node1 already"):
        membership.join(machine(tmp_path), "127.0.0.1:1", key_file=None)
    assert [each.exists() for each in made] == [False]


def test_a_key_lets_a_machine_make_a_certificate_that_the_others_trust(tmp_path: Path) -> None:
    key = ClusterKey.make(with_tls=True)
    file = tmp_path / "copied.key"
    key.write(file)
    assert file.stat().st_mode & 0o077 == 0
    assert ClusterKey.read(file) == key
    node = node_of(tmp_path, with_tls=True, host="127.0.0.1")
    key.equip(node)
    assert node.token_file.read_text() == key.token
    assert all(
        each.stat().st_mode & 0o077 == 0 for each in (node.key_file, node.token_file, node.certificate_key)
    )
    # Shaken hands over memory: by the address, with the authority alone.
    server, client = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl.create_default_context(cafile=node.authority),
    )
    server.load_cert_chain(node.certificate, node.certificate_key)
    ends = [ssl.MemoryBIO() for _ in range(2)]
    hands = [
        client.wrap_bio(ends[0], ends[1], server_hostname="127.0.0.1"),
        server.wrap_bio(ends[1], ends[0], server_side=True),
    ]
    shaken = 0
    while shaken < 2:
        shaken = 0
        for hand in hands:
            try:
                hand.do_handshake()
            except ssl.SSLWantReadError:
                continue
            shaken += 1
    other = ClusterKey.make(with_tls=False)
    with pytest.raises(BadInputError, match="which no other machine can join"):
        other.equip(node)


def test_ray_is_told_to_ask_for_a_token_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_ADDRESS", "elsewhere:1")
    plain = ray_environment(node_of(tmp_path))
    assert plain["RAY_AUTH_MODE"] == "token"
    assert "RAY_ADDRESS" not in plain
    assert "RAY_USE_TLS" not in plain
    assert plain["RAY_USAGE_STATS_ENABLED"] == "0"
    secured = ray_environment(node_of(tmp_path, with_tls=True, host="10.0.0.6"))
    assert secured["RAY_USE_TLS"] == "1"
    assert secured["RAY_TLS_CA_CERT"] == str(tmp_path / "authority.pem")


def test_servers_are_workers_with_the_clusters_certificates(tmp_path: Path) -> None:
    node = node_of(tmp_path, with_tls=True, host="10.0.0.6", options=("--root", "/shows"))
    command = server_command(node, 0)
    said = dict(
        zip(command[command.index("serve") + 1 :: 2], command[command.index("serve") + 2 :: 2], strict=True)
    )
    assert said["--address"] == "10.0.0.6:7860"
    assert said["--worker"] == "node1-slot0"
    assert said["--gateway"] == "10.0.0.5:7700"
    assert said["--sessions"] == str(tmp_path / "sessions")
    assert said["--tls-cert"] == str(node.certificate)
    assert said["--signed-tokens"] == str(tmp_path / "tokens.json")
    assert said["--gateway-token-file"] == str(tmp_path / "worker")
    assert "--tls-key" in gateway_command(node)


def test_what_ray_says_becomes_a_sentence() -> None:
    head = "10.0.0.5:7800"
    assert "has another key" in str(ray_error("x Unauthenticated: RPC error: InvalidAuthToken: y", head))
    assert "the same Ray and the same Python" in str(ray_error("RuntimeError: Version mismatch: 2.59", head))
    assert "does not answer" in str(ray_error("Failed to connect to GCS at address", head))
    assert str(ray_error("a\nValueError: b\n", head)) == "Ray at 10.0.0.5:7800 failed: ValueError: b"


@pytest.mark.usefixtures("ray_is_installed")
def test_nobody_else_gets_at_rays_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = node_of(tmp_path)

    def as_ray_does(node: Node, words: list[str]) -> None:
        (said,) = (each for each in words if each.startswith("--temp-dir="))
        folder = Path(said.removeprefix("--temp-dir="))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)

    monkeypatch.setattr(ray_processes, "_run_start", as_ray_does)
    try:
        start_ray(node)
        assert node.ray_folder.stat().st_mode & 0o077 == 0
    finally:
        remove_tree(node.ray_folder)


def test_ports_are_looked_at_where_they_are_listened_on(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.listen()
        node = replace(node_of(tmp_path), first_port=port - 60)
        with pytest.raises(BadInputError, match=f"port {port} of 127.0.0.1 cannot be listened on"):
            check_ports(node)
