"""One picture file through OpenImageIO: header first, pixels only when the header is acceptable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet_server.media.areas import Area, fit
from masklet_server.media.layers import Layer, Part, choose_layer
from masklet_server.media.limits import Limits
from masklet_server.media.picture_formats import open_reader, refusal, words_of

# Cameras and scanners note here how the picture was held; EXR and DPX plates are stored upright
# and compositing applications ignore the field there.
_ORIENTED_FORMATS = frozenset({"jpeg", "tiff", "png"})
_SIDEWAYS = frozenset({5, 6, 7, 8})
_MOST_PARTS = 1024
# How a file's samples are read, and what NumPy calls that; all others become floats.
_SAMPLES = {"uint8": (oiio.UINT8, np.uint8), "uint16": (oiio.UINT16, np.uint16)}
# Of one piece of a picture on its way into an array.
_BAND_BYTES = 32 << 20
_WIDE = 8


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
        metadata: All attributes of the part that is read.
        layer: What is read of the file.
        notice: What was guessed about it, for people; empty for nothing.
        subimage: Which part of the file holds it.
        orientation: The EXIF code, 1 for upright.
        display: The display window, in the file's own coordinates, as stored.
        data: The data window, in the same.
    """

    name: str
    format_name: str
    width_px: int
    height_px: int
    pixel_aspect: float
    frames_per_s: float | None
    is_float: bool
    metadata: dict[str, object]
    layer: Layer
    notice: str
    subimage: int
    orientation: int
    display: Area
    data: Area


