"""Finding again what was made: a tag on the datablock, whatever the artist has renamed it to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    import bpy

    Datablock = TypeVar("Datablock", bound=bpy.types.ID)

PROPERTY = "masklet"
"""Name of the custom property that holds the tag, as JSON."""


class Role(Enum):
    """What a datablock is to us. One owner has at most one of each."""

    MASK = "mask"
    MATTE = "matte"
    TRACKS = "tracks"
    EMPTY = "empty"
    GROUP = "group"
    RECORD = "record"


@dataclass(frozen=True)
class Tag:
    """What a datablock says of itself.

    Attributes:
        role: What it is.
        owner: Whose it is; chosen by the caller, the same for one object of one session for ever.
        parts: Names of the parts inside it that are ours, where parts carry no tags: layers of a mask.
    """

    role: Role
    owner: str
    parts: tuple[str, ...] = ()


def write_tag(datablock: bpy.types.ID, tag: Tag) -> None:
    """Mark a datablock as ours; an older tag is replaced."""
    datablock[PROPERTY] = json.dumps({"role": tag.role.value, "owner": tag.owner, "parts": list(tag.parts)})


def read_tag(datablock: bpy.types.ID) -> Tag | None:
    """The tag of a datablock; None where it has none, or one that cannot be read."""
    found = read_property(datablock, PROPERTY)
    try:
        return Tag(Role(found["role"]), str(found["owner"]), tuple(str(part) for part in found["parts"]))
    except (ValueError, KeyError, TypeError):
        return None


def read_property(datablock: Any, name: str) -> Any:
    """What a custom property says in JSON; None where it is missing or says nothing."""
    text = datablock.get(name)
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def find(collection: Iterable[Datablock], role: Role, owner: str) -> Datablock | None:
    """The datablock of a role and an owner; None where there is none.

    A datablock that the artist duplicated has the same tag; the first by name is taken, which is the
    original, since Blender numbers its copies. What is linked from another file cannot be changed and is
    passed over.
    """
    for datablock in collection:
        if datablock.library is None:
            tag = read_tag(datablock)
            if tag is not None and tag.role is role and tag.owner == owner:
                return datablock
    return None
