"""``masklet …``: the command line.

Exit codes: 0 done; 1 something given or something on the machine is not right, and the message says
what; 2 the command line itself; 3 no server answers or it does not let in; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys

import typer

from masklet.commands import dataset, demo, doctor, install, preview, review, roto, servers
from masklet.errors import AccessDeniedError, MaskletError, ServerUnreachableError

EXIT_FAILED = 1
EXIT_NO_SERVER = 3
EXIT_INTERRUPTED = 130


def make_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="masklet",
        help="Click an object, get its matte on every frame.",
        no_args_is_help=True,
        add_completion=False,
        # An expected failure is one line to a person; a bug is a plain traceback for us.
        pretty_exceptions_enable=False,
    )
    for module in (roto, review, preview, dataset, servers, doctor, demo, install):
        module.add_commands(app)
    return app


def main() -> None:
    """Run the command line and exit."""
    try:
        make_app()()
    except (ServerUnreachableError, AccessDeniedError) as error:
        _fail(error, EXIT_NO_SERVER)
    except MaskletError as error:
        _fail(error, EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _fail(error: MaskletError, code: int) -> None:
    typer.echo(f"masklet: {error}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
