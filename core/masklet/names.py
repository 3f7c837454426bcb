"""One rule for the names of objects and files, in the command line, the server and the hosts.

People call things as they like: spaces, dots, accents and any script are welcome, what no file system
takes is not. Layers and files carry such a name as a word that every tool reads, and the same name gives
the same word everywhere: ``shot 010.mov`` makes ``shot_010_mattes.1001.exr``.

Nuke's EXR reader (``ExrChannelNameToNuke``, published with its developer kit) splits a channel
name at its dots, deletes digits at the start of each part, turns everything but ASCII letters and
digits into underscores, reads a part that equals a view's name as that view, and takes ``Ci`` and
an empty layer as the main layer. A layer called ``2`` therefore lands in rgba and overwrites it.
Layer names made here pass through that reader unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, NameTakenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from masklet.types import ObjectInfo

FORBIDDEN = '/\\:*?"<>|'
"""Names become folders and files on three operating systems."""
MAX_CHARACTERS = 64
"""A file name holds the clip's name, an object's, a frame number and an extension in 255 bytes."""
_NO_CLIP = "clip"

# What Windows takes for a device, whatever the extension.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
# Layers every Nuke script has, names of its default views, and what its reader treats apart.
_NUKES_OWN = frozenset(
    {
        "all",
        "alpha",
        "backward",
        "ci",
        "deep",
        "depth",
        "disparity",
        "forward",
        "left",
        "main",
        "mask",
        "motion",
        "none",
        "other",
        "rgb",
        "rgba",
        "right",
        "rotopaint_mask",
    }
)
# Latin letters that Unicode does not take apart.
_LATIN = str.maketrans(
    {
        **{"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"},
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D"},
    }
)
# Signs that count as printable and show nothing (Unicode's Default_Ignorable_Code_Point, and the empty
# pattern of Braille): with one of them a name looks like another.
_UNSEEN = dict.fromkeys(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    )
)
_FRAME_FIELD = re.compile(r"%0?\d*d|#+|@+")
# ".v2" at the end of a name is a version.
_EXTENSION = re.compile(r"\.(?!v\d+$)[A-Za-z][A-Za-z0-9]{1,4}$")


def checked_object_name(name: str, taken: Iterable[str] = ()) -> str:
    """The name without spaces at its ends, accents in one piece.

    Args:
        name: As it was typed.
        taken: Names of the other objects.

    Raises:
        BadInputError: It cannot be a layer and a file.
        NameTakenError: Another object has it.
    """
    name = _checked(name, "an object")
    if name in set(taken):
        raise NameTakenError(f"another object is called {name!r}: choose another name")
    return name


def free_object_name(taken: Iterable[str]) -> str:
    """The first of ``object1``, ``object2``, … that is free."""
    names = set(taken)
    number = 1
    while f"object{number}" in names:
        number += 1
    return f"object{number}"


def without_unseen(name: str) -> str:
    """The name without signs that show nothing, accents in one piece: one that looks the same is the same."""
    return unicodedata.normalize("NFC", name.translate(_UNSEEN)).strip()


def layer_name(name: str) -> str:
    """A name of ASCII letters, digits and underscores that starts with a letter: of a layer or a folder.

    Accents are dropped (``café`` becomes ``cafe``), letters of other scripts become their code
    points (``猫`` becomes ``u732b``), all else becomes an underscore. A name that would then start
    with anything but a letter, or that Nuke or Windows keeps for itself, is prefixed with ``obj_``.
    Anything goes in, and at most 64 characters come out.
    """
    plain = re.sub(r"_+", "_", _plain(name, kept=""))[:MAX_CHARACTERS].strip("_")
    if not plain[:1].isalpha() or plain.lower() in _NUKES_OWN | _DEVICES:
        plain = f"obj_{plain}"[:MAX_CHARACTERS].rstrip("_")
    return plain


def layer_names(objects: Iterable[ObjectInfo]) -> Mapping[int, str]:
    """A different layer name for each object, by object id.

    Two names that become the same get ``_2``, ``_3`` … in the order of their ids, so that a name
    does not depend on the order in which objects are listed. Upper and lower case count as the
    same, because file systems may.
    """
    taken: set[str] = set()
    names: dict[int, str] = {}
    for each in sorted(objects, key=lambda each: each.object_id):
        base = layer_name(each.name)
        name, number = base, 1
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        names[each.object_id] = name
    return names


def clip_stem(clip: str) -> str:
    """What files made from a clip begin with: its name without folder, frame field and extension.

    ``plate.%04d.exr`` gives ``plate``, ``shot 010.mov`` gives ``shot_010``, ``%05d.jpg`` gives
    ``clip``. Anything goes in; letters, digits, dots, hyphens and underscores come out.
    """
    name = re.split(r"[/\\]", clip.rstrip("/\\"))[-1]
    return _stem(_FRAME_FIELD.sub("", _EXTENSION.sub("", name))) or _NO_CLIP


def checked_stem(name: str) -> str:
    """What files begin with that a person calls ``name``: spaces and accents as in :func:`clip_stem`.

    Raises:
        BadInputError: No file can be called so.
    """
    stem = _stem(_checked(name, "a file"))
    if not stem:
        raise BadInputError(f"files cannot be called {name!r}: use letters and digits")
    return stem


def _checked(name: str, what: str) -> str:
    """The name as it is seen: macOS takes accents apart, and they are put together again."""
    plain = without_unseen(name)
    if not plain or plain in {".", ".."} or not plain.isprintable():
        raise BadInputError(f"{name!r} cannot be the name of {what}: use letters and digits")
    if len(plain) > MAX_CHARACTERS:
        raise BadInputError(
            f"the name of {what} has at most {MAX_CHARACTERS} characters: choose a shorter one"
        )
    bad = sorted(set(plain) & set(FORBIDDEN))
    if bad:
        raise BadInputError(
            f"the name {plain!r} holds {' '.join(bad)}, which layers and files cannot: choose another name"
        )
    return plain


def _stem(name: str) -> str:
    stem = re.sub(r"_+", "_", re.sub(r"\.+", ".", _plain(name, kept=".-")))
    stem = stem.strip("._-")[:MAX_CHARACTERS].rstrip("._-")
    return f"{stem}_" if stem.lower() in _DEVICES else stem


def _plain(name: str, *, kept: str) -> str:
    """The name in ASCII letters, digits, underscores and what is ``kept``."""
    parts: list[str] = []
    for letter in unicodedata.normalize("NFKD", name.strip().translate(_LATIN)):
        if letter.isascii():
            parts.append(letter if letter.isalnum() or letter in kept else "_")
        elif unicodedata.category(letter)[0] in "LNS":
            parts.append(f"u{ord(letter):04x}")
    return "".join(parts)
