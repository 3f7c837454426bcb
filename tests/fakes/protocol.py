"""Every call of the protocol, found by what the package describes: one that is added is walked by itself."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import masklet.v1
from masklet_server.service.interceptor import ERROR_KIND_KEY

Metadata = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Method:
    """A call as the wire knows it."""

    path: str
    request: Descriptor
    client_streaming: bool
    server_streaming: bool

    def message(self, **values: Any) -> Message:
        """A request with what it knows of these values, and nothing else."""
        known = {name: value for name, value in values.items() if name in self.request.fields_by_name}
        made: Message = GetMessageClass(self.request)(**known)
        return made

    def call(self, channel: grpc.aio.Channel, request: Message | bytes = b"", metadata: Metadata = ()) -> Any:
        """The call, which is under way."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        if self.client_streaming:
            return channel.stream_unary(self.path)(iter([data]), metadata=metadata)
        make = channel.unary_stream if self.server_streaming else channel.unary_unary
        return make(self.path)(data, metadata=metadata)

    async def answer(
        self, channel: grpc.aio.Channel, request: Message | bytes = b"", metadata: Metadata = ()
    ) -> tuple[str, str, str, Any]:
        """Status, kind, text and trailing metadata of the answer, whether or not it is a refusal."""
        call = self.call(channel, request, metadata)
        try:
            if self.server_streaming:
                _ = [each async for each in call]
            else:
                await call
        except grpc.aio.AioRpcError as error:
            trailing = tuple(tuple(each) for each in error.trailing_metadata() or ())
            kinds = [str(value) for key, value in trailing if key == ERROR_KIND_KEY]
            return error.code().name, kinds[0] if kinds else "", error.details() or "", trailing
        return "OK", "", "", ()


ASKED = frozenset({"masklet.v1.ProposalService", "masklet.v1.ClusterService", "masklet.v1.JournalService"})
"""Services that the server asks: programs of the studio, a cluster's gateway and its workers serve them."""


def methods() -> list[Method]:
    """All calls of the services that masklet's server serves, in order."""
    names = sorted(path.stem for path in Path(masklet.v1.__file__).parent.glob("*_pb2.py"))
    services = [
        service
        for name in names
        for service in importlib.import_module(f"masklet.v1.{name}").DESCRIPTOR.services_by_name.values()
    ]
    assert {service.full_name for service in services} > ASKED
    return [
        Method(
            f"/{service.full_name}/{method.name}",
            method.input_type,
            bool(method.client_streaming),
            bool(method.server_streaming),
        )
        for service in services
        if service.full_name not in ASKED
        for method in service.methods
    ]


def bearer(token: str | None) -> Metadata:
    """What a call with a token carries."""
    return () if token is None else (("authorization", f"Bearer {token}"),)
