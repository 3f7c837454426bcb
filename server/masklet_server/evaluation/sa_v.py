"""SA-V's annotation file: read, checked and written.

``<video>_manual.json`` holds ``masklet[k][n]``, the compressed run lengths of object n on
annotated frame k, and lists with one entry an object beside it. SA-V annotates every fourth
frame of its videos. Exports of masklet add three entries of their own, which readers of SA-V
ignore: ``masklet_frame_step`` (1 where every frame is annotated), ``masklet_edited_frames`` (the
video frames on which an artist worked; masks elsewhere are propagated) and
``masklet_edit_seconds``. Where nobody knows whether an object is there (it was never tracked on that
frame), its place holds ``null``: SA-V has no such thing, and its readers stop there instead of learning
that the object is absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError, OutputError
from masklet_server.evaluation.rle import decode_rle, encode_rle

FRAME_STEP = 4
"""Video frames from one annotated frame of SA-V to the next."""

# Area in pixels below which SA-V calls an object small, and above which large.
_SMALL_BELOW_PX, _LARGE_ABOVE_PX = 32**2, 96**2


@dataclass(frozen=True)
class SaVObject:
    """One masklet.

    Attributes:
        object_id: As in the file.
        kind: ``manual`` where people checked and edited it, ``auto`` where nobody did.
        edited_frames: Video frames (from 0) on which an artist worked; empty if not recorded.
        edited_frame_count: How many these are, as SA-V records it.
        edit_seconds: Time that was spent on it; None if not recorded.
    """

    object_id: int
    kind: str = "manual"
    edited_frames: tuple[int, ...] = ()
    edited_frame_count: int = 0
    edit_seconds: float | None = None


@dataclass(frozen=True)
class SaVAnnotation:
    """All masklets of one video, still encoded.

    Attributes:
        video: The video's id.
        width_px: Of the video.
        height_px: Of the video.
        frame_count: Frames of the video, annotated or not.
        frame_step: Video frames from one annotated frame to the next.
        objects: In the order of the codes.
        codes: ``codes[k][n]`` is the code of object n on the k-th frame of the grid; None where the object
            is not annotated there.
    """

    video: str
    width_px: int
    height_px: int
    frame_count: int
    frame_step: int
    objects: tuple[SaVObject, ...]
    codes: tuple[tuple[str | None, ...], ...]

    @property
    def frames(self) -> tuple[int, ...]:
        """Video frames, from 0, on which some object is annotated."""
        return tuple(
            index * self.frame_step
            for index, codes in enumerate(self.codes)
            if any(code is not None for code in codes)
        )

    def masks(self, frame: int) -> dict[int, NDArray[np.bool_]]:
        """``(h, w)`` masks by object id on one of :attr:`frames`, of the objects that are annotated there.

        Raises:
            BadInputError: A code is damaged.
        """
        codes = self.codes[frame // self.frame_step]
        found = {}
        for one, code in zip(self.objects, codes, strict=True):
            if code is None:
                continue
            try:
                found[one.object_id] = decode_rle(code, width_px=self.width_px, height_px=self.height_px)
            except BadInputError as error:
                raise BadInputError(
                    f"{self.video}, frame {frame}, object {one.object_id}: {error}"
                ) from error
        return found


def read_sa_v(path: Path) -> SaVAnnotation:
    """The annotation in a file, its structure checked, its codes not yet decoded.

    Raises:
        BadInputError: The file is no SA-V annotation, or its parts do not fit each other.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        sizes = {tuple(code["size"]) for codes in content["masklet"] for code in codes if code is not None}
        annotation = SaVAnnotation(
            video=str(content["video_id"]),
            width_px=int(content["video_width"]),
            height_px=int(content["video_height"]),
            frame_count=int(content["video_frame_count"]),
            frame_step=int(content.get("masklet_frame_step", FRAME_STEP)),
            objects=_objects(content),
            codes=tuple(
                tuple(None if code is None else str(code["counts"]) for code in codes)
                for codes in content["masklet"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise BadInputError(
            f"{path.name} is no SA-V annotation: it is damaged or of another format; export it again."
        ) from error
    _check(path, annotation, sizes)
    return annotation


def write_sa_v(path: Path, annotation: SaVAnnotation) -> None:
    """Write the annotation as SA-V does, whole or not at all.

    Raises:
        BadInputError: A code is damaged.
        OutputError: The file cannot be written.
    """
    text = json.dumps(_content(annotation))
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"{path.name} cannot be written: check that its folder exists and has room."
        ) from error


def encode_annotation(
    video: str,
    *,
    width_px: int,
    height_px: int,
    frame_count: int,
    objects: Sequence[SaVObject],
    masks: Iterable[Mapping[int, NDArray[np.bool_]]],
    frame_step: int = FRAME_STEP,
) -> SaVAnnotation:
    """An annotation from masks.

    Args:
        video: The video's id.
        width_px: Of the video.
        height_px: Of the video.
        frame_count: Frames of the video.
        objects: All objects.
        masks: ``(h, w)`` masks by object id for each frame of the grid in order, all False where the object
            is not visible; an object without an entry is not annotated on the frame.
        frame_step: Video frames from one annotated frame to the next.

    Raises:
        BadInputError: A mask has another size than the video.
    """
    codes: list[tuple[str | None, ...]] = []
    for index, by_object in enumerate(masks):
        for mask in by_object.values():
            if mask.shape != (height_px, width_px):
                raise BadInputError(
                    f"a mask of frame {index * frame_step} of {video} has {mask.shape[1]} x {mask.shape[0]} "
                    f"pixels, the video {width_px} x {height_px}: export at the size of the plate."
                )
        found = [by_object.get(one.object_id) for one in objects]
        codes.append(tuple(None if mask is None else encode_rle(mask) for mask in found))
    return SaVAnnotation(video, width_px, height_px, frame_count, frame_step, tuple(objects), tuple(codes))


def _objects(content: Mapping[str, Any]) -> tuple[SaVObject, ...]:
    ids = content["masklet_id"]
    kinds = content.get("masklet_type", ["manual"] * len(ids))
    counts = content.get("masklet_edited_frame_count", [0] * len(ids))
    edited = content.get("masklet_edited_frames", [[]] * len(ids))
    seconds = content.get("masklet_edit_seconds", [None] * len(ids))
    return tuple(
        SaVObject(
            int(object_id),
            str(kinds[n]),
            tuple(int(frame) for frame in edited[n]),
            int(counts[n] or 0),
            None if seconds[n] is None else float(seconds[n]),
        )
        for n, object_id in enumerate(ids)
    )


def _check(path: Path, annotation: SaVAnnotation, sizes: set[tuple[int, ...]]) -> None:
    if not annotation.objects or not annotation.frames:
        raise BadInputError(f"{path.name} has no masks: an evaluation needs the truth to compare with.")
    if any(len(codes) != len(annotation.objects) for codes in annotation.codes):
        raise BadInputError(
            f"{path.name} has frames with fewer masks than it has objects: it is damaged; export it again."
        )
    if sizes != {(annotation.height_px, annotation.width_px)}:
        odd = next(size for size in sizes if size != (annotation.height_px, annotation.width_px))
        raise BadInputError(
            f"{path.name} has a mask of {odd[1]} x {odd[0]} pixels in a video of "
            f"{annotation.width_px} x {annotation.height_px}: use annotations of the same resolution."
        )
    if annotation.frame_step < 1 or annotation.frames[-1] >= annotation.frame_count:
        raise BadInputError(
            f"{path.name} annotates frame {annotation.frames[-1]} of a video with {annotation.frame_count} "
            "frames: it belongs to another video."
        )


def _content(annotation: SaVAnnotation) -> dict[str, Any]:
    areas_px = np.zeros((len(annotation.codes), len(annotation.objects)), np.int64)
    for k in range(len(annotation.codes)):
        masks = annotation.masks(k * annotation.frame_step)
        areas_px[k] = [
            int(np.count_nonzero(masks[one.object_id])) if one.object_id in masks else 0
            for one in annotation.objects
        ]
    size = [annotation.height_px, annotation.width_px]
    pixels = annotation.width_px * annotation.height_px
    visible = areas_px > 0
    mean_px = [
        float(areas_px[visible[:, n], n].mean()) if visible[:, n].any() else 0.0
        for n in range(areas_px.shape[1])
    ]
    return {
        "video_id": annotation.video,
        "video_frame_count": float(annotation.frame_count),
        "video_height": float(annotation.height_px),
        "video_width": float(annotation.width_px),
        "video_resolution": float(pixels),
        "masklet": [
            [None if code is None else {"size": size, "counts": code} for code in codes]
            for codes in annotation.codes
        ],
        "masklet_id": [one.object_id for one in annotation.objects],
        "masklet_size_rel": [area_px / pixels for area_px in mean_px],
        "masklet_size_abs": mean_px,
        "masklet_size_bucket": [_bucket(area_px) for area_px in mean_px],
        "masklet_visibility_changes": [_changes(column) for column in visible.T],
        "masklet_first_appeared_frame": [float(column.argmax()) for column in visible.T],
        "masklet_frame_count": [
            sum(codes[n] is not None for codes in annotation.codes) for n in range(len(annotation.objects))
        ],
        "masklet_edited_frame_count": [one.edited_frame_count for one in annotation.objects],
        "masklet_type": [one.kind for one in annotation.objects],
        "masklet_stability_score": [None] * len(annotation.objects),
        "masklet_num": len(annotation.objects),
        "masklet_frame_step": annotation.frame_step,
        "masklet_edited_frames": [list(one.edited_frames) for one in annotation.objects],
        "masklet_edit_seconds": [one.edit_seconds for one in annotation.objects],
    }


def _changes(visible: NDArray[np.bool_]) -> int:
    """How often an object went or came back after it was first seen."""
    return int(np.count_nonzero(np.diff(visible[int(visible.argmax()) :])))


def _bucket(area_px: float) -> str:
    if area_px < _SMALL_BELOW_PX:
        return "small"
    return "large" if area_px > _LARGE_ABOVE_PX else "medium"
