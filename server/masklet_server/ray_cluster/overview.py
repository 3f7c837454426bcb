"""What whoever keeps a cluster wants to know: machines, devices, servers, and what lives there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import MaskletError, ServerUnreachableError
from masklet.settings import read_token
from masklet.transport.endpoint import Endpoint
from masklet_server.ray_cluster.asking import ask_ray
from masklet_server.ray_cluster.node import Node

if TYPE_CHECKING:
    from masklet_server.cluster.ports import Worker
    from masklet_server.cluster.remote_roster import RemoteRoster


@dataclass(frozen=True)
class WorkerLine:
    """A server of the cluster.

    Attributes:
        node: Name of its machine.
        worker: Its name in the directory.
        state: ``alive``, ``draining``, ``gone``, ``starting``, ``drained``.
        device: Of its machine: ``gpu0``, ``slot1``.
        endpoint: Where clients reach it.
        sessions: In its hands.
        free_bytes: Of its memory for trackers; None where it has not reported.
        lease_age_s: Since it reported last; None where it has not.
        keeper: True where its keeper answers Ray.
        note: Why it does not run.
    """

    node: str
    worker: str
    state: str
    device: str = ""
    endpoint: str = ""
    sessions: int = 0
    free_bytes: int | None = None
    lease_age_s: float | None = None
    keeper: bool = False
    note: str = ""


@dataclass(frozen=True)
class Overview:
    """A cluster.

    Attributes:
        head: Of Ray.
        gateway: The front door.
        nodes: As Ray knows them: ``name``, ``host``, ``alive``, ``devices``.
        workers: By name.
        waiting: How many keepers wait for a device, or do not answer.
        troubles: What does not answer, in sentences.
    """

    head: str
    gateway: str
    nodes: Sequence[dict[str, Any]]
    workers: Sequence[WorkerLine]
    waiting: int
    troubles: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


def roster_at(node: Node, *, gateway: str = "") -> RemoteRoster:
    """The directory at the cluster's gateway.

    Raises:
        MaskletError: A file that lets in cannot be read.
    """
    from masklet_server.cluster.remote_roster import RemoteRoster

    token_file = None if node.worker_token is None else Path(node.worker_token)
    return RemoteRoster(
        Endpoint(
            gateway or node.gateway,
            token=None if token_file is None else read_token(token_file),
            token_file=token_file,
            tls_ca_file=node.authority if node.with_tls else None,
            plaintext=not node.with_tls,
        )
    )


def look(node: Node) -> Overview:
    """The cluster as Ray and the directory tell of it; one of the two is enough.

    Raises:
        ServerUnreachableError: Neither answers.
    """
    troubles: list[str] = []
    told: dict[str, Any] = {"nodes": [], "keepers": {}, "gateway": ""}
    try:
        told = ask_ray(node, "status")
    except MaskletError as error:
        troubles.append(f"{error}; servers and sessions go on without it")
    gateway = told["gateway"] or node.gateway
    known: Sequence[Worker] = ()
    try:
        roster = roster_at(node, gateway=gateway)
        try:
            known = roster.workers()
        finally:
            roster.close()
    except MaskletError as error:
        if troubles:
            raise ServerUnreachableError(f"neither Ray nor the gateway answers: {error}") from error
        troubles.append(f"the gateway at {gateway} does not answer ({error})")
    keepers = [each for each in told["keepers"].values() if each]
    return Overview(
        head=node.head,
        gateway=gateway,
        nodes=told["nodes"],
        workers=_lines(known, keepers),
        waiting=sum(each is None for each in told["keepers"].values()),
        troubles=troubles,
    )


def _lines(known: Sequence[Worker], keepers: Sequence[dict[str, Any]]) -> list[WorkerLine]:
    by_name = {each["worker"]: each for each in keepers}
    lines = [
        WorkerLine(
            node=node_of(each.name),
            worker=each.name,
            state=_state(each, by_name.get(each.name, {})),
            device=each.name.rpartition("-")[2],
            endpoint=each.offer.endpoint,
            sessions=each.sessions,
            free_bytes=each.load.free_bytes,
            lease_age_s=round(each.silent_s, 1),
            keeper=each.name in by_name,
            note=str(by_name.get(each.name, {}).get("error", "")),
        )
        for each in known
    ]
    there = {each.worker for each in lines}
    lines += [
        WorkerLine(
            node=each["node"],
            worker=name,
            device=name.rpartition("-")[2],
            state="drained" if each["drained"] else "starting",
            keeper=True,
            note=each["error"],
        )
        for name, each in by_name.items()
        if name not in there
    ]
    return sorted(lines, key=lambda line: line.worker)


def _state(worker: Worker, keeper: Mapping[str, Any]) -> str:
    """In a word; one that was drained and has ended is not missed."""
    has_ended = worker.state.value == "gone" and keeper.get("server") is None
    return "drained" if has_ended and keeper.get("drained") else worker.state.value


def node_of(worker: str) -> str:
    """The machine's name in a worker's."""
    return worker.rpartition("-")[0]
