"""Mattes of a range of frames as finished files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.deliveries import Delivery
from masklet.events import MatteFormat
from masklet.matte_settings import MatteSettings
from masklet.names import clip_stem, layer_names
from masklet.plate_marks import NO_MARKS, PlateMarks
from masklet_server.mattes.adjust import adjust_all
from masklet_server.mattes.alpha import EdgeSettings, render_alpha
from masklet_server.mattes.files import RenderedFile
from masklet_server.mattes.picture_file import (
    Provenance,
    encode_cryptomatte_exr,
    encode_layers_exr,
    encode_matte_exr,
    encode_png,
)

if TYPE_CHECKING:
    from masklet.types import ClipInfo, FrameRange, ObjectInfo
    from masklet_server.tracking import ObjectFrame, ResultReader

_PLAIN = MatteSettings()
_NUMBER = ".%04d"


def _no_marks(frame: int) -> PlateMarks:
    del frame
    return NO_MARKS


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
    matte_format: MatteFormat = MatteFormat.EXR_LAYERS,
    provenance: Provenance | None = None,
    alpha: AlphaSource | None = None,
    stem: str | None = None,
    among: Sequence[ObjectInfo] | None = None,
    settings: Mapping[int, MatteSettings] | None = None,
    marks_of: Callable[[int], PlateMarks] = _no_marks,
    is_drawn: Callable[[ObjectFrame], bool] | None = None,
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
        among: All objects of the session, in the order in which they were added; ``objects`` when
            None. Names and overlap depend on them, so that an object exported alone is the same as
            exported with the others.
        settings: What the artist asked of mattes, by object id; nothing when None.
        marks_of: Tells what the plate says of a frame, for the headers.
        is_drawn: True for results in whose place the artist drew a mask: exclusive objects give way to
            it. None drawn when None.

    Raises:
        OutputError: A file cannot be encoded.
    """
    among = objects if among is None else among
    names = layer_names(among)
    settings = settings or {}
    alpha = alpha or LogitAlpha(clip)
    provenance = provenance or Provenance()
    stem = stem or clip_stem(clip.name)
    wanted = {each.object_id for each in objects}
    if any(settings.get(object_id, _PLAIN).exclusive for object_id in wanted):
        # The others take their share of each pixel, exported or not.
        wanted |= {each.object_id for each in among if settings.get(each.object_id, _PLAIN).exclusive}
    for frame in frames:
        found = {
            each.object_id: results.find(each.object_id, frame) for each in among if each.object_id in wanted
        }
        raw = {object_id: alpha(result) for object_id, result in found.items() if result is not None}
        drawn = [id_ for id_ in raw if is_drawn is not None and (each := found[id_]) and is_drawn(each)]
        finished = adjust_all(raw, settings, drawn=drawn)
        shown = {each.object_id: finished[each.object_id] for each in objects if each.object_id in finished}
        if not shown:
            continue
        empty = np.zeros((clip.height_px, clip.width_px), np.float32)
        marks = marks_of(frame)
        unknown = [each for each in objects if each.object_id not in shown]
        if matte_format is MatteFormat.EXR_LAYERS:
            # An empty layer may mean that the object is away, or that nobody looked.
            told = replace(provenance, untracked=tuple(names[each.object_id] for each in unknown))
            layers = {names[each.object_id]: shown.get(each.object_id, empty) for each in objects}
            data = encode_layers_exr(layers, clip, told, marks)
            yield RenderedFile(_numbered(_files(stem, matte_format), frame), frame, data)
            continue
        if matte_format is MatteFormat.CRYPTOMATTE:
            told = replace(provenance, untracked=tuple(each.name for each in unknown))
            named = {each.name: shown.get(each.object_id, empty) for each in objects}
            data = encode_cryptomatte_exr(named, clip, told, marks)
            yield RenderedFile(_numbered(_files(stem, matte_format), frame), frame, data)
            continue
        for object_id, coverage in shown.items():
            if matte_format is MatteFormat.EXR_PER_OBJECT:
                data = encode_matte_exr(coverage, clip, provenance, marks)
            else:
                bits = 8 if matte_format is MatteFormat.PNG8 else 16
                data = encode_png(coverage, clip, provenance, marks, bits=bits)
            files = _files(stem, matte_format, names[object_id])
            yield RenderedFile(_numbered(files, frame), frame, data)


def matte_deliveries(
    clip: ClipInfo,
    objects: Sequence[ObjectInfo],
    frames: FrameRange,
    *,
    matte_format: MatteFormat,
    stem: str,
    among: Sequence[ObjectInfo] | None = None,
) -> tuple[Delivery, ...]:
    """What :func:`render_mattes` makes of the same arguments, before it makes it."""
    names = layer_names(objects if among is None else among)

    def delivery(files: str, layers: Sequence[str] = ()) -> Delivery:
        return Delivery(files, matte_format.value, tuple(layers), clip.width_px, clip.height_px, frames)

    if matte_format is MatteFormat.EXR_LAYERS:
        return (delivery(_files(stem, matte_format), [names[each.object_id] for each in objects]),)
    if matte_format is MatteFormat.CRYPTOMATTE:
        return (delivery(_files(stem, matte_format), [each.name for each in objects]),)
    return tuple(delivery(_files(stem, matte_format, names[each.object_id])) for each in objects)


def _files(stem: str, matte_format: MatteFormat, name: str = "") -> str:
    """Where the files of a sequence go, below the export's folder; ``name`` is the object's own."""
    if matte_format is MatteFormat.EXR_LAYERS:
        return f"{stem}_mattes{_NUMBER}.exr"
    if matte_format is MatteFormat.CRYPTOMATTE:
        return f"{stem}_crypto{_NUMBER}.exr"
    extension = "exr" if matte_format is MatteFormat.EXR_PER_OBJECT else "png"
    return f"{name}/{stem}_{name}{_NUMBER}.{extension}"


def _numbered(files: str, frame: int) -> str:
    return files.replace(_NUMBER, f".{frame:04d}")
