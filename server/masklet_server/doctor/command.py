"""``masklet-server doctor``, which ``masklet doctor server`` runs as well."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.errors import MaskletError
from masklet.findings import Finding, Verdict, as_json, is_well
from masklet.version import VERSION
from masklet_server.serve_settings import settings_of
from masklet_server.serving import serve_context

if TYPE_CHECKING:
    from masklet_server.service.settings import ServerSettings

EXIT_ILL = 1


def add_commands(app: typer.Typer) -> None:
    """Add ``doctor``."""
    app.command()(doctor)


def doctor(
    config: Annotated[
        Path | None,
        typer.Option(help="The server's settings file; without one, what holds without one."),
    ] = None,
    json_asked: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
) -> None:
    """Look at certificate, clock, disks, journals, device, limits and listeners, and say what helps.

    It may be run beside the server. Exits with 1 when something keeps the server from working.
    """
    found = []
    for finding in examine(config):
        found.append(finding)
        if not json_asked:
            typer.echo(finding.line)
    if json_asked:
        typer.echo(json.dumps(as_json(found), indent=2))
    if not is_well(found):
        raise typer.Exit(EXIT_ILL)


def examine(config: Path | None) -> Iterator[Finding]:
    """Everything that is looked at, one after another."""
    yield Finding(Verdict.GOOD, "masklet", f"{VERSION} in {Path(__file__).parents[1]}")
    try:
        settings = settings_of(serve_context(config).params)
    except MaskletError as error:
        # Nothing else can be said before that is mended.
        yield Finding(Verdict.BAD, "settings", str(error))
        return
    where = "without a settings file" if config is None else f"from {config}"
    yield Finding(Verdict.GOOD, "settings", f"{where}, for {settings.address}")
    yield from examine_settings(settings)


def examine_settings(settings: ServerSettings) -> Iterator[Finding]:
    """The machine, as a server with these settings needs it."""
    from masklet_server.doctor.access import examine_access
    from masklet_server.doctor.clock import examine_clock
    from masklet_server.doctor.device import examine_device
    from masklet_server.doctor.disks import examine_disks
    from masklet_server.doctor.extras import examine_extras
    from masklet_server.doctor.journals import examine_journals
    from masklet_server.doctor.limits import examine_limits
    from masklet_server.doctor.listeners import examine_listeners

    yield from examine_access(settings)
    yield from examine_clock(settings.sessions_folder)
    yield from examine_disks(settings)
    yield from examine_journals(settings.sessions_folder)
    yield from examine_device(settings)
    yield from examine_limits(settings, os.getpid())
    yield from examine_extras(settings)
    yield from examine_listeners(settings)
