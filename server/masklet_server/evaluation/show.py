"""A finished shot as training data in SA-V's layout.

A shot is finished when an artist likes its mattes: the plate, the prompt document that says where
the artist worked, and the mattes that were exported. Frames with a prompt count as edited; masks
on all others are propagated.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import BadInputError, OutputError
from masklet.names import layer_names
from masklet.types import FrameRange, ObjectInfo, PromptDocument
from masklet_server.evaluation.layouts.pictures import numbered_files
from masklet_server.evaluation.sa_v import SaVObject, encode_annotation, write_sa_v
from masklet_server.mattes.cryptomatte import picked
from masklet_server.tracking import FrameSource

_INSIDE_FROM = 0.5
_JPEG_QUALITY = 95


class MatteFolder:
    """Mattes as masklet exports them: one layered EXR or Cryptomatte a frame, or a folder per object.

    Args:
        folder: Where the export went.
        objects: All objects of the shot; their names tell which file or layer is whose.

    Raises:
        BadInputError: The folder has no mattes of any of them.
    """

    def __init__(self, folder: Path, objects: tuple[ObjectInfo, ...]) -> None:
        if not folder.is_dir():
            raise BadInputError(f"there is no folder {folder.name}: export the mattes first.")
        self._names = layer_names(objects)
        self._own_names = {one.object_id: one.name for one in objects}
        self._layered = numbered_files(folder, {".exr"})
        self._single = {
            object_id: numbered_files(folder / name, {".exr", ".png"})
            for object_id, name in self._names.items()
            if (folder / name).is_dir()
        }
        if not self.frames:
            raise BadInputError(
                f"{folder.name} has no mattes of {', '.join(self._names.values())}: "
                "give the folder that the export wrote."
            )

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames with a matte of some object, ascending."""
        single = {frame for files in self._single.values() for frame in files}
        return tuple(sorted(single | set(self._layered)))

    def read(self, frame: int) -> dict[int, NDArray[np.bool_]]:
        """``(h, w)`` masks by object id: what is covered by half or more.

        An object has no entry where it has no matte: in a frame without a file, and in a file whose layer of
        it is empty because it was never tracked there, as the header says.

        Raises:
            BadInputError: A file cannot be read.
        """
        masks = {}
        if frame in self._layered:
            layers, untracked, held = _read_channels(self._layered[frame])
            for object_id, name in self._names.items():
                own = self._own_names[object_id]
                coverage = layers.get(f"{name}.A")
                if coverage is None and own in held:
                    coverage = picked(own, layers)
                if coverage is not None and not {name, own} & untracked:
                    masks[object_id] = coverage >= _INSIDE_FROM
        for object_id, files in self._single.items():
            if frame in files:
                layers, _, _ = _read_channels(files[frame])
                masks[object_id] = next(iter(layers.values())) >= _INSIDE_FROM
        return masks


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        video: Its name in the data set.
        frames: Pictures.
        annotated_frames: Frames with masks.
        objects: Masklets.
        edited_frames: Frames that an artist worked on, summed over objects.
    """

    video: str
    frames: int
    annotated_frames: int
    objects: int
    edited_frames: int


def export_shot(
    folder: Path,
    *,
    video: str,
    source: FrameSource,
    document: PromptDocument,
    mattes: MatteFolder,
    edit_seconds: Mapping[int, float] | None = None,
    frame_step: int = 1,
    frames: FrameRange | None = None,
) -> ExportReport:
    """Write one shot into a data set: pictures in a folder, the annotation beside it.

    Frame numbers of the plate become indices from 0; frames without a picture are left out of
    the video.

    Args:
        folder: The data set; other videos in it are left alone.
        video: The name of the video in the data set.
        source: The plate.
        document: What the artist did.
        mattes: What came out.
        edit_seconds: Time spent by object id, where it is known.
        frame_step: Annotate every so manieth frame; SA-V has 4.
        frames: The part of the plate that becomes the video; None for all of it. Frames in it that were
            never tracked are in the video and not annotated.

    Raises:
        BadInputError: The name is no file name, no object has a matte, the range leaves the plate, or sizes
            differ.
        OutputError: The data set cannot be written, or has a video of this name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", video):
        raise BadInputError(
            f"{video!r} cannot name a video: use letters, digits, dots, dashes and underscores."
        )
    path = folder / f"{video}_manual.json"
    if path.exists() or (folder / video).exists():
        raise OutputError(
            f"the data set has a video {video} already: choose another name, or remove it first."
        )
    info = source.info
    missing = set(info.missing_frames)
    asked = frames or info.frames
    if asked.first not in info.frames or asked.last not in info.frames:
        raise BadInputError(
            f"the prompt document tracks {asked.first}-{asked.last}, the plate has {info.first_frame}-"
            f"{info.last_frame}: they belong to different clips, or correct the range in the document."
        )
    numbers = [f for f in range(asked.first, asked.last + 1) if f not in missing]
    if not numbers:
        raise BadInputError(f"the plate has no picture in {asked.first}-{asked.last}: check the range.")
    annotated = numbers[::frame_step]
    if not set(annotated) & set(mattes.frames):
        raise BadInputError(
            f"the mattes are of frames {mattes.frames[0]}-{mattes.frames[-1]}, the clip has "
            f"{numbers[0]}-{numbers[-1]}: they belong to another clip."
        )
    objects = _described(document, {frame: index for index, frame in enumerate(numbers)}, edit_seconds or {})
    annotation = encode_annotation(
        video,
        width_px=info.width_px,
        height_px=info.height_px,
        frame_count=len(numbers),
        objects=objects,
        masks=(mattes.read(frame) for frame in annotated),
        frame_step=frame_step,
    )
    _write_pictures(folder / video, source, numbers)
    write_sa_v(path, annotation)
    edited = sum(one.edited_frame_count for one in objects)
    return ExportReport(video, len(numbers), len(annotation.frames), len(objects), edited)


