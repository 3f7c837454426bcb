"""Matte settings as people type them: ``grow=-1.5,feather=2,exclusive``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from masklet.errors import BadInputError
from masklet.matte_settings import MatteSettings

PLAIN = "plain"
_NUMBERS = {
    "grow": "grow_px",
    "feather": "feather_px",
    "black": "black",
    "white": "white",
    "gamma": "gamma",
    "calm": "calm",
}
_WHOLE_NUMBERS = {"fill-holes": "fill_holes_px", "drop-specks": "drop_specks_px"}
_SWITCHES = {"exclusive": "exclusive", "invert": "invert"}
_ON_OFF = {"": True, "on": True, "yes": True, "off": False, "no": False}


def settings_from(text: str, before: MatteSettings | None = None) -> MatteSettings:
    """The settings that a text makes of those that were there.

    Args:
        text: Names and values between commas; ``plain`` forgets all settings before it.
        before: None for the defaults.

    Raises:
        BadInputError: A name is not known, or a value is none; the message quotes it.
    """
    settings = before or MatteSettings()
    for part in (part.strip() for part in text.split(",")):
        if part == PLAIN:
            settings = MatteSettings()
            continue
        name, sign, value = (piece.strip() for piece in part.partition("="))
        try:
            settings = replace(settings, **_change(name, value if sign else ""))
        except KeyError:
            known = ", ".join([*_NUMBERS, *_WHOLE_NUMBERS, *_SWITCHES, PLAIN])
            raise BadInputError(f"--matte {text!r}: {name!r} is no setting, choose from {known}") from None
        except ValueError as error:
            raise BadInputError(f"--matte {text!r}: {error}") from error
    return settings


def _change(name: str, value: str) -> dict[str, Any]:
    if name in _SWITCHES:
        if value not in _ON_OFF:
            raise ValueError(f"{name} is on or off, not {value!r}")
        return {_SWITCHES[name]: _ON_OFF[value]}
    number = float if name in _NUMBERS else int
    field = _NUMBERS[name] if name in _NUMBERS else _WHOLE_NUMBERS[name]
    try:
        return {field: number(value)}
    except ValueError:
        kind = "a number" if number is float else "a whole number of pixels"
        raise ValueError(f"{name} needs {kind}, as in {name}=2") from None
