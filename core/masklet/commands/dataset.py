"""``masklet dataset``: training data from finished shots."""

from __future__ import annotations

import importlib.util
import subprocess

import typer

from masklet.errors import ServerUnreachableError
from masklet.transport.server_program import server_program

# The first of each group that the server's commands need and a client alone does not have.
_NEEDED = ("masklet_server", "cv2", "av", "torch")


def add_commands(app: typer.Typer) -> None:
    """Register ``dataset``."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
    )(dataset)


def dataset(context: typer.Context) -> None:
    """Export finished shots as training data; check and count a data set: export, check or stats.

    The same as masklet-server dataset, with the same arguments and exit codes.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerUnreachableError(
            "data sets are read and written by the server package, which is not installed beside this "
            f"client ({', '.join(missing)} missing): pip install 'masklet[server]', or run "
            "masklet-server dataset on the server's machine"
        )
    # A process of its own, because the client must start without the server's packages.
    command = server_program("cli", "dataset", *context.args)
    raise typer.Exit(subprocess.run(command, check=False).returncode)
