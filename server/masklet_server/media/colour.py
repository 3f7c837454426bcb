"""From any input space to the display-referred sRGB that the network was trained on.

The conversion is colorimetric: scene-linear 1.0 becomes display white and nothing is tone-mapped,
so that a plate gives the same picture whether it arrives linear, logarithmic or graded to sRGB
(docs/decisions/0005-media.md). Names are looked up in the studio's ``$OCIO`` config first and in
OpenColorIO's built-in ACES studio config after it.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio  # type: ignore[import-untyped]
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.pictures import AS_IT_IS, Grade
from masklet_server.media.library_words import in_one_line

SRGB = "sRGB"
CINEON = "Cineon"
LINEAR_REC709 = "Linear Rec.709 (sRGB)"

# Pinned, not "latest": the names of spaces change between versions and are stored in documents.
_BUILT_IN_CONFIG = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
_BUILT_IN_SRGB = "sRGB - Texture"
# What people say, and what the built-in config says for it. Video is taken as it would be
# looked at, which is also how the network's training clips were decoded.
_SPOKEN = {
    "srgb": SRGB,
    "rec709": SRGB,
    "rec.709": SRGB,
    "video": SRGB,
    "display": SRGB,
    "linear": LINEAR_REC709,
    "lin_srgb": LINEAR_REC709,
    "aces": "ACES2065-1",
    "cineon": CINEON,
    "log": CINEON,
    "logc": "ARRI LogC3 (EI800)",
    "logc3": "ARRI LogC3 (EI800)",
    "logc4": "ARRI LogC4",
    "slog3": "S-Log3 S-Gamut3.Cine",
    "pq": "Rec.2100-PQ - Display",
    "hlg": "Rec.2100-HLG - Display",
}
# Where an older studio config has no interchange role, one of these is its sRGB.
_STUDIO_SRGB = ("sRGB - Texture", "srgb_tx", "Utility - sRGB - Texture", "Output - sRGB", "sRGB", "srgb8")
_MISSING_FILE = re.compile(r"file reference '([^']+)' could not be located")
# ITU and ACES red primaries; they tell the common spaces apart on their own.
_PRIMARIES = (
    ((0.7347, 0.2653, 0.0, 1.0), "ACES2065-1"),
    ((0.713, 0.293, 0.165, 0.830), "ACEScg"),
    ((0.64, 0.33, 0.30, 0.60), LINEAR_REC709),
    ((0.708, 0.292, 0.170, 0.797), "Linear Rec.2020"),
    ((0.68, 0.32, 0.265, 0.690), "Linear P3-D65"),
)


_DEPTHS = {"uint8": ocio.BIT_DEPTH_UINT8, "uint16": ocio.BIT_DEPTH_UINT16}


class Conversion:
    """Brings pictures of one input space to sRGB.

    Attributes:
        space: The name in force, as shown to people.
    """

    def __init__(self, space: str, processor: Any | None) -> None:
        self.space = space
        self._processor = processor

    def to_srgb(self, picture: NDArray[Any]) -> NDArray[np.uint8]:
        """``(H, W, 3)`` display-referred sRGB from uint8, uint16 or finite float32 of the same shape."""
        picture = np.ascontiguousarray(picture)
        if self._processor is None and picture.dtype == np.uint8:
            return picture
        return self._applied(self._processor or _unchanged(), picture, np.uint8)

    def shown(self, picture: NDArray[Any], grade: Grade) -> NDArray[np.uint8]:
        """The same for people: brighter or darker, with light above white that comes back."""
        if grade == AS_IT_IS:
            return self.to_srgb(picture)
        picture = np.ascontiguousarray(picture)
        srgb = self._applied(self._processor or _unchanged(), picture, np.float32)
        return self._applied(_grading(grade), srgb, np.uint8)

    def _applied(self, processor: Any, picture: NDArray[Any], dtype: type[Any]) -> NDArray[Any]:
        """``(H, W, 3)`` of another type."""
        depth, wanted = _DEPTHS.get(picture.dtype.name, ocio.BIT_DEPTH_F32), np.dtype(dtype)
        made_depth = _DEPTHS.get(wanted.name, ocio.BIT_DEPTH_F32)
        with _in_our_words(f"the colour space {self.space!r}"):
            cpu = processor.getOptimizedCPUProcessor(depth, made_depth, ocio.OPTIMIZATION_DEFAULT)
        height_px, width_px, _ = picture.shape
        made = np.empty(picture.shape, wanted)  # (H, W, 3)
        size = wanted.itemsize
        source = ocio.PackedImageDesc(
            picture, width_px, height_px, 3, depth, picture.itemsize, picture.strides[1], picture.strides[0]
        )
        target = ocio.PackedImageDesc(
            made, width_px, height_px, 3, made_depth, size, 3 * size, 3 * width_px * size
        )
        cpu.apply(source, target)
        return made


def conversion_from(space: str) -> Conversion:
    """The conversion from a space that somebody named.

    Args:
        space: A name, alias or role of ``$OCIO`` or of the built-in config, in any case; or a
            spoken name such as ``sRGB``, ``linear``, ``Cineon``, ``logc3``.

    Raises:
        BadInputError: Neither config knows the name, ``$OCIO`` cannot be loaded, or it names a file for
            this space that is not there.
    """
    with _in_our_words(f"the colour space {space.strip()!r}"):
        return _conversion_from(space.strip(), os.environ.get("OCIO", ""))


def guess_space(name: str, format_name: str, *, is_float: bool, metadata: Mapping[str, object]) -> str:
    """The input space of a picture that nobody declared.

    A rule of the studio's ``$OCIO`` for the file's name decides first. Then: EXR and other
    float pictures are scene-linear in the primaries that their header states (Rec.709 where it
    states none, as OpenEXR defines); DPX is Cineon log unless its header says linear or video;
    everything else is sRGB.

    Args:
        name: The file's name.
        format_name: As OpenImageIO calls it, such as ``"dpx"``.
        is_float: True for half and float samples.
        metadata: The file's attributes, under OpenImageIO's names.

    Raises:
        BadInputError: ``$OCIO`` cannot be loaded.
    """
    studio = _studio_config(os.environ.get("OCIO", ""))
    with _in_our_words("the rules for file names"):
        if studio is not None and not studio.filepathOnlyMatchesDefaultRule(name):
            return str(studio.getColorSpaceFromFilepath(name)[0])
    if format_name == "dpx":
        transfer = str(metadata.get("dpx:Transfer", "")).lower()
        if "linear" in transfer:
            return LINEAR_REC709
        return SRGB if any(word in transfer for word in ("709", "smpte", "video", "601", "240m")) else CINEON
    if not (is_float or format_name in ("openexr", "hdr")):
        return SRGB
    stated = metadata.get("oiio:ColorSpace") or metadata.get("colorInteropID")
    if isinstance(stated, str) and _built_in_config().getColorSpace(stated) is not None:
        return str(_built_in_config().getColorSpace(stated).getName())
    if metadata.get("acesImageContainerFlag"):
        return "ACES2065-1"
    chromaticities = metadata.get("chromaticities")
    if isinstance(chromaticities, (tuple, list)) and len(chromaticities) >= 4:
        for primaries, space in _PRIMARIES:
            if np.allclose(chromaticities[:4], primaries, atol=0.002):
                return space
    if studio is not None and studio.hasRole(ocio.ROLE_SCENE_LINEAR):
        return str(studio.getColorSpace(ocio.ROLE_SCENE_LINEAR).getName())
    return LINEAR_REC709


@functools.lru_cache(maxsize=32)
def _conversion_from(space: str, studio_path: str) -> Conversion:
    studio = _studio_config(studio_path)
    if studio is not None and studio.getColorSpace(space) is not None:
        name = str(studio.getColorSpace(space).getName())
        return Conversion(name, _studio_processor(studio, name))
    spoken = _SPOKEN.get(space.lower(), space)
    built_in = _built_in_config()
    if spoken == SRGB:
        return Conversion(SRGB, None)
    if spoken == CINEON:
        return Conversion(CINEON, built_in.getProcessor(_cineon_to_srgb()))
    found = built_in.getColorSpace(spoken)
    if found is None:
        known = [each.getName() for each in built_in.getColorSpaces()] + [SRGB, CINEON]
        if studio is not None:
            known += [each.getName() for each in studio.getColorSpaces()]
        near = difflib.get_close_matches(space, dict.fromkeys(known), n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "try sRGB, ACEScg, ACEScct or Cineon."
        raise BadInputError(f"no colour space is called {space!r}: {hint}")
    name = str(found.getName())
    if name == str(built_in.getColorSpace(_BUILT_IN_SRGB).getName()):
        return Conversion(SRGB, None)
    return Conversion(name, built_in.getProcessor(name, _BUILT_IN_SRGB))


def _unchanged() -> Any:
    return ocio.Config.CreateRaw().getProcessor(ocio.MatrixTransform())


@functools.lru_cache(maxsize=16)
def _grading(grade: Grade) -> Any:
    """From sRGB, which may go beyond white, to sRGB: more or less light, then gamma."""
    gain, power = 2.0**grade.exposure_stops, 1.0 / grade.gamma
    light = ocio.MatrixTransform([gain, 0, 0, 0, 0, gain, 0, 0, 0, 0, gain, 0, 0, 0, 0, 1], [0, 0, 0, 0])
    # Below black there is nothing to raise to a power.
    curve = ocio.ExponentTransform([power, power, power, 1.0], negativeStyle=ocio.NEGATIVE_CLAMP)
    steps = [
        ocio.ColorSpaceTransform(_BUILT_IN_SRGB, LINEAR_REC709),
        light,
        ocio.ColorSpaceTransform(LINEAR_REC709, _BUILT_IN_SRGB),
        curve,
    ]
    return _built_in_config().getProcessor(ocio.GroupTransform(steps))


@functools.lru_cache(maxsize=1)
def _built_in_config() -> Any:
    return ocio.Config.CreateFromFile(_BUILT_IN_CONFIG)


@functools.lru_cache(maxsize=4)
def _studio_config(path: str) -> Any | None:
    if not path:
        return None
    try:
        return ocio.Config.CreateFromFile(path)
    except Exception as error:
        # OpenColorIO's own two kinds, and what its binding makes of text that it cannot decode.
        words = in_one_line(error)
        told = f" ({words})" if words else ""
        raise BadInputError(
            f"the OCIO config {Path(path).name!r} named by $OCIO cannot be loaded{told}: correct it or the "
            "variable, or unset it."
        ) from error


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Errors of OpenColorIO as sentences about ``what``, with the name of a file that is missing."""
    try:
        yield
    except (ocio.Exception, ocio.ExceptionMissingFile, UnicodeDecodeError) as error:
        config = Path(os.environ.get("OCIO", "")).name
        whose = f"{what} of the OCIO config {config!r}" if config else what
        missing = _MISSING_FILE.search(str(error))
        if missing is not None:
            raise BadInputError(
                f"{whose} needs the file {Path(missing.group(1)).name}, which is not there: put it where the "
                "config looks for it, or name another space."
            ) from error
        raise BadInputError(
            f"{whose} cannot be used ({in_one_line(error)}): correct the config, or name another space."
        ) from error


