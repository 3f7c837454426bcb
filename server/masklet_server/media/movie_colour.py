"""From a movie's YCbCr to RGB: which matrix, and what to do where the file does not say.

Numbers are those of ITU-T H.273: matrix coefficients, colour primaries, transfer characteristics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from av.video.reformatter import Colorspace

from masklet.errors import ClipError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

_RGB, _UNSPECIFIED, _RESERVED, _YCGCO = 0, 2, 3, 8
# Matrices that FFmpeg's converter has: by number, its own name for them.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: 9,
}
_NAMES = {
    10: "Rec.2020 constant luminance",
    11: "SMPTE ST 2085 (Y'D'zD'x)",
    12: "chromaticity-derived",
    13: "chromaticity-derived constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
# Which matrix goes with which primaries, where only those are given.
_OF_PRIMARIES = {1: 1, 4: 4, 5: 6, 6: 6, 7: 7, 9: 9}
# ITU-R BT.601 ends at 720 x 576; from there on BT.709 is the standard of video.
_SD_WIDTH_PX, _SD_HEIGHT_PX = 1024, 576
_FULL_RANGE = 2


@dataclass(frozen=True)
class VideoMatrix:
    """The way of one movie's pictures to RGB.

    Attributes:
        number: Of the matrix in H.273; 0 for pictures that are RGB or grey already.
        notice: What was assumed, as a sentence; empty where the file says it all.
    """

    number: int
    notice: str = ""

    def to_rgb(self, frame: VideoFrame, sample_format: str) -> NDArray[Any]:
        """The picture ``(h, w, 3)`` in RGB of the stored values' own transfer curve.

        Args:
            frame: As it comes out of the decoder.
            sample_format: ``rgb24`` for uint8, ``rgb48le`` for uint16.
        """
        if self.number == _YCGCO:
            return _from_ycgco(frame, sample_format)
        matrix = _MATRICES.get(self.number)
        return frame.to_ndarray(format=sample_format, src_colorspace=matrix)


def matrix_of(frame: VideoFrame, *, name: str) -> VideoMatrix:
    """What a decoded picture says of its matrix, or what its primaries or its size suggest.

    Args:
        frame: As it comes out of the decoder.
        name: Begins the sentence when it is refused.

    Raises:
        ClipError: The matrix is one that is not read.
    """
    components = frame.format.components
    if frame.format.is_rgb or len(components) < 3:
        return VideoMatrix(_RGB)
    stated = int(frame.colorspace)
    if stated in _MATRICES:
        return VideoMatrix(stated)
    if stated == _YCGCO:
        return VideoMatrix(
            stated, f"{name} is tagged YCgCo and read so: where its colours look wrong, the tag is."
        )
    if stated in (_RGB, _UNSPECIFIED, _RESERVED):
        primaries = int(frame.color_primaries)
        if primaries in _OF_PRIMARIES:
            return VideoMatrix(_OF_PRIMARIES[primaries])
        is_sd = frame.width <= _SD_WIDTH_PX and frame.height <= _SD_HEIGHT_PX
        standard = "Rec.601, as for SD" if is_sd else "Rec.709, as for HD"
        return VideoMatrix(6 if is_sd else 1, f"{name} does not say its YCbCr matrix: taken as {standard}.")
    raise ClipError(
        f"{name} has its colours as {_NAMES.get(stated, f'matrix {stated} of H.273')}, which this server "
        "does not read: render it as Rec.709, or as a sequence."
    )


def _from_ycgco(frame: VideoFrame, sample_format: str) -> NDArray[Any]:
    """RGB from Y, Cg, Co: ITU-T H.273, equations 58 to 61, which FFmpeg's converter does not have."""
    depth_bits = max(component.bits for component in frame.format.components)
    deep = depth_bits > 8
    # Other sampling and depth, the same matrix on both sides: nothing is mixed.
    even = frame.to_ndarray(
        format="yuv444p16le" if deep else "yuv444p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
    ).astype(np.float32)  # (3, h, w)
    scale = 256.0 if deep else 1.0
    if frame.color_range == _FULL_RANGE:
        luma, chroma = even[0] / (255.0 * scale), (even[1:] - 128.0 * scale) / (255.0 * scale)
    else:
        luma = (even[0] - 16.0 * scale) / (219.0 * scale)
        chroma = (even[1:] - 128.0 * scale) / (224.0 * scale)
    green, orange = chroma
    rest = luma - green
    picture: NDArray[np.float32] = np.stack(
        (rest + orange, luma + green, rest - orange), axis=-1
    )  # (h, w, 3)
    top, kind = (65535.0, np.uint16) if sample_format == "rgb48le" else (255.0, np.uint8)
    rounded: NDArray[Any] = np.rint(np.clip(picture, 0.0, 1.0) * top).astype(kind)
    return rounded
