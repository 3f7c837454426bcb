"""Results packed: small, the same on every machine, and back again bit for bit."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.types import TrackedMask
from masklet_server.tracking import ObjectFrame

_BASE_LIMIT = 32.0
_BASE_STEPS = 4.0
"""To the logit: what a correction starts from is a hint to the network, and a quarter says as much."""

_RUNS = 0.1
"""Low bytes of which fewer than this follow one like themselves are noise, of which one in 256 does."""
_RAW = -zlib.MAX_WBITS
_ZLIB_HEADER = b"\x78\x01"
"""As RFC 1950 has it: deflate, a window of 32 kB, packed fast."""


def pack_logits(logits: NDArray[np.float16], *, level: int = 1) -> bytes:
    """Logits of any shape, compressed: one zlib stream."""
    # High bytes first, then low bytes: sign and exponent hardly change between neighbours and
    # pack well once the noise of the mantissa no longer lies between them.
    codes = np.ascontiguousarray(logits, dtype="<f2").view(np.uint8).reshape(-1, 2)
    high, low = codes[:, 1].copy(), codes[:, 0].copy()  # (h * w,)
    # In noise there is nothing to find again, and looking for it takes most of the time. Two pieces that are
    # packed apart are one stream all the same.
    is_noise = np.count_nonzero(low[1:] == low[:-1]) < _RUNS * low.size
    pieces = (
        (high.data, zlib.compressobj(level, wbits=_RAW), zlib.Z_SYNC_FLUSH),
        (
            low.data,
            zlib.compressobj(
                level, wbits=_RAW, strategy=zlib.Z_HUFFMAN_ONLY if is_noise else zlib.Z_DEFAULT_STRATEGY
            ),
            zlib.Z_FINISH,
        ),
    )
    packed = [
        part for plane, packing, end in pieces for part in (packing.compress(plane), packing.flush(end))
    ]
    checksum = zlib.adler32(low.data, zlib.adler32(high.data))
    return b"".join((_ZLIB_HEADER, *packed, checksum.to_bytes(4, "big")))


def unpack_logits(packed: bytes, shape: tuple[int, int]) -> NDArray[np.float16]:
    """``(h, w)`` logits as they were packed.

    Raises:
        BadInputError: The bytes are damaged, or of another shape.
    """
    size_bytes = 2 * shape[0] * shape[1]
    try:
        # One byte more than wanted, so that a longer stream is noticed and never unpacked.
        content = zlib.decompressobj().decompress(packed, size_bytes + 1)
    except zlib.error:
        content = b""
    if len(content) != size_bytes:
        raise BadInputError("a tracked mask is damaged: save the prompt document again")
    planes = np.frombuffer(content, np.uint8).reshape(2, -1)[::-1]  # (2, h * w)
    logits = np.ascontiguousarray(planes.T).view("<f2").reshape(shape)  # (h, w)
    return logits.astype(np.float16, copy=False)


def tracked_mask(result: ObjectFrame) -> TrackedMask:
    """A result as a prompt document holds it."""
    rows, columns = result.logits.shape
    return TrackedMask(
        columns,
        rows,
        pack_logits(result.logits, level=6),
        result.presence,
        result.presence_logit,
        result.predicted_iou,
        result.pointer.astype("<f2").tobytes(),
        result.rival,
    )


def result_of(mask: TrackedMask, object_id: int, frame: int, *, prompted: bool = False) -> ObjectFrame:
    """The result that was packed.

    Raises:
        BadInputError: The mask is damaged, or holds what is no number.
    """
    logits = unpack_logits(mask.logits, (mask.rows, mask.columns))
    if len(mask.pointer) % 2:
        raise BadInputError("a tracked mask is damaged: save the prompt document again")
    pointer = np.frombuffer(mask.pointer, "<f2").astype(np.float16)
    if not (np.isfinite(logits).all() and np.isfinite(pointer).all()):
        raise BadInputError("a tracked mask holds what is no number: save the prompt document again")
    return ObjectFrame(
        object_id,
        frame,
        logits,
        mask.presence_logit,
        mask.predicted_iou,
        mask.presence,
        pointer,
        prompted,
        mask.rival,
    )


def base_of(result: ObjectFrame) -> TrackedMask:
    """What a correction of this result starts from: its logits in quarters, within 32 of the edge."""
    coarse = np.rint(np.clip(result.logits.astype(np.float32), -_BASE_LIMIT, _BASE_LIMIT) * _BASE_STEPS)
    # The edge stays where it is: what is inside does not become its very border.
    inside = result.logits > 0
    coarse = np.where(inside, np.maximum(coarse, 1.0), np.minimum(coarse, 0.0)) / _BASE_STEPS
    return tracked_mask(replace(result, logits=coarse.astype(np.float16), rival=0.0))
