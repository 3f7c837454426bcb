"""``masklet-server health`` and ``masklet-server drain``: for probes and hooks of whoever keeps a server."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from masklet.errors import BadInputError
from masklet_server.serve_settings import settings_of
from masklet_server.serving import serve_context

EXIT_NOT_SERVING = 1
_LOOKS_EVERY_S = 0.5

ConfigOption = Annotated[
    Path | None, typer.Option(help="The server's settings file; without one, what holds without one.")
]


def add_commands(app: typer.Typer) -> None:
    """Add both commands."""
    app.command()(health)
    app.command()(drain)


def health(
    config: ConfigOption = None,
    alive: Annotated[
        bool, typer.Option("--alive", help="Ask only whether it answers: it may hang or drain.")
    ] = False,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="How long it may take to answer.")] = 4.0,
) -> None:
    """Ask the server on this machine whether it takes work. Exits with 1 when it does not."""
    from masklet_server.service.health_probe import Health, ask_health

    settings = settings_of(serve_context(config).params)
    answer = ask_health(settings, timeout_s=timeout_s)
    typer.echo(f"{answer.health.value}{f': {answer.reason}' if answer.reason else ''}")
    good = answer.health is not Health.SILENT if alive else answer.health is Health.SERVING
    if not good:
        raise typer.Exit(EXIT_NOT_SERVING)


def drain(
    pid: Annotated[int, typer.Option(min=1, help="The server's process: 1 inside a container of its own.")],
    wait_s: Annotated[
        float, typer.Option(min=0.0, help="Wait for its end so long; then it is left to go on draining.")
    ] = 600.0,
) -> None:
    """Have a server take no new sessions, and end once nobody works there."""
    if not hasattr(signal, "SIGUSR1"):
        raise BadInputError("this system has no signal for it: stop the server, its sessions are kept")
    try:
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:
        raise BadInputError(f"there is no process {pid}: name the server's") from None
    except PermissionError:
        raise BadInputError(f"process {pid} is another user's: run this as the server's user") from None
    until_s = time.monotonic() + wait_s
    while _is_there(pid):
        if time.monotonic() >= until_s:
            typer.echo(f"process {pid} still has work: SIGTERM ends it, and its sessions are kept")
            return
        time.sleep(_LOOKS_EVERY_S)
    typer.echo(f"process {pid} has ended")


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and waits for its parent counts as gone.
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[:1] != ["Z"]
