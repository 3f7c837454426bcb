"""Names of objects as layers of an EXR and as parts of file names.

Nuke's EXR reader (``ExrChannelNameToNuke``, published with its developer kit) splits a channel
name at its dots, deletes digits at the start of each part, turns everything but ASCII letters and
digits into underscores, reads a part that equals a view's name as that view, and takes ``Ci`` and
an empty layer as the main layer. A layer called ``2`` therefore lands in rgba and overwrites it.
Names made here pass through that reader unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from masklet.types import ObjectInfo

# A file name holds the clip's name, this one, a frame number and an extension in 255 bytes.
_MAX_LENGTH = 64
# Layers every Nuke script has, names of its default views, and what its reader treats apart.
_RESERVED = frozenset(
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


def safe_name(name: str) -> str:
    """A name of ASCII letters, digits and underscores that starts with a letter.

    Accents are dropped (``café`` becomes ``cafe``), letters of other scripts become their code
    points (``猫`` becomes ``u732b``), all else becomes an underscore. A name that would then start
    with anything but a letter, or that Nuke keeps for itself, is prefixed with ``obj_``. Anything
    goes in, and at most 64 characters come out.
    """
    parts: list[str] = []
    for letter in unicodedata.normalize("NFKD", name.strip()):
        if letter.isascii():
            parts.append(letter if letter.isalnum() else "_")
        elif unicodedata.category(letter)[0] in "LNS":
            parts.append(f"u{ord(letter):04x}")
    safe = re.sub(r"_+", "_", "".join(parts))[:_MAX_LENGTH].strip("_")
    if not safe[:1].isalpha() or safe.lower() in _RESERVED:
        safe = f"obj_{safe}"[:_MAX_LENGTH].rstrip("_")
    return safe


def safe_names(objects: Iterable[ObjectInfo]) -> Mapping[int, str]:
    """A different safe name for each object, by object id.

    Two names that become the same get ``_2``, ``_3`` … in the order of their ids, so that a name
    does not depend on the order in which objects are listed. Upper and lower case count as the
    same, because file systems may.
    """
    taken: set[str] = set()
    names: dict[int, str] = {}
    for each in sorted(objects, key=lambda each: each.object_id):
        base = safe_name(each.name)
        name, number = base, 1
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        names[each.object_id] = name
    return names


def clip_stem(clip_name: str) -> str:
    """What files made from a clip begin with: its name without number and extension.

    ``plate.%04d.exr`` gives ``plate``, ``shot 010.mov`` gives ``shot_010``, ``%05d.jpg`` gives
    ``clip``.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", clip_name)
    stem = re.sub(r"(%0?\d*d|#+|@+)$", "", stem)
    safe = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9-]", "_", unicodedata.normalize("NFKD", stem))).strip("_-")
    return safe or "clip"
