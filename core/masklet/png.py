"""Masks as PNG files, read and written with the standard library alone.

Enough of PNG (ISO/IEC 15948) for masks: 1 to 16 bits, grey, colour, palette, transparency and gamma, not
interlaced. A client needs no imaging library for this, and a host application has its own.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.types import Mask, MaskDepth

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = 3
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits of a sample, by what the picture holds: section 11.2.1 of the standard."""
_MAX_SIDE_PX = 16384


def write_mask(mask: Mask) -> bytes:
    """A grey PNG of the mask: of 8 bits where it has no more, else of 16."""
    depth, alpha = 8, mask.alpha
    if mask.depth is not MaskDepth.BITS_8:
        codes = array("H", mask.in_16_bits().alpha)
        # PNG has the higher byte first.
        codes.byteswap()
        depth, alpha = 16, codes.tobytes()
    row_bytes = mask.width_px * depth // 8
    rows = b"".join(b"\0" + alpha[start : start + row_bytes] for start in range(0, len(alpha), row_bytes))
    header = struct.pack(">IIBBBBB", mask.width_px, mask.height_px, depth, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@dataclass(frozen=True)
class MaskPicture:
    """A mask out of a picture, and what had to be assumed of the picture.

    Attributes:
        mask: At the picture's own depth.
        notice: For people, to follow the file's name and a colon; empty where nothing was assumed.
    """

    mask: Mask
    notice: str = ""


def read_mask(content: bytes) -> Mask:
    """The mask in a PNG; see :func:`read_mask_picture`."""
    return read_mask_picture(content).mask


def read_mask_picture(content: bytes) -> MaskPicture:
    """The mask in a PNG: its transparency if it has one that varies, else its brightest channel.

    Transparency is coverage as it stands. Greys are made linear where the file says that they are not:
    an sRGB or gamma chunk, or an sRGB profile. 16 bits stay 16 bits.

    Raises:
        BadInputError: The bytes are no PNG, damaged, interlaced or too large.
    """
    if not content.startswith(_SIGNATURE):
        raise BadInputError("the mask is no PNG file: save it as PNG, white inside and black outside")
    try:
        samples, chunks = _samples(content)
        return _mask_of(samples, chunks)
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise BadInputError("the mask's PNG file is damaged: save it again") from error


def _mask_of(samples: NDArray[Any], chunks: dict[bytes, bytes]) -> MaskPicture:
    import numpy as np

    grey = samples
    if samples.shape[2] in (2, 4):
        colour, alpha = samples[..., :-1].max(axis=2), samples[..., -1]
        if alpha.min() != alpha.max():
            both = colour.min() != colour.max() and not np.array_equal(colour, alpha)
            notice = "its transparency is the mask, not what it shows in colour" if both else ""
            return MaskPicture(Mask.from_array(np.ascontiguousarray(alpha)), notice)
        grey = samples[..., :-1]
    codes = np.ascontiguousarray(grey.max(axis=2))
    most = np.iinfo(codes.dtype).max
    name, curve = _encoding(chunks)
    if not name or not ((codes > 0) & (codes < most)).any():
        return MaskPicture(Mask.from_array(codes))
    if curve is None:
        return MaskPicture(
            Mask.from_array(codes),
            f"its colour profile ({name}) is not evaluated: its greys count as coverage as they stand",
        )
    linear = curve(np.arange(most + 1) / most)
    half = round(float(np.searchsorted(linear, 0.5)) / most * 255)
    words = np.rint(linear * 65535).astype(np.uint16)
    return MaskPicture(
        Mask.from_array(words[codes]),
        f"its greys are {name}, as the file says, and were made linear: {half} of 255 is half covered. "
        "To have them count as they stand, save them in the alpha channel or without that tag",
    )


def _encoding(chunks: dict[bytes, bytes]) -> tuple[str, Callable[[Any], Any] | None]:
    """What the file says of its greys, and how they become linear; no name where they are so already."""
    if b"iCCP" in chunks:
        name = chunks[b"iCCP"].split(b"\0")[0].decode("latin-1")
        name = "".join(sign for sign in name if sign.isprintable())[:40] or "without a name"
        return ("sRGB", _from_srgb) if name.lower().startswith("srgb") else (name, None)
    if b"sRGB" in chunks:
        return "sRGB", _from_srgb
    if b"gAMA" in chunks:
        (gamma,) = struct.unpack(">I", chunks[b"gAMA"])
        exponent = 100_000 / gamma if gamma else 1.0
        if abs(exponent - 1) > 0.02 and exponent < 10:
            return f"encoded with a gamma of {exponent:.2g}", lambda values: values**exponent
    return "", None


def _from_srgb(values: Any) -> Any:
    """IEC 61966-2-1."""
    import numpy as np

    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _samples(content: bytes) -> tuple[NDArray[Any], dict[bytes, bytes]]:
    """``(height, width, channels)`` uint8 or uint16, palettes and transparency resolved; and all chunks."""
    import numpy as np

    found = list(_chunks(content))
    chunks = dict(reversed(found))
    width_px, height_px, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", found[0][1])
    if interlace:
        raise BadInputError("the mask's PNG file is interlaced: save it without interlacing")
    if not (0 < width_px <= _MAX_SIDE_PX and 0 < height_px <= _MAX_SIDE_PX):
        raise BadInputError(
            f"a mask of {width_px} x {height_px} pixels cannot be used: give the plate's size"
        )
    channels = _CHANNELS[kind]
    if depth not in _DEPTHS[kind]:
        raise ValueError("no picture has such samples")
    row_bytes = (width_px * channels * depth + 7) // 8
    expected_bytes = height_px * (row_bytes + 1)
    packed = b"".join(data for name, data in found if name == b"IDAT")
    raw = zlib.decompressobj().decompress(packed, expected_bytes)
    filtered = np.frombuffer(raw, np.uint8).reshape(height_px, row_bytes + 1)
    rows = _unfiltered(filtered, max(1, channels * depth // 8))

    values: NDArray[Any]
    if depth == 16:
        values = rows.view(">u2").astype(np.uint16).reshape(height_px, width_px, channels)
    elif depth == 8:
        values = rows.reshape(height_px, width_px, channels)
    else:
        bits = np.unpackbits(rows, axis=1)[:, : width_px * depth].reshape(height_px, width_px, depth)
        weights = (1 << np.arange(depth - 1, -1, -1)).astype(np.uint8)
        values = (bits * weights).sum(axis=2, dtype=np.uint8)[..., None]
    opaque = chunks.get(b"tRNS")
    if kind == _PALETTE:
        palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
        shown = palette[values[..., 0]]
        if opaque is not None:
            table = np.full(256, 255, np.uint8)
            table[: len(opaque)] = np.frombuffer(opaque, np.uint8)[:256]
            shown = np.concatenate([shown, table[values]], axis=2)
        return shown, chunks
    most = 65535 if depth == 16 else 255
    solid = None
    if opaque is not None and channels in (1, 3):
        key = np.array(struct.unpack(f">{channels}H", opaque))
        solid = np.where((values == key).all(axis=2, keepdims=True), 0, most).astype(values.dtype)
    if depth < 8:
        values = values * np.uint8(255 // ((1 << depth) - 1))
    return (values if solid is None else np.concatenate([values, solid], axis=2)), chunks


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], len(_SIGNATURE)
    while position < len(content):
        (size_bytes,) = struct.unpack_from(">I", content, position)
        kind = content[position + 4 : position + 8]
        chunks.append((kind, content[position + 8 : position + 8 + size_bytes]))
        position += size_bytes + 12
        if kind == b"IEND":
            return chunks
    raise ValueError("the file ends before its end chunk")


def _unfiltered(filtered: NDArray[np.uint8], step_bytes: int) -> NDArray[np.uint8]:
    """Undo the prediction of each row from its neighbours (section 9 of the standard)."""
    import numpy as np

    rows = np.zeros((filtered.shape[0], filtered.shape[1] - 1), np.uint8)
    above = np.zeros(rows.shape[1], np.uint8)
    for index, line in enumerate(filtered):
        prediction, row = line[0], line[1:].copy()
        if prediction == 1:
            for start in range(step_bytes):
                row[start::step_bytes] = np.cumsum(row[start::step_bytes], dtype=np.uint8)
        elif prediction == 2:
            row += above
        elif prediction in (3, 4):
            row = _unfiltered_row(row, above, step_bytes, paeth=bool(prediction == 4))
        elif prediction != 0:
            raise ValueError("unknown filter")
        rows[index] = above = row
    return rows


def _unfiltered_row(
    row: NDArray[np.uint8], above: NDArray[np.uint8], step_bytes: int, *, paeth: bool
) -> NDArray[np.uint8]:
    import numpy as np

    done, up = bytearray(row.tobytes()), above.tobytes()
    for place in range(len(done)):
        left = done[place - step_bytes] if place >= step_bytes else 0
        if paeth:
            corner = up[place - step_bytes] if place >= step_bytes else 0
            guess = left + up[place] - corner
            by_left, by_up, by_corner = abs(guess - left), abs(guess - up[place]), abs(guess - corner)
            if by_left <= by_up and by_left <= by_corner:
                predicted = left
            else:
                predicted = up[place] if by_up <= by_corner else corner
        else:
            predicted = (left + up[place]) // 2
        done[place] = (done[place] + predicted) & 0xFF
    return np.frombuffer(bytes(done), np.uint8)
