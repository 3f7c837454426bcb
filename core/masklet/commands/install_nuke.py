"""``masklet install nuke`` and ``masklet uninstall nuke``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from masklet.installing.blender import check_helper
from masklet.installing.blender_extension import extension_id
from masklet.installing.blender_places import find_blenders
from masklet.installing.nuke import (
    FOLDER,
    add_to_init,
    has_panel,
    install_into,
    remove_from_init,
    uninstall_from,
)
from masklet.installing.nuke_places import find_nukes, user_folder
from masklet.transport.helper_environment import forget_helper_python, remember_helper_python

SiteOption = Annotated[
    Optional[Path],
    typer.Option(
        "--site",
        metavar="FOLDER",
        help="A folder for everybody, to be put on NUKE_PATH; it may be read-only afterwards.",
    ),
]


def install_nuke(
    site: SiteOption = None,
    python: Annotated[
        Optional[Path],
        typer.Option("--python", metavar="FILE", help="The Python that has masklet; else this one."),
    ] = None,
) -> None:
    """Put masklet onto the path of Nuke 14 and newer, and tell it which Python carries its messages."""
    helper = python or Path(sys.executable)
    check_helper(helper)
    if site is not None:
        done = install_into(site, helper=helper)
        typer.echo(f"masklet {done.current} is in {site}; put the folder on NUKE_PATH for everybody")
        typer.echo(f"helper: {helper} (written to {site})")
        return
    own = user_folder()
    done = install_into(own / FOLDER)
    init = add_to_init(own)
    typer.echo(f"masklet {done.current} is in {done.folder}, named in {init}")
    others = [version for version in done.versions if version != done.current]
    if others:
        typer.echo(f"also there: {', '.join(others)} (MASKLET_NUKE_VERSION chooses one)")
    for nuke in find_nukes():
        if not nuke.takes_masklet:
            typer.echo(
                f"Nuke {nuke.version} is too old for masklet and goes without: Nuke 14 or newer has it"
            )
    typer.echo(f"helper: {helper} (written to {remember_helper_python(helper)})")
    if not has_panel(done.folder):
        typer.echo(
            f"without the panel: pip install 'masklet[panel]' for {sys.executable}, then run this again"
        )
    typer.echo("start Nuke: Masklet is in the Draw menu")


def uninstall_nuke(site: SiteOption = None) -> None:
    """Take masklet off Nuke's path again; your scripts keep their prompts, mattes and nodes."""
    if site is not None:
        gone = uninstall_from(site)
        typer.echo(f"removed {site}; take it off NUKE_PATH" if gone else f"there is no masklet in {site}")
        return
    own = user_folder()
    named, gone = remove_from_init(own), uninstall_from(own / FOLDER)
    if not (named or gone):
        typer.echo(f"masklet was not installed in {own}")
        return
    typer.echo(f"removed from {own}")
    blender = extension_id()
    if any(place.addon_folder(blender).is_dir() for place in find_blenders()):
        # Blender's messages go through the same helper.
        return
    if forget_helper_python():
        typer.echo("helper: forgotten")
