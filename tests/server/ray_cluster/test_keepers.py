"""What keeps servers on a machine, without Ray: started once, found again, started anew, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from masklet.errors import BadInputError, BusyError
from masklet_server.ray_cluster import keeper as keeper_module
from masklet_server.ray_cluster.device_server import DeviceServer
from masklet_server.ray_cluster.keeper import DeviceKeeper, hold
from masklet_server.ray_cluster.node import Node
from masklet_server.ray_cluster.ray_processes import check_ports

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are of POSIX")

# Hand-written: it takes the port and the file of a server, and nothing else of one.
STAND_IN = """
import json, os, signal, socket, sys, time
words = sys.argv
def drain(*_):
    open(words[words.index("--drained-file") + 1], "w").close()
    os._exit(0)
signal.signal(signal.SIGUSR1, drain)
host, _, port = words[words.index("--address") + 1].rpartition(":")
door = socket.create_server((host, int(port)))
with open(words[words.index("--ready-file") + 1], "w") as ready:
    json.dump({"address": f"{host}:{port}", "pid": os.getpid()}, ready)
print("RAY" if any(name.startswith("RAY_") for name in os.environ) else "nothing of Ray", flush=True)
time.sleep(600)
"""


def node_in(folder: Path, **changes: object) -> Node:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Node(
        name="node1",
        folder=folder,
        host="127.0.0.1",
        first_port=port - 60,
        head="127.0.0.1:1",
        gateway="127.0.0.1:2",
        is_head=False,
        devices=1,
        on_gpus=False,
        with_tls=False,
        signed_tokens=None,
        worker_token=None,
        program=(sys.executable, "-c", STAND_IN),
        options=(),
        ray_folder=folder / "ray",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = node_in(tmp_path)
    made.write()
    yield made
    DeviceServer(made.device_folder(0)).stop(within_s=2.0)


def until(happens: Callable[[], object], within_s: float = 30.0) -> None:
    until_s = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_server_is_nobodys_child_and_knows_nothing_of_ray(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "secret")
    keeper = DeviceKeeper(node.folder)
    server = DeviceServer(node.device_folder(0))
    until(lambda: server.address)
    keeper.close()
    running = server.running
    assert running is not None
    assert os.getsid(running.process) == running.process != os.getsid(0)
    assert running.process not in {each.pid for each in psutil.Process().children(recursive=True)}
    until(lambda: server.last_words == "nothing of Ray")


def test_who_keeps_a_device_next_takes_over_the_server_that_runs(node: Node) -> None:
    first = DeviceKeeper(node.folder)
    until(lambda: first.state()["address"])
    told = first.state()
    first.close()
    second = DeviceKeeper(node.folder)
    try:
        assert second.state()["adopted"]
        assert second.state()["server"] == told["server"]
        assert second.state()["started"] == 0
        assert second.state()["worker"] == "node1-slot0"
        # Its port is no hindrance to starting Ray anew.
        check_ports(node)
    finally:
        second.close()


def test_a_killed_server_is_started_anew_and_a_drained_one_rests(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_LOOKS_EVERY_S", "_FIRST_PAUSE_S", "_LONGEST_PAUSE_S"):
        monkeypatch.setattr(keeper_module, name, 0.02)
    keeper = DeviceKeeper(node.folder)
    try:
        until(lambda: keeper.state()["address"])
        former = keeper.state()["server"]
        psutil.Process(former).kill()
        until(lambda: keeper.state()["server"] not in (None, former) and keeper.state()["address"])
        psutil.Process(keeper.state()["server"]).send_signal(signal.SIGUSR1)
        until(lambda: keeper.state()["server"] is None)
        time.sleep(0.3)
        assert keeper.state()["server"] is None
        assert keeper.state()["drained"]
        # As up and join have it.
        hold(node, 0, held=False)
        until(lambda: keeper.state()["server"] is not None)
    finally:
        keeper.close()


def test_a_device_has_one_keeper(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "_FORMER_KEEPER_S", 0.2)
    keeper = DeviceKeeper(node.folder)
    try:
        with pytest.raises(BusyError, match="all that runs on node1 has a keeper already"):
            DeviceKeeper(node.folder)
    finally:
        keeper.close()


def test_a_number_that_another_process_has_by_now_is_no_server(node: Node) -> None:
    server = DeviceServer(node.device_folder(0))
    server.folder.mkdir()
    me = psutil.Process()
    said = {"process": me.pid, "began_s": me.create_time() - 5.0, "command": []}
    (server.folder / "server.json").write_text(json.dumps(said))
    assert server.running is None
    assert not server.stop()


def test_a_server_is_found_again_when_the_clock_was_set(node: Node) -> None:
    keeper = DeviceKeeper(node.folder)
    server = DeviceServer(node.device_folder(0))
    until(lambda: server.address)
    keeper.close()
    file = server.folder / "server.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "began_s": said["began_s"] + 3600.0}))
    assert server.running is not None
    assert server.running.process == said["process"]


def test_a_server_that_cannot_start_says_why_and_is_not_started_over_and_over(
    tmp_path: Path,
) -> None:
    broken = node_in(tmp_path, program=(sys.executable, "-c", "import sys; sys.exit('no weights there')"))
    broken.write()
    keeper = DeviceKeeper(tmp_path)
    try:
        until(lambda: "no weights there" in keeper.state()["error"])
        assert keeper.state()["started"] < 5
    finally:
        keeper.close()


def test_a_keeper_goes_on_whatever_a_start_comes_to(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "_LOOKS_EVERY_S", 0.01)
    monkeypatch.setattr(keeper_module, "_FIRST_PAUSE_S", 0.01)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(DeviceServer, "start", full)
    keeper = DeviceKeeper(node.folder)
    try:
        until(lambda: keeper.state()["started"] >= 2)
        assert keeper._thread.is_alive()
    finally:
        keeper.close()


def test_a_folder_of_no_machine_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="masklet cluster up starts one"):
        Node.read(tmp_path)
    (tmp_path / "node.json").write_text("{}")
    with pytest.raises(BadInputError, match="cannot be read"):
        Node.read(tmp_path)
