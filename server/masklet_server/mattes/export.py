"""Mattes of a range of frames as finished files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.alpha import EdgeSettings, render_alpha
from masklet_server.mattes.files import RenderedFile
from masklet_server.mattes.naming import clip_stem, safe_names
from masklet_server.mattes.picture_file import (
    Provenance,
    encode_layers_exr,
    encode_matte_exr,
    encode_png,
)

if TYPE_CHECKING:
    from masklet.types import ClipInfo, ObjectInfo
    from masklet_server.sessions.tracking import ObjectFrame, ResultReader


class MatteFormat(Enum):
    """What the files of an export are."""

    EXR = "exr"
    """One multi-layer EXR per frame, a layer per object."""
    EXR_PER_OBJECT = "exr-per-object"
    """A folder per object with an EXR per frame."""
    PNG = "png"
    """A folder per object with a 16-bit PNG per frame."""
    PNG_8 = "png-8"
    """A folder per object with an 8-bit PNG per frame."""


class AlphaSource(Protocol):
    """Makes an object's coverage on one frame; edge refinement and calming take this place."""

    def __call__(self, result: ObjectFrame) -> NDArray[np.float32]:
        """Coverage ``(H, W)`` at the size of the plate, 0 to 1."""
        ...


class LogitAlpha:
    """Coverage straight from the network's logits."""

    def __init__(self, clip: ClipInfo, edge: EdgeSettings | None = None) -> None:
        self._clip = clip
        self._edge = edge or EdgeSettings()

    def __call__(self, result: ObjectFrame) -> NDArray[np.float32]:
        """Coverage ``(H, W)`` at the size of the plate, 0 to 1."""
        return render_alpha(result.logits, self._clip.width_px, self._clip.height_px, edge=self._edge)


def render_mattes(
    clip: ClipInfo,
    objects: Sequence[ObjectInfo],
    results: ResultReader,
    frames: Iterable[int],
    *,
    matte_format: MatteFormat = MatteFormat.EXR,
    provenance: Provenance | None = None,
    alpha: AlphaSource | None = None,
    stem: str | None = None,
    names: Mapping[int, str] | None = None,
) -> Iterator[RenderedFile]:
    """The files of the given frames, one after another, each as soon as it is encoded.

    A frame without a result of any object gives no file. In a multi-layer EXR an object without a
    result on the frame has an empty layer, so that all frames have the same channels.

    Args:
        clip: Gives size, pixel aspect, frame rate and name.
        objects: Which objects to export.
        results: Where their logits are found.
        frames: The plate's own numbers.
        matte_format: What the files are.
        provenance: Written into every header.
        alpha: Makes coverage; :class:`LogitAlpha` when None.
        stem: What file names begin with; made from the clip's name when None.
        names: Layer and file names by object id, as :func:`safe_names` makes them; of ``objects``
            when None. Where only some of a session's objects are exported, pass the names of all,
            or one that clashes would be called differently alone.

    Raises:
        OutputError: A file cannot be encoded.
    """
    names = safe_names(objects) if names is None else names
    alpha = alpha or LogitAlpha(clip)
    provenance = provenance or Provenance()
    stem = stem or clip_stem(clip.name)
    for frame in frames:
        found = {each.object_id: results.find(each.object_id, frame) for each in objects}
        number = f"{frame:04d}"
        if matte_format is MatteFormat.EXR:
            if all(result is None for result in found.values()):
                continue
            layers = {names[id_]: _coverage(result, clip, alpha) for id_, result in found.items()}
            data = encode_layers_exr(layers, clip, provenance)
            yield RenderedFile(f"{stem}_mattes.{number}.exr", frame, data)
            continue
        for object_id, result in found.items():
            if result is None:
                continue
            coverage = alpha(result)
            if matte_format is MatteFormat.EXR_PER_OBJECT:
                data, extension = encode_matte_exr(coverage, clip, provenance), "exr"
            else:
                bits = 8 if matte_format is MatteFormat.PNG_8 else 16
                data, extension = encode_png(coverage, clip, provenance, bits=bits), "png"
            name = names[object_id]
            yield RenderedFile(f"{name}/{stem}_{name}.{number}.{extension}", frame, data)


def _coverage(result: ObjectFrame | None, clip: ClipInfo, alpha: AlphaSource) -> NDArray[np.float32]:
    if result is None:
        return np.zeros((clip.height_px, clip.width_px), np.float32)
    return alpha(result)
