"""Wire messages of masks, to values and back; ``codec`` builds on it.

The bytes of a mask travel in its message behind zlib, or as they are through memory that both ends share:
whoever has such memory gives ``mask_to_wire`` a way to put bytes there, and ``mask_from_wire`` one to get
them.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Optional

from masklet.errors import BadInputError
from masklet.kept_codec import tracked_mask_from_wire, tracked_mask_to_wire
from masklet.state_codec import checked, looked_up, presence_from_wire, presence_to_wire
from masklet.types import Mask, MaskDepth, MaskUpdate
from masklet.v1 import values_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.v1 import track_pb2

    PutShared = Callable[[bytes], Optional[values_pb2.SharedPiece]]
    """Puts bytes into shared memory and says where; None where there is no room."""
    GetShared = Callable[[values_pb2.SharedPiece, int], bytes]
    """Gets so many bytes out of it; raises BadInputError where they are not what was promised."""

MAX_MASK_PIXELS = 16384 * 16384
"""No mask on the wire is larger, whatever its header says: a small zlib stream can claim anything."""

_DEPTH_TO_WIRE = {
    MaskDepth.BITS_8: values_pb2.MASK_ENCODING_ALPHA8_ZLIB,
    MaskDepth.BITS_16: values_pb2.MASK_ENCODING_ALPHA16_ZLIB,
    MaskDepth.HALF: values_pb2.MASK_ENCODING_HALF_ZLIB,
}
_DEPTH_FROM_WIRE = {
    values_pb2.MASK_ENCODING_UNSPECIFIED: MaskDepth.BITS_8,
    **{wire: depth for depth, wire in _DEPTH_TO_WIRE.items()},
}


def mask_to_wire(mask: Mask, *, bits: bool = False, put: PutShared | None = None) -> values_pb2.Mask:
    """The message of a mask; with ``bits``, coverage from 128 counts as inside and the rest is dropped."""
    if bits:
        import numpy as np

        encoding = values_pb2.MASK_ENCODING_BITS_ZLIB
        data = np.packbits(mask.as_array() >= 128, axis=1).tobytes()
    else:
        encoding, data = _DEPTH_TO_WIRE[mask.depth], mask.alpha
    message = values_pb2.Mask(width_px=mask.width_px, height_px=mask.height_px, encoding=encoding)
    piece = put(data) if put is not None else None
    if piece is not None:
        message.shared.CopyFrom(piece)
    else:
        # Level 1: masks are long runs, higher levels cost several times the time for a few per cent.
        message.data = zlib.compress(data, 1)
    return message


def mask_from_wire(message: values_pb2.Mask, get: GetShared | None = None) -> Mask:
    """The mask in a message; unpacks no more bytes than its size allows."""
    width_px, height_px = message.width_px, message.height_px
    if not 0 < width_px * height_px <= MAX_MASK_PIXELS:
        raise BadInputError(
            f"a mask of {width_px} x {height_px} pixels cannot be used: send one of the plate's size"
        )
    if message.encoding != values_pb2.MASK_ENCODING_BITS_ZLIB:
        depth = looked_up(_DEPTH_FROM_WIRE, message.encoding, "a mask's depth")
        data = _bytes_of(message, width_px * height_px * depth.bytes_per_pixel, get)
        return checked(lambda: Mask(width_px, height_px, data, depth))
    import numpy as np

    row_bytes = (width_px + 7) // 8
    packed = np.frombuffer(_bytes_of(message, row_bytes * height_px, get), np.uint8)
    inside = np.unpackbits(packed.reshape(height_px, row_bytes), axis=1, count=width_px)
    return Mask(width_px, height_px, (inside * np.uint8(255)).tobytes())


def update_to_wire(
    update: MaskUpdate, *, bits: bool = False, put: PutShared | None = None
) -> values_pb2.MaskUpdate:
    """The message of a mask with its scores."""
    return values_pb2.MaskUpdate(
        object_id=update.object_id,
        object_name=update.object_name,
        frame=update.frame,
        mask=mask_to_wire(update.mask, bits=bits, put=put),
        presence=presence_to_wire(update.presence),
        presence_score=update.presence_score,
        predicted_iou=update.predicted_iou,
        prompted=update.prompted,
        base=None if update.base is None else tracked_mask_to_wire(update.base),
    )


def update_from_wire(message: values_pb2.MaskUpdate, get: GetShared | None = None) -> MaskUpdate:
    """The mask and its scores in a message."""
    return MaskUpdate(
        object_id=message.object_id,
        object_name=message.object_name,
        frame=message.frame,
        mask=mask_from_wire(message.mask, get),
        presence=presence_from_wire(message.presence),
        presence_score=message.presence_score,
        predicted_iou=message.predicted_iou,
        prompted=message.prompted,
        base=tracked_mask_from_wire(message.base) if message.HasField("base") else None,
    )


def updates_from_wire(
    message: track_pb2.FetchMasksResponse, get: GetShared | None = None
) -> tuple[MaskUpdate, ...]:
    """All masks of a message."""
    return tuple(update_from_wire(each, get) for each in (message.update, *message.more))


def _bytes_of(message: values_pb2.Mask, size_bytes: int, get: GetShared | None) -> bytes:
    if not message.HasField("shared"):
        return _inflate(message.data, size_bytes)
    if get is None:
        raise BadInputError("a mask arrived in memory that is not shared: send its bytes")
    return get(message.shared, size_bytes)


def _inflate(data: bytes, size_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte more than wanted, so that a longer stream is noticed and never unpacked.
        content = inflater.decompress(data, size_bytes + 1)
    except zlib.error:
        raise BadInputError("a mask arrived damaged: send it again") from None
    if len(content) != size_bytes:
        raise BadInputError(f"a mask should unpack to {size_bytes} bytes and did not: send it again")
    return content
