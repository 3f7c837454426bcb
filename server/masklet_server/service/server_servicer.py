"""``masklet.v1.ServerService``."""

from __future__ import annotations

from masklet import codec
from masklet.types import ServerInfo
from masklet.v1 import server_pb2, server_pb2_grpc
from masklet_server.service.context import Context


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    """Tells what the server is."""

    def __init__(self, info: ServerInfo) -> None:
        self._info = info

    async def GetServerInfo(  # noqa: N802  (gRPC names methods)
        self,
        request: server_pb2.GetServerInfoRequest,
        context: Context,
    ) -> server_pb2.GetServerInfoResponse:
        """Version, device, models and limits."""
        return codec.server_to_wire(self._info)
