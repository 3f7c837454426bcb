"""Masks that somebody drew, out of picture files: PNG by ourselves, all others through OpenImageIO.

A mask means linear coverage. An alpha channel is that in any file; greys are taken as they stand, except
in a PNG that says how they are encoded (:mod:`masklet.png`). Depth beyond 8 bits is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.png import MaskPicture, read_mask_picture
from masklet.types import Mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MAX_FILE_BYTES = 1 << 30
_MAX_SIDE_PX = 16384
_MAX_CHANNELS = 256
_ALPHAS = ("a", "alpha")


def read_mask_file(file: Path, *, object_name: str = "") -> MaskPicture:
    """The mask in a picture file: PNG, EXR, TIFF and what else OpenImageIO reads.

    Of an EXR with a layer for each object, the one that is called like the object is taken. What lies
    outside the display window is left out; a display window is as large as the plate's.

    Args:
        file: On this machine.
        object_name: Whose mask it is to be.

    Raises:
        BadInputError: The file cannot be read, holds no mask or several, or needs OpenImageIO, which is
            not installed.
    """
    try:
        size_bytes = file.stat().st_size
        if size_bytes > _MAX_FILE_BYTES:
            raise BadInputError(
                f"the mask {file.name} has {size_bytes / 1e9:.1f} GB: give one of the plate's size"
            )
        if file.read_bytes()[:4] == b"\x89PNG":
            return read_mask_picture(file.read_bytes())
    except OSError as error:
        raise BadInputError(f"the mask {file} cannot be read ({error.strerror}): check the path") from error
    try:
        return _through_library(file, object_name)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInputError(f"the mask {file.name} cannot be used ({error}): save it again") from error


def _through_library(file: Path, object_name: str) -> MaskPicture:
    try:
        import OpenImageIO
    except ImportError:
        raise BadInputError(
            f"{file.name} is no PNG, and other kinds of masks need OpenImageIO: install masklet[server], or "
            "save the mask as PNG, of 16 bits if its edge is soft"
        ) from None
    as_stored = OpenImageIO.ImageSpec()
    as_stored["oiio:UnassociatedAlpha"] = 1
    reader = OpenImageIO.ImageInput.open(str(file), as_stored)
    if reader is None:
        OpenImageIO.geterror()
        raise BadInputError(f"the mask {file.name} is no picture that can be read: save it as PNG or EXR")
    try:
        spec = reader.spec()
        sides_px = (spec.full_width, spec.full_height, spec.width, spec.height)
        if not (min(sides_px) > 0 and max(sides_px) <= _MAX_SIDE_PX and spec.nchannels <= _MAX_CHANNELS):
            raise BadInputError(
                f"a mask of {spec.full_width} x {spec.full_height} pixels cannot be used: "
                "give the plate's size"
            )
        kind = {"uint8": OpenImageIO.UINT8, "uint16": OpenImageIO.UINT16}.get(
            str(spec.format), OpenImageIO.FLOAT
        )
        pixels = reader.read_image(0, 0, 0, spec.nchannels, kind)
        if pixels is None or reader.geterror():
            raise BadInputError(f"the mask {file.name} is damaged or cut off: save it again")
        picture = _in_window(pixels.reshape(spec.height, spec.width, spec.nchannels), spec)
        return _mask_in(picture, list(spec.channelnames), file.name, object_name)
    finally:
        reader.close()


def _in_window(data: NDArray[Any], spec: Any) -> NDArray[Any]:
    """The display window of a picture ``(H, W, C)``, empty where there is no data."""
    import numpy as np

    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    if (left, top, spec.width, spec.height) == (0, 0, spec.full_width, spec.full_height):
        return data
    window = np.zeros((spec.full_height, spec.full_width, data.shape[2]), data.dtype)
    x0, x1 = max(left, 0), min(left + spec.width, spec.full_width)
    y0, y1 = max(top, 0), min(top + spec.height, spec.full_height)
    if x0 < x1 and y0 < y1:
        window[y0:y1, x0:x1] = data[y0 - top : y1 - top, x0 - left : x1 - left]
    return window


def _mask_in(picture: NDArray[Any], names: Sequence[str], file: str, object_name: str) -> MaskPicture:
    import numpy as np

    layers: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        layer, _, base = name.rpartition(".")
        layers.setdefault(layer, {})[base.lower()] = place
    own = next((name for name in layers if object_name and name.lower() == object_name.lower()), None)
    if own is None:
        if "" not in layers and len(layers) > 1:
            raise BadInputError(
                f"{file} holds several masks ({', '.join(sorted(layers))}): call the object like one of them"
            )
        own = "" if "" in layers else next(iter(layers))
    channels = layers[own]
    told = f"its layer {own} is the mask" if own and len(layers) > 1 else ""
    alpha = next((channels[base] for base in _ALPHAS if base in channels), None)
    colours = [place for base, place in channels.items() if base not in _ALPHAS]
    if alpha is not None and (not colours or picture[..., alpha].min() != picture[..., alpha].max()):
        return MaskPicture(Mask.from_array(np.ascontiguousarray(picture[..., alpha])), told)
    return MaskPicture(Mask.from_array(np.ascontiguousarray(picture[..., colours].max(axis=2))), told)
