"""``masklet.v1.ServerService``."""

from __future__ import annotations

from dataclasses import replace

from masklet import codec
from masklet.types import ServerInfo
from masklet.v1 import server_pb2, server_pb2_grpc
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.roots import TenantRoots


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    """Tells what the server is."""

    def __init__(self, info: ServerInfo, roots: TenantRoots) -> None:
        self._info = info
        self._roots = roots

    async def GetServerInfo(  # noqa: N802  (gRPC names methods)
        self,
        request: server_pb2.GetServerInfoRequest,
        context: Context,
    ) -> server_pb2.GetServerInfoResponse:
        """Version, device, models and limits."""
        opens_paths = self._roots.of(current_user.get()).any
        return codec.server_to_wire(replace(self._info, opens_paths=opens_paths))
