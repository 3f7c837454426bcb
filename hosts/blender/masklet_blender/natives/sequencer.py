"""Masks on strips of the Video Sequencer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.phrases import phrase

from .tags import read_tag

if TYPE_CHECKING:
    import bpy


def mask_strip(strip: Any, mask: bpy.types.Mask) -> Any:
    """Let a strip be seen through a mask only; twice is once.

    The mask counts the scene's frames, so the strip must lie where the plate lies in the scene.

    Args:
        strip: Shows a picture.
        mask: From :mod:`.masks`.

    Returns:
        The strip's modifier, of Blender's type for this version.

    Raises:
        BadInputError: The strip has no picture.
    """
    if not hasattr(strip, "modifiers") or strip.type == "SOUND":
        raise BadInputError(
            phrase("the strip {name} has no picture to mask: select another", name=strip.name)
        )
    modifier = next((one for one in strip.modifiers if _is_ours(one, mask)), None)
    if modifier is None:
        modifier = strip.modifiers.new(mask.name, "MASK")
    modifier.input_mask_type = "ID"
    modifier.input_mask_id = mask
    return modifier


def _is_ours(modifier: Any, mask: bpy.types.Mask) -> bool:
    """Whether a modifier shows this mask, or one that was made for the same owner."""
    if modifier.type != "MASK" or modifier.input_mask_type != "ID" or modifier.input_mask_id is None:
        return False
    tag = read_tag(mask)
    return modifier.input_mask_id == mask or (tag is not None and tag == read_tag(modifier.input_mask_id))
