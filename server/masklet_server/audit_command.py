"""``masklet-server audit``: see whether the audit log is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_BROKEN = 1


def add_commands(app: typer.Typer) -> None:
    """Add ``audit`` with its subcommand."""
    audit = typer.Typer(help="Looks at the audit log of a server.", no_args_is_help=True)
    audit.callback()(_options)
    audit.command()(verify)
    app.add_typer(audit, name="audit")


def _options() -> None:
    """Looks at the audit log of a server."""


def verify(
    log: Annotated[
        Path, typer.Argument(help="The file that --audit names; those put aside are found by it.")
    ],
    expect: Annotated[
        str,
        typer.Option(metavar="DIGEST", help="A digest that was noted before: its record has to be there."),
    ] = "",
) -> None:
    """Follow the chain of records and name the first broken link. Exit code 1 where there is one."""
    from masklet_server.audit.chain import verify as follow

    found = follow(log, expected=expect)
    if found.broken is not None:
        broken = found.broken
        typer.echo(
            f"masklet-server: the chain breaks in {broken.file} at line {broken.line}: {broken.why}. "
            f"{found.last.number} records before it hold",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN)
    if expect and not found.met:
        typer.echo(
            f"masklet-server: no record has the digest {expect}: the log was cut off, or written anew",
            err=True,
        )
        raise typer.Exit(EXIT_BROKEN)
    earlier = f"; records before {found.first} are not here" if found.first > 1 else ""
    typer.echo(
        f"{found.last.number - found.first + 1 if found.first else 0} records in {found.files} files hold"
        f"{earlier}. The last digest is {found.last.digest}"
    )
