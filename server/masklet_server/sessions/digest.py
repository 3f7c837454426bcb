"""A digest of prompts, so that a matte can name what it was made from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from masklet.types import FramePrompts, Mask, MaskDepth, PromptDocument


def prompts_sha256(document: PromptDocument) -> str:
    """SHA-256 in hexadecimal over all names, prompts and settings of mattes.

    Locks are left out: they change no mask.

    Object ids are left out: they differ between sessions that were told the same.
    """
    places = {info.object_id: place for place, info in enumerate(document.objects)}
    content: dict[str, object] = {
        "objects": [info.name for info in document.objects],
        "prompts": [_described(places[prompts.object_id], prompts) for prompts in document.prompts],
    }
    if document.mattes:
        content["mattes"] = [[places[matte.object_id], asdict(matte.settings)] for matte in document.mattes]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _described(place: int, prompts: FramePrompts) -> list[object]:
    box, mask = prompts.box, prompts.mask
    return [
        place,
        prompts.frame,
        [[click.x_px, click.y_px, click.positive] for click in prompts.clicks],
        None if box is None else [box.left_px, box.top_px, box.right_px, box.bottom_px],
        None if mask is None else _mask(mask),
    ]


def _mask(mask: Mask) -> list[object]:
    said: list[object] = [mask.width_px, mask.height_px, hashlib.sha256(mask.alpha).hexdigest()]
    # Only beside other depths, so that digests of 8-bit masks stay what they were.
    return said if mask.depth is MaskDepth.BITS_8 else [*said, mask.depth.value]
