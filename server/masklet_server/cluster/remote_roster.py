"""The gateway's directory as a worker or a keeper sees it: over the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from masklet.errors import ServerUnreachableError
from masklet.transport.endpoint import Endpoint, is_loopback
from masklet.transport.grpc_channel import Channel
from masklet.v1 import cluster_pb2, cluster_pb2_grpc
from masklet_server.cluster import codec
from masklet_server.cluster.ports import Load, Membership, Offer, Orders, Refuge, SessionFacts, Worker

CARRY_S = 3600.0
CALL_S = 2.0
"""A gateway that takes longer is as good as down: the next report tries again."""
REPORT_SHARE = 1 / 2
"""Of a lease, for one report: where it comes to nothing, the next one is still in time."""


class RemoteRoster:
    """:class:`masklet_server.cluster.ports.Roster` at a gateway, and what its keeper asks.

    Every call may also raise :class:`masklet.errors.ServerUnreachableError`: nothing answers there.

    Args:
        gateway: Its address and how to be let in: with the scope ``admin``.

    Raises:
        BadInputError: The address is none, or a certificate cannot be read.
    """

    def __init__(self, gateway: Endpoint) -> None:
        self._gateway = gateway
        self._channel = Channel(gateway, why_dead=lambda: None)
        self._stub = cluster_pb2_grpc.ClusterServiceStub(self._channel.raw)

    def join(self, offer: Offer) -> Membership:  # noqa: D102  (the protocol documents the methods)
        request = cluster_pb2.JoinClusterRequest(offer=codec.offer_to_wire(offer))
        answer = self._channel.call(self._stub.JoinCluster, request, timeout_s=CALL_S, retry=False)
        return Membership(answer.membership.name, answer.membership.incarnation, answer.lease_s)

    def report(  # noqa: D102
        self, membership: Membership, load: Load, held: Sequence[tuple[str, int]] = ()
    ) -> Orders:
        request = cluster_pb2.ReportWorkerRequest(
            membership=codec.membership_to_wire(membership),
            load=codec.load_to_wire(load),
            held=[_held(session_id, epoch) for session_id, epoch in held],
        )
        timeout_s = min(CALL_S, REPORT_SHARE * membership.lease_s)
        answer = self._channel.call(self._stub.ReportWorker, request, timeout_s=timeout_s, retry=False)
        return Orders(answer.drain, tuple(answer.lost))

    def claim(self, membership: Membership, session_id: str, facts: SessionFacts) -> int:  # noqa: D102
        request = cluster_pb2.ClaimSessionRequest(
            membership=codec.membership_to_wire(membership),
            session_id=session_id,
            facts=codec.facts_to_wire(facts),
        )
        return int(self._channel.call(self._stub.ClaimSession, request, timeout_s=CALL_S, retry=False).epoch)

    def tell(self, session_id: str, epoch: int, facts: SessionFacts) -> None:  # noqa: D102
        request = cluster_pb2.TellSessionRequest(
            session=_held(session_id, epoch), facts=codec.facts_to_wire(facts)
        )
        self._channel.call(self._stub.TellSession, request, timeout_s=CALL_S, retry=False)

    def refuge(self, membership: Membership, session_id: str, epoch: int) -> Refuge | None:  # noqa: D102
        request = cluster_pb2.FindRefugeRequest(
            membership=codec.membership_to_wire(membership), session=_held(session_id, epoch)
        )
        # Which servers have room is known within a second or two of the front door's start.
        answer = self._channel.call(self._stub.FindRefuge, request, timeout_s=CALL_S)
        return Refuge(answer.endpoint, answer.volume) if answer.endpoint else None

    def release(self, session_id: str, epoch: int, *, volume: str = "") -> None:  # noqa: D102
        request = cluster_pb2.ReleaseSessionRequest(session=_held(session_id, epoch), volume=volume)
        self._channel.call(self._stub.ReleaseSession, request, timeout_s=CALL_S, retry=False)

    def forget(self, session_id: str, epoch: int) -> None:  # noqa: D102
        request = cluster_pb2.ForgetSessionRequest(session=_held(session_id, epoch))
        self._channel.call(self._stub.ForgetSession, request, timeout_s=CALL_S, retry=False)

    def leave(self, membership: Membership) -> None:  # noqa: D102
        request = cluster_pb2.LeaveClusterRequest(membership=codec.membership_to_wire(membership))
        self._channel.call(self._stub.LeaveCluster, request, timeout_s=CALL_S, retry=False)

    def workers(self) -> Sequence[Worker]:
        """All workers, by name."""
        answer = self._channel.call(
            self._stub.ListWorkers, cluster_pb2.ListWorkersRequest(), timeout_s=CALL_S
        )
        return tuple(map(codec.worker_from_wire, answer.workers))

    def drain(self, worker: str) -> int:
        """Have a worker give its sessions to others; how many it has.

        Raises:
            NotAMemberError: There is no such worker.
        """
        request = cluster_pb2.DrainWorkerRequest(name=worker)
        return int(self._channel.call(self._stub.DrainWorker, request, timeout_s=CALL_S).sessions)

    def carry(self, session_id: str, folder: Path, refuge: Refuge) -> None:
        """Take a session's journal to another worker, which has all of it when this returns.

        Args:
            session_id: Which; nobody has it open.
            folder: Of its files.
            refuge: Where to.

        Raises:
            ServerUnreachableError: That worker does not answer, or not with TLS.
            MaskletError: It does not take the journal, or a file cannot be read.
        """
        # Reads journals, which whoever asks for the list of workers has nothing to do with.
        from masklet_server.cluster.journal_parcels import messages

        endpoint = replace(self._gateway, address=refuge.endpoint)
        if endpoint.plaintext and not is_loopback(refuge.endpoint):
            raise ServerUnreachableError(
                f"the worker at {refuge.endpoint} is on another machine: without TLS nothing is sent there"
            )
        channel = Channel(endpoint, why_dead=lambda: None)
        try:
            stub = cluster_pb2_grpc.JournalServiceStub(channel.raw)
            channel.call(stub.TakeJournal, messages(session_id, folder), timeout_s=CARRY_S, retry=False)
        finally:
            channel.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


def _held(session_id: str, epoch: int) -> cluster_pb2.HeldSession:
    return cluster_pb2.HeldSession(session_id=session_id, epoch=epoch)
