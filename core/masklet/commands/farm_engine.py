"""What engines call on workers: parts of ``masklet farm`` that people do not type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def add_engine_commands(farm: typer.Typer) -> None:
    """Register the hidden commands."""
    farm.command(hidden=True)(enter)
    farm.command(hidden=True)(leave)
    farm.command(hidden=True)(task)


_Paths = Annotated[Optional[Path], typer.Option("--paths", help="OpenJD's rules for paths.")]
_Ready = Annotated[Path, typer.Option("--ready", help="The file that says where the server is.")]


def enter(
    ready: _Ready,
    weights: Annotated[Optional[str], typer.Option("--weights")] = None,
    device: Annotated[Optional[str], typer.Option("--device")] = None,
    quality: Annotated[Optional[str], typer.Option("--quality")] = None,
    gpu_memory_gib: Annotated[float, typer.Option("--gpu-memory")] = 0.0,
    paths: _Paths = None,
) -> None:
    """Start the server of a worker's session; the environment of its tasks then names it."""
    from masklet.errors import MaskletError
    from masklet.farm.task import mapped
    from masklet.farm.template import SERVER_VARIABLE
    from masklet.farm.worker_server import enter as start

    try:
        if weights is not None:
            weights = mapped(weights, paths)
        start(ready, weights=weights, device=device, quality=quality, gpu_memory_gib=gpu_memory_gib)
    except MaskletError as error:
        typer.echo(f"openjd_fail: {error}")
        raise
    typer.echo(f"openjd_env: {SERVER_VARIABLE}={ready}")


def leave(ready: _Ready) -> None:
    """End the server of a worker's session."""
    from masklet.farm.worker_server import leave as end

    end(ready)


def task(
    job: Annotated[Path, typer.Option("--job")],
    out: Annotated[Path, typer.Option("--out")],
    shot: Annotated[str, typer.Option("--shot")],
    stage: Annotated[str, typer.Option("--stage")],
    piece: Annotated[int, typer.Option("--piece")] = 0,
    paths: _Paths = None,
) -> None:
    """Do one task of a job."""
    from masklet.errors import MaskletError
    from masklet.farm.performing import perform
    from masklet.farm.task import find_task

    try:
        found = find_task(job, out, shot, stage, piece, mapping=paths)
    except MaskletError as error:
        typer.echo(f"openjd_fail: {error}")
        raise
    perform(found)
