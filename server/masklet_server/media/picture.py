"""One picture file through OpenImageIO: header first, pixels only when the header is acceptable.

Only formats that plates come in are opened, told apart by their first bytes and not by their
name: OpenImageIO would otherwise try every reader it has on a file with a wrong extension, and
each reader is a parser that a hostile file can aim at.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet_server.media.limits import Limits

#: Extensions that are looked for in folders, lower case.
EXTENSIONS = frozenset({".exr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".hdr"})

_SIGNATURES = (
    (b"v/1\x01", "openexr"),
    (b"SDPX", "dpx"),
    (b"XPDS", "dpx"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"#?RADIANCE", "hdr"),
    (b"#?RGBE", "hdr"),
)
# Cameras and scanners note here how the picture was held; EXR and DPX plates are stored upright
# and compositing applications ignore the field there.
_ORIENTED_FORMATS = frozenset({"jpeg", "tiff", "png"})
_SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class PictureHeader:
    """What a picture says of itself before its pixels are read.

    Attributes:
        name: The file's name, for messages.
        format_name: As OpenImageIO calls it, such as ``"openexr"``.
        width_px: Display window, upright.
        height_px: Display window, upright.
        pixel_aspect: Width of a pixel divided by its height.
        frames_per_s: None where the file does not say.
        is_float: True for half and float samples.
        metadata: All attributes of the file.
        channels: Indices of the red, green and blue channel; thrice the same one for grey.
        subimage: Which part of a multi-part file holds them.
        orientation: The EXIF code, 1 for upright.
    """

    name: str
    format_name: str
    width_px: int
    height_px: int
    pixel_aspect: float
    frames_per_s: float | None
    is_float: bool
    metadata: dict[str, object]
    channels: tuple[int, int, int]
    subimage: int
    orientation: int


class OpenPicture:
    """A picture file whose header has been read and accepted; use it in a ``with`` statement.

    Args:
        path: The file.
        limits: Checked against the header.
        name: What messages call it; the file's name when None.

    Raises:
        ClipError: There is no such file, it is empty, not a known picture, or its header is damaged.
        LimitError: The picture is larger than the limits allow.
    """

    def __init__(self, path: Path, limits: Limits, *, name: str | None = None) -> None:
        name = name or path.name
        self._reader = _open(path, name, limits)
        try:
            self.header = _header(self._reader, name, limits)
        except BaseException:
            self.close()
            raise

    def pixels(self) -> NDArray[Any]:
        """The picture as ``(H, W, 3)`` at its display window, upright, in the file's own values.

        Integer pictures keep uint8 or become uint16, all others become float32. Outside the data
        window the picture is black. NaN becomes 0 and infinity the largest half-float of its sign,
        so that everything returned is finite.

        Raises:
            ClipError: The file is damaged or cut off.
        """
        header, spec = self.header, self._reader.spec()
        sample_type = {"uint8": oiio.UINT8, "uint16": oiio.UINT16}.get(str(spec.format), oiio.FLOAT)
        begin, end = min(header.channels), max(header.channels) + 1
        pixels = self._reader.read_image(header.subimage, 0, begin, end, sample_type)
        problem = self._reader.geterror()
        # The JPEG reader returns grey for the part it could not read, and only its message tells.
        if pixels is None or problem:
            raise ClipError(f"{header.name} is damaged or cut off: copy or render it again.")
        data: NDArray[Any] = np.asarray(pixels).reshape(spec.height, spec.width, end - begin)  # (h, w, C)
        if header.channels != (begin, begin + 1, begin + 2):
            data = data[..., [channel - begin for channel in header.channels]]  # (h, w, 3)
        picture = _fit_display_window(data, spec)  # (H, W, 3)
        if picture.dtype == np.float32:
            picture = make_finite(picture)
        return upright(picture, header.orientation)

    def close(self) -> None:
        """Give back the file."""
        self._reader.close()
        # OpenImageIO prints what nobody fetched when the interpreter ends.
        self._reader.geterror()
        oiio.geterror()

    def __enter__(self) -> OpenPicture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def make_finite(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same picture with NaN as 0 and infinities as the largest half-float of their sign."""
    # The sum is one fast pass and tells apart the usual case, in which nothing is copied.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(picture.sum(dtype=np.float64)):
            return picture
    return np.nan_to_num(picture, nan=0.0, posinf=65504.0, neginf=-65504.0)


def upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation (1 to 8): ``(H, W, 3)`` as it is meant to be seen."""
    if orientation in _SIDEWAYS:
        picture = picture.transpose(1, 0, 2)
    # After the transpose, what is left is a flip of columns, of rows, or of both.
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def is_picture(path: Path) -> bool:
    """True when the file begins like a picture of a known format."""
    return _sniff(path) is not None


def _sniff(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(16)
    return next((name for signature, name in _SIGNATURES if start.startswith(signature)), None)


def _open(path: Path, name: str, limits: Limits) -> Any:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # Reading a pipe or a device could wait for ever.
            raise ClipError(f"{name} is not a file: check the path.")
        limits.check_picture_bytes(status.st_size, what=name)
        known = is_picture(path)
    except FileNotFoundError:
        raise ClipError(f"{name} does not exist: check the path and the frame number.") from None
    except OSError as error:
        raise ClipError(f"{name} cannot be read ({error.strerror}): check its permissions.") from error
    if not known:
        raise ClipError(
            f"{name} is not a picture this server reads: use EXR, DPX, TIFF, PNG, JPEG or HDR, "
            "or copy it again if it should be one of these."
        )
    # A second net under Limits: OpenImageIO itself then refuses to allocate more.
    oiio.attribute("limits:imagesize_MB", max(1, limits.max_pixels * 16 >> 20))
    oiio.attribute("limits:channels", limits.max_channels)
    # Else colour would be multiplied by alpha, and plates often carry an alpha that means nothing.
    as_stored = oiio.ImageSpec()
    as_stored["oiio:UnassociatedAlpha"] = 1
    reader = oiio.ImageInput.open(str(path), as_stored)
    if reader is None:
        message = oiio.geterror()
        dimensions = _refused_dimensions(message)
        if dimensions is not None:
            limits.check_size(*dimensions, what=name)
        raise ClipError(f"{name} is damaged or cut off (its header is unusable): copy or render it again.")
    return reader


def _header(reader: Any, name: str, limits: Limits) -> PictureHeader:
    subimage, channels = 0, None
    while subimage < 64 and reader.seek_subimage(subimage, 0):
        channels = _pick_channels(list(reader.spec().channelnames))
        if channels is not None or reader.spec().nchannels == 0:
            break
        subimage += 1
    if channels is None:
        subimage, channels = 0, (0, 0, 0)
        reader.seek_subimage(0, 0)
    reader.geterror()  # running past the last part leaves a message that is of no interest
    spec = reader.spec()
    if spec.deep:
        raise ClipError(f"{name} is a deep EXR: flatten it (DeepToImage in Nuke) first.")
    limits.check_size(spec.full_width, spec.full_height, what=name)
    limits.check_size(spec.width, spec.height, what=name)
    metadata: dict[str, object] = {attribute.name: attribute.value for attribute in spec.extra_attribs}
    format_name = reader.format_name()
    orientation = metadata.get("Orientation", 1) if format_name in _ORIENTED_FORMATS else 1
    orientation = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    width_px, height_px = spec.full_width, spec.full_height
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    aspect = aspect if np.isfinite(aspect) and aspect > 0 else 1.0
    if orientation in _SIDEWAYS:
        width_px, height_px, aspect = height_px, width_px, 1.0 / aspect
    return PictureHeader(
        name=name,
        format_name=format_name,
        width_px=width_px,
        height_px=height_px,
        pixel_aspect=aspect,
        frames_per_s=_frames_per_s(metadata),
        is_float=str(spec.format) in ("half", "float", "double"),
        metadata=metadata,
        channels=channels,
        subimage=subimage,
        orientation=orientation,
    )


def _pick_channels(names: list[str]) -> tuple[int, int, int] | None:
    """Indices of red, green and blue, or None where the part holds no picture.

    A layer's channels serve where there is no main layer, as in renders whose beauty pass is
    called ``ViewLayer.Combined``.
    """
    lowered = [name.lower() for name in names]
    for red, green, blue in (("r", "g", "b"), ("red", "green", "blue")):
        prefixes = [name[: -len(red)] for name in lowered if name == red or name.endswith(f".{red}")]
        for prefix in sorted(prefixes, key=lambda prefix: (prefix != "", lowered.index(prefix + red))):
            if prefix + green in lowered and prefix + blue in lowered:
                return (
                    lowered.index(prefix + red),
                    lowered.index(prefix + green),
                    lowered.index(prefix + blue),
                )
    for grey in ("y", "luminance", "i"):
        if grey in lowered:
            return (lowered.index(grey),) * 3
    return (0, 0, 0) if len(names) in (1, 2) else None


def _frames_per_s(metadata: dict[str, object]) -> float | None:
    for key in ("FramesPerSecond", "framesPerSecond", "dpx:FrameRate", "dpx:TemporalFrameRate"):
        value = metadata.get(key)
        if isinstance(value, tuple) and len(value) == 2 and value[1]:
            value = value[0] / value[1]
        if isinstance(value, (int, float)) and np.isfinite(value) and 0 < value < 10_000:
            return float(value)
    return None


def _fit_display_window(data: NDArray[Any], spec: Any) -> NDArray[Any]:
    """Pad or crop the data window ``(h, w, 3)`` to the display window ``(H, W, 3)``."""
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    if (left, top, spec.width, spec.height) == (0, 0, spec.full_width, spec.full_height):
        return data
    picture = np.zeros((spec.full_height, spec.full_width, 3), data.dtype)  # (H, W, 3)
    x0, x1 = max(left, 0), min(left + spec.width, spec.full_width)
    y0, y1 = max(top, 0), min(top + spec.height, spec.full_height)
    if x0 < x1 and y0 < y1:
        picture[y0:y1, x0:x1] = data[y0 - top : y1 - top, x0 - left : x1 - left]
    return picture


def _refused_dimensions(message: str) -> tuple[int, int] | None:
    """Width and height out of OpenImageIO's refusal of a picture over its limit."""
    match = re.search(r"(\d+)\s*x\s*(\d+)", message)
    return (int(match.group(1)), int(match.group(2))) if match else None
