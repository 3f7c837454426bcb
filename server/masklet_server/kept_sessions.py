"""``masklet-server sessions …``: what a server keeps, without the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_server.journal.listing import Listed

_FolderOption = Annotated[
    Path | None,
    typer.Option("--sessions", help="Folder of the server's sessions; all of the user's by default."),
]


def add_commands(app: typer.Typer) -> None:
    """Add ``sessions`` with its subcommands to the server's command line."""
    sessions = typer.Typer(
        no_args_is_help=True, help="List, export and remove the sessions that servers keep."
    )
    sessions.command("list")(list_sessions)
    sessions.command("export")(export)
    sessions.command("remove")(remove)
    app.add_typer(sessions, name="sessions")


def list_sessions(sessions: _FolderOption = None) -> None:
    """List kept sessions: whose, which clip, how many objects, how large, when used last."""
    from rich.console import Console
    from rich.table import Table

    from masklet_server.journal.listing import shown_age, shown_size

    table = Table("session", "owner", "clip", "objects", "size", "idle", "folder")
    for each in _all(sessions):
        table.add_row(
            each.session_id,
            each.owner,
            each.clip_name,
            str(each.objects),
            shown_size(each.size_bytes),
            shown_age(each.idle_s),
            str(each.folder.parent),
        )
    Console().print(table)


def export(
    session: Annotated[str, typer.Argument(help="The session's id, or its beginning.")],
    file: Annotated[Path, typer.Argument(help="The prompt document to write.")],
    sessions: _FolderOption = None,
    salvage: Annotated[
        bool, typer.Option("--salvage", help="Of a damaged session, write what can be read.")
    ] = False,
) -> None:
    """Write what was said in a session as a prompt document, with the masks of locked frames."""
    from dataclasses import replace

    from masklet.errors import OutputError
    from masklet.prompts import write_shot
    from masklet_server.journal.listing import folder_named, shot_in
    from masklet_server.service.overscan import document_outside

    folder = folder_named(_folders(sessions), session)
    shot, clip, lost = shot_in(folder, salvage=salvage)
    # Clients count from the display window, sessions from the first stored pixel.
    shot = replace(shot, document=document_outside(shot.document, clip))
    if file.exists():
        raise OutputError(f"{file} exists already: name another file")
    write_shot(file, shot)
    for each in (*lost, *shot.notes):
        typer.echo(f"left out: {each}", err=True)
    document = shot.document
    typer.echo(f"wrote {len(document.objects)} objects and {len(document.prompts)} prompted frames to {file}")


def remove(
    session: Annotated[str, typer.Argument(help="The session's id, or its beginning.")],
    sessions: _FolderOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a session with its masks and its uploaded clip. A server that has it open loses it."""
    from masklet.errors import OutputError
    from masklet.own_folder import remove_tree
    from masklet_server.journal.listing import folder_named

    folder = folder_named(_folders(sessions), session)
    if not yes and not typer.confirm(f"delete the session {folder.name} for good?"):
        raise typer.Exit(1)
    if not remove_tree(folder):
        raise OutputError(f"{folder} could not be deleted whole: check its permissions")
    typer.echo(f"deleted {folder.name}")


def _all(sessions: Path | None) -> Iterator[Listed]:
    from masklet_server.journal.listing import listed

    for folder in _folders(sessions):
        yield from listed(folder)


def _folders(sessions: Path | None) -> list[Path]:
    from masklet_server.journal.places import folders_of_all

    return [sessions] if sessions is not None else folders_of_all()
