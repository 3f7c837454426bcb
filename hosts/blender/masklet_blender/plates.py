"""Plates as Blender knows them: movie clips and images, their files, and which picture shows when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Union, cast

import bpy

from masklet.errors import BadInputError, ClipError
from masklet.hosting.clip_match import PROXY_ROUNDING_PX, HostClip
from masklet.hosting.plate_files import PlateSource, sequence_pattern
from masklet.phrases import phrase
from masklet.said.documents import new_uid

from .natives.coordinates import FrameMap, frames_of_clip, frames_of_image, number_in
from .natives.tags import read_tag
from .repairs import BLENDER

if TYPE_CHECKING:
    from .properties import MaskletPlate

PlateBlock = Union[bpy.types.MovieClip, bpy.types.Image]

_TURNS_MOVIES_FROM = (5, 2, 0)
"""Seen in 5.2, and not in 4.2. Versions between them may do it too; a turned movie is refused there."""


def all_plates() -> Iterator[PlateBlock]:
    """Clips and images that were given objects."""
    for blocks in (bpy.data.movieclips, bpy.data.images):
        for block in blocks:
            if props(block).uid:
                yield block


def props(block: PlateBlock) -> MaskletPlate:
    """What the .blend file keeps of masklet for a plate."""
    return cast("MaskletPlate", block.masklet_plate)


def find_plate(uid: str) -> PlateBlock | None:
    """The plate of this uid, looked up anew because undo replaces datablocks."""
    return next((block for block in all_plates() if props(block).uid == uid), None)


_ORIGINALS: dict[str, int] = {}
"""Which datablock has a uid, by the number that Blender gives it for as long as it runs."""


def adopt(block: PlateBlock) -> str:
    """The uid of a plate, given when it has none.

    A copy of a datablock brings its original's uid along: it gets one of its own here, keeps prompts and
    objects, and opens a session of its own. The original keeps uid and masks, whatever both are renamed to.
    """
    own = props(block)
    twins = [other for other in all_plates() if other != block and props(other).uid == own.uid]
    if not own.uid or (twins and _original_of(block, *twins) != block):
        own.session_id = ""
        own.uid = new_uid()
        for item in own.objects:
            item.uid = new_uid()
    own.known_name = block.name
    _ORIGINALS[own.uid] = _number(block)
    return str(own.uid)


def _original_of(*blocks: PlateBlock) -> PlateBlock:
    """Which of several datablocks with one uid is not the copy."""
    remembered = _ORIGINALS.get(props(blocks[0]).uid)
    for block in blocks:
        if remembered and _number(block) == remembered:
            return block
    # The file was just opened: its original was called so when it was known last.
    named = [block for block in blocks if props(block).known_name == block.name]
    return named[0] if named else min(blocks, key=_number)


def _number(block: PlateBlock) -> int:
    """Blender's own number of a datablock: it outlives renaming and undo, and grows with each new one.

    0 in versions that have none, before 4.1.
    """
    return int(getattr(block, "session_uid", 0))


def plate_in(context: bpy.types.Context) -> PlateBlock | None:
    """The plate that the artist looks at: of the editor under the pointer, else of any editor on screen."""
    block = _plate_of(context.space_data)
    if block is not None:
        return block
    screen = context.screen
    for area in screen.areas if screen is not None else ():
        block = _plate_of(area.spaces.active)
        if block is not None and props(block).uid:
            return block
    return context.scene.active_clip if context.scene is not None else None


def why_not_usable(block: PlateBlock | None) -> str | None:
    """Why a datablock cannot be a plate, in a sentence; None where it can."""
    if block is None:
        return phrase("Open a clip in the Movie Clip Editor, or an image sequence in the Image Editor")
    if block.library is not None:
        return phrase("{name} is linked from another file: make it local to prompt it here", name=block.name)
    if isinstance(block, bpy.types.Image) and block.source not in {"FILE", "SEQUENCE", "MOVIE"}:
        return phrase("{name} is not a file on disk: save it first", name=block.name)
    if not block.filepath:
        return phrase("{name} has no file: choose one", name=block.name)
    return None


def source_of(block: PlateBlock) -> PlateSource:
    """Where a plate's pictures are and how large they are, whatever proxy is shown.

    Raises:
        ClipError: Blender cannot read the pictures.
        BadInputError: The datablock is no plate.
    """
    reason = why_not_usable(block)
    if reason is not None:
        raise BadInputError(reason)
    path = bpy.path.abspath(block.filepath, library=block.library)
    width_px, height_px = (int(side) for side in block.size)
    if not width_px or not height_px:
        raise ClipError(
            phrase(
                "Blender cannot read the pictures of {name}: find them with File, External Data, Find "
                "Missing Files, or replace its path",
                name=block.name,
            )
        )
    named = sequence_pattern(path) if block.source == "SEQUENCE" else path
    shown = _shown_clip(block, width_px, height_px)
    width_px, height_px = size_px(block)
    reading = props(block).reading()
    if block.source == "MOVIE":
        # Blender counts and plays a movie as it finds it, and so must the server.
        reading = replace(reading, first_frame=None, frame_rate=None)
    return PlateSource(block.name, named, width_px, height_px, reading, shown, BLENDER)


def size_px(block: PlateBlock) -> tuple[int, int]:
    """Width and height of the plate's stored pixels: the server's word once there was one, else Blender's.

    What Blender says may come from a proxy, and be short by what division left over.
    """
    own = props(block)
    width_px, height_px = (int(side) for side in block.size)
    kept = int(own.size_px[0]), int(own.size_px[1])
    is_near = all(abs(one - other) <= PROXY_ROUNDING_PX for one, other in zip(kept, (width_px, height_px)))
    return kept if is_near else (width_px, height_px)


def _shown_clip(block: PlateBlock, width_px: int, height_px: int) -> HostClip:
    return HostClip(
        block.name,
        width_px,
        height_px,
        pictures=int(block.frame_duration) if block.source == "MOVIE" else 0,
        frames_per_s=float(getattr(block, "fps", 0.0)),
        is_proxy=bool(getattr(block, "use_proxy", False)),
        turns=bpy.app.version >= _TURNS_MOVIES_FROM,
    )


def frame_map(block: PlateBlock, space: bpy.types.Space | None = None) -> FrameMap:
    """Which frame of the scene shows which picture of the plate, in this editor or where it was last seen."""
    if isinstance(block, bpy.types.MovieClip):
        return frames_of_clip(block)
    own = props(block)
    user = getattr(space, "image_user", None)
    if user is not None and getattr(space, "image", None) == block and block.source != "FILE":
        frames = frames_of_image(block, user)
        shift = frames.plate_frame(0)
        if own.uid and own.frame_shift != shift:
            own.frame_shift = shift
        return frames
    return FrameMap(own.frame_shift, 0)


def plate_frame(block: PlateBlock, scene_frame: int, space: bpy.types.Space | None = None) -> int:
    """The plate's own number of the picture that shows on a frame of the scene."""
    if isinstance(block, bpy.types.Image) and block.source == "FILE":
        return number_in(block.filepath)
    return frame_map(block, space).plate_frame(scene_frame)


