"""EXR files of a few pixels, from the published layout: one uncompressed half channel for each layer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_exr(
    path: Path,
    *,
    width_px: int,
    height_px: int,
    layers: Sequence[str],
    words: Mapping[str, str],
    pixel_aspect: float = 1.0,
) -> None:
    """A whole picture of zeros with these text attributes."""
    window = struct.pack("<4i", 0, 0, width_px - 1, height_px - 1)
    channels = b"".join(
        f"{layer}.A".encode() + b"\0" + struct.pack("<iB3xii", 1, 0, 1, 1) for layer in sorted(layers)
    )
    attributes = {
        "channels": ("chlist", channels + b"\0"),
        "compression": ("compression", b"\0"),
        "dataWindow": ("box2i", window),
        "displayWindow": ("box2i", window),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", pixel_aspect)),
        "screenWindowCenter": ("v2f", struct.pack("<2f", 0, 0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
        **{name: ("string", text.encode()) for name, text in words.items()},
    }
    header = b"v/1\x01" + struct.pack("<i", 2)
    for name, (kind, value) in attributes.items():
        header += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
    header += b"\0"
    row = bytes(2 * width_px * len(layers))
    begin = len(header) + 8 * height_px
    offsets = [begin + y * (8 + len(row)) for y in range(height_px)]
    rows = b"".join(struct.pack("<2i", y, len(row)) + row for y in range(height_px))
    path.write_bytes(header + struct.pack(f"<{height_px}Q", *offsets) + rows)
