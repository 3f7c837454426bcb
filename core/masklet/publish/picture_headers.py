"""What the header of a matte says, of EXR and PNG, and whether the file is whole: read without a library.

Layout of EXR files: https://openexr.com/en/latest/OpenEXRFileLayout.html; of PNG: ISO/IEC 15948.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

_EXR = b"v/1\x01"
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 64 << 20
"""A Cryptomatte's manifest lies in the header; nobody's is larger."""
_TILED, _DEEP, _PARTS = 0x200, 0x800, 0x1000
_ROWS_OF = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""Rows in one chunk, by the number of the compression."""


@dataclass(frozen=True)
class PictureHeader:
    """Header of one matte.

    Attributes:
        width_px: Of the display window.
        height_px: Of the display window.
        pixel_aspect: Width of a pixel divided by its height; 1 where nothing is said.
        layers: Names before the last dot of the channels, in their order; none in a PNG.
        words: Text attributes by name: ``masklet/promptsSha256``, ``colorInteropID``.
        is_whole: False where the file ends before its pictures do.
    """

    width_px: int
    height_px: int
    pixel_aspect: float = 1.0
    layers: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True


def read_header(path: Path) -> PictureHeader:
    """The header of a matte.

    Raises:
        BadInputError: The file cannot be read, or is neither EXR nor PNG, or its header is damaged.
    """
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if start.startswith(_EXR):
                file.seek(4)
                return _exr(file, size_bytes)
            if start == _PNG:
                return _png(file, size_bytes)
    except OSError as error:
        raise BadInputError(f"{path.name} cannot be read ({error.strerror})") from error
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise BadInputError(f"{path.name} has a damaged header") from error
    raise BadInputError(f"{path.name} is neither EXR nor PNG")


def _exr(file: IO[bytes], size_bytes: int) -> PictureHeader:
    (version,) = struct.unpack("<i", file.read(4))
    parts = []
    while True:
        part = _attributes(file)
        if part:
            parts.append(part)
        if not part or not version & _PARTS:
            break
    first = parts[0]
    left, top, right, bottom = struct.unpack("<4i", first["displayWindow"])
    aspect = struct.unpack("<f", first["pixelAspectRatio"])[0] if "pixelAspectRatio" in first else 1.0
    layers: list[str] = []
    for part in parts:
        named = part.get("name", b"").decode("utf-8", "replace")
        for channel in _channels(part["channels"]):
            layer = channel.rpartition(".")[0] or named
            if layer and layer not in layers:
                layers.append(layer)
    words = {
        name: value.decode("utf-8", "replace")
        for name, value in first.items()
        if name.startswith(("masklet/", "cryptomatte/", "colorInteropID"))
    }
    whole = _is_whole(file, first, version, size_bytes)
    return PictureHeader(right - left + 1, bottom - top + 1, float(aspect), tuple(layers), words, whole)


def _attributes(file: IO[bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while name := _name(file):
        _name(file)  # its type, which the name implies
        (length,) = struct.unpack("<i", file.read(4))
        if not 0 <= length <= _HEADER_BYTES:
            raise ValueError("an attribute of impossible length")
        value = file.read(length)
        if len(value) != length:
            raise ValueError("the file ends in its header")
        found[name] = value
    return found


def _name(file: IO[bytes]) -> str:
    letters = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter or len(letters) > 255:
            raise ValueError("the file ends in its header")
        letters += letter
    return letters.decode("utf-8", "replace")


def _channels(data: bytes) -> list[str]:
    names, place = [], 0
    while data[place] != 0:
        end = data.index(b"\0", place)
        names.append(data[place:end].decode("utf-8", "replace"))
        place = end + 1 + 16
    return names


def _is_whole(file: IO[bytes], part: dict[str, bytes], version: int, size_bytes: int) -> bool:
    """Whether every chunk that the table after the header names lies in the file.

    Files of several parts and tiled ones are judged by their table alone; we write neither.
    """
    if version & (_PARTS | _TILED | _DEEP):
        return file.tell() < size_bytes
    _, top, _, bottom = struct.unpack("<4i", part["dataWindow"])
    rows = _ROWS_OF[part["compression"][0]]
    count = (bottom - top + rows) // rows
    table = file.read(8 * count)
    if len(table) < 8 * count:
        return False
    offsets = struct.unpack(f"<{count}Q", table)
    if min(offsets) == 0:
        # Writers fill the table last: one that died left zeros.
        return False
    file.seek(max(offsets))
    head = file.read(8)
    length = struct.unpack("<2i", head)[1] if len(head) == 8 else 0
    return length > 0 and max(offsets) + 8 + length <= size_bytes


def _png(file: IO[bytes], size_bytes: int) -> PictureHeader:
    words: dict[str, str] = {}
    width_px = height_px = 0
    aspect, whole = 1.0, False
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if file.tell() + length + 4 > size_bytes:
            break
        if kind == b"IHDR":
            width_px, height_px = struct.unpack(">2I", file.read(8))
            file.seek(length - 8, 1)
        elif kind == b"pHYs":
            across, down, _ = struct.unpack(">2IB", file.read(9))
            # Pixels for each metre: the fewer, the wider.
            aspect = down / across if across and down else 1.0
        elif kind == b"tEXt" and length <= _HEADER_BYTES:
            name, _, value = file.read(length).partition(b"\0")
            words[name.decode("latin-1")] = value.decode("latin-1")
        else:
            file.seek(length, 1)
        file.seek(4, 1)
        if kind == b"IEND":
            whole = True
            break
    if not width_px:
        raise ValueError("no IHDR")
    return PictureHeader(width_px, height_px, aspect, (), words, whole)
