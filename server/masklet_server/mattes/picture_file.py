"""One matte file as bytes: multi-layer half-float EXR, or PNG."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import OutputError
from masklet.plate_marks import NO_MARKS, PlateMarks
from masklet.types import ClipInfo
from masklet_server.mattes.cryptomatte import manifest_attributes, ranked_channels


@dataclass(frozen=True)
class Provenance:
    """Where a matte comes from, written into every file's header.

    Attributes:
        model: Name of the weights.
        weights_sha256: Their digest, in hexadecimal.
        settings: All settings that change pixels, as JSON.
        prompts_sha256: Digest of the prompt document, in hexadecimal.
        untracked: Names of objects whose layers are empty on this frame because nothing is known of them.
    """

    model: str = ""
    weights_sha256: str = ""
    settings: str = ""
    prompts_sha256: str = ""
    untracked: tuple[str, ...] = ()

    def as_attributes(self) -> dict[str, str]:
        """Header attributes by name; empty ones are left out."""
        named = {
            "masklet/model": self.model,
            "masklet/weightsSha256": self.weights_sha256,
            "masklet/settings": self.settings,
            "masklet/promptsSha256": self.prompts_sha256,
            "masklet/untracked": json.dumps(self.untracked, ensure_ascii=False) if self.untracked else "",
        }
        return {name: value for name, value in named.items() if value}


def encode_layers_exr(
    alphas: Mapping[str, NDArray[np.float32]],
    clip: ClipInfo,
    provenance: Provenance,
    marks: PlateMarks = NO_MARKS,
) -> bytes:
    """A multi-layer EXR: one channel ``LAYER.A`` per object, half-float, ZIPS.

    Args:
        alphas: Layer name to ``(H, W)`` coverage at the size of the plate.
        clip: Gives display window, pixel aspect and frame rate.
        provenance: Written into the header.
        marks: The plate's, of this frame.

    Raises:
        OutputError: The file cannot be encoded.
    """
    names = [f"{layer}.A" for layer in alphas]
    return _encode("exr", np.stack(list(alphas.values()), axis=-1), names, "half", clip, provenance, marks)


def encode_matte_exr(
    alpha: NDArray[np.float32], clip: ClipInfo, provenance: Provenance, marks: PlateMarks = NO_MARKS
) -> bytes:
    """An EXR of one object: ``(H, W)`` coverage in R, G, B and A, half-float, ZIPS.

    All four, because some applications take a matte from the alpha and others from the colour.

    Raises:
        OutputError: The file cannot be encoded.
    """
    pixels = np.repeat(alpha[..., None], 4, axis=-1)
    return _encode("exr", pixels, ["R", "G", "B", "A"], "half", clip, provenance, marks)


def encode_cryptomatte_exr(
    alphas: Mapping[str, NDArray[np.float32]],
    clip: ClipInfo,
    provenance: Provenance,
    marks: PlateMarks = NO_MARKS,
) -> bytes:
    """A Cryptomatte EXR: names of any kind, picked with the eyedropper of a compositing application.

    Args:
        alphas: Object name as people wrote it to ``(H, W)`` coverage at the size of the plate.
        clip: Gives display window, pixel aspect and frame rate.
        provenance: Written into the header.
        marks: The plate's, of this frame.

    Raises:
        OutputError: The file cannot be encoded.
    """
    channels, planes = ranked_channels(alphas)
    # Ids are the bits of a float: half would round them to other ids.
    manifest = manifest_attributes(list(alphas))
    return _encode("exr", planes, channels, "float", clip, provenance, marks, manifest)


def encode_png(
    alpha: NDArray[np.float32],
    clip: ClipInfo,
    provenance: Provenance,
    marks: PlateMarks = NO_MARKS,
    *,
    bits: int = 16,
) -> bytes:
    """A grey PNG of ``(H, W)`` coverage with 8 or 16 bits, linear.

    Raises:
        OutputError: The file cannot be encoded.
    """
    return _encode(
        "png", alpha[..., None], ["Y"], "uint16" if bits == 16 else "uint8", clip, provenance, marks
    )


def exact_rate(frames_per_s: float) -> Fraction:
    """The frame rate that a rounded one stands for: 23.976 is 24000/1001."""
    nominal = round(frames_per_s)
    broadcast = Fraction(nominal * 1000, 1001)
    if nominal and abs(frames_per_s - broadcast) < 0.002:
        return broadcast
    return Fraction(frames_per_s).limit_denominator(1001)


def _encode(
    extension: str,
    pixels: NDArray[np.float32],
    names: list[str],
    sample: str,
    clip: ClipInfo,
    provenance: Provenance,
    marks: PlateMarks,
    attributes: Mapping[str, str] | None = None,
) -> bytes:
    """Encode ``(H, W, C)``."""
    height_px, width_px, channels = pixels.shape
    spec = oiio.ImageSpec(width_px, height_px, channels, sample)
    spec.channelnames = names
    if extension == "exr":
        left_px, top_px = clip.display_origin_px
        spec.full_x, spec.full_y = left_px, top_px
        spec.full_width, spec.full_height = clip.display_width_px, clip.display_height_px
        spec.x, spec.y = left_px - clip.overscan.left_px, top_px - clip.overscan.top_px
    _describe(spec, extension, clip, marks, {**provenance.as_attributes(), **(attributes or {})})
    # OpenImageIO's Python module writes to named files only.
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        path = Path(folder) / f"matte.{extension}"
        writer = oiio.ImageOutput.create(str(path))
        if writer is None:
            raise OutputError(
                f"{extension.upper()} files cannot be written here: install OpenImageIO with it."
            )
        written = writer.open(str(path), spec) and writer.write_image(np.ascontiguousarray(pixels))
        written = writer.close() and written
        problem = writer.geterror() or oiio.geterror()
        if not written or problem:
            raise OutputError("a matte cannot be encoded, the temporary folder may be full: free some space.")
        return path.read_bytes()


def _describe(
    spec: Any, extension: str, clip: ClipInfo, marks: PlateMarks, attributes: Mapping[str, str]
) -> None:
    spec["Software"] = "masklet"
    # Empty, so that the time of writing stays out and the same prompts give the same bytes.
    spec["DateTime"] = ""
    # Coverage is not a colour: without this a PNG would say that it is sRGB.
    spec["oiio:ColorSpace"] = "data"
    spec["PixelAspectRatio"] = float(clip.pixel_aspect)
    for name, value in attributes.items():
        spec[name] = value
    if marks.owner:
        # OpenImageIO's word for the standard attribute "owner" of an EXR.
        spec["Copyright"] = marks.owner
    if extension == "exr":
        spec["compression"] = "zips"
        if clip.frames_per_s and not clip.is_variable_rate:
            rate = exact_rate(clip.frames_per_s)
            # As OpenEXR spells it; OpenImageIO would write its own spelling, which nobody else reads.
            spec.attribute("framesPerSecond", oiio.TypeDesc("rational"), (rate.numerator, rate.denominator))
        if marks.timecode is not None:
            spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), marks.timecode)
        if marks.reel:
            spec["reelName"] = marks.reel
