"""``masklet-server``: serve clips, keep weights, measure and train models.

Exit codes: 0 all is well; 1 it failed, and one sentence on standard error says why and what helps;
2 the command line is wrong; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from masklet.errors import MaskletError
from masklet.version import VERSION
from masklet_server import (
    audit_command,
    config_command,
    gateway_command,
    keeping_commands,
    kept_sessions,
    serving,
    token_command,
)
from masklet_server.doctor import command as doctor
from masklet_server.evaluation import command as evaluation
from masklet_server.evaluation import parity_command as parity
from masklet_server.live import command as live
from masklet_server.model import command as model
from masklet_server.ray_cluster import command as ray_cluster
from masklet_server.training import command as training
from masklet_server.training import material_command as material

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="masklet-server",
    help="Serves clips to masklet clients; keeps weights, measures and trains models.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"masklet-server {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    del version  # told by its callback, before a command is looked for


keeping = (
    serving,
    gateway_command,
    config_command,
    doctor,
    keeping_commands,
    token_command,
    audit_command,
    kept_sessions,
    ray_cluster,
)
for area in (*keeping, model, evaluation, parity, live, training, material):
    area.add_commands(app)


def main() -> None:
    """Run the command line; ends the process with the exit codes above."""
    if sys.platform == "darwin":
        # Read by torch when it is imported: what Apple's GPUs have no kernel for runs on the processor.
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    try:
        app()
    except MaskletError as error:
        # An expected failure is one line to a person, not a traceback.
        typer.echo(f"masklet-server: {error}", err=True)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
