"""Prompt documents brought to a plate of another size or numbering, or refused with the way on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.matte_settings import MAX_AREA_PX, MAX_DISTANCE_PX, MatteSettings
from masklet.prompts import PlateShape, Shot
from masklet.types import FramePrompts, FrameRange, LockedMask, Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from masklet.types import ClipInfo


def plate_of(clip: ClipInfo) -> PlateShape:
    """Size and range of a clip, as a prompt document keeps them."""
    return PlateShape(clip.display_width_px, clip.display_height_px, clip.frames)


def shifted(shot: Shot, frames: int) -> Shot:
    """The shot with everything said so many frames later; earlier where negative.

    Raises:
        BadInputError: A frame number would become too large.
    """
    document = shot.document
    try:
        return replace(
            shot,
            document=replace(
                document,
                objects=tuple(
                    replace(info, prompted_frames=tuple(frame + frames for frame in info.prompted_frames))
                    for info in document.objects
                ),
                prompts=tuple(replace(item, frame=item.frame + frames) for item in document.prompts),
                locks=tuple(replace(lock, frames=_later(lock.frames, frames)) for lock in document.locks),
                masks=tuple(_later_mask(mask, frames) for mask in document.masks),
            ),
            frames=None if shot.frames is None else _later(shot.frames, frames),
            plate=None
            if shot.plate is None
            else replace(shot.plate, frames=_later(shot.plate.frames, frames)),
        )
    except ValueError as error:
        raise BadInputError(f"the prompts cannot be moved by {frames} frames: {error}") from error


def scaled(shot: Shot, clip: ClipInfo, *, factor: float | None = None) -> Shot:
    """The shot with everything said in the pixels of ``clip``.

    Clicks and boxes keep their place in the picture, masks drawn by hand are resampled, distances and areas
    of matte settings grow with the picture.

    Args:
        shot: Made on another size.
        clip: What it shall be used on.
        factor: Pixels of ``clip`` for each pixel of the document; None for the ratio of the sizes.

    Raises:
        BadInputError: The document does not say the size that it was made on, and no factor is given.
    """
    if factor is not None:
        across = down = factor
    elif shot.plate is None:
        raise BadInputError(
            "the prompt document does not say the size that its prompts were made on: give a factor, such as "
            "--scale 2"
        )
    else:
        across, down = (
            clip.display_width_px / shot.plate.width_px,
            clip.display_height_px / shot.plate.height_px,
        )
    document = shot.document
    even = (across * down) ** 0.5
    return replace(
        shot,
        document=replace(
            document,
            prompts=tuple(_scaled(item, across, down, clip) for item in document.prompts),
            # Second looks lie on the other plate's pixels: they are made anew.
            masks=tuple(_without_looks(mask) for mask in document.masks),
            mattes=tuple(
                replace(matte, settings=_scaled_settings(matte.settings, even)) for matte in document.mattes
            ),
        ),
        plate=None
        if shot.plate is None
        else replace(shot.plate, width_px=clip.display_width_px, height_px=clip.display_height_px),
    )


def check_size(shot: Shot, name: str, width_px: int, height_px: int) -> None:
    """See that a shot's prompts were made on a plate of this size, as far as it says.

    Raises:
        BadInputError: They were made on another.
    """
    plate = shot.plate
    if plate is not None and (plate.width_px, plate.height_px) != (width_px, height_px):
        raise BadInputError(
            f"the prompts were made on {plate.width_px} x {plate.height_px} pixels and {name} has "
            f"{width_px} x {height_px}: open that plate, or convert them with masklet roto --scale fit"
        )


def check_fits(shot: Shot, clip: ClipInfo) -> tuple[str, ...]:
    """See that a shot's prompts mean on ``clip`` what they meant where they were made.

    Returns:
        What is different and does not matter, a sentence each.

    Raises:
        BadInputError: The clip has another size, or none of the frames that the prompts are on; the message
            says how to convert.
    """
    check_size(shot, clip.name, clip.display_width_px, clip.display_height_px)
    plate = shot.plate
    outside = sorted({item.frame for item in shot.document.prompts if item.frame not in clip.frames})
    if outside:
        moved = ""
        if plate is not None and plate.frames.first != clip.first_frame:
            moved = (
                f"; the prompts were made on {plate.frames.shown}, so --offset "
                f"{clip.first_frame - plate.frames.first} moves them"
            )
        raise BadInputError(
            f"there are prompts on frame {outside[0]} and {clip.name} has "
            f"{clip.frames.shown}: check the clip and its "
            f"first frame, or move the prompts with --offset FRAMES{moved}"
        )
    if plate is not None and plate.frames != clip.frames:
        return (
            f"the prompts were made on {plate.frames.worded}, {clip.name} has {clip.frames.shown}: "
            "they stay on their frame numbers",
        )
    return ()


def _later(frames: FrameRange, by: int) -> FrameRange:
    return FrameRange(frames.first + by, frames.last + by)


def _without_looks(mask: LockedMask) -> LockedMask:
    around = mask.around
    if around is not None:
        around = tuple(replace(near, looks=()) for near in around)
    return replace(mask, around=around, looks=None)


def _later_mask(mask: LockedMask, by: int) -> LockedMask:
    around = mask.around
    if around is not None:
        around = tuple(replace(near, frame=near.frame + by) for near in around)
    return replace(mask, frame=mask.frame + by, around=around)


def _scaled(item: FramePrompts, across: float, down: float, clip: ClipInfo) -> FramePrompts:
    moved = item.moved(across=across, down=down)
    if item.mask is None:
        return moved
    return replace(moved, mask=resampled(item.mask, clip.width_px, clip.height_px))


def _scaled_settings(settings: MatteSettings, factor: float) -> MatteSettings:
    def distance(pixels: float) -> float:
        return max(-MAX_DISTANCE_PX, min(MAX_DISTANCE_PX, pixels * factor))

    def area(pixels: int) -> int:
        return min(MAX_AREA_PX, round(pixels * factor**2))

    return replace(
        settings,
        grow_px=distance(settings.grow_px),
        feather_px=distance(settings.feather_px),
        fill_holes_px=area(settings.fill_holes_px),
        drop_specks_px=area(settings.drop_specks_px),
    )


def resampled(mask: Mask, width_px: int, height_px: int) -> Mask:
    """A mask at another size, at its own depth: smaller by area, larger linearly (needs NumPy)."""
    import numpy as np

    if (mask.width_px, mask.height_px) == (width_px, height_px):
        return mask
    coverage = _along(_along(mask.coverage(), height_px, 0), width_px, 1)
    top = {1: 255, 2: 65535}[mask.depth.bytes_per_pixel]
    if mask.depth.value == "half":
        return Mask.from_array(coverage.astype(np.float32))
    kind = np.uint8 if top == 255 else np.uint16
    return Mask.from_array(np.rint(coverage * top).astype(kind))


def _along(values: NDArray[np.floating], size: int, axis: int) -> NDArray[np.float64]:
    """Values with another number of samples along an axis."""
    import numpy as np

    old = values.shape[axis]
    if size < old:
        # The mean over each new pixel, from the integral up to its edges.
        edges = np.arange(size + 1) * (old / size)
        total = np.concatenate(
            [np.zeros_like(values.take([0], axis)), np.cumsum(values, axis, np.float64)], axis
        )
        return np.asarray(np.diff(_read(total, edges, axis), axis=axis) * (size / old))
    places = np.clip((np.arange(size) + 0.5) * (old / size) - 0.5, 0, old - 1)
    return _read(values, places, axis)


def _read(values: NDArray[np.floating], places: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Values between samples, linearly."""
    import numpy as np

    first = np.minimum(places.astype(np.int64), values.shape[axis] - 1)
    second = np.minimum(first + 1, values.shape[axis] - 1)
    share = (places - first).reshape([-1 if index == axis else 1 for index in range(values.ndim)])
    return np.asarray(values.take(first, axis) * (1 - share) + values.take(second, axis) * share)
