"""The settings of a server from the values of the options of ``serve``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masklet_server.identity.oidc_settings import OidcSettings
    from masklet_server.service.settings import ServerSettings


def settings_of(options: Mapping[str, Any]) -> ServerSettings:
    """Settings from the values of the options of ``serve``.

    Raises:
        BadInputError: A word is none of those that are known.
    """
    from dataclasses import replace

    from masklet.errors import BadInputError
    from masklet_server.journal.places import default_sessions_folder
    from masklet_server.service.rates import RateSettings
    from masklet_server.service.settings import PROFILES, ServerSettings

    profile, address = options["profile"], options["address"]
    if profile not in PROFILES:
        raise BadInputError(f"there is no profile {profile!r}: use one of {', '.join(PROFILES)}")
    if options["traces"] and options["no_egress"]:
        raise BadInputError(
            "traces are sent to a collector, and no-egress keeps anything from going out: say one"
        )
    if options["finder"] and options["no_egress"]:
        raise BadInputError(
            "a finder is another process, and no-egress keeps anything from going out: say one"
        )
    plain = ServerSettings()
    folder = options["sessions"] or default_sessions_folder(address)
    return ServerSettings(
        address=address,
        weights=options["weights"],
        device=options["device"],
        profile=PROFILES[profile],
        quality=options["quality"],
        roots=tuple(options["root"] or ()),
        tenant_roots=parse_tenant_roots(options["tenant_root"] or ()),
        user_weights=parse_weights(options["user_weight"] or ()),
        metrics_port=options["metrics_port"],
        status_address=options["status_address"],
        status_pictures=options["status_pictures"],
        traces=options["traces"],
        finder=options["finder"],
        finder_ca=options["finder_ca"],
        token_file=options["token_file"],
        tls_certificate=options["tls_cert"],
        tls_key=options["tls_key"],
        tls_client_ca=options["tls_client_ca"],
        signed_tokens=options["signed_tokens"],
        oidc=oidc_of(options),
        rates=RateSettings(
            options["user_calls_per_s"],
            options["tenant_calls_per_s"],
            options["user_opens_per_min"],
            options["tenant_opens_per_min"],
        ),
        audit=options["audit"],
        audit_bytes=options["audit_mib"] << 20,
        upload_folder=options["upload_folder"],
        sessions_folder=None if options["no_sessions"] else folder,
        take_over=options["take_over"],
        no_egress=options["no_egress"],
        shared_memory=options["shared_memory"],
        store=replace(
            plain.store,
            max_sessions=options["max_sessions"],
            memory_bytes=int(options["memory_gib"] * (1 << 30)),
            idle_s=options["idle_s"],
            forgotten_s=options["forgotten_h"] * 3600.0,
        ),
        service=replace(plain.service, disk_s=options["disk_s"], turn_s=options["turn_s"]),
    )


def oidc_of(options: Mapping[str, Any]) -> OidcSettings | None:
    """What the options say of a provider; None where they say nothing.

    Raises:
        BadInputError: A part is missing.
    """
    from masklet.errors import BadInputError
    from masklet_server.identity.oidc_settings import OidcSettings

    said = (options["oidc_keys"], options["oidc_issuer"], options["oidc_audience"])
    if not any(said):
        return None
    if not all(said):
        raise BadInputError(
            "tokens of a provider need --oidc-keys, --oidc-issuer and --oidc-audience: give all three"
        )
    return OidcSettings(
        *said,
        user_claim=options["oidc_user_claim"],
        tenant_claim=options["oidc_tenant_claim"] or None,
        scope_claim=options["oidc_scope_claim"],
    )


def parse_tenant_roots(said: Iterable[str]) -> dict[str, tuple[Path, ...]]:
    """Roots by tenant, from ``acme=/shows/acme``.

    Raises:
        BadInputError: One is not of this form.
    """
    from masklet.errors import BadInputError
    from masklet_server.identity.caller import as_typed, check_name

    roots: dict[str, tuple[Path, ...]] = {}
    for each in said:
        tenant, _, folder = each.partition("=")
        if not folder:
            raise BadInputError(f"{each!r} is no root of a tenant: write one like acme=/shows/acme")
        tenant = check_name(as_typed(tenant), "tenant")
        roots[tenant] = (*roots.get(tenant, ()), Path(folder))
    return roots


def parse_weights(said: Iterable[str]) -> dict[str, float]:
    """Parts of the device by user, from ``ann=2``.

    Raises:
        BadInputError: One is not of this form, or no number above 0.
    """
    from masklet.errors import BadInputError
    from masklet_server.identity.caller import as_typed

    weights: dict[str, float] = {}
    for each in said:
        user, _, number = as_typed(each).partition("=")
        try:
            weights[user] = float(number)
        except ValueError:
            weights[user] = 0.0
        if not user or not 0.01 <= weights[user] <= 100.0:
            raise BadInputError(f"{each!r} is no user's part: write one like ann=2, from 0.01 to 100")
    return weights
