"""The settings of a server in one TOML file, under the names of the options."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from masklet.errors import BadInputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 20
_ELSEWHERE = frozenset({"config", "help", "announce", "ready-file", "drained-file", "stop-with-stdin"})
"""What whoever starts the process says, not whoever keeps it."""


class Option(Protocol):
    """What is needed of an option as Click knows it, in whatever package that is."""

    @property
    def name(self) -> str | None:
        """Of the parameter."""
        ...

    @property
    def opts(self) -> Sequence[str]:
        """As it is typed."""
        ...

    @property
    def multiple(self) -> bool:
        """True where it may be repeated."""
        ...


class Command(Protocol):
    """A command with options."""

    @property
    def params(self) -> Sequence[Any]:
        """All of them."""
        ...


def options_of(command: Command) -> dict[str, Option]:
    """The options of a command that can stand in the file, by their names there: ``max-sessions``."""
    found: dict[str, Option] = {}
    for parameter in command.params:
        name = next((each[2:] for each in parameter.opts if each.startswith("--")), "")
        if name and name not in _ELSEWHERE:
            found[name] = parameter
    return found


def read_settings_file(path: Path, command: Command) -> dict[str, Any]:
    """Values for the parameters of a command, as Click's ``default_map`` takes them.

    Raises:
        BadInputError: The file cannot be read, is no TOML, or says something that is no option.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInputError(f"the settings file {path} is larger than 1 MiB: name the right file")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInputError(
            f"the settings file {path} cannot be read ({error.strerror}): check it"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"the settings file {path} is no TOML ({error}): correct it there") from error
    options = options_of(command)
    values = {}
    for name, value in table.items():
        if name not in options:
            near = difflib.get_close_matches(name, options, 1)
            hint = f"did you mean {near[0]}?" if near else "masklet-server config show lists all"
            raise BadInputError(f"{name!r} in the settings file {path} is no setting: {hint}")
        values[str(options[name].name)] = _checked(name, value, options[name], path)
    return values


def _checked(name: str, value: Any, option: Option, path: Path) -> Any:
    if isinstance(value, dict) and option.multiple:
        value = [f"{key}={part}" for key, part in value.items()]
    if option.multiple and isinstance(value, str):
        value = [value]
    is_flag = bool(getattr(option, "is_flag", False))
    plain = (str, int, float)
    if option.multiple:
        is_right = isinstance(value, list) and all(isinstance(each, plain) for each in value)
        wanted = "a list"
    elif is_flag:
        is_right, wanted = isinstance(value, bool), "true or false"
    else:
        is_right, wanted = isinstance(value, plain) and not isinstance(value, bool), "one value"
    if not is_right:
        raise BadInputError(f"{name} in the settings file {path} has to be {wanted}: correct it there")
    return value
