"""Checks of what the headers of mattes say: size, pixels, colour, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.frame_runs import runs_of, shown
from masklet.names import checked_stem
from masklet.publish.collected import Role
from masklet.publish.problems import Problem, Repair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from masklet.publish.collected import Collected, Part
    from masklet.publish.picture_headers import PictureHeader

_DATA = "data"
_ASPECT_ERROR = {"png8": 0.015, "png16": 0.015}
"""Share by which an aspect may be off: PNG has whole pixels a metre, and libraries write a hundred or so."""
_SMALL_ERROR = 2e-4
"""EXR has a float of 32 bits, a movie a fraction."""


def resolution(collected: Collected) -> Iterator[Problem]:
    """Every matte has the size of the plate's display window."""
    plate = collected.record.plate
    wanted = (plate.width_px, plate.height_px)
    for part in collected.pictures:
        yield from _odd(
            part,
            "resolution",
            lambda header: (header.width_px, header.height_px) != wanted,
            lambda header: (
                f"{header.width_px} x {header.height_px} pixels and the plate {wanted[0]} x {wanted[1]}"
            ),
        )


def pixel_aspect(collected: Collected) -> Iterator[Problem]:
    """Every matte has pixels as wide as the plate's."""
    wanted = collected.record.plate.pixel_aspect
    for part in collected.pictures:
        error = wanted * _ASPECT_ERROR.get(part.kind, _SMALL_ERROR)
        yield from _odd(
            part,
            "pixel-aspect",
            lambda header, error=error: abs(header.pixel_aspect - wanted) > error,  # type: ignore[misc]
            lambda header: f"pixels of {header.pixel_aspect:g} and the plate of {wanted:g}",
        )


def colour_space(collected: Collected) -> Iterator[Problem]:
    """No matte says that it is a picture with colours, and the plate's space is known."""
    for part in collected.pictures:
        yield from _odd(
            part,
            "colour-space",
            lambda header: header.words.get("colorInteropID", _DATA) != _DATA,
            lambda header: f"colours in {header.words['colorInteropID']}, and a matte is data without any",
        )
    if not collected.record.plate.colour_space:
        yield Problem(
            "colour-space",
            "nobody knows the colour space that the plate was read in, and so the mattes cannot be made "
            "again for certain: track again with --colour-space",
            repair=Repair.ACCEPT,
        )


def names(collected: Collected) -> Iterator[Problem]:
    """Layers are called after the objects, and files after the shot, in letters that every tool reads."""
    try:
        is_plain = checked_stem(collected.name) == collected.name
    except MaskletError:
        is_plain = False
    if not is_plain:
        yield Problem(
            "names",
            f"files called {collected.name!r} are not read by every tool: use letters, digits, dots, hyphens "
            "and underscores, and write the mattes again with --name",
        )
    layers = tuple(collected.layer_of.values())
    for part in collected.pictures:
        if part.role is Role.CRYPTOMATTE or not part.layers:
            continue
        unknown = [layer for layer in part.layers if layer not in layers]
        if unknown:
            yield Problem(
                "names",
                f"{part.files} has the layer {', '.join(unknown)}, and no object is called so: objects were "
                "renamed since; make the mattes again",
                repair=Repair.REBUILD,
            )
        if part.kind != "exr":
            continue
        yield from _odd(
            part,
            "names",
            lambda header, own=part.layers: set(header.layers) != set(own),  # type: ignore[misc]
            lambda header, own=part.layers: (  # type: ignore[misc]
                f"the layers {', '.join(header.layers) or 'none'}, and {', '.join(own)} were written"
            ),
        )


def _odd(
    part: Part, check: str, is_odd: Callable[[PictureHeader], bool], words: Callable[[PictureHeader], str]
) -> Iterator[Problem]:
    """One problem for all frames of a sequence that are not as they should be."""
    found = [frame for frame, header in part.headers.items() if is_odd(header)]
    if found:
        runs = runs_of(found)
        yield Problem(
            check,
            f"{part.files} on {shown(runs)} has {words(part.headers[found[0]])}: make the mattes again",
            frames=runs,
            repair=Repair.REBUILD,
        )
