"""``masklet serve`` and ``masklet ping``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict

import typer
from rich.console import Console

from masklet.commands.options import JsonOption, ServerOption, TlsCaOption, TokenFileOption, connect_as_asked
from masklet.commands.summary import print_json
from masklet.errors import ServerUnreachableError
from masklet.extras import server_sentence
from masklet.transport.server_program import server_program


def add_commands(app: typer.Typer) -> None:
    """Register both commands."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
    )(serve)
    app.command()(ping)


def serve(context: typer.Context) -> None:
    """Run a server: the same as masklet-server serve, with the same options."""
    lacking = server_sentence()
    if lacking is not None:
        raise ServerUnreachableError(lacking)
    command = server_program("cli", "serve", *context.args)
    if os.name == "posix":
        os.execv(sys.executable, command)
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def ping(
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a server who it is and how long it takes to answer."""
    with connect_as_asked(server, token_file, tls_ca) as connected:
        started_s = time.perf_counter()
        info = connected.info()
        round_trip_ms = (time.perf_counter() - started_s) * 1e3
    where = server or os.environ.get("MASKLET_SERVER") or "a server started for this call"
    if as_json:
        print_json({"server": where, "round_trip_ms": round(round_trip_ms, 3), **asdict(info)})
        return
    what = f"masklet {info.version}, {info.model.name} on {info.device}"
    Console(highlight=False, soft_wrap=True).print(
        f"{where} answered in {round_trip_ms:.1f} ms: {what}", markup=False
    )
