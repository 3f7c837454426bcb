"""Masks as PNG files, read and written with the standard library alone.

Enough of PNG (ISO/IEC 15948) for masks: 1 to 16 bits, grey, colour, palette and alpha, not
interlaced. A client needs no imaging library for this, and a host application has its own.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.types import Mask, MaskDepth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = 3
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


def read_mask(content: bytes) -> Mask:
    """The mask in a PNG: its alpha channel if it has one that varies, else its brightest channel.

    Raises:
        BadInputError: The bytes are no PNG, damaged, interlaced or too large.
    """
    import numpy as np

    if not content.startswith(_SIGNATURE):
        raise BadInputError("the mask is no PNG file: save it as PNG, white inside and black outside")
    try:
        samples = _samples(content)
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise BadInputError("the mask's PNG file is damaged: save it again") from error
    if samples.shape[2] in (2, 4):
        colour, alpha = samples[..., :-1].max(axis=2), samples[..., -1]
        grey = colour if alpha.min() == alpha.max() else alpha
    else:
        grey = samples.max(axis=2)
    return Mask.from_array(np.ascontiguousarray(grey))


def _samples(content: bytes) -> NDArray[np.uint8]:
    """``(height, width, channels)`` uint8, palettes resolved, 16 bits cut to 8."""
    import numpy as np

    chunks = list(_chunks(content))
    width_px, height_px, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if interlace:
        raise BadInputError("the mask's PNG file is interlaced: save it without interlacing")
    if not (0 < width_px <= _MAX_SIDE_PX and 0 < height_px <= _MAX_SIDE_PX):
        raise BadInputError(
            f"a mask of {width_px} x {height_px} pixels cannot be used: give the plate's size"
        )
    channels = _CHANNELS[kind]
    row_bytes = (width_px * channels * depth + 7) // 8
    expected_bytes = height_px * (row_bytes + 1)
    packed = b"".join(data for name, data in chunks if name == b"IDAT")
    raw = zlib.decompressobj().decompress(packed, expected_bytes)
    filtered = np.frombuffer(raw, np.uint8).reshape(height_px, row_bytes + 1)
    rows = _unfiltered(filtered, max(1, channels * depth // 8))

    if depth == 16:
        values = rows.reshape(height_px, width_px, channels, 2)[..., 0]
    elif depth == 8:
        values = rows.reshape(height_px, width_px, channels)
    else:
        bits = np.unpackbits(rows, axis=1)[:, : width_px * depth].reshape(height_px, width_px, depth)
        weights = (1 << np.arange(depth - 1, -1, -1)).astype(np.uint8)
        values = (bits * weights).sum(axis=2, dtype=np.uint8)[..., None]
        if kind != _PALETTE:
            values = values * np.uint8(255 // ((1 << depth) - 1))
    if kind == _PALETTE:
        palette = np.frombuffer(dict(chunks)[b"PLTE"], np.uint8).reshape(-1, 3)
        values = palette[values[..., 0]]
    return np.asarray(values, np.uint8)


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
