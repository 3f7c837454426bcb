"""``python -m masklet_server.training …``: training alone, on machines with nothing of the server's."""

from __future__ import annotations

import typer

from masklet_server.training.command import add_commands

if __name__ == "__main__":
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    add_commands(app)
    app()
