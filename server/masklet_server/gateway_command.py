"""``masklet-server gateway``: the front door of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masklet_server.cluster.ports import LEASE_S

ENVIRONMENT = "MASKLET_GATEWAY"
"""Begins the names of environment variables: ``MASKLET_GATEWAY_ADDRESS`` is ``--address``."""


def add_commands(app: typer.Typer) -> None:
    """Add ``gateway``."""
    app.command(context_settings={"auto_envvar_prefix": ENVIRONMENT})(gateway)


def gateway(
    context: typer.Context,
    address: Annotated[
        str, typer.Option(help="host:port to listen on; port 0 takes a free one.")
    ] = "127.0.0.1:7700",
    directory: Annotated[
        Path | None,
        typer.Option(help="File on a local disk that says where sessions live; by default the user's."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="One token, or user:token, a line; as the workers have it.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="PEM file; needed to listen on anything but loopback.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's private key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="PEM of the authority whose certificates clients have to show.")
    ] = None,
    signed_tokens: Annotated[
        Path | None,
        typer.Option(
            help="Register of the tokens that masklet-server token makes; workers need the scope admin."
        ),
    ] = None,
    oidc_keys: Annotated[
        Path | None,
        typer.Option(help="Key set (JWKS) of the studio's provider; with --oidc-issuer and --oidc-audience."),
    ] = None,
    oidc_issuer: Annotated[str, typer.Option(help="As the provider's tokens name it.")] = "",
    oidc_audience: Annotated[str, typer.Option(help="As tokens for the cluster name it.")] = "",
    oidc_user_claim: Annotated[str, typer.Option(help="What names the user in a provider's token.")] = "sub",
    oidc_tenant_claim: Annotated[str, typer.Option(help="What names the tenant there.")] = "",
    oidc_scope_claim: Annotated[
        str, typer.Option(help="What holds words such as masklet:track there.")
    ] = "scope",
    user_calls_per_s: Annotated[
        float, typer.Option(min=0.0, help="Calls a second of each known user; 0 sets no limit.")
    ] = 200.0,
    tenant_calls_per_s: Annotated[
        float, typer.Option(min=0.0, help="The same for all users of a tenant together.")
    ] = 0.0,
    user_opens_per_min: Annotated[
        float, typer.Option(min=0.0, help="Clips a minute that each known user may open.")
    ] = 60.0,
    tenant_opens_per_min: Annotated[
        float, typer.Option(min=0.0, help="The same for all users of a tenant together.")
    ] = 0.0,
    audit: Annotated[
        Path | None, typer.Option(help="File in which it is noted who did what, and what was refused.")
    ] = None,
    lease_s: Annotated[
        float, typer.Option(min=1.0, help="A worker that has not reported for so long is gone.")
    ] = LEASE_S,
    announce: Annotated[
        bool, typer.Option("--announce", help="Print one line of JSON with the address when ready.")
    ] = False,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the same line to this file when ready.")
    ] = None,
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Send clients to the workers of a cluster, until SIGTERM or Ctrl-C."""
    del oidc_keys, oidc_issuer, oidc_audience, oidc_user_claim, oidc_tenant_claim, oidc_scope_claim
    import asyncio

    from masklet.errors import OutputError
    from masklet_server.cluster.gateway import GatewaySettings
    from masklet_server.cluster.running import default_directory, run_gateway
    from masklet_server.serve_settings import oidc_of
    from masklet_server.service.log_lines import set_up_log
    from masklet_server.service.rates import RateSettings
    from masklet_server.service.settings import ServerSettings

    set_up_log(as_json=False)
    access = ServerSettings(
        address=address,
        token_file=token_file,
        tls_certificate=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        signed_tokens=signed_tokens,
        oidc=oidc_of(context.params),
    )
    rates = RateSettings(user_calls_per_s, tenant_calls_per_s, user_opens_per_min, tenant_opens_per_min)
    settings = GatewaySettings(access, directory or default_directory(address), rates, audit, lease_s=lease_s)

    def ready(line: str) -> None:
        if announce:
            typer.echo(line)
        if ready_file is not None:
            try:
                ready_file.write_text(line + "\n", encoding="utf-8")
            except OSError as error:
                raise OutputError(
                    f"the ready file {ready_file} cannot be written: check its folder"
                ) from error

    asyncio.run(run_gateway(settings, announce=ready, stop_with_stdin=stop_with_stdin))
