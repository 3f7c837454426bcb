"""What the keeper of a server decides; read once, at the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from masklet_server.identity.oidc_settings import OidcSettings
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.rates import RateSettings
from masklet_server.sessions.plan import TrackOrder
from masklet_server.sessions.store import StoreLimits

ProfileName = Literal["editor", "benchmark", "reference"]
PROFILES: dict[str, ProfileName] = {name: name for name in get_args(ProfileName)}


@dataclass(frozen=True)
class ServerSettings:
    """Everything a server can be told.

    Attributes:
        address: ``host:port``; port 0 takes a free one.
        weights: Name or file of the model.
        device: Where the network runs: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``xpu``.
        profile: How the network is used over time; the last two are for comparisons.
        quality: How closely pictures are looked at, a word of :mod:`masklet_server.engine.quality`.
        roots: Folders whose clips may be opened and where mattes may be written. None: uploads only.
        tenant_roots: The same of tenants that have their own, and these only.
        user_weights: How much of the device users get beside others, who have 1.
        metrics_port: Of this machine, for Prometheus; None for no such thing, 0 for a free one.
        status_address: ``host:port`` of the page for whoever keeps the server; None for no such page.
        status_pictures: That page may show what is being tracked.
        traces: Address of an OpenTelemetry collector; None for no traces.
        finder: ``host:port`` of the studio's own model that finds things by words; None for no such thing.
        finder_ca: PEM of the authority of its certificate; None for no TLS, on this machine alone.
        token_file: One token a line; None lets everybody in.
        tls_certificate: PEM chain; with ``tls_key``.
        tls_key: PEM.
        tls_client_ca: PEM of the authorities that sign certificates of clients; None asks for none.
        signed_tokens: The register of tokens that ``masklet-server token`` makes.
        oidc: The provider whose tokens are taken; None for none.
        rates: How many calls users and tenants may make.
        audit: Where it is noted who did what; None for nowhere.
        audit_bytes: When a file of that is full.
        upload_folder: Where uploads are stored; None for the system's place for temporary files.
        sessions_folder: Where sessions outlive the process, on a local disk; None keeps them in memory alone.
        take_over: Use that folder although another server has it.
        no_egress: The process makes no connection to elsewhere: the system refuses it.
        shared_memory: Clients of the server's own user on this machine may share memory with it.
        store: Limits of sessions.
        service: Limits of requests.
        drain_s: How long calls may take to end when the server stops.
    """

    address: str = "127.0.0.1:7700"
    weights: str = "masklet_embedded"
    device: str = "auto"
    profile: ProfileName = "editor"
    quality: str = "own"
    roots: tuple[Path, ...] = ()
    tenant_roots: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    user_weights: Mapping[str, float] = field(default_factory=dict)
    metrics_port: int | None = None
    status_address: str | None = None
    status_pictures: bool = False
    traces: str | None = None
    finder: str | None = None
    finder_ca: Path | None = None
    token_file: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    signed_tokens: Path | None = None
    oidc: OidcSettings | None = None
    rates: RateSettings = field(default_factory=RateSettings)
    audit: Path | None = None
    audit_bytes: int = 64 << 20
    upload_folder: Path | None = None
    sessions_folder: Path | None = None
    take_over: bool = False
    no_egress: bool = False
    shared_memory: bool = False
    store: StoreLimits = field(default_factory=StoreLimits)
    service: ServiceLimits = field(default_factory=ServiceLimits)
    drain_s: float = 3.0

    @property
    def provenance(self) -> dict[str, str]:
        """What of this decides about masks, besides weights; goes into every header and record."""
        # Files of servers that knew no quality stay files of the same settings.
        looked = {} if self.quality == "own" else {"quality": self.quality}
        return {"profile": self.profile, **looked}

    @property
    def order(self) -> TrackOrder:
        """From which prompt frames are tracked."""
        return TrackOrder.NEAREST if self.profile == "editor" else TrackOrder.FIRST_PROMPT
