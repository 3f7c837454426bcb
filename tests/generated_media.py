"""Makes small pictures and movies for tests; nothing of the kind is checked in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray


def scene(width_px: int = 96, height_px: int = 64, *, frame: int = 0) -> NDArray[np.float32]:
    """A smooth coloured picture with a bright square that moves four pixels a frame; 0 to 1."""
    x = np.linspace(0.1, 0.8, width_px, dtype=np.float32)[None, :]
    y = np.linspace(0.2, 0.7, height_px, dtype=np.float32)[:, None]
    picture = np.stack([x + 0 * y, y + 0 * x, 0.5 * (x + y)], axis=-1).astype(np.float32)
    left = 8 + 4 * frame
    picture[20:36, left : left + 16] = (0.9, 0.3, 0.2)
    return picture


def write_picture(
    path: Path,
    pixels: NDArray[Any],
    sample: str = "uint8",
    *,
    bits: int | None = None,
    channels: Sequence[str] | None = None,
    data_window: tuple[int, int] = (0, 0),
    display_window: tuple[int, int, int, int] | None = None,
    **attributes: object,
) -> Path:
    """Write pixels ``(h, w, C)`` through OpenImageIO and return the path."""
    height_px, width_px, count = pixels.shape
    spec = oiio.ImageSpec(width_px, height_px, count, sample)
    if bits is not None:
        spec["oiio:BitsPerSample"] = bits
    if channels is not None:
        spec.channelnames = list(channels)
    spec.x, spec.y = data_window
    if display_window is not None:
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display_window
    for name, value in attributes.items():
        if name == "chromaticities":
            spec.attribute(name, oiio.TypeDesc("float[8]"), value)
        elif isinstance(value, Fraction):
            spec.attribute(name, oiio.TypeDesc("rational"), (value.numerator, value.denominator))
        else:
            spec[name.replace("__", ":")] = value
    output = oiio.ImageOutput.create(str(path))
    assert output is not None, oiio.geterror()
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(np.ascontiguousarray(pixels)), output.geterror()
    assert output.close(), output.geterror()
    return path


def write_parts(path: Path, parts: Sequence[tuple[str, Sequence[str], NDArray[Any]]]) -> Path:
    """An EXR of several parts, each with its name, its channels and pixels ``(h, w, C)``."""
    specs = []
    for name, channels, pixels in parts:
        height_px, width_px, count = pixels.shape
        spec = oiio.ImageSpec(width_px, height_px, count, "half")
        spec.channelnames = list(channels)
        spec["oiio:subimagename"] = name
        specs.append(spec)
    output = oiio.ImageOutput.create(str(path))
    assert output is not None, oiio.geterror()
    assert output.open(str(path), tuple(specs)), output.geterror()
    for place, (_, _, pixels) in enumerate(parts):
        if place:
            assert output.open(str(path), specs[place], "AppendSubimage"), output.geterror()
        assert output.write_image(np.ascontiguousarray(pixels)), output.geterror()
    assert output.close(), output.geterror()
    return path


def write_empty_png(path: Path, width_px: int, height_px: int) -> Path:
    """A PNG whose header claims a size that its data do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    return path


def numbered_picture(number: int, width_px: int = 128, height_px: int = 96) -> NDArray[np.uint8]:
    """A picture that carries a number as eight coarse black or white cells, readable after lossy coding."""
    cells = np.array([(number >> bit) & 1 for bit in range(8)], np.uint8).reshape(2, 4) * 200 + 25
    grey = cv2.resize(cells, (width_px, height_px), interpolation=cv2.INTER_NEAREST)
    return np.repeat(grey[..., None], 3, axis=-1)


def number_in(picture: NDArray[Any]) -> int:
    """The number that :func:`numbered_picture` wrote."""
    cells = cv2.resize(np.asarray(picture)[..., 1], (4, 2), interpolation=cv2.INTER_AREA).ravel()
    return sum(1 << bit for bit, cell in enumerate(cells) if cell > 125)


def write_movie(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    times: Sequence[int] | None = None,
    matrix: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures at 24 frames a second, or at time stamps of a 1/240 second each."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=24, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = Fraction(1, 240)
        if matrix is not None:
            stream.set_display_matrix(matrix)
        for place, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
            frame.pts = times[place] if times is not None else 10 * place
            frame.time_base = Fraction(1, 240)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut_movie(source: Path, target: Path, *, packets: int, shift_s: Fraction = Fraction(0)) -> Path:
    """Copy a movie without its first so many packets and without encoding anything anew.

    Args:
        source: What to copy.
        target: Where to; its name chooses the container.
        packets: How many are left out, in storage order: what follows may begin between key frames.
        shift_s: Added to all times; below zero, MP4 and MOV hide what lies before zero by an edit list.
    """
    with (
        av.open(str(source)) as whole,
        av.open(str(target), "w", options={"avoid_negative_ts": "disabled"} if shift_s else {}) as container,
    ):
        stream = container.add_stream_from_template(whole.streams.video[0])
        kept = [packet for packet in whole.demux(video=0) if packet.size][packets:]
        for packet in kept:
            shift = round(shift_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift
            packet.stream = stream
            container.mux(packet)
    return target


def write_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
