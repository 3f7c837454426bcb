"""Picture files by their first bytes, opened through OpenImageIO, and what its words mean for an artist.

Only formats that plates come in are opened, told apart by their first bytes and not by their
name: OpenImageIO would otherwise try every reader it has on a file with a wrong extension, and
each reader is a parser that a hostile file can aim at.
"""

from __future__ import annotations

import functools
import re
import stat
from pathlib import Path
from typing import Any

import OpenImageIO as oiio

from masklet.clip_files import begins_like_a_picture
from masklet.errors import ClipError
from masklet_server.media.library_words import in_one_line
from masklet_server.media.limits import Limits

# What OpenImageIO says of files that are whole and that it cannot read all the same.
_UNSUPPORTED = re.compile(
    r"not (?:yet )?support|unsupported|does(?:n't| not) support|unknown compression", re.I
)
_KINDS = frozenset({"openexr", "dpx", "tiff", "png", "jpeg", "hdr"})
_SEPARATED = 5
_SUBSAMPLED = re.compile(r"subsampled", re.I)


def open_reader(path: Path, name: str, limits: Limits) -> Any:
    """OpenImageIO's reader of a picture file.

    Args:
        path: The file.
        name: What messages call it.
        limits: Its bytes, pixels and channels.

    Raises:
        ClipError: There is no such file, it is empty, not a known picture, or its header is damaged.
        LimitError: The picture is larger than the limits allow.
        PathNotAllowedError: It lies outside the fence of the limits.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # Reading a pipe or a device could wait for ever.
            raise ClipError(f"{name} is not a file: check the path.")
        limits.check_picture_bytes(status.st_size, what=name)
        with limits.fence.opened(path, name) as content:
            known = begins_like_a_picture(content.read(16))
    except FileNotFoundError:
        raise ClipError(f"{name} does not exist: check the path and the frame number.") from None
    except OSError as error:
        raise ClipError(f"{name} cannot be read ({error.strerror}): check its permissions.") from error
    if not known:
        raise ClipError(
            f"{name} is not a picture this server reads: use EXR, DPX, TIFF, PNG, JPEG or HDR, "
            "or copy it again if it should be one of these."
        )
    if path.suffix.lower() in _foreign_suffixes():
        # OpenImageIO goes by the name first, and by it to a reader that no plate needs.
        raise ClipError(
            f"{name} is not what its name says: give it the suffix of its kind, such as .exr, .tif or .png."
        )
    # A second net under Limits: OpenImageIO itself then refuses to allocate more.
    oiio.attribute("limits:imagesize_MB", max(1, limits.max_decoded_bytes >> 20))
    oiio.attribute("limits:channels", limits.max_channels)
    # Else colour would be multiplied by alpha, and plates often carry an alpha that means nothing.
    as_stored = oiio.ImageSpec()
    as_stored["oiio:UnassociatedAlpha"] = 1
    reader = oiio.ImageInput.open(str(path), as_stored)
    if reader is None:
        message = words_of(oiio)
        dimensions = _refused_dimensions(message)
        if dimensions is not None:
            limits.check_size(*dimensions, what=name)
        told = _refused_size(message)
        if told is not None:
            limits.check_decoded_bytes(*told, what=name)
        raise refusal(name, message, what="its header is unusable")
    try:
        # OpenImageIO opened it by its path: that this still leads to the same place is seen afterwards.
        limits.fence.check(path, name)
        _check_kind(reader, name)
    except BaseException:
        reader.close()
        raise
    return reader


def _check_kind(reader: Any, name: str) -> None:
    """Refuse what no plate is, though its first bytes are those of one.

    Raises:
        ClipError: Another reader took the file; or it holds ink in fewer than eight bits, with which
            OpenImageIO was reported to write beyond its memory.
    """
    header = reader.spec()
    bits = header.getattribute("oiio:BitsPerSample")
    is_ink = header.getattribute("tiff:PhotometricInterpretation") == _SEPARATED
    if reader.format_name() not in _KINDS or (is_ink and isinstance(bits, int) and bits < 8):
        raise ClipError(
            f"{name} is of a kind that this server does not read: render it as a plain RGB picture."
        )


@functools.lru_cache(maxsize=1)
def _foreign_suffixes() -> frozenset[str]:
    """Suffixes by which OpenImageIO takes a reader that is none of ours."""
    kinds = (each.partition(":") for each in str(oiio.get_string_attribute("extension_list")).split(";"))
    listed = {kind: {f".{suffix}" for suffix in suffixes.split(",")} for kind, _, suffixes in kinds}
    own = {suffix for kind in _KINDS for suffix in listed.get(kind, ())}
    return frozenset(suffix for suffixes in listed.values() for suffix in suffixes if suffix not in own)


def words_of(reader: Any) -> str:
    """What a reader, or OpenImageIO itself, has to say; empty for nothing, and then forgotten."""
    try:
        return str(reader.geterror())
    except UnicodeDecodeError:
        # It quotes the damaged file.
        return "what it holds is no text"


def refusal(name: str, message: str, *, what: str) -> ClipError:
    """The error that the words of OpenImageIO stand for: a kind of file that is not read, or a damaged one.

    Args:
        name: What messages call the file.
        message: As OpenImageIO said it; may be empty.
        what: What is wrong with a damaged file.
    """
    if _SUBSAMPLED.search(message):
        return ClipError(
            f"{name} holds luminance and chroma at different sizes, which this server does not read: "
            "render it as RGB."
        )
    words = in_one_line(message)
    if _UNSUPPORTED.search(message):
        return ClipError(
            f"{name} is of a kind that this server does not read ({words}): render it as a plain RGB picture."
        )
    told = f"{what}: {words}" if words else what
    return ClipError(f"{name} is damaged or cut off ({told}): copy or render it again.")


def _refused_size(message: str) -> tuple[int, int] | None:
    """Bytes once decompressed and channels out of OpenImageIO's refusal of a picture over its limit."""
    size = re.search(r"image size ([\d.]+) MB", message)
    channels = re.search(r"(\d+)[- ]channel", message)
    if channels is None or "limit" not in message:
        return None
    return 0 if size is None else int(float(size.group(1)) * (1 << 20)), int(channels.group(1))


def _refused_dimensions(message: str) -> tuple[int, int] | None:
    """Width and height out of OpenImageIO's refusal of a picture over its limit."""
    match = re.search(r"(\d+)\s*x\s*(\d+)", message)
    return (int(match.group(1)), int(match.group(2))) if match else None
