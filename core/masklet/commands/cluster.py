"""``masklet cluster``: servers on many machines."""

from __future__ import annotations

import os
import subprocess
import sys

import typer

from masklet.errors import ServerUnreachableError
from masklet.extras import server_sentence
from masklet.transport.server_program import server_program


def add_commands(app: typer.Typer) -> None:
    """Register ``cluster``."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
    )(cluster)


def cluster(context: typer.Context) -> None:
    """Place servers on many machines: up, join, status, drain, down.

    The same as masklet-server cluster, with the same options and exit codes.
    """
    lacking = server_sentence()
    if lacking is not None:
        raise ServerUnreachableError(lacking)
    command = server_program("cli", "cluster", *context.args)
    if os.name == "posix":
        os.execv(sys.executable, command)
    raise typer.Exit(subprocess.run(command, check=False).returncode)