def _studio_processor(studio: Any, space: str) -> Any:
    try:
        return ocio.Config.GetProcessorFromConfigs(studio, space, _built_in_config(), _BUILT_IN_SRGB)
    except ocio.ExceptionMissingFile:
        raise
    except ocio.Exception:
        target = next((name for name in _STUDIO_SRGB if studio.getColorSpace(name) is not None), None)
        if target is None:
            raise BadInputError(
                "the OCIO config named by $OCIO has no interchange role and no sRGB space: add the role "
                "aces_interchange, or unset $OCIO."
            ) from None
        return studio.getProcessor(space, target)


def _cineon_to_srgb() -> Any:
    """Kodak's 10-bit printing density: black 95, white 685, 0.002 density a code, gamma 0.6.

    Source: Kodak, "Conversion of 10-bit Log Film Data to 8-bit Linear or Video Data", 1995, as
    used by Nuke's Cineon curve. The built-in ACES config has film scans only as ADX.
    """
    codes_per_decade = 0.6 / 0.002
    black = 10.0 ** ((95.0 - 685.0) / codes_per_decade)
    decode = ocio.LogAffineTransform(
        logSideSlope=[codes_per_decade / 1023.0] * 3,
        logSideOffset=[685.0 / 1023.0] * 3,
        linSideSlope=[1.0 - black] * 3,
        linSideOffset=[black] * 3,
        direction=ocio.TRANSFORM_DIR_INVERSE,
    )
    decode.setBase(10.0)
    return ocio.GroupTransform([decode, ocio.ColorSpaceTransform(LINEAR_REC709, _BUILT_IN_SRGB)])


def studio_folders() -> tuple[Path, ...]:
    """The folders in which the config that ``$OCIO`` names looks for its files, and the config itself."""
    named = os.environ.get("OCIO", "")
    if not named or named.startswith("ocio://"):
        return ()
    path = Path(named).absolute()
    try:
        config = _studio_config(named)
    except BadInputError:
        # Whoever opens a clip is told.
        return (path,)
    found = [] if config is None else [path.parent / each for each in config.getSearchPaths()]
    return (path.parent, *found)
