"""``masklet.v1.ClusterService``: what workers tell the gateway, and what keepers ask there."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar

from masklet import codec as wire
from masklet.errors import BadInputError, VersionError
from masklet.v1 import cluster_pb2, cluster_pb2_grpc
from masklet.version import VERSION
from masklet.version_fit import check_versions
from masklet_server.cluster import codec
from masklet_server.cluster.ports import Offer
from masklet_server.cluster.sqlite_directory import SqliteDirectory
from masklet_server.service.context import Context
from masklet_server.service.listen import Address
from masklet_server.sessions.worker_threads import WorkerThreads

MAX_NAME_CHARACTERS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VOLUME = re.compile(r"[0-9a-f]{32}")
_SESSION_ID = re.compile(r"[0-9a-f]{32}")
_ValueT = TypeVar("_ValueT")

_log = logging.getLogger("masklet_server.cluster")


class ClusterServicer(cluster_pb2_grpc.ClusterServiceServicer):
    """Serves the directory.

    Args:
        directory: Knows all.
        workers: Threads that wait for its disk.
        own_address: Where the gateway listens, once it does.
    """

    def __init__(
        self, directory: SqliteDirectory, workers: WorkerThreads, own_address: Callable[[], Address]
    ) -> None:
        self._directory = directory
        self._workers = workers
        self._own_address = own_address

    async def JoinCluster(  # noqa: N802  (gRPC names methods)
        self, request: cluster_pb2.JoinClusterRequest, context: Context
    ) -> cluster_pb2.JoinClusterResponse:
        """Become a worker."""
        offer = checked_offer(codec.offer_from_wire(request.offer), self._own_address())
        membership = await self._written(lambda: self._directory.join(offer))
        _log.info("%s joined from %s", offer.name, offer.endpoint)
        return cluster_pb2.JoinClusterResponse(
            membership=codec.membership_to_wire(membership), lease_s=membership.lease_s
        )

    async def ReportWorker(  # noqa: N802
        self, request: cluster_pb2.ReportWorkerRequest, context: Context
    ) -> cluster_pb2.ReportWorkerResponse:
        """Hold the lease."""
        membership = codec.membership_from_wire(request.membership)
        load = codec.load_from_wire(request.load)
        held = [(each.session_id, each.epoch) for each in request.held]
        orders = await self._written(lambda: self._directory.report(membership, load, held))
        return cluster_pb2.ReportWorkerResponse(drain=orders.drain, lost=orders.lost)

    async def ClaimSession(  # noqa: N802
        self, request: cluster_pb2.ClaimSessionRequest, context: Context
    ) -> cluster_pb2.ClaimSessionResponse:
        """Take a session."""
        if not _SESSION_ID.fullmatch(request.session_id):
            raise BadInputError("this is no id of a session: update the worker")
        membership = codec.membership_from_wire(request.membership)
        facts = codec.facts_from_wire(request.facts)
        epoch = await self._written(lambda: self._directory.claim(membership, request.session_id, facts))
        return cluster_pb2.ClaimSessionResponse(epoch=epoch)

    async def TellSession(  # noqa: N802
        self, request: cluster_pb2.TellSessionRequest, context: Context
    ) -> cluster_pb2.TellSessionResponse:
        """Change what is told of a session."""
        session, facts = request.session, codec.facts_from_wire(request.facts)
        await self._written(lambda: self._directory.tell(session.session_id, session.epoch, facts))
        return cluster_pb2.TellSessionResponse()

    async def ReleaseSession(  # noqa: N802
        self, request: cluster_pb2.ReleaseSessionRequest, context: Context
    ) -> cluster_pb2.ReleaseSessionResponse:
        """Give a session up."""
        session = request.session
        if request.volume and not _VOLUME.fullmatch(request.volume):
            raise BadInputError("this is no name of a folder of journals: update the worker")
        await self._written(
            lambda: self._directory.release(session.session_id, session.epoch, volume=request.volume)
        )
        return cluster_pb2.ReleaseSessionResponse()

    async def ForgetSession(  # noqa: N802
        self, request: cluster_pb2.ForgetSessionRequest, context: Context
    ) -> cluster_pb2.ForgetSessionResponse:
        """A session is no more."""
        session = request.session
        await self._written(lambda: self._directory.forget(session.session_id, session.epoch))
        return cluster_pb2.ForgetSessionResponse()

    async def LeaveCluster(  # noqa: N802
        self, request: cluster_pb2.LeaveClusterRequest, context: Context
    ) -> cluster_pb2.LeaveClusterResponse:
        """Stop being a worker."""
        membership = codec.membership_from_wire(request.membership)
        await self._written(lambda: self._directory.leave(membership))
        return cluster_pb2.LeaveClusterResponse()

    async def ListWorkers(  # noqa: N802
        self, request: cluster_pb2.ListWorkersRequest, context: Context
    ) -> cluster_pb2.ListWorkersResponse:
        """All workers."""
        workers = await self._workers.run(self._directory.workers, at_disk=True)
        return cluster_pb2.ListWorkersResponse(workers=map(codec.worker_to_wire, workers))

    async def DrainWorker(  # noqa: N802
        self, request: cluster_pb2.DrainWorkerRequest, context: Context
    ) -> cluster_pb2.DrainWorkerResponse:
        """Have a worker give its sessions away."""
        sessions = await self._written(lambda: self._directory.drain(request.name))
        return cluster_pb2.DrainWorkerResponse(sessions=len(sessions))

    async def FindRefuge(  # noqa: N802
        self, request: cluster_pb2.FindRefugeRequest, context: Context
    ) -> cluster_pb2.FindRefugeResponse:
        """Where a journal has to be taken."""
        membership, session = codec.membership_from_wire(request.membership), request.session
        found = await self._written(
            lambda: self._directory.refuge(membership, session.session_id, session.epoch)
        )
        if found is None:
            return cluster_pb2.FindRefugeResponse()
        return cluster_pb2.FindRefugeResponse(endpoint=found.endpoint, volume=found.volume)

    async def _written(self, change: Callable[[], _ValueT]) -> _ValueT:
        return await self._workers.run(change, at_disk=True)


def checked_offer(offer: Offer, own_address: Address) -> Offer:
    """An offer that a worker can make.

    Args:
        offer: What it says of itself.
        own_address: Where the gateway listens.

    Raises:
        BadInputError: Its name, address or volume cannot be one.
        VersionError: Clients that fit the gateway do not fit the worker.
    """
    if len(offer.name) > MAX_NAME_CHARACTERS or not _NAME.fullmatch(offer.name):
        raise BadInputError(
            f"{offer.name[:MAX_NAME_CHARACTERS]!r} is no name for a worker: use up to {MAX_NAME_CHARACTERS} "
            "letters, digits, dots, dashes and underlines"
        )
    endpoint = Address.parse(offer.endpoint)
    if endpoint.port == own_address.port and (
        endpoint.host == own_address.host or (endpoint.is_loopback and own_address.is_loopback)
    ):
        raise BadInputError(
            f"{offer.endpoint} is the address of the cluster's front door, which would send everybody back "
            "to itself: say with --advertise how artists reach the worker"
        )
    theirs = wire.server_from_wire(codec.info_of(offer)).version
    try:
        check_versions(theirs, VERSION)
    except VersionError:
        raise VersionError(
            f"the cluster's front door has masklet {VERSION} and this worker {theirs or 'an older one'}: "
            "artists' programs fit one of the two, so install the same on both"
        ) from None
    if endpoint.port == 0 or not _VOLUME.fullmatch(offer.volume):
        raise BadInputError("the worker does not say where it and its journals are: update it")
    return offer