class OpenPicture:
    """A picture file whose header has been read and accepted; use it in a ``with`` statement.

    Args:
        path: The file.
        limits: Checked against the header.
        name: What messages call it; the file's name when None.
        layer: The layer to read; None for the one that :func:`choose_layer` takes for the plate.
        view: The same of a stereo file's view.

    Raises:
        BadInputError: There is no such layer or view.
        ClipError: There is no such file, it is empty, not a known picture, or its header is damaged.
        LimitError: The picture is larger than the limits allow.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        *,
        name: str | None = None,
        layer: str | None = None,
        view: str | None = None,
    ) -> None:
        name = name or path.name
        self._reader = open_reader(path, name, limits)
        try:
            self.header = _header(self._reader, name, limits, layer, view)
        except UnicodeDecodeError as error:
            self.close()
            raise refusal(name, "", what="a name in its header is no text") from error
        except BaseException:
            self.close()
            raise

    def pixels(self, area: Area | None = None) -> NDArray[Any]:
        """The picture as ``(H, W, 3)``, upright, in the file's own values.

        Integer pictures keep uint8 or become uint16, all others become float32. Outside the data
        window the picture is black. NaN becomes 0 and infinity the largest half-float of its sign,
        so that everything returned is finite.

        Args:
            area: What to show, in the file's own coordinates; the display window when None.

        Raises:
            ClipError: The file is damaged or cut off.
        """
        header, spec = self.header, self._reader.spec()
        area, data = area or header.display, header.data
        # No more rows than are shown: a data window may reach far beyond the picture.
        top_px, bottom_px = max(data.top_px, area.top_px), min(data.bottom_px, area.bottom_px)
        if spec.tile_height:
            # Tiles are read whole.
            top_px -= (top_px - data.top_px) % spec.tile_height
            bottom_px = min(data.bottom_px, bottom_px + -(bottom_px - data.top_px) % spec.tile_height)
        rows = data._replace(top_px=top_px, height_px=max(0, bottom_px - top_px))
        dtype = _SAMPLES.get(str(spec.format), (oiio.FLOAT, np.float32))[1]
        pixels = np.empty((rows.height_px, rows.width_px, 3), dtype)  # (h, w, 3)
        for at_px, band in self._bands(rows):
            pixels[at_px - rows.top_px : at_px - rows.top_px + len(band)] = band
        picture = fit(pixels, rows, area)  # (H, W, 3)
        if picture.dtype == np.float32:
            picture = make_finite(picture)
        return upright(picture, header.orientation)

    def _bands(self, rows: Area) -> Iterator[tuple[int, NDArray[Any]]]:
        """Some rows in pieces: the first row of each, and its pixels ``(h, w, 3)``.

        Every compressed byte is read once, however far apart the three channels lie: whoever reads one
        channel of a file decompresses all of them.
        """
        channels, spec, data = self.header.layer.channels, self._reader.spec(), self.header.data
        begin, end = min(channels), max(channels) + 1
        sample_type = _SAMPLES.get(str(spec.format), (oiio.FLOAT, np.float32))[0]
        if end - begin > _WIDE and str(spec.format) == "half":
            # Of hundreds of channels three are wanted: to make floats of all would take most of the time.
            sample_type = oiio.HALF
        picked = [channel - begin for channel in channels]
        # A piece that ends inside a block of compressed rows has it decompressed twice.
        block = spec.tile_height or (256 if "dwab" in spec.get_string_attribute("compression") else 32)
        band_px = block * max(1, _BAND_BYTES // (4 * block * rows.width_px * (end - begin)))
        at_px = rows.top_px
        while at_px < rows.bottom_px:
            height_px = min(band_px - (at_px - data.top_px) % block, rows.bottom_px - at_px)
            band = self._read(at_px, height_px, begin, end, sample_type)
            yield at_px, band if picked == [0, 1, 2] else band[..., picked]
            at_px += height_px

    def _read(self, top_px: int, height_px: int, begin: int, end: int, sample_type: Any) -> NDArray[Any]:
        """Rows of the part, channels from ``begin`` on, before ``end``: ``(h, w, C)``."""
        header, spec, data = self.header, self._reader.spec(), self.header.data
        if spec.tile_height:
            across, down = (data.left_px, data.right_px), (top_px, top_px + height_px)
            at = (header.subimage, 0, *across, *down, spec.z, spec.z + 1)
            pixels = self._reader.read_tiles(*at, begin, end, sample_type)
        else:
            pixels = self._reader.read_scanlines(
                header.subimage, 0, top_px, top_px + height_px, spec.z, begin, end, sample_type
            )
        problem = words_of(self._reader)
        # The JPEG reader returns grey for the part it could not read, and only its message tells.
        if pixels is None or problem:
            raise refusal(header.name, problem, what="its pixels break off")
        return np.asarray(pixels).reshape(height_px, data.width_px, end - begin)

    def close(self) -> None:
        """Give back the file."""
        self._reader.close()
        # OpenImageIO prints what nobody fetched when the interpreter ends.
        words_of(self._reader)
        words_of(oiio)

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


def _header(reader: Any, name: str, limits: Limits, layer: str | None, view: str | None) -> PictureHeader:
    places, parts, views = _parts(reader)
    if not parts:
        raise ClipError(f"{name} is a deep EXR: flatten it (DeepToImage in Nuke) first.")
    if not any(part.channels for part in parts):
        raise ClipError(f"{name} has no channels: render it again.")
    choice = choose_layer(parts, views=views, layer=layer, view=view)
    subimage = places[choice.layer.part]
    reader.seek_subimage(subimage, 0)
    words_of(reader)  # running past the last part left a message that is of no interest
    spec = reader.spec()
    limits.check_size(spec.full_width, spec.full_height, what=name)
    limits.check_size(spec.width, spec.height, what=name)
    limits.check_decoded_bytes(spec.image_bytes(native=True), spec.nchannels, what=name)
    metadata = _attributes(spec)
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
        layer=choice.layer,
        notice=choice.notice,
        subimage=subimage,
        orientation=orientation,
        display=Area(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        data=Area(spec.x, spec.y, spec.width, spec.height),
    )


def _parts(reader: Any) -> tuple[list[int], list[Part], tuple[str, ...]]:
    """The flat parts of a file, their places in it, and the views that its header lists."""
    places: list[int] = []
    parts: list[Part] = []
    views: tuple[str, ...] = ()
    place = 0
    while place < _MOST_PARTS and reader.seek_subimage(place, 0):
        spec = reader.spec()
        listed = spec.getattribute("multiView")
        if isinstance(listed, (tuple, list)) and not views:
            views = tuple(_text(str(each)) for each in listed)
        if not spec.deep:
            places.append(place)
            named = spec.get_string_attribute("oiio:subimagename") or spec.get_string_attribute("name")
            channels = tuple(map(_text, spec.channelnames))
            parts.append(Part(_text(named), channels, _text(spec.get_string_attribute("view"))))
        place += 1
    return places, parts, views


def _attributes(spec: Any) -> dict[str, object]:
    """All attributes of a part, as far as they can be read."""
    found: dict[str, object] = {}
    for attribute in spec.extra_attribs:
        with suppress(UnicodeDecodeError):
            value = attribute.value
            found[_text(attribute.name)] = _text(value) if isinstance(value, str) else value
    return found


def _text(read: str) -> str:
    """A name or a comment of a header; where it is not UTF-8, it is taken for Latin-1, as older files are."""
    try:
        read.encode()
    except UnicodeEncodeError:
        return read.encode("utf-8", "surrogateescape").decode("latin-1")
    return read


def _frames_per_s(metadata: dict[str, object]) -> float | None:
    for key in ("FramesPerSecond", "framesPerSecond", "dpx:FrameRate", "dpx:TemporalFrameRate"):
        value = metadata.get(key)
        if isinstance(value, tuple) and len(value) == 2 and value[1]:
            value = value[0] / value[1]
        if isinstance(value, (int, float)) and np.isfinite(value) and 0 < value < 10_000:
            return float(value)
    return None
