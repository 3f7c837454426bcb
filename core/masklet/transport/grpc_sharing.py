"""The calls about sessions in a list, and about those who share them, over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet import sharing_codec
from masklet.transport.grpc_review import STATUS_TIMEOUT_S, new_id
from masklet.transport.grpc_view import GrpcView
from masklet.v1 import session_pb2, session_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.scopes import Scope
    from masklet.transport.grpc_channel import Channel
    from masklet.types import SessionSummary, Share


class GrpcSharing(GrpcView):
    """A part of :class:`masklet.transport.grpc.GrpcTransport`; the protocol documents the methods."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._sessions = session_pb2_grpc.SessionServiceStub(channel.raw)

    def list_sessions(self) -> tuple[SessionSummary, ...]:  # noqa: D102
        request = session_pb2.ListSessionsRequest()
        response = self._channel.call(self._sessions.ListSessions, request, timeout_s=STATUS_TIMEOUT_S)
        return tuple(sharing_codec.summary_from_wire(summary) for summary in response.sessions)

    def share_session(  # noqa: D102
        self, session_id: str, user: str, rights: tuple[Scope, ...]
    ) -> tuple[Share, ...]:
        request = session_pb2.ShareSessionRequest(
            session_id=session_id,
            request_id=new_id(),
            user=user,
            rights=sharing_codec.scopes_to_wire(rights),
        )
        response = self._channel.call(self._sessions.ShareSession, request, timeout_s=STATUS_TIMEOUT_S)
        return _shares(response.shares)

    def unshare_session(self, session_id: str, user: str) -> tuple[Share, ...]:  # noqa: D102
        request = session_pb2.UnshareSessionRequest(session_id=session_id, request_id=new_id(), user=user)
        response = self._channel.call(self._sessions.UnshareSession, request, timeout_s=STATUS_TIMEOUT_S)
        return _shares(response.shares)

    def list_shares(self, session_id: str) -> tuple[Share, ...]:  # noqa: D102
        request = session_pb2.ListSharesRequest(session_id=session_id)
        response = self._channel.call(self._sessions.ListShares, request, timeout_s=STATUS_TIMEOUT_S)
        return _shares(response.shares)


def _shares(messages: Iterable[session_pb2.SessionShare]) -> tuple[Share, ...]:
    return tuple(map(sharing_codec.share_from_wire, messages))
