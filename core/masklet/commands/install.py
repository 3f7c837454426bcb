"""``masklet install`` and ``masklet uninstall``: masklet in host applications."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from masklet.commands.install_nuke import install_nuke, uninstall_nuke
from masklet.commands.install_resolve import install_resolve, uninstall_resolve
from masklet.errors import MaskletError, OutputError
from masklet.installing.blender import check_helper, choose, install, uninstall
from masklet.installing.blender_extension import extension_id, make_extension
from masklet.installing.blender_places import BlenderPlace, find_blenders
from masklet.installing.nuke import FOLDER, installed_in
from masklet.installing.nuke_places import user_folder
from masklet.transport.helper_environment import forget_helper_python, remember_helper_python

VersionOption = Annotated[
    Optional[str],
    typer.Option("--version", metavar="X.Y", help="Only this version of Blender; else every one found."),
]


def add_commands(app: typer.Typer) -> None:
    """Register ``install`` and ``uninstall``."""
    into = typer.Typer(help="Install masklet into a host application.", no_args_is_help=True)
    into.command("blender")(install_blender)
    into.command("nuke")(install_nuke)
    into.command("resolve")(install_resolve)
    out_of = typer.Typer(help="Take masklet out of a host application.", no_args_is_help=True)
    out_of.command("blender")(uninstall_blender)
    out_of.command("nuke")(uninstall_nuke)
    out_of.command("resolve")(uninstall_resolve)
    app.add_typer(into, name="install")
    app.add_typer(out_of, name="uninstall")


def install_blender(
    version: VersionOption = None,
    python: Annotated[
        Optional[Path],
        typer.Option("--python", metavar="FILE", help="The Python that has masklet; else this one."),
    ] = None,
) -> None:
    """Install the add-on into Blender 4.2 and newer, and tell it which Python carries its messages."""
    helper = python or Path(sys.executable)
    check_helper(helper)
    places = choose(find_blenders(), version)
    extension, identifier = make_extension(), extension_id()
    failed: MaskletError | None = None
    for place in places:
        try:
            done = install(place, extension, identifier)
        except OutputError as error:
            # One Blender that cannot be written does not keep the others from working.
            failed = error
            typer.echo(f"masklet: {error}", err=True)
            continue
        if done.by_blender:
            typer.echo(f"Blender {done.version}: installed and enabled, in {done.folder}")
        else:
            typer.echo(
                f"Blender {done.version}: installed in {done.folder}; start Blender and tick masklet in "
                "Edit > Preferences > Add-ons"
            )
    if failed is None or len(places) > 1:
        for file in _remember(helper, places):
            typer.echo(f"helper: {helper} (written to {file})")
    if failed is not None:
        raise typer.Exit(1)


def uninstall_blender(version: VersionOption = None) -> None:
    """Take the add-on out of Blender again; your .blend files keep their prompts and results."""
    identifier = extension_id()
    places = find_blenders()
    removed = 0
    for place in choose(places, version):
        done = uninstall(place, identifier)
        if done is None:
            typer.echo(f"Blender {place.version}: masklet was not installed")
            continue
        removed += 1
        typer.echo(f"Blender {done.version}: removed from {done.folder}")
        if not done.by_blender:
            typer.echo("  if it was ticked, Blender lists it once under missing add-ons: remove it there")
    if any(place.addon_folder(identifier).is_dir() for place in places):
        return
    if installed_in(user_folder() / FOLDER) is not None:
        # Nuke's messages go through the same helper.
        return
    forgotten = [forget_helper_python()]
    forgotten += [
        forget_helper_python({"XDG_CONFIG_HOME": str(place.sandbox_config)})
        for place in places
        if place.sandbox_config
    ]
    if any(forgotten):
        typer.echo("helper: forgotten")


def _remember(helper: Path, places: list[BlenderPlace]) -> list[Path]:
    """Write down the helper where each of these Blenders looks; return the files."""
    files = []
    if any(place.sandbox_config is None for place in places):
        files.append(remember_helper_python(helper))
    for config in sorted({place.sandbox_config for place in places if place.sandbox_config}):
        files.append(remember_helper_python(helper, {"XDG_CONFIG_HOME": str(config)}))
    return files
