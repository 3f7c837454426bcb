"""``masklet-server config``: look at the settings before a server has them."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from masklet_server.serve_settings import settings_of
from masklet_server.serving import serve_command, serve_context
from masklet_server.settings_file import options_of

_SOURCES = {
    "ENVIRONMENT": "environment",
    "DEFAULT_MAP": "file",
}

FileArgument = Annotated[Path | None, typer.Argument(help="TOML file; None shows what holds without one.")]


def add_commands(app: typer.Typer) -> None:
    """Add ``config check`` and ``config show``."""
    config = typer.Typer(help="Looks at the settings of a server.", no_args_is_help=True)
    config.command()(check)
    config.command()(show)
    app.add_typer(config, name="config")


def check(file: Annotated[Path, typer.Argument(help="TOML file.")]) -> None:
    """Say whether a server can run with a settings file, as the environment adds to it."""
    from masklet_server.service.listen import Access
    from masklet_server.service.roots import TenantRoots

    context = serve_context(file)
    settings = settings_of(context.params)
    Access.of(settings)
    TenantRoots(settings.roots, settings.tenant_roots)
    typer.echo(f"{file} is right: a server would listen on {settings.address}")


def show(file: FileArgument = None) -> None:
    """Print every setting as a settings file has it, and where each comes from."""
    context = serve_context(file)
    settings_of(context.params)
    for name, option in options_of(serve_command()).items():
        parameter = str(option.name)
        source = context.get_parameter_source(parameter)
        origin = _SOURCES.get(source.name, "default")
        value = _toml(context.params[parameter])
        typer.echo(f"{name} = {value}  # {origin}" if value else f"# {name} is not set")


def _toml(value: Any) -> str:
    """A value as TOML writes it; empty for none."""
    if value is None or value == () or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Enum):
        value = value.value
    # JSON's strings are TOML's.
    return str(value) if isinstance(value, (int, float)) else json.dumps(str(value))
