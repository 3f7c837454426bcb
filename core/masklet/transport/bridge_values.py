"""Values of masklet as JSON and raw bytes, and back: what the bridge sends.

Values say what they are: ``{"d": "Click", "v": {"x_px": 1.5, …}}`` is a dataclass, ``{"e": "Presence",
"v": "present"}`` an enum, ``{"p": "/shots"}`` a path and ``{"b": 0}`` the first of the byte strings that
travel beside the JSON as they are. Lists are tuples. Long tuples of values that hold only floats (the
vertices of splines) travel as eight bytes a number, which is exact and many times faster than JSON.

Only classes of masklet's own value modules are ever made, and both ends run on one machine, so the
byte order is the machine's.
"""

from __future__ import annotations

from array import array
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet import (
    anchors,
    bad_frames,
    candidates,
    clip_info,
    clip_reading,
    deliveries,
    events,
    found,
    frame_range,
    frame_states,
    holes,
    interpolation,
    kept_masks,
    mask,
    matte_settings,
    pictures,
    policies,
    prompt_kinds,
    scopes,
    session_list,
    shapes,
    types,
)
from masklet.transport import endpoint, interface

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKED_FROM = 8
"""Shorter tuples are cheaper as JSON than as bytes of their own."""

_MODULES = (
    mask,
    frame_range,
    frame_states,
    bad_frames,
    clip_info,
    kept_masks,
    prompt_kinds,
    policies,
    scopes,
    session_list,
    types,
    candidates,
    holes,
    deliveries,
    events,
    found,
    anchors,
    shapes,
    interpolation,
    matte_settings,
    pictures,
    clip_reading,
    interface,
    endpoint,
)
_CLASSES: dict[str, type[Any]] = {
    name: item
    for module in _MODULES
    for name, item in vars(module).items()
    if isinstance(item, type)
    and item.__module__ == module.__name__
    and (is_dataclass(item) or issubclass(item, Enum))
}
_FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(field.name for field in fields(item)) for name, item in _CLASSES.items() if is_dataclass(item)
}
_ALL_FLOATS = frozenset(
    name
    for name, item in _CLASSES.items()
    if is_dataclass(item) and all(field.type in ("float", float) for field in fields(item))
)


def encode(value: object, blobs: list[bytes]) -> Any:
    """What ``json`` can write of a value; its byte strings are appended to ``blobs``.

    Raises:
        TypeError: The value, or something in it, is none of masklet's.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        blobs.append(bytes(value))
        return {"b": len(blobs) - 1}
    if isinstance(value, (tuple, list, set, frozenset)):
        return _packed(value, blobs) or [encode(item, blobs) for item in value]
    name = type(value).__name__
    if _CLASSES.get(name) is type(value):
        if isinstance(value, Enum):
            return {"e": name, "v": value.value}
        return {"d": name, "v": {key: encode(getattr(value, key), blobs) for key in _FIELDS[name]}}
    if isinstance(value, Path):
        return {"p": str(value)}
    raise TypeError(f"a {name} cannot go over the bridge")


def decode(data: Any, blobs: Sequence[bytes]) -> Any:
    """The value that :func:`encode` was given; lists and sets come back as tuples.

    Raises:
        ValueError: The data is not of :func:`encode`, or of another version's.
    """
    try:
        return _decode(data, blobs)
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"unreadable value: {type(error).__name__} {error}") from error


def _decode(data: Any, blobs: Sequence[bytes]) -> Any:
    if isinstance(data, list):
        return tuple([_decode(item, blobs) for item in data])
    if not isinstance(data, dict):
        return data
    if "d" in data:
        name = data["d"]
        known, given = _FIELDS[name], data["v"]
        unknown = given.keys() - set(known)
        if unknown:
            raise ValueError(f"a {name} has no {', '.join(sorted(unknown))}")
        return _CLASSES[name](**{key: _decode(item, blobs) for key, item in given.items()})
    if "e" in data:
        found = _CLASSES[data["e"]]
        if not issubclass(found, Enum):
            raise ValueError(f"{data['e']} is no enum")
        return found(data["v"])
    if "f" in data:
        return _unpacked(data["f"], blobs[_index(data["b"])])
    if "b" in data:
        return blobs[_index(data["b"])]
    return Path(data["p"])


def _packed(values: Any, blobs: list[bytes]) -> Any:
    """Long tuples of one class that holds only floats, as bytes; None for all others."""
    if not isinstance(values, tuple) or len(values) < _PACKED_FROM:
        return None
    found = type(values[0])
    name = found.__name__
    if name not in _ALL_FLOATS or any(type(item) is not found for item in values):
        return None
    keys = _FIELDS[name]
    numbers = array("d", [getattr(item, key) for item in values for key in keys])
    blobs.append(numbers.tobytes())
    return {"f": name, "b": len(blobs) - 1}


def _unpacked(name: str, blob: bytes) -> tuple[Any, ...]:
    if name not in _ALL_FLOATS:
        raise ValueError(f"a {name} does not consist of floats")
    numbers = array("d")
    numbers.frombytes(blob)
    count = len(_FIELDS[name])
    if len(numbers) % count:
        raise ValueError(f"{len(numbers)} numbers make no whole {name}")
    made = _CLASSES[name]
    return tuple([made(*numbers[at : at + count]) for at in range(0, len(numbers), count)])


def _index(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no place of bytes")
    return value
