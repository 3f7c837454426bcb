"""``masklet-server serve``: the one place that knows both the service and the engine."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet_server.serve_settings import settings_of
from masklet_server.settings_file import read_settings_file

if TYPE_CHECKING:
    from masklet_server.service.settings import ServerSettings


class LogFormat(str, Enum):
    """How lines of the log look."""

    TEXT = "text"
    JSON = "json"


ADDRESS_HELP = "host:port to listen on; port 0 takes a free one."
TLS_HELP = "PEM file; needed, with a way to know who calls, to listen on anything but loopback."


ENVIRONMENT = "MASKLET_SERVE"
"""Begins the names of environment variables: ``MASKLET_SERVE_MAX_SESSIONS`` is ``--max-sessions``."""


def add_commands(app: typer.Typer) -> None:
    """Add ``serve``."""
    app.command(context_settings={"auto_envvar_prefix": ENVIRONMENT})(serve)


def serve_command() -> Any:
    """``serve`` as Click sees it: its options are the settings of a server."""
    app = typer.Typer(add_completion=False)
    add_commands(app)
    return typer.main.get_command(app)


def serve_context(config: Path | None) -> Any:
    """What ``serve`` would work with: Click's context, which ends the process where a value cannot be one."""
    return serve_command().make_context("serve", [] if config is None else ["--config", str(config)])


def _take_file(context: typer.Context, file: Path | None) -> Path | None:
    """Let the settings file say what command line and environment do not."""
    if file is not None:
        context.default_map = {**(context.default_map or {}), **read_settings_file(file, context.command)}
    return file


