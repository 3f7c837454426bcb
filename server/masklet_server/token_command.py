"""``masklet-server token``: make, list and revoke signed tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masklet_server.identity.register import MadeToken

RegisterOption = Annotated[
    Path,
    typer.Option(
        "--signed-tokens",
        envvar="MASKLET_SERVE_SIGNED_TOKENS",
        help="The register, as the server's --signed-tokens names it; made where it is not there.",
    ),
]
MAX_DAYS = 3650.0
_DAY_S = 86400.0


def add_commands(app: typer.Typer) -> None:
    """Add ``token`` with its subcommands."""
    token = typer.Typer(help="Makes, lists and revokes signed tokens.", no_args_is_help=True)
    for command in (make, list_tokens, revoke, rotate):
        token.command("list" if command is list_tokens else command.__name__)(command)
    app.add_typer(token, name="token")


def make(
    user: Annotated[str, typer.Argument(help="Whose it is: user, or tenant/user.")],
    signed_tokens: RegisterOption,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, prompt, track, export or admin; repeat it. Without it all that artists do: not admin."
        ),
    ] = None,
    days: Annotated[float, typer.Option(min=0.01, max=MAX_DAYS, help="How long it counts.")] = 90.0,
    file: Annotated[
        Path | None, typer.Option(help="Write it there, for its user alone; otherwise it is printed.")
    ] = None,
) -> None:
    """Make a token. It is shown once and kept nowhere; a running server knows it within seconds."""
    from masklet.errors import BadInputError
    from masklet.scopes import SHARED, scopes_named
    from masklet_server.identity.caller import as_typed, check_unmistakable, named
    from masklet_server.identity.register import when
    from masklet_server.identity.signed_tokens import make_token

    try:
        scopes = scopes_named(scope) if scope else SHARED
    except ValueError as error:
        raise BadInputError(str(error)) from error
    identity = named(as_typed(user), scopes=scopes)
    check_unmistakable(identity)
    if file is not None and file.exists():
        raise BadInputError(f"{file} exists already: name another file")
    text, token = make_token(signed_tokens, identity, days * _DAY_S)
    typer.echo(
        f"token {token.token_id} of {user}, for {', '.join(token.scopes)}, until {when(token.expires_s)}",
        err=True,
    )
    if file is None:
        typer.echo(text)
    else:
        _write(file, text)


def list_tokens(signed_tokens: RegisterOption) -> None:
    """List tokens that were made: whose, for what, until when, and whether they count."""
    import time

    from rich.console import Console
    from rich.table import Table

    from masklet_server.identity.caller import account_of
    from masklet_server.identity.register import Register, when
    from masklet_server.identity.signed_tokens import state_of

    table = Table("id", "user", "scopes", "made", "expires", "state")
    for token in Register.read(signed_tokens).tokens:
        table.add_row(
            token.token_id,
            account_of(token.tenant, token.user),
            " ".join(token.scopes),
            when(token.made_s),
            when(token.expires_s),
            state_of(token, time.time()),
        )
    Console().print(table)


def revoke(
    token: Annotated[str, typer.Argument(help="The token's id, or its beginning; not the token itself.")],
    signed_tokens: RegisterOption,
) -> None:
    """Take a token back: a running server refuses it within seconds."""
    from masklet_server.identity.signed_tokens import revoke_token

    gone = revoke_token(_there(signed_tokens), token)
    typer.echo(f"revoked {gone.token_id} of {_account(gone)}")


def rotate(signed_tokens: RegisterOption) -> None:
    """Have a fresh key sign from now on. Tokens that were made before count until they expire."""
    from masklet_server.identity.signed_tokens import rotate_key

    rotate_key(_there(signed_tokens))
    typer.echo("a fresh key signs from now on")


def _there(register: Path) -> Path:
    from masklet.errors import BadInputError

    if not register.is_file():
        raise BadInputError(f"there is no register of tokens {register}: name the one of the server")
    return register


def _account(token: MadeToken) -> str:
    from masklet_server.identity.caller import account_of

    return account_of(token.tenant, token.user)


def _write(file: Path, text: str) -> None:
    import os

    from masklet.errors import OutputError

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(text + "\n")
    except OSError as error:
        raise OutputError(f"{file} cannot be written ({error.strerror}): check its folder") from error
