"""``masklet resolve``: the clip under Resolve's playhead, and results back to it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from masklet.commands.exits import ExitCode
from masklet.commands.options import DeviceOption, ServerOption, TlsCaOption, TokenFileOption, WeightsOption
from masklet.commands.progress import Progress
from masklet.commands.prompt_words import parse_range
from masklet.errors import BadInputError
from masklet.hosting.work.connection import ConnectionSettings


def add_commands(app: typer.Typer) -> None:
    """Register ``resolve``."""
    app.command()(resolve)


def resolve(
    bring: Annotated[
        Optional[Path],
        typer.Option("--bring", metavar="FOLDER", help="Bring what roto --export json wrote to the clip."),
    ] = None,
    mattes: Annotated[
        str, typer.Option(metavar="clip-matte|track|none", help="Where --bring puts mattes.")
    ] = "clip-matte",
    comp: Annotated[bool, typer.Option(help="With --bring: masks and paths as a composition.")] = True,
    markers: Annotated[bool, typer.Option(help="With --bring: states as markers of the timeline.")] = True,
    files: Annotated[
        Optional[Path],
        typer.Option(
            "--files", metavar="FOLDER", help="For the free edition: write files to import by hand."
        ),
    ] = None,
    frames: Annotated[
        Optional[str],
        typer.Option(
            "--range", metavar="FIRST-LAST", help="With --files: frames that the clip shows; else all."
        ),
    ] = None,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Open the panel on the clip under the playhead of Resolve Studio or Fusion Studio.

    masklet resolve --bring mattes

    Resolve has to run on this machine, with Preferences > System > General > External scripting using: Local.
    """
    # By name: hosts stand on the core, never the other way round.
    starting: Any = importlib.import_module("masklet_resolve.starting")
    progress = Progress()
    if files is not None:
        starting.write_only(progress.say, files, None if frames is None else parse_range(frames))
        progress.say("how they get into the free edition: docs/resolve.md")
        return
    if bring is not None:
        if not starting.bring(progress.say, bring, _wanted(mattes, comp=comp, markers=markers)):
            raise typer.Exit(int(ExitCode.FAILED))
        return
    settings = ConnectionSettings(
        address=server or "",
        token_file="" if token_file is None else str(token_file),
        tls_ca_file="" if tls_ca is None else str(tls_ca),
        helper_python=sys.executable,
        weights=weights or "",
        device=device or "",
    )
    if code := starting.open_panel(progress.say, settings):
        raise typer.Exit(code)


def _wanted(mattes: str, *, comp: bool, markers: bool) -> Any:
    clips: Any = importlib.import_module("masklet_resolve.matte_clips")
    back: Any = importlib.import_module("masklet_resolve.bringing_back")
    ways = {one.value: one for one in clips.MatteWay} | {"none": None}
    if mattes not in ways:
        raise BadInputError(f"--mattes {mattes!r} is not understood: choose one of {', '.join(ways)}")
    return back.Wanted(ways[mattes], comp, markers)