def _described(
    document: PromptDocument, index_of: Mapping[int, int], edit_seconds: Mapping[int, float]
) -> list[SaVObject]:
    described = []
    for info in document.objects:
        prompted = {p.frame for p in document.prompts if p.object_id == info.object_id and not p.is_empty}
        edited = tuple(sorted(index_of[frame] for frame in prompted if frame in index_of))
        seconds = edit_seconds.get(info.object_id)
        described.append(SaVObject(info.object_id, "manual", edited, len(edited), seconds))
    return described


def _write_pictures(folder: Path, source: FrameSource, frames: list[int]) -> None:
    partial = folder.with_name(f".{folder.name}.part")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for index, frame in enumerate(frames):
            (partial / f"{index:05}.jpg").write_bytes(_jpeg(source.read(frame)))
        partial.replace(folder)
    except OSError as error:
        raise OutputError(
            f"the pictures of {folder.name} cannot be written ({error.strerror}): check rights and space."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _jpeg(picture: NDArray[np.uint8] | NDArray[np.float32]) -> bytes:
    if picture.dtype != np.uint8:
        picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)[1].tobytes()


def _read_channels(path: Path) -> tuple[dict[str, NDArray[np.float32]], frozenset[str], frozenset[str]]:
    """``(h, w)`` by channel name in order, names of layers that say nothing, names in a Cryptomatte."""
    picture = oiio.ImageInput.open(str(path))
    if picture is None:
        oiio.geterror()
        raise BadInputError(f"the matte {path.name} cannot be read: the file is damaged or no picture.")
    try:
        spec = picture.spec()
        pixels = picture.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT)
    finally:
        picture.close()
    if pixels is None:
        raise BadInputError(f"the matte {path.name} cannot be read: the file is damaged or cut off.")
    shape = (spec.height, spec.width, spec.nchannels)
    read: NDArray[np.float32] = np.asarray(pixels, np.float32).reshape(shape)
    told = {str(attribute.name): attribute.value for attribute in spec.extra_attribs}
    held = {name for key, text in told.items() if key.endswith("/manifest") for name in _names_in(text)}
    channels = {name: read[..., index] for index, name in enumerate(spec.channelnames)}
    return channels, frozenset(_names_in(told.get("masklet/untracked"))), frozenset(held)


def _names_in(text: object) -> list[str]:
    """The names in a list, or the keys in an object, of JSON; none where it is neither."""
    try:
        return [str(name) for name in json.loads(str(text))]
    except (ValueError, TypeError):
        return []
