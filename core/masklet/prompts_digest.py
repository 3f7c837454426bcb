"""A digest of prompts, so that a matte can name what it was made from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from masklet.types import FramePrompts, LockedMask, Mask, MaskDepth, PromptDocument, TrackedMask


def prompts_sha256(document: PromptDocument) -> str:
    """SHA-256 in hexadecimal over all that masks follow from: names, prompts and settings of mattes.

    The same clicks give another mask where they correct another one, so what they correct counts. Locks are
    left out, as they change no mask; but a locked mask counts once prompts would make it otherwise.

    Object ids are left out: they differ between sessions that were told the same.
    """
    places = {info.object_id: place for place, info in enumerate(document.objects)}
    content: dict[str, object] = {
        "objects": [info.name for info in document.objects],
        "prompts": [_described(places[prompts.object_id], prompts) for prompts in document.prompts],
    }
    if document.mattes:
        content["mattes"] = [[places[matte.object_id], asdict(matte.settings)] for matte in document.mattes]
    if document.policies:
        content["policies"] = [[places[own.object_id], own.policy.value] for own in document.policies]
    held = [_held(places[each.object_id], each) for each in document.masks if each.stale]
    if held:
        content["held"] = held
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _described(place: int, prompts: FramePrompts) -> list[object]:
    box, mask = prompts.box, prompts.mask
    said: list[object] = [
        place,
        prompts.frame,
        [[click.x_px, click.y_px, click.positive] for click in prompts.clicks],
        None if box is None else [box.left_px, box.top_px, box.right_px, box.bottom_px],
        None if mask is None else _mask(mask),
    ]
    # Only where there are some, so that digests of what is said otherwise stay what they were.
    if prompts.scribbles:
        said.append([[each.points_px, each.width_px, each.positive] for each in prompts.scribbles])
    return said if prompts.base is None else [*said, _tracked(prompts.base)]


def _held(place: int, locked: LockedMask) -> list[object]:
    """What a locked frame keeps though prompts would make it otherwise, and what calms it."""
    around = [[near.frame, _tracked(near.mask)] for near in locked.around or ()]
    return [place, locked.frame, _tracked(locked.mask), *([around] if around else [])]


def _tracked(mask: TrackedMask) -> list[object]:
    return [mask.columns, mask.rows, hashlib.sha256(mask.logits).hexdigest()]


def _mask(mask: Mask) -> list[object]:
    said: list[object] = [mask.width_px, mask.height_px, hashlib.sha256(mask.alpha).hexdigest()]
    # Only beside other depths, so that digests of 8-bit masks stay what they were.
    return said if mask.depth is MaskDepth.BITS_8 else [*said, mask.depth.value]
