"""What is wrong with a data set, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from masklet.errors import MaskletError
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.layouts.sa_v_tree import CodedMasks


@dataclass(frozen=True)
class DatasetStats:
    """What is in a data set.

    Attributes:
        clips: Sequences.
        frames: Pictures.
        annotated_frames: Frames with masks.
        objects: Masklets.
        masks: Masks with at least one pixel.
        vanishing_objects: Objects that go, or come back, after they were first seen.
        area_share: Mean share of the picture that a visible object fills; None without any.
        manual_objects: Objects that people checked; None where the layout does not say.
        edited_frames: Frames that people worked on, summed over objects; None where the layout
            does not say.
        edit_seconds: Time that was spent; None where it was not recorded.
    """

    clips: int
    frames: int
    annotated_frames: int
    objects: int
    masks: int
    vanishing_objects: int
    area_share: float | None
    manual_objects: int | None
    edited_frames: int | None
    edit_seconds: float | None


def find_faults(clips: Sequence[AnnotatedClip]) -> Iterator[str]:
    """A sentence for each fault: every annotation is decoded and every picture read.

    A clip that cannot be opened at all counts once.
    """
    for clip in clips:
        try:
            clip.check()
            clip.first_visible()
        except MaskletError as error:
            yield str(error)
            continue
        for frame in clip.frames:
            try:
                picture = clip.source.read(frame)
                if picture.shape[:2] != (clip.info.height_px, clip.info.width_px):
                    yield (
                        f"frame {frame} of {clip.name} has {picture.shape[1]} x {picture.shape[0]} pixels, "
                        f"the first frame {clip.info.width_px} x {clip.info.height_px}: make them alike."
                    )
                if frame in clip.annotated_frames:
                    clip.read_truth(frame)
            except MaskletError as error:
                yield str(error)


def dataset_stats(clips: Sequence[AnnotatedClip]) -> DatasetStats:
    """Counts over all clips; every annotation is decoded.

    Raises:
        BadInputError: An annotation is broken.
    """
    shares: list[float] = []
    vanishing = masks = 0
    for clip in clips:
        pixels = clip.info.width_px * clip.info.height_px
        areas_px: dict[int, list[int]] = {object_id: [] for object_id in clip.truth.object_ids}
        for frame in clip.annotated_frames:
            for object_id, mask in clip.read_truth(frame).masks.items():
                areas_px[object_id].append(int(np.count_nonzero(mask)))
        for series in areas_px.values():
            visible = np.array(series, np.int64) > 0
            masks += int(visible.sum())
            shares += [area_px / pixels for area_px in series if area_px]
            vanishing += bool(visible.any() and not visible[int(visible.argmax()) :].all())
    recorded = [clip.truth.annotation for clip in clips if isinstance(clip.truth, CodedMasks)]
    objects = [one for annotation in recorded for one in annotation.objects]
    seconds = [one.edit_seconds for one in objects if one.edit_seconds is not None]
    return DatasetStats(
        clips=len(clips),
        frames=sum(len(clip.frames) for clip in clips),
        annotated_frames=sum(len(clip.annotated_frames) for clip in clips),
        objects=sum(len(clip.truth.object_ids) for clip in clips),
        masks=masks,
        vanishing_objects=vanishing,
        area_share=float(np.mean(shares)) if shares else None,
        manual_objects=sum(one.kind == "manual" for one in objects) if objects else None,
        edited_frames=sum(one.edited_frame_count for one in objects) if objects else None,
        edit_seconds=sum(seconds) if seconds else None,
    )
