"""``masklet panel``: the window in which clips are clicked, tracked and corrected."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Optional

import typer

from masklet.commands.options import (
    DeviceOption,
    QualityOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    WeightsOption,
)
from masklet.errors import BadInputError
from masklet.extras import panel_sentence
from masklet.hosting.work.connection import ConnectionSettings


def add_commands(app: typer.Typer) -> None:
    """Register ``panel``."""
    app.command()(panel)


def panel(
    path: Annotated[
        Optional[str],
        typer.Argument(
            metavar="[CLIP | DOCUMENT]",
            help="A clip as roto takes it, or a .masklet.json document; left out: choose in the window.",
            show_default=False,
        ),
    ] = None,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    quality: QualityOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Open the window: click objects, track them, correct them, export.

    masklet panel plate.%04d.exr
    """
    lacking = panel_sentence()
    if lacking is not None:
        raise BadInputError(lacking)
    # By name: hosts stand on the core, never the other way round.
    desktop = importlib.import_module("masklet_panel.desktop")
    settings = ConnectionSettings(
        address=server or "",
        token_file="" if token_file is None else str(token_file),
        tls_ca_file="" if tls_ca is None else str(tls_ca),
        helper_python=sys.executable,
        weights=weights or "",
        device=device or "",
        quality=quality or "",
    )
    code = desktop.main(path, settings)
    if code:
        raise typer.Exit(code)
