"""``masklet dataset``: training data from finished shots."""

from __future__ import annotations

import subprocess

import typer

from masklet.errors import ServerUnreachableError
from masklet.extras import SERVER_PACKAGES, missing
from masklet.transport.server_program import server_program


def add_commands(app: typer.Typer) -> None:
    """Register ``dataset``."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
    )(dataset)


def dataset(context: typer.Context) -> None:
    """Export finished shots as training data; check and count a data set: export, check or stats.

    The same as masklet-server dataset, with the same arguments and exit codes.
    """
    lacking = missing(SERVER_PACKAGES)
    if lacking:
        raise ServerUnreachableError(
            "data sets are read and written by the server package, which is not installed beside this "
            f"client ({', '.join(lacking)} missing): pip install 'masklet[server]', or run "
            "masklet-server dataset on the server's machine"
        )
    # A process of its own, because the client must start without the server's packages.
    command = server_program("cli", "dataset", *context.args)
    raise typer.Exit(subprocess.run(command, check=False).returncode)
