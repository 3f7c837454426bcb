"""Asks a server on this machine whether it serves, as it was set up to be called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from masklet_server.service.certificate import read_certificate
from masklet_server.service.listen import Address
from masklet_server.service.settings import ServerSettings

NO_EGRESS = "masklet.no-egress"
"""What health calls a server whose ways out are closed, once it has tried one in vain."""
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Health(Enum):
    """What a server says of itself."""

    SERVING = "serving"
    NOT_SERVING = "not serving"
    SILENT = "not answering"


@dataclass(frozen=True)
class Answer:
    """What came of asking.

    Attributes:
        reason: Why there was no answer; empty where there was one.
    """

    health: Health
    reason: str = ""


def ask_health(settings: ServerSettings, *, timeout_s: float, service: str = "") -> Answer:
    """Ask the server that these settings describe.

    Args:
        settings: As it was started with.
        timeout_s: How long it may take to answer.
        service: What of it; empty for all.

    Raises:
        BadInputError: Its address is none.
    """
    address = Address.parse(settings.address)
    target = str(Address(_ANY_HOST.get(address.host, address.host), address.port))
    try:
        channel = _channel(target, settings)
    except OSError as error:
        return Answer(Health.SILENT, f"its certificate cannot be used ({error})")
    stub: Any = health_pb2_grpc.HealthStub(channel)
    with channel:
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
        except grpc.RpcError as error:
            details: Any = error
            return Answer(Health.SILENT, str(details.details()))
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return Answer(Health.SERVING if serving else Health.NOT_SERVING)


def _channel(target: str, settings: ServerSettings) -> grpc.Channel:
    # No proxy of the environment: it is this machine that is asked.
    options: list[tuple[str, int | str]] = [("grpc.enable_http_proxy", 0)]
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return grpc.insecure_channel(target, options=options)
    chain, secret = certificate.read_bytes(), key.read_bytes()
    names = read_certificate(certificate, key).names
    if names:
        options.append(("grpc.ssl_target_name_override", names[0]))
    # Its own certificate is all that can be known of it here.
    credentials = grpc.ssl_channel_credentials(chain, secret, chain)
    return grpc.secure_channel(target, credentials, options=options)