def shown_frame(block: PlateBlock, context: bpy.types.Context) -> int:
    """The plate's own number of the picture that the editor of a context shows.

    An editor keeps a frame of its own, which follows the scene's except where scripts move that one.
    """
    space = context.space_data
    if isinstance(space, bpy.types.SpaceClipEditor) and space.clip == block and not bpy.app.background:
        return plate_frame(block, space.clip_user.frame_current, space)
    return plate_frame(block, context.scene.frame_current, space)


def go_to(block: PlateBlock, context: bpy.types.Context, frame: int) -> None:
    """Move the time cursor, and the editor with it, to a picture of the plate."""
    space = context.space_data
    wanted = scene_frame(block, frame, space)
    context.scene.frame_set(wanted)
    if isinstance(space, bpy.types.SpaceClipEditor):
        space.clip_user.frame_current = wanted


def scene_frame(block: PlateBlock, frame: int, space: bpy.types.Space | None = None) -> int:
    """The frame of the scene on which a picture of the plate shows."""
    return int(frame_map(block, space).scene_frame(frame))


def _plate_of(space: bpy.types.Space | None) -> PlateBlock | None:
    if isinstance(space, bpy.types.SpaceClipEditor):
        return space.clip
    # A matte that masklet made is looked at, never prompted.
    if isinstance(space, bpy.types.SpaceImageEditor) and space.image is not None:
        return space.image if read_tag(space.image) is None else None
    return None
