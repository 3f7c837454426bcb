"""``masklet …``: the command line. How it ends is in :mod:`masklet.commands.exits`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from masklet.commands import (
    carry,
    cluster,
    dataset,
    demo,
    doctor,
    farm,
    find,
    find_again,
    install,
    panel,
    preview,
    publish,
    rebuild,
    resolve,
    review,
    roto,
    servers,
    sharing,
)
from masklet.commands.exits import ExitCode
from masklet.commands.summary import failure, print_json
from masklet.errors import AccessDeniedError, MaskletError, ServerUnreachableError
from masklet.version import VERSION


def make_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="masklet",
        help="Click an object, get its matte on every frame.",
        epilog="Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in ExitCode) + ".",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        # An expected failure is one line to a person; a bug is a plain traceback for us.
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    commands = (
        roto,
        panel,
        review,
        find,
        find_again,
        carry,
        preview,
        publish,
        rebuild,
        resolve,
        farm,
        cluster,
        dataset,
        servers,
        sharing,
        doctor,
        demo,
        install,
    )
    for module in commands:
        module.add_commands(app)
    return app


def main() -> None:
    """Run the command line and exit."""
    try:
        make_app()()
    except SystemExit as error:
        if error.code == int(ExitCode.USAGE):
            _tell_usage(error)
        # The parser ends in silence at Ctrl-C. A command that ended by itself has told all already.
        if isinstance(getattr(error.__context__, "__cause__", None), KeyboardInterrupt):
            _fail(ExitCode.INTERRUPTED, "interrupted", "stopped; files that were finished are kept")
        raise
    except (ServerUnreachableError, AccessDeniedError) as error:
        _fail(ExitCode.NO_SERVER, error.kind, str(error))
    except MaskletError as error:
        _fail(ExitCode.FAILED, error.kind, str(error))
    except KeyboardInterrupt:
        _fail(ExitCode.INTERRUPTED, "interrupted", "stopped")


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"masklet {VERSION}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    del version  # told by its callback, before a command is looked for


def _tell_usage(error: SystemExit) -> None:
    """What the parser has said to people already, for a script that asked for JSON."""
    words = getattr(error.__context__, "format_message", None)
    if "--json" in sys.argv[1:] and words is not None:
        print_json(failure(ExitCode.USAGE, "usage", str(words())))


def _fail(code: ExitCode, kind: str, message: str) -> None:
    typer.echo(f"masklet: {message}", err=True)
    # Whatever went wrong, a script that asked for JSON gets some.
    if "--json" in sys.argv[1:]:
        print_json(failure(code, kind, message))
    sys.exit(int(code))


if __name__ == "__main__":
    main()
