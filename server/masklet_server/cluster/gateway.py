"""The gateway: one address in front of many servers, which it sends clients on to."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from masklet import codec as wire
from masklet import sharing_codec
from masklet.errors import BadInputError, SessionNotFoundError
from masklet.v1 import (
    cluster_pb2_grpc,
    export_pb2,
    find_pb2,
    geometry_pb2,
    prompt_pb2,
    review_pb2,
    server_pb2,
    session_pb2,
    track_pb2,
    view_pb2,
)
from masklet_server.audit.log import AuditLog
from masklet_server.cluster.cluster_servicer import ClusterServicer
from masklet_server.cluster.front_door import FrontDoor, elsewhere, plate_named, plate_of_contents
from masklet_server.cluster.ports import LEASE_S
from masklet_server.cluster.rules import GATEWAY_RULES
from masklet_server.cluster.sqlite_directory import SqliteDirectory
from masklet_server.service import listen
from masklet_server.service.access import current_user
from masklet_server.service.call_watch import CallWatch
from masklet_server.service.door import Door
from masklet_server.service.gate import Gate
from masklet_server.service.interceptor import Guard
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.rates import Rates, RateSettings
from masklet_server.service.rules import RULES
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.worker_threads import WorkerThreads

CALLS_AT_ONCE = 4096
DISK_S = 10.0
TIDY_EVERY_S = 2.0
TIDIES_TO_A_SWEEP = 1800
"""Once an hour, and when it was started."""
BEATS_EVERY_S = 0.25
STOPS_WITHIN_S = 1.0
_SERVED = (
    export_pb2,
    find_pb2,
    geometry_pb2,
    prompt_pb2,
    review_pb2,
    server_pb2,
    session_pb2,
    track_pb2,
    view_pb2,
)
"""All that a server serves: importing them describes their methods."""

_log = logging.getLogger("masklet_server.cluster")


@dataclass(frozen=True)
class GatewaySettings:
    """What the keeper of a gateway decides.

    Attributes:
        access: Where it listens and who may call; other settings of a server mean nothing here.
        directory: File of the directory, on a local disk; None keeps it in memory.
        rates: How many calls users and tenants may make.
        audit: Where it is noted who did what; None for nowhere.
        audit_bytes: When a file of that is full.
        lease_s: A worker that has not reported for so long is gone.
    """

    access: ServerSettings = field(default_factory=ServerSettings)
    directory: Path | None = None
    rates: RateSettings = field(default_factory=RateSettings)
    audit: Path | None = None
    audit_bytes: int = 64 << 20
    lease_s: float = LEASE_S


class Gateway:
    """One gateway in one event loop.

    Attributes:
        directory: Its own.

    Raises:
        BadInputError: The settings contradict each other or name files that cannot be used.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._access = listen.Access.of(settings.access)
        self._door = Door(self._access.tokens, by_certificate=self._access.by_certificate)
        self._audit = (
            None if settings.audit is None else AuditLog(settings.audit, max_bytes=settings.audit_bytes)
        )
        self._guard = Guard(
            Gate(self._door, Rates(settings.rates), self._audit),
            slots=CALLS_AT_ONCE,
            limits=ServiceLimits(),
            watch=CallWatch(),
            rules=GATEWAY_RULES,
        )
        self.directory = SqliteDirectory(settings.directory, lease_s=settings.lease_s)
        # One: the file has one writer, and those who wait for it would hold threads.
        self._workers = WorkerThreads("directory", at_once=1, disk_s=DISK_S)
        self._answers = _Answers(FrontDoor(self.directory), self._workers)
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._address = self._access.address
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> listen.Address:
        """Listen, and say where.

        Raises:
            BadInputError: The port is taken.
        """
        server = grpc.aio.server(interceptors=(self._guard,), options=listen.OPTIONS)
        server.add_generic_rpc_handlers(tuple(self._answers.handlers()))
        cluster = ClusterServicer(self.directory, self._workers, lambda: self._address)
        cluster_pb2_grpc.add_ClusterServiceServicer_to_server(cluster, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        address = self._address = listen.bind(server, self._access)
        await server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self._server = server
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._tidy()), loop.create_task(self._beat())]
        if self._audit is not None:
            self._audit.note("gateway-started", address=str(address))
        return address

    async def stop(self) -> None:
        """End calls and close the directory. Sessions at the workers go on."""
        await self._health.enter_graceful_shutdown()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.stop(STOPS_WITHIN_S)
        self._workers.close()
        await asyncio.to_thread(self.directory.close)
        if self._audit is not None:
            self._audit.note("gateway-stopped")
            await asyncio.to_thread(self._audit.close)

    async def _tidy(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(TIDY_EVERY_S)
            try:
                await asyncio.to_thread(self._door.refresh)
            except Exception:  # noqa: BLE001  (a token that is taken back later has to be noticed)
                _log.exception("the tokens could not be read again, next try in %s s", TIDY_EVERY_S)
            if number % TIDIES_TO_A_SWEEP == 0:
                try:
                    await self._workers.run(self.directory.tidy, at_disk=True)
                except Exception:  # noqa: BLE001  (tokens are read on whatever its disk does)
                    _log.exception("the directory could not be tidied")

    async def _beat(self) -> None:
        while True:
            try:
                # Not behind what waits for the directory: its own silence is meant, not a queue.
                await asyncio.to_thread(self.directory.beat)
            except Exception:  # noqa: BLE001  (without it no worker would ever be gone)
                _log.exception("the directory could not be asked to beat")
            await asyncio.sleep(BEATS_EVERY_S)


class _Answers:
    """Answers the calls of a server by saying where the answer is to be had."""

    def __init__(self, door: FrontDoor, workers: WorkerThreads) -> None:
        self._door = door
        self._workers = workers
        self._own: dict[str, Callable[[Any, str], Message]] = {
            "GetServerInfo": self._server_info,
            "OpenSharedMemory": lambda request, user: server_pb2.OpenSharedMemoryResponse(),
            "OpenSession": self._open,
            "FindContents": self._find_contents,
            "ListSessions": self._list,
            "CloseSession": self._close,
        }

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """One for each service that a server has."""
        pool = Default()
        methods: dict[str, dict[str, Any]] = {}
        for path in RULES:
            service, _, name = path.strip("/").rpartition("/")
            if service.startswith("masklet."):
                described = pool.FindMethodByName(f"{service}.{name}")
                methods.setdefault(service, {})[name] = self._handler(name, described)
        return [
            grpc.method_handlers_generic_handler(service, handlers) for service, handlers in methods.items()
        ]

    def _handler(self, name: str, described: MethodDescriptor) -> Any:
        request = GetMessageClass(described.input_type)
        answer = self._own.get(name, self._of_session)

        async def unary(message: Message, context: object) -> Message:
            made: Message = await self._workers.run(answer, message, current_user.get(), at_disk=True)
            return made

        async def stream(message: Message, context: object) -> AsyncIterator[Message]:
            yield await unary(message, context)

        async def sent(messages: AsyncIterator[Message], context: object) -> Message:
            raise BadInputError(
                "this is the front door of a cluster, which takes no clips itself: a masklet that is as new "
                "as the cluster sends them to the right server, so update the one on your machine"
            )

        make: Callable[..., Any] = grpc.unary_unary_rpc_method_handler
        behaviour: Callable[..., Any] = unary
        if described.client_streaming:
            make, behaviour = grpc.stream_unary_rpc_method_handler, sent
        elif described.server_streaming:
            make, behaviour = grpc.unary_stream_rpc_method_handler, stream
        return make(behaviour, request.FromString, lambda response: response.SerializeToString())

    def _of_session(self, request: Any, user: str) -> Message:
        raise elsewhere(self._door.of_session(request.session_id, user))

    def _server_info(self, request: server_pb2.GetServerInfoRequest, user: str) -> Message:
        return wire.server_to_wire(self._door.info())

    def _open(self, request: session_pb2.OpenSessionRequest, user: str) -> Message:
        if request.WhichOneof("clip") != "path":
            # What was sent lies at a worker, and a client that sent it there asks there.
            raise BadInputError("what was sent is not here any more: open the clip again")
        plate = plate_named(user, request.path)
        raise elsewhere(self._door.of_opening(user, request.request_id, plate, can_wait=request.can_wait))

    def _find_contents(self, request: session_pb2.FindContentsRequest, user: str) -> Message:
        plate = plate_of_contents(list(request.sha256))
        raise elsewhere(self._door.of_opening(user, "", plate, can_wait=True))

    def _list(self, request: session_pb2.ListSessionsRequest, user: str) -> Message:
        found = self._door.sessions_of(user)
        return session_pb2.ListSessionsResponse(sessions=map(sharing_codec.summary_to_wire, found))

    def _close(self, request: session_pb2.CloseSessionRequest, user: str) -> Message:
        try:
            return self._of_session(request, user)
        except SessionNotFoundError:
            # As at a server: closing twice is fine.
            return session_pb2.CloseSessionResponse()
