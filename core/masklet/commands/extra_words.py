"""What is written besides mattes and over what, in the words of a command line."""

from __future__ import annotations

from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Existing
from masklet.errors import BadInputError
from masklet.exchange.files import TOOLS
from masklet.outputs.extra_exports import DEFAULT_TOOL, ExtraExports


def parse_extra_exports(
    *, shapes: bool, tolerance_px: float, anchors: str | None, absence: Absence, tools: str | None
) -> ExtraExports:
    """The extras in the options of a command line, checked before any work begins.

    Raises:
        BadInputError: A word is not one of those that are known, or the tolerance is not above 0.
    """
    if not tolerance_px > 0:
        raise BadInputError(f"--tolerance {tolerance_px:g} is no tolerance: give pixels above 0")
    kinds = []
    for word in _words(anchors):
        try:
            kinds.append(AnchorKind(word))
        except ValueError:
            known = ", ".join(kind.value for kind in AnchorKind if kind is not AnchorKind.POINT)
            raise BadInputError(f"--anchors {word!r} is no anchor: choose from {known}") from None
        if kinds[-1] is AnchorKind.POINT:
            raise BadInputError("an anchor on a point needs the point: make it with the Python library")
    chosen = _words(tools)
    for word in chosen:
        if word not in TOOLS:
            raise BadInputError(f"--export {word!r} is no tool that is known: choose from {', '.join(TOOLS)}")
    if (shapes or kinds) and not chosen:
        chosen = (DEFAULT_TOOL,)
    return ExtraExports(shapes, tolerance_px, tuple(kinds), absence, chosen)


def existing_as_asked(*, replacing: bool, version: bool, merging: bool = False) -> Existing:
    """What becomes of files of an earlier run.

    Raises:
        BadInputError: Two things were asked for.
    """
    if replacing + version + merging > 1:
        raise BadInputError(
            "--replace writes over what is there, --merge adds to it, --version writes beside it: choose one"
        )
    return Existing.REPLACE if replacing or merging else Existing.KEEP


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in (text or "").split(",") if word.strip()))
