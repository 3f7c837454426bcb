"""Whether a command line is one that our programs take, without running it."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from masklet_server.cli import app as server_app


def group(app: typer.Typer) -> Any:
    return typer.main.get_command(app)


def check_command(command: Any, words: list[str]) -> None:
    """See that a command of ours takes these words: the options exist and their values fit."""
    context = command.context_class(command, info_name=command.name)
    if isinstance(command, TyperGroup):
        assert words, "a group needs a command"
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]!r}"
        check_command(found, words[1:])
        return
    if command.context_settings.get("ignore_unknown_options"):
        # Handed on as it is.
        check_command(group(server_app), [str(command.name), *words])
        return
    values, rest, _ = command.make_parser(context).parse_args(args=list(words))
    assert rest == [] or any(parameter.nargs == -1 for parameter in command.params), f"{rest} is too much"
    for parameter in command.params:
        value = values.get(parameter.name)
        if parameter.required:
            assert value, f"{parameter.name} is missing"
        # Paths are the reader's own.
        if value is not None and "Path" not in str(parameter.type_descriptor.annotation):
            parameter.process_value(context, value)
