"""The way to a server over gRPC: a connection to a running one, or a server of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.transport.endpoint import Endpoint, is_loopback
from masklet.transport.grpc import GrpcTransport
from masklet.transport.grpc_channel import Channel
from masklet.transport.local_server import LocalServer

if TYPE_CHECKING:
    from masklet.transport.endpoint import ServerChoice


def open_transport(choice: ServerChoice) -> tuple[GrpcTransport, LocalServer | None]:
    """A connection, which may not have been used yet, and the server behind it if it is one's own.

    Raises:
        BadInputError: The address is none, or the certificate cannot be read.
        ServerUnreachableError: A server of one's own did not start.
        WeightsError: There are no such weights.
    """
    if choice.address is None:
        local = LocalServer(weights=choice.weights, device=choice.device, quality=choice.quality)
        endpoint = Endpoint(local.address, token=local.token, plaintext=True)
        return GrpcTransport(Channel(endpoint, why_dead=local.why_dead)), local
    endpoint = Endpoint(
        choice.address,
        token=choice.token,
        tls_ca_file=choice.tls_ca_file,
        token_file=choice.token_file,
        tls_cert_file=choice.tls_cert_file,
        tls_key_file=choice.tls_key_file,
        plaintext=choice.tls_ca_file is None and choice.tls_cert_file is None and is_loopback(choice.address),
    )
    return GrpcTransport(Channel(endpoint, why_dead=lambda: None)), None
