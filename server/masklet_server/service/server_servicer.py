"""``masklet.v1.ServerService``."""

from __future__ import annotations

from dataclasses import replace

from masklet import codec
from masklet.types import ServerInfo
from masklet.v1 import server_pb2, server_pb2_grpc
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.roots import TenantRoots
from masklet_server.service.shared_memory import SharedMemory


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    """Tells what the server is, and offers memory.

    Args:
        info: About the server.
        roots: Which paths each tenant may name.
        shared: Memory that clients share.
    """

    def __init__(self, info: ServerInfo, roots: TenantRoots, shared: SharedMemory) -> None:
        self._info = info
        self._roots = roots
        self._shared = shared

    async def GetServerInfo(  # noqa: N802  (gRPC names methods)
        self,
        request: server_pb2.GetServerInfoRequest,
        context: Context,
    ) -> server_pb2.GetServerInfoResponse:
        """Version, device, models and limits."""
        opens_paths = self._roots.of(current_user.get()).any
        return codec.server_to_wire(replace(self._info, opens_paths=opens_paths))

    async def OpenSharedMemory(  # noqa: N802
        self,
        request: server_pb2.OpenSharedMemoryRequest,
        context: Context,
    ) -> server_pb2.OpenSharedMemoryResponse:
        """Where a client on this machine gets memory to share."""
        return self._shared.offer(current_user.get())
