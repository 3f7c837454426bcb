"""Reads the alpha out of an EXR that Nuke wrote for us: 32-bit float, uncompressed, one channel, scanlines.

Layout: "OpenEXR File Layout" of the OpenEXR documentation. Standard library only, since Nuke's Python need
have nothing else; a file of any other kind is refused.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING

from masklet.errors import ClipError
from masklet.mask import Mask, MaskDepth
from masklet.phrases import phrase

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"v/1\x01"
_FLOAT = 2
_MAX_BYTES = 1 << 30
_MAX_HEADER = 1 << 20


def read_alpha(file: Path, *, width_px: int, height_px: int) -> Mask:
    """Coverage at the plate's size, 16 bits; what the file holds outside of the picture is left out.

    Args:
        file: With one channel, or one that is called alpha.
        width_px: Of the plate.
        height_px: Of the plate.

    Raises:
        ClipError: It cannot be read, or is not as it was asked for.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES)
        return _mask(content, width_px, height_px)
    except (OSError, ValueError, struct.error, IndexError) as error:
        raise ClipError(
            phrase(
                "the alpha that Nuke rendered cannot be read ({fault}): report it with Nuke's version",
                fault=str(error) or type(error).__name__,
            )
        ) from error


def _mask(content: bytes, width_px: int, height_px: int) -> Mask:
    if content[:4] != _MAGIC:
        raise ValueError("not an EXR")
    version = struct.unpack_from("<I", content, 4)[0]
    if version & 0x1A00:
        raise ValueError("tiles, deep data or several parts")
    header, at = _header(content, 8)
    if header["compression"] != b"\x00":
        raise ValueError("compressed")
    names = _channels(header["channels"])
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    shown_left, shown_top, _, shown_bottom = struct.unpack("<4i", header["displayWindow"])
    # Nuke counts from the bottom: a node without an input has the script's own format, which may be higher.
    above_px = shown_bottom - shown_top + 1 - height_px
    count = right - left + 1
    rows = bottom - top + 1
    if count < 1 or rows < 1:
        raise ValueError("empty")
    offsets = struct.unpack_from(f"<{rows}Q", content, at)
    channel = _alpha_index(names)
    whole = array("H", bytes(2 * width_px * height_px))
    for offset in offsets:
        y, size = struct.unpack_from("<ii", content, offset)
        if size != 4 * count * len(names):
            raise ValueError("a row of another length")
        y -= shown_top + above_px
        if not 0 <= y < height_px:
            continue
        start = offset + 8 + 4 * count * channel
        values = array("f", content[start : start + 4 * count])
        if sys.byteorder == "big":
            values.byteswap()
        _take_row(whole, y * width_px, values, left - shown_left, width_px)
    if sys.byteorder == "big":
        whole.byteswap()
    return Mask(width_px, height_px, whole.tobytes(), MaskDepth.BITS_16)


def _take_row(whole: array[int], begin: int, values: array[float], left: int, width_px: int) -> None:
    skipped = max(0, -left)
    for index in range(skipped, min(len(values), width_px - left)):
        value = values[index]
        # Not a number is not more than 0 either.
        if value > 0.0:
            whole[begin + left + index] = 65535 if value >= 1.0 else round(value * 65535)


def _header(content: bytes, at: int) -> tuple[dict[str, bytes], int]:
    found: dict[str, bytes] = {}
    while content[at] != 0:
        if at > _MAX_HEADER:
            raise ValueError("an endless header")
        name, at = _text(content, at)
        _, at = _text(content, at)
        size = struct.unpack_from("<i", content, at)[0]
        if size < 0:
            raise ValueError("a header that is damaged")
        found[name] = content[at + 4 : at + 4 + size]
        at += 4 + size
    missing = {"channels", "compression", "dataWindow", "displayWindow"} - found.keys()
    if missing:
        raise ValueError(f"without {', '.join(sorted(missing))}")
    return found, at + 1


def _channels(content: bytes) -> list[str]:
    names, at = [], 0
    while content[at] != 0:
        name, at = _text(content, at)
        kind, _, x_every, y_every = struct.unpack_from("<iIii", content, at)
        if (kind, x_every, y_every) != (_FLOAT, 1, 1):
            raise ValueError("not 32-bit floats")
        names.append(name)
        at += 16
    if not names:
        raise ValueError("no channel")
    return names


def _alpha_index(names: list[str]) -> int:
    for index, name in enumerate(names):
        if name.rpartition(".")[2].lower() in ("a", "alpha"):
            return index
    if len(names) > 1:
        raise ValueError(f"no alpha among {', '.join(names)}")
    return 0


def _text(content: bytes, at: int) -> tuple[str, int]:
    end = content.index(0, at)
    return content[at:end].decode("utf-8", "replace"), end + 1