def serve(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            callback=_take_file,
            is_eager=True,
            help="TOML file with these options; what is said here or in MASKLET_SERVE_… goes before it.",
        ),
    ] = None,
    address: Annotated[str, typer.Option(help=ADDRESS_HELP)] = "127.0.0.1:7700",
    weights: Annotated[str, typer.Option(help="Name or file of the model.")] = "masklet_embedded",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps, xpu.")] = "auto",
    quality: Annotated[
        str, typer.Option(help="How closely pictures are looked at: own (as trained), fast, balanced, best.")
    ] = "own",
    profile: Annotated[
        str, typer.Option(help="editor; benchmark and reference are for comparisons.")
    ] = "editor",
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the network: faster on a GPU after a slow start.")
    ] = False,
    runtime: Annotated[
        str,
        typer.Option(
            envvar="MASKLET_RUNTIME",
            help="What runs the network on a processor: torch; openvino; auto: OpenVINO where installed.",
        ),
    ] = "torch",
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to open clips from and write mattes to; repeat it for more. None: uploads only."
        ),
    ] = None,
    tenant_root: Annotated[
        list[str] | None,
        typer.Option(metavar="TENANT=FOLDER", help="A root of this tenant, which then has no others."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="One token, or user:token, a line; whoever calls needs one.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help=TLS_HELP)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's private key.")] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(help="PEM of the authority whose certificates clients have to show: mutual TLS."),
    ] = None,
    signed_tokens: Annotated[
        Path | None, typer.Option(help="Register of the tokens that masklet-server token makes.")
    ] = None,
    oidc_keys: Annotated[
        Path | None,
        typer.Option(help="Key set (JWKS) of the studio's provider; with --oidc-issuer and --oidc-audience."),
    ] = None,
    oidc_issuer: Annotated[str, typer.Option(help="As the provider's tokens name it.")] = "",
    oidc_audience: Annotated[str, typer.Option(help="As tokens for this server name it.")] = "",
    oidc_user_claim: Annotated[str, typer.Option(help="What names the user in a provider's token.")] = "sub",
    oidc_tenant_claim: Annotated[
        str, typer.Option(help="What names the tenant there; empty for one tenant.")
    ] = "",
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
        float, typer.Option(min=0.0, help="Clips a minute that each known user may open or send.")
    ] = 60.0,
    tenant_opens_per_min: Annotated[
        float, typer.Option(min=0.0, help="The same for all users of a tenant together.")
    ] = 0.0,
    audit: Annotated[
        Path | None, typer.Option(help="File in which it is noted who did what, and what was refused.")
    ] = None,
    audit_mib: Annotated[int, typer.Option(min=1, help="When that file is full, and another is begun.")] = 64,
    upload_folder: Annotated[
        Path | None, typer.Option(help="Where uploads are kept; the system's temporary folder by default.")
    ] = None,
    sessions: Annotated[
        Path | None,
        typer.Option(
            help="Folder on a local disk for sessions that outlive the server; by default the user's."
        ),
    ] = None,
    no_sessions: Annotated[
        bool, typer.Option("--no-sessions", help="Keep sessions in memory alone: they end with the server.")
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Use the folder for sessions although another server has it."),
    ] = False,
    max_sessions: Annotated[int, typer.Option(min=1, help="Sessions at a time.")] = 32,
    memory_gib: Annotated[
        float, typer.Option(min=0.0, help="Memory of all trackers; beyond it the oldest session parks.")
    ] = 4.0,
    idle_s: Annotated[
        float, typer.Option(min=1.0, help="A session parks after so long without a call.")
    ] = 600.0,
    forgotten_h: Annotated[
        float, typer.Option(min=0.1, help="A session is deleted after so many hours without a call.")
    ] = 336.0,
    disk_s: Annotated[
        float, typer.Option(min=1.0, help="How long a disk may take for one picture or file.")
    ] = 30.0,
    user_weight: Annotated[
        list[str] | None,
        typer.Option(metavar="USER=NUMBER", help="A user's part of the device, where others have 1."),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of this machine for Prometheus; 0 takes a free one."),
    ] = None,
    status_address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Page for whoever keeps the server; port 0 takes a free one."),
    ] = None,
    status_pictures: Annotated[
        bool, typer.Option("--status-pictures", help="Let that page show what is being tracked.")
    ] = False,
    traces: Annotated[
        str | None,
        typer.Option(metavar="URL", help="OpenTelemetry collector that is sent a trace of every call."),
    ] = None,
    finder: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="The studio's own model that finds things by words."),
    ] = None,
    finder_ca: Annotated[
        Path | None, typer.Option(help="Authority of its certificate; without it, on this machine alone.")
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Front door of the cluster that this server is a worker of."),
    ] = None,
    worker: Annotated[
        str, typer.Option(help="Its name there, one of a kind and the same after a restart.")
    ] = "",
    advertise: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where clients reach it; by default where it listens."),
    ] = "",
    gateway_token_file: Annotated[
        Path | None, typer.Option(help="Token with the scope admin, by which the front door lets it in.")
    ] = None,
    gateway_ca: Annotated[
        Path | None, typer.Option(help="Authority of the front door's certificate.")
    ] = None,
    gateway_cert: Annotated[
        Path | None,
        typer.Option(help="PEM of the certificate that it shows there and to other workers, as a client."),
    ] = None,
    gateway_key: Annotated[Path | None, typer.Option(help="PEM of that certificate's private key.")] = None,
    turn_s: Annotated[
        float, typer.Option(min=1.0, help="How long the device may be at one frame before it is given up.")
    ] = 120.0,
    no_egress: Annotated[
        bool,
        typer.Option("--no-egress", help="Make no outgoing connection: the system refuses them all."),
    ] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Of the log: text for people; json with a line for every call.")
    ] = LogFormat.TEXT,
    shared_memory: Annotated[
        bool,
        typer.Option(
            "--shared-memory", help="Share memory with clients of the same user on this machine: faster."
        ),
    ] = False,
    announce: Annotated[
        bool, typer.Option("--announce", help="Print one line of JSON with the address when ready.")
    ] = False,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the same line to this file when ready.")
    ] = None,
    drained_file: Annotated[
        Path | None,
        typer.Option(help="Make this file on ending because it was drained: whoever starts servers sees it."),
    ] = None,
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Serve clips to clients until SIGTERM or Ctrl-C. SIGHUP has the settings file read again."""
    # In their parameters they are for the help alone: the file and the environment speak as well.
    del address, weights, profile, root, token_file, tls_cert, tls_key, upload_folder, sessions, no_sessions
    del quality, take_over, max_sessions, memory_gib, idle_s, forgotten_h, disk_s, user_weight, turn_s
    del finder, finder_ca, gateway, worker, advertise, gateway_token_file, gateway_ca, gateway_cert
    del gateway_key
    del metrics_port, status_address, status_pictures, traces, no_egress, shared_memory, tenant_root
    del tls_client_ca, signed_tokens, oidc_keys, oidc_issuer, oidc_audience, oidc_user_claim
    del oidc_tenant_claim, oidc_scope_claim, user_calls_per_s, tenant_calls_per_s, user_opens_per_min
    del tenant_opens_per_min, audit, audit_mib
    import asyncio

    from masklet.errors import OutputError
    from masklet_server.service.log_lines import set_up_log

    settings = settings_of(context.params)
    set_up_log(as_json=log_format is LogFormat.JSON)
    if settings.no_egress:
        from masklet_server.sandbox.no_egress import refuse_connections

        refuse_connections()

    from masklet_server.audit.log import check_usable as check_audit_log
    from masklet_server.cluster.joining import member_of
    from masklet_server.journal.folder import check_usable
    from masklet_server.service.listen import Access, check_free
    from masklet_server.service.roots import TenantRoots
    from masklet_server.service.running import run_server

    # What cannot work is said at once, not after the weights have been read.
    member = member_of(context.params, settings)
    access = Access.of(settings)
    check_free(access.address)
    TenantRoots(settings.roots, settings.tenant_roots)
    if settings.audit is not None:
        check_audit_log(settings.audit)
    if settings.sessions_folder is not None:
        check_usable(settings.sessions_folder, take_over=settings.take_over, shared=member is not None)

    from masklet_server.engine import load_tracker_factory
    from masklet_server.model.store import list_weights
    from masklet_server.service.server import Engine

    make_tracker, model = load_tracker_factory(
        settings.weights,
        device,
        settings.profile,
        compiled=compiled,
        runtime=runtime,
        quality=settings.quality,
    )
    engine = Engine(make_tracker, model, list_weights(), make_tracker.device, make_tracker.device_bytes)

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

    def drained() -> None:
        if drained_file is not None:
            try:
                drained_file.touch(mode=0o600)
            except OSError as error:
                raise OutputError(f"the file {drained_file} cannot be made: check its folder") from error

    def read_again() -> ServerSettings:
        return settings_of(serve_context(config).params)

    asyncio.run(
        run_server(
            settings,
            engine,
            announce=ready,
            stop_with_stdin=stop_with_stdin,
            read_again=None if config is None else read_again,
            member=member,
            on_drained=drained,
        )
    )
