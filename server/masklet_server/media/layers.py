"""Which channels of a picture file are the plate: a rule over names alone, nothing is opened.

Renderers and compositing applications write many pictures into one EXR, as parts, as layers
(``diffuse.R``) and as views (``right.R``). The rule: three colours before one or two channels, names
that are known for the finished picture before others, passes that hold data and no light last. The
names are those of Nuke, Houdini and Karma, Arnold, V-Ray, Redshift, RenderMan and Blender; views
follow "Storing Multi-View Images in OpenEXR Files" of the OpenEXR documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from masklet.errors import BadInputError

#: Words for the finished picture, best first. A layer without any name comes before all of them.
FINISHED = (
    *("rgba", "rgb", "beauty", "combined", "composite", "c", "cf", "ci"),
    *("main", "master", "masterlayer", "final", "image", "color", "colour", "default"),
)
_DATA_WORDS = (
    ("depth", "zdepth", "zback", "zbuffer", "z", "mist", "deep", "distance", "disparity"),
    ("n", "nn", "ng", "normal", "tangent", "bump", "curvature"),
    ("motion", "motionvector", "mv", "velocity", "vector", "speed", "forward", "backward", "flow"),
    ("uv", "st", "texcoord", "barycentric", "facing", "fresnel", "wireframe"),
    ("p", "pos", "position", "pworld", "pref", "pointworld", "pointcamera"),
    ("albedo", "diffcol", "glosscol", "transcol", "subsurfacecol"),
    ("ao", "occlusion", "ambientocclusion", "dirt"),
    ("id", "ids", "objectid", "materialid", "mtlid", "renderid", "nodeid", "indexob", "indexma"),
    ("matte", "mask", "multimatte", "puzzlematte", "crypto", "cryptomatte"),
    ("variance", "sample", "samplecount", "noiselevel", "cputime", "raycount", "coverage", "debug"),
)
#: Words for passes that hold data: not pictures, though some are stored as red, green and blue.
DATA = frozenset(word for words in _DATA_WORDS for word in words)
_COLOURS = (("r", "g", "b"), ("red", "green", "blue"))
_GREYS = ("y", "luminance", "luma", "i", "l", "grey", "gray")
_VECTORS = frozenset({"x", "y", "z", "u", "v", "w", "s", "t"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHOWN_NAMES = 8


class Kind(IntEnum):
    """What a layer holds, best first."""

    COLOUR = 0
    GREY = 1
    OTHER = 2
    """One or two channels of no name that tells."""
    DATA = 3


@dataclass(frozen=True)
class Part:
    """One part of a file.

    Attributes:
        name: Empty where it has none.
        channels: Names in the order in which they are stored.
        view: Empty where the part belongs to none.
    """

    name: str
    channels: tuple[str, ...]
    view: str = ""


@dataclass(frozen=True)
class Layer:
    """Channels that belong together.

    Attributes:
        name: For people, and what ``--layer`` takes: ``ViewLayer.Combined``; empty for the plain R, G, B.
        view: Empty where the file has no views.
        part: Its place among the parts.
        channels: Places of red, green and blue in the part; thrice the same one for grey.
        kind: What it holds.
    """

    name: str
    view: str
    part: int
    channels: tuple[int, int, int]
    kind: Kind

    def is_called(self, name: str) -> bool:
        """True for its whole name, or the last part of it, in any case."""
        own, asked = self.name.lower(), name.strip().lower()
        return own == asked or own.endswith(f".{asked}") or (not own and asked in ("rgb", "rgba", "none"))


@dataclass(frozen=True)
class Choice:
    """The layer that was taken, and a sentence about the others; empty where nothing had to be guessed."""

    layer: Layer
    notice: str = ""


def choose_layer(
    parts: Sequence[Part], *, views: Sequence[str] = (), layer: str | None = None, view: str | None = None
) -> Choice:
    """The layer of a file that is the plate.

    Args:
        parts: In the order of the file, with at least one channel among them.
        views: What the file's ``multiView`` attribute lists, the default view first.
        layer: The one that was asked for; None for the best.
        view: The same.

    Raises:
        BadInputError: There is no layer or view of that name; the message lists those that are there.
    """
    layers = list(layers_of(parts, views))
    all_views = list(dict.fromkeys(each.view for each in layers if each.view))
    # The default view is the file's first; layers without a view belong to all.
    ordered = [name for name in views if name in all_views] or all_views
    seen = _view_of(ordered, view)
    found = [each for each in layers if each.view in (seen, "")] or layers
    asked = _named(found, layer)
    taken = min(asked, key=lambda each: (_rank(each), asked.index(each)))
    notices = []
    if view is None and len(ordered) > 1:
        notices.append(f"took the view {taken.view or seen}; others: {_listed(ordered, taken.view or seen)}")
    if layer is None and taken.name and len(found) > 1:
        notices.append(f"took the layer {taken.name}; others: {_listed(map(_shown, found), taken.name)}")
    return Choice(taken, "; ".join(notices))


def layers_of(parts: Sequence[Part], views: Sequence[str] = ()) -> Iterator[Layer]:
    """All layers of a file, in the order of their first channels; arguments as in :func:`choose_layer`."""
    known = frozenset(views) | frozenset(_eyes(parts)) | frozenset(part.view for part in parts if part.view)
    default = views[0] if views else ""
    for place, part in enumerate(parts):
        groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for index, channel in enumerate(part.channels):
            *path, base = channel.split(".")
            named = [word for word in path if word in known]
            inside = ".".join(word for word in path if word not in known)
            own = part.view or (named[0] if named else "" if path else default)
            groups.setdefault((inside, own), []).append((base.lower(), index))
        for (inside, own), members in groups.items():
            name = _layer_name(part.name, inside, own, alone=len(parts) == 1)
            channels, kind = _colours(dict(reversed(members)), _words(f"{part.name}.{inside}"))
            yield Layer(name, own, place, channels, kind)


def _layer_name(part: str, inside: str, view: str, *, alone: bool) -> str:
    """One name of the part's and the channels' own, without what both say."""
    # Nuke, among others, calls the parts of a stereo file "rgba.left" and "rgba.right".
    part = ".".join(word for word in part.split(".") if word != view) if view else part
    if alone and not inside:
        return ""
    if not inside or not part or alone:
        return inside or part
    ours, theirs = part.lower(), inside.lower()
    if theirs == ours or theirs.startswith(f"{ours}.") or ours.startswith(theirs):
        return inside if len(inside) >= len(part) else part
    return f"{part}.{inside}"


def _colours(bases: dict[str, int], words: frozenset[str]) -> tuple[tuple[int, int, int], Kind]:
    """Places of red, green and blue among a layer's channels, and what these are."""
    is_data = bool(words & DATA) or any(word.startswith("crypto") for word in words)
    for red, green, blue in _COLOURS:
        if red in bases and green in bases and blue in bases:
            return (bases[red], bases[green], bases[blue]), Kind.DATA if is_data else Kind.COLOUR
    vectors = [bases[base] for base in sorted(bases.keys() & _VECTORS)]
    grey = next((bases[base] for base in _GREYS if base in bases), None)
    if grey is not None and not is_data and len(vectors) <= 1:
        return (grey, grey, grey), Kind.GREY
    places = sorted(bases.values())
    if vectors or is_data:
        places = vectors or places
        own = (places[0], places[1], places[2]) if len(places) >= 3 else (places[0],) * 3
        return own, Kind.DATA
    if len(places) >= 3 and "a" not in bases:
        return (places[0], places[1], places[2]), Kind.OTHER
    return (places[0],) * 3, Kind.OTHER


