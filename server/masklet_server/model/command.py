"""``masklet-server weights …``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from masklet.types import ModelInfo
from masklet_server.model import download, store

_FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", help="Folder of the weights; by default MASKLET_WEIGHTS or your own data folder."
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Add ``weights`` with its subcommands to the server's command line."""
    weights = typer.Typer(no_args_is_help=True, help="List, add, check, convert and fetch weights.")
    weights.command("list")(list_weights)
    weights.command("add")(add)
    weights.command("verify")(verify)
    weights.command("convert")(convert)
    weights.command("pull")(pull)
    app.add_typer(weights, name="weights")


def list_weights(folder: _FolderOption = None) -> None:
    """Show all weights: name, licence, size, SHA-256."""
    found = store.list_weights(folder)
    if found:
        _show(*found)
    else:
        typer.echo(f"There are no weights in {store.weights_folder(folder)}: fetch some with weights pull.")


def add(
    file: Annotated[Path, typer.Argument(help="A .pt or .safetensors file.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the file's name by default.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence, as an SPDX name.")] = None,
    folder: _FolderOption = None,
) -> None:
    """Check a file and copy it into the weights folder."""
    from masklet_server.model.checkpoint import read_checkpoint

    read_checkpoint(file)
    _show(store.add_weights(file, name=name, licence=licence, folder=folder))


def verify(
    name: Annotated[str, typer.Argument(help="As weights list shows it.")], folder: _FolderOption = None
) -> None:
    """Check a file's bytes against their record, and every key and shape against the network."""
    from masklet_server.model.checkpoint import read_checkpoint

    info = store.verify_weights(name, folder)
    config = read_checkpoint(store.find_weights(name, folder)).config
    typer.echo(f"{name} is whole: weights of {config.name}, SHA-256 {info.sha256}")


def convert(
    source: Annotated[Path, typer.Argument(help="An official .pt checkpoint.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    licence: Annotated[str, typer.Option(help="Kept in the file.")] = download.OFFICIAL_LICENCE,
) -> None:
    """Write the weights of a checkpoint as safetensors, with name and licence in its header."""
    from masklet_server.model import checkpoint

    config = checkpoint.convert(source, target, licence=licence)
    typer.echo(f"{target} holds the weights of {config.name}")


def pull(
    name: Annotated[str, typer.Argument(help="For example sam2.1_hiera_tiny.")],
    folder: _FolderOption = None,
    address: Annotated[
        str, typer.Option(help="Where to fetch from: a mirror, for instance.")
    ] = download.BASE_ADDRESS,
    sha256: Annotated[
        str | None, typer.Option(help="What the file must be; another one is thrown away.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for every megabyte, for hosts.")
    ] = False,
) -> None:
    """Fetch an official checkpoint from Meta's published address.

    Stopped, it goes on from there the next time. HTTPS_PROXY and NO_PROXY are heeded.
    """
    if as_json:
        info = download.pull_weights(
            name,
            folder=folder,
            base_address=address,
            sha256=sha256,
            check=_read,
            progress=_tell_in_json,
        )
        typer.echo(json.dumps({"name": info.name, "sha256": info.sha256}))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        info = download.pull_weights(
            name,
            folder=folder,
            base_address=address,
            sha256=sha256,
            check=_read,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _show(info)


def _read(file: Path) -> None:
    # It needs torch, which takes seconds: whoever waits for the first byte need not wait for that.
    from masklet_server.model.checkpoint import read_checkpoint

    read_checkpoint(file)


def _tell_in_json(done_bytes: int, total_bytes: int | None) -> None:
    typer.echo(json.dumps({"done_bytes": done_bytes, "total_bytes": total_bytes}))


def _show(*infos: ModelInfo) -> None:
    table = Table("name", "licence", "size", "SHA-256", box=None, pad_edge=False)
    for info in infos:
        table.add_row(info.name, info.licence, f"{info.size_bytes / 1e6:.1f} MB", info.sha256)
    # Wide enough for a digest on one line, also where the terminal is not.
    Console(width=140).print(table)
