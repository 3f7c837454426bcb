"""``masklet sessions``, ``masklet share`` and ``masklet unshare``: what a server holds, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.table import Column, Table

from masklet.commands.options import JsonOption, ServerOption, TlsCaOption, TokenFileOption, connect_as_asked
from masklet.commands.summary import print_json
from masklet.errors import BadInputError
from masklet.scopes import SHARED, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.client import Server
    from masklet.scopes import Scope
    from masklet.types import SessionSummary, Share

_WORK = ["prompt", "track", "export"]
SessionArgument = Annotated[str, typer.Argument(help="The session's id, or its beginning.")]
UserArgument = Annotated[str, typer.Argument(help="The other artist, as the server knows that one.")]


def add_commands(app: typer.Typer) -> None:
    """Register all three."""
    for command in (sessions, share, unshare):
        app.command()(command)


def sessions(
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    as_json: JsonOption = False,
) -> None:
    """List your sessions on a server, and those that others share with you."""
    with connect_as_asked(server, token_file, tls_ca) as connected:
        found = connected.sessions()
    if as_json:
        print_json({"sessions": [_json(each) for each in found]})
        return
    # Ids are copied: never cut off, however narrow the terminal is.
    table = Table(Column("session", no_wrap=True), "clip", "objects", "idle", "whose", "for")
    for each in found:
        idle = "busy" if each.is_busy else f"{each.idle_s / 60:.0f} min"
        whose = each.owner or "yours"
        table.add_row(
            each.session_id, each.clip_name, str(each.objects), idle, whose, _words(each.rights) or "all"
        )
    Console().print(table)


def share(
    session: SessionArgument,
    user: UserArgument,
    may: Annotated[
        Optional[list[str]],
        typer.Option(
            help=f"{', '.join(s.value for s in in_order(SHARED))}; repeat it. Without it all of them."
        ),
    ] = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let another artist work in a session of yours: in any host, where that one finds it in the list."""
    with connect_as_asked(server, token_file, tls_ca) as connected:
        found = _own(connected, session)
        _tell(connected.resume(found.session_id).share(user, may or _WORK), as_json=as_json)


def unshare(
    session: SessionArgument,
    user: UserArgument,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what was shared with another artist."""
    with connect_as_asked(server, token_file, tls_ca) as connected:
        found = _own(connected, session)
        _tell(connected.resume(found.session_id).unshare(user), as_json=as_json)


def _own(server: Server, session: str) -> SessionSummary:
    found = [each for each in server.sessions() if session and each.session_id.startswith(session)]
    if len(found) != 1:
        raise BadInputError(
            f"{len(found) or 'no'} sessions begin with {session!r}: masklet sessions shows them"
        )
    return found[0]


def _tell(shares: Iterable[Share], *, as_json: bool) -> None:
    told = list(shares)
    if as_json:
        print_json({"shares": [{"user": each.user, "rights": _names(each.rights)} for each in told]})
        return
    for each in told:
        typer.echo(f"shared with {each.user} for {_words(each.rights)}")
    if not told:
        typer.echo("shared with nobody")


def _json(each: SessionSummary) -> dict[str, Any]:
    return {
        "session": each.session_id,
        "clip": each.clip_name,
        "objects": each.objects,
        "idle_s": round(each.idle_s, 3),
        "busy": each.is_busy,
        "owner": each.owner or None,
        "rights": _names(each.rights) or None,
    }


def _names(rights: Iterable[Scope]) -> list[str]:
    return [each.value for each in rights]


def _words(rights: Iterable[Scope]) -> str:
    return ", ".join(_names(rights))
