"""A worker's place in a cluster, from the options of ``serve``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masklet.errors import BadInputError
from masklet.settings import read_token
from masklet.transport.endpoint import Endpoint, is_loopback
from masklet_server.cluster.member import ClusterMember
from masklet_server.cluster.remote_roster import RemoteRoster
from masklet_server.service.listen import Address
from masklet_server.service.settings import ServerSettings


def member_of(options: Mapping[str, Any], settings: ServerSettings) -> ClusterMember | None:
    """The place that a server is to have; None for a server by itself.

    Raises:
        BadInputError: The options contradict each other, or a file cannot be read.
    """
    gateway = options["gateway"]
    if not gateway:
        if options["worker"] or options["advertise"]:
            raise BadInputError("a worker needs its cluster's front door: name it with --gateway")
        return None
    if not options["worker"]:
        raise BadInputError("a worker of a cluster needs a name of its own: give it with --worker")
    if settings.no_egress:
        raise BadInputError(
            "a worker reports to the front door, and no-egress keeps anything from going out: say one"
        )
    listens = Address.parse(settings.address)
    advertised = options["advertise"]
    if advertised == gateway:
        raise BadInputError(
            f"{gateway} is the front door's address, which would send everybody back to itself: say with "
            "--advertise how artists reach this server"
        )
    if advertised:
        Address.parse(advertised)
    elif listens.host in ("0.0.0.0", "::"):
        raise BadInputError(
            f"{settings.address} is no address that clients can go to: say with --advertise how they reach "
            "this server"
        )
    endpoint = gateway_endpoint(
        gateway,
        options["gateway_token_file"],
        options["gateway_ca"],
        options["gateway_cert"],
        options["gateway_key"],
    )
    roster = RemoteRoster(endpoint)
    return ClusterMember(roster, options["worker"], advertised=advertised, carry=roster.carry)


def gateway_endpoint(
    address: str, token_file: Any, ca_file: Any, cert_file: Any = None, key_file: Any = None
) -> Endpoint:
    """The front door as a worker or a keeper connects to it: with TLS, unless it is on this machine.

    Raises:
        BadInputError: The token file cannot be read, or of a certificate and its key one is missing.
    """
    if (cert_file is None) != (key_file is None):
        raise BadInputError(
            "a certificate for the front door has two files: give --gateway-cert and --gateway-key"
        )
    return Endpoint(
        address,
        token=None if token_file is None else read_token(token_file),
        token_file=token_file,
        tls_ca_file=ca_file,
        tls_cert_file=cert_file,
        tls_key_file=key_file,
        plaintext=ca_file is None and is_loopback(address),
    )
