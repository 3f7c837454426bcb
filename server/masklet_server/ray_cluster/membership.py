"""A machine starts a cluster, enters one, or leaves it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError, NameTakenError, ServerUnreachableError
from masklet_server.ray_cluster.asking import ask_ray, check_reachable
from masklet_server.ray_cluster.cluster_key import ClusterKey
from masklet_server.ray_cluster.device_server import DeviceServer
from masklet_server.ray_cluster.keeper import folder_of, hold
from masklet_server.ray_cluster.node import (
    MOST_DEVICES,
    Node,
    check_name,
    make_private_folder,
    server_program,
)
from masklet_server.ray_cluster.ray_environment import check_installed
from masklet_server.ray_cluster.ray_processes import (
    check_ports,
    is_loopback,
    new_ray_folder,
    ray_processes,
    start_ray,
    stop_ray,
)

KEY_NAME = "cluster.key"
_POLL_S = 0.1


@dataclass(frozen=True)
class Machine:
    """What whoever runs the command says of this machine.

    Attributes:
        folder: Its own.
        name: In the cluster.
        host: Its address, by which the others reach it.
        first_port: See :class:`masklet_server.ray_cluster.node.Ports`.
        slots: Servers on processors; None for one on each graphics card.
        options: For ``serve``.
        signed_tokens: Register by which artists and workers are known; None where nobody is asked.
        worker_token: File with a token of the scope ``admin``, by which workers get in.
        program: Of ``masklet-server``; empty for this Python's.
    """

    folder: Path
    name: str
    host: str
    first_port: int
    slots: int | None
    options: Sequence[str] = ()
    signed_tokens: Path | None = None
    worker_token: Path | None = None
    program: Sequence[str] = ()

    def node(self, *, head: str, gateway: str, is_head: bool, with_tls: bool) -> Node:
        """The machine in a cluster.

        Raises:
            BadInputError: Something of it cannot be.
        """
        devices = count_gpus() if self.slots is None else self.slots
        if self.slots is None and devices == 0 and not is_head:
            raise BadInputError(
                "this machine has no graphics card that can be seen: say with --slots how many servers shall "
                "run on its processors"
            )
        if not 0 <= devices <= MOST_DEVICES:
            raise BadInputError(f"a machine has at most {MOST_DEVICES} devices, and {devices} were asked for")
        if not 1024 <= self.first_port <= 65535 - 100:
            raise BadInputError(
                f"{self.first_port} cannot be the first of a hundred ports: name one above 1023"
            )
        if with_tls and (self.signed_tokens is None or self.worker_token is None):
            raise BadInputError(
                "other machines can reach this cluster, and it does not ask who calls: give --signed-tokens, "
                "the register that masklet-server token makes, and --worker-token, a file with a token of "
                "the scope admin"
            )
        return Node(
            name=check_name(self.name),
            folder=self.folder,
            host=self.host,
            first_port=self.first_port,
            head=head,
            gateway=gateway,
            is_head=is_head,
            devices=devices,
            on_gpus=self.slots is None,
            with_tls=with_tls,
            signed_tokens=_absolute(self.signed_tokens),
            worker_token=_absolute(self.worker_token),
            program=tuple(self.program) or server_program(),
            options=tuple(self.options),
            ray_folder=new_ray_folder(),
        )


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def count_gpus() -> int:
    """Graphics cards of NVIDIA that this machine shows; torch is not asked, which takes seconds."""
    try:
        told = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in told.stdout.splitlines())


def up(machine: Machine, *, gateway: str) -> tuple[Node, dict[str, Any]]:
    """Start a cluster: Ray's head, and a server on each device of this machine.

    Returns:
        The machine, and what Ray tells of the cluster.

    Raises:
        MaskletError: It cannot be started; nothing of it runs then.
    """
    check_installed()
    make_private_folder(machine.folder)
    _check_alone(machine.folder)
    with_tls = not is_loopback(machine.host)
    node = machine.node(
        head=f"{machine.host}:{machine.first_port}", gateway=gateway, is_head=True, with_tls=with_tls
    )
    check_ports(node)
    # A cluster that comes again keeps its key: machines that have it need no other.
    known = ClusterKey.read(node.key_file) if node.key_file.is_file() else None
    if known is None or bool(known.authority) != with_tls:
        known = ClusterKey.make(with_tls=with_tls)
    return node, _enter(node, known)


def join(machine: Machine, head: str, *, key_file: Path | None) -> tuple[Node, dict[str, Any]]:
    """Enter a cluster with this machine.

    Args:
        machine: This one.
        head: ``host:port`` of Ray's head.
        key_file: Of the cluster; None for the one in the machine's folder.

    Raises:
        MaskletError: It does not get in; nothing of it runs then.
    """
    check_installed()
    make_private_folder(machine.folder)
    _check_alone(machine.folder)
    with_tls = not is_loopback(head.rpartition(":")[0])
    if with_tls and is_loopback(machine.host):
        raise BadInputError(
            f"the others of the cluster at {head} cannot reach {machine.host}: say with --host by which "
            "address they can"
        )
    key = ClusterKey.read(key_file or machine.folder / KEY_NAME)
    check_reachable(head)
    node = machine.node(head=head, gateway="", is_head=False, with_tls=with_tls)
    check_ports(node)
    key.equip(node)
    node.write()
    there = ask_ray(node, "status")
    if any(each["name"] == node.name and each["alive"] for each in there["nodes"]):
        raise NameTakenError(
            f"the cluster at {head} has a node {node.name} already: name this one with --name, or end that "
            "one with masklet cluster down"
        )
    if not there["gateway"]:
        raise ServerUnreachableError(
            f"the cluster at {head} has no front door yet, or it does not start: look at masklet cluster "
            "status there"
        )
    node = replace(node, gateway=there["gateway"])
    return node, _enter(node, key)


def wait_until_ready(node: Node, *, timeout_s: float) -> list[str]:
    """Wait for the servers of this machine; what those say that are not ready then."""
    waited = [*([None] if node.is_head else []), *range(node.devices)]
    until_s = time.monotonic() + timeout_s
    while True:
        waited = [each for each in waited if not DeviceServer(folder_of(node, each)).address]
        if not waited or time.monotonic() >= until_s:
            break
        time.sleep(_POLL_S)
    return [
        f"{'the gateway' if each is None else node.worker_name(each)}: "
        f"{DeviceServer(folder_of(node, each)).last_words or 'it says nothing yet'}"
        for each in waited
    ]


def down(node: Node, *, keep_servers: bool = False) -> dict[str, int]:
    """End what runs on this machine: Ray's part, and the servers of its devices.

    Args:
        node: The machine.
        keep_servers: Let these run: sessions go on, and who starts Ray here again takes them over.

    Returns:
        How many processes of Ray, and how many servers, were ended.
    """
    of_ray = stop_ray(node)
    servers = 0
    if not keep_servers:
        here = [folder_of(node, each) for each in (*range(node.devices), *([None] if node.is_head else []))]
        with ThreadPoolExecutor(len(here) or 1) as pool:
            servers = sum(pool.map(lambda folder: DeviceServer(folder).stop(), here))
    return {"ray_processes": of_ray, "servers": servers}


def _enter(node: Node, key: ClusterKey) -> dict[str, Any]:
    key.equip(node)
    node.write()
    for device in [*range(node.devices), *([None] if node.is_head else [])]:
        make_private_folder(folder_of(node, device))
        hold(node, device, held=False)
    start_ray(node)
    try:
        return ask_ray(node, "place")
    except BaseException:
        stop_ray(node)
        raise


def _check_alone(folder: Path) -> None:
    """See that this folder's machine is in no cluster now."""
    try:
        former = Node.read(folder)
    except BadInputError:
        return
    if ray_processes(former):
        raise BadInputError(
            f"this machine is in the cluster at {former.head} already, as {former.name}: masklet cluster "
            "down first, with --keep-servers where its servers shall go on, or name another folder with "
            "--folder for a second one"
        )
