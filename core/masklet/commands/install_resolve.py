"""``masklet install resolve`` and ``masklet uninstall resolve``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from masklet.installing.blender import check_helper
from masklet.installing.resolve import ScriptPlaces, install_script, uninstall_script


def install_resolve(
    python: Annotated[
        Optional[Path],
        typer.Option("--python", metavar="FILE", help="The Python that has masklet; else this one."),
    ] = None,
) -> None:
    """Put a script into the menu of Resolve Studio and Fusion Studio that opens masklet beside them."""
    helper = python or Path(sys.executable)
    check_helper(helper)
    for file in install_script(ScriptPlaces(Path.home()), helper):
        typer.echo(f"wrote {file}")
    typer.echo("in Resolve Studio: Workspace > Scripts > masklet; the free edition lists no Python scripts")


def uninstall_resolve() -> None:
    """Take the script out of the menus again; documents beside your plates stay."""
    gone = uninstall_script(ScriptPlaces(Path.home()))
    if not gone:
        typer.echo("masklet was not installed for Resolve")
    for file in gone:
        typer.echo(f"removed {file}")