def _rank(layer: Layer) -> tuple[int, int, int]:
    """What to sort by: what is smaller is more likely the plate."""
    if not layer.name:
        return layer.kind, -1, 0
    words = _words(layer.name)
    known = [place for place, word in enumerate(FINISHED) if word in words]
    # "beauty" before "beauty_key": the fewer words, the more it is the whole.
    return layer.kind, min(known, default=len(FINISHED)), len(re.split(r"[^0-9A-Za-z]+", layer.name))


def _words(name: str) -> frozenset[str]:
    """The words of a name in lower case: whole pieces, and pieces of ``CamelCase`` too."""
    words: set[str] = set()
    for piece in re.split(r"[^0-9A-Za-z]+", name):
        inner = [word.lower() for word in _WORD.findall(piece)]
        words.update(inner, (piece.lower().rstrip("0123456789"),), map("".join, pairwise(inner)))
    words |= {word[:-1] for word in words if word.endswith("s") and len(word) > 3}
    return frozenset(words - {""})


def _eyes(parts: Iterable[Part]) -> tuple[str, ...]:
    """Both eyes, where a file names its channels for them without saying so in its header."""
    found = {word for part in parts for channel in part.channels for word in channel.split(".")[:-1]}
    return ("left", "right") if {"left", "right"} <= found else ()


def _view_of(views: Sequence[str], asked: str | None) -> str:
    if asked is None:
        return views[0] if views else ""
    for name in views:
        if name.lower() == asked.strip().lower():
            return name
    have = f"it has {', '.join(views)}" if views else "it has no views"
    raise BadInputError(f"no view is called {asked!r}: {have}")


def _named(layers: Sequence[Layer], asked: str | None) -> Sequence[Layer]:
    if asked is None:
        return layers
    whole = [each for each in layers if each.name.lower() == asked.strip().lower()]
    found = whole or [each for each in layers if each.is_called(asked)]
    if not found:
        raise BadInputError(f"no layer is called {asked!r}: there are {_listed(map(_shown, layers), '')}")
    return found


def _shown(layer: Layer) -> str:
    return layer.name or "rgba"


def _listed(names: Iterable[str], taken: str) -> str:
    left = [name for name in dict.fromkeys(names) if name != taken]
    more = len(left) - _SHOWN_NAMES
    return ", ".join(left[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
