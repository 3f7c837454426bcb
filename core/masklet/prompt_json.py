"""What is said on a frame, and the masks that a document keeps, as JSON; ``prompts`` builds on it."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

from masklet.types import (
    Box,
    Click,
    CloseLook,
    FramePrompts,
    LockedMask,
    Mask,
    MaskDepth,
    NearMask,
    Presence,
    Scribble,
    TrackedMask,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MAX_MASK_PIXELS = 16384 * 16384
_OF_A_FRAME = frozenset({"frame", "clicks", "box", "mask", "base", "scribbles", "source"})
_LOOK = ("left_px", "top_px", "width_px", "height_px", "columns", "rows")


def frame_to_json(prompts: FramePrompts) -> dict[str, Any]:
    """What is said about one object on one frame."""
    content: dict[str, Any] = {"frame": prompts.frame}
    if prompts.clicks:
        content["clicks"] = [
            {"x_px": click.x_px, "y_px": click.y_px, "positive": click.positive} for click in prompts.clicks
        ]
    if prompts.box is not None:
        box = prompts.box
        content["box"] = {
            "left_px": box.left_px,
            "top_px": box.top_px,
            "right_px": box.right_px,
            "bottom_px": box.bottom_px,
        }
    if prompts.mask is not None:
        mask = prompts.mask
        packed = base64.b64encode(zlib.compress(mask.alpha, 9)).decode("ascii")
        content["mask"] = {
            "width_px": mask.width_px,
            "height_px": mask.height_px,
            "alpha_zlib_base64": packed,
        }
        if mask.depth is not MaskDepth.BITS_8:
            content["mask"]["depth"] = mask.depth.value
    if prompts.scribbles:
        content["scribbles"] = [
            {
                "points_px": [list(point) for point in scribble.points_px],
                "width_px": scribble.width_px,
                "positive": scribble.positive,
            }
            for scribble in prompts.scribbles
        ]
    if prompts.base is not None:
        content["base"] = _tracked_to_json(prompts.base)
    if prompts.source:
        content["source"] = prompts.source
    return content


def frame_from_json(object_id: int, content: dict[str, Any]) -> FramePrompts:
    """What a document says about one object on one frame.

    Raises:
        ValueError, KeyError, TypeError: It makes no prompts.
    """
    unknown = sorted(set(content) - _OF_A_FRAME)
    if unknown:
        # Left out in silence, the same document would give other mattes here.
        raise ValueError(
            f"{unknown[0]!r} is nothing that this masklet knows to be said on a frame: update it"
        )
    clicks = tuple(
        Click(float(click["x_px"]), float(click["y_px"]), positive=bool(click.get("positive", True)))
        for click in content.get("clicks", ())
    )
    edges, mask = content.get("box"), content.get("mask")
    box = None
    if edges is not None:
        box = Box(*(float(edges[key]) for key in ("left_px", "top_px", "right_px", "bottom_px")))
    base = content.get("base")
    return FramePrompts(
        object_id,
        int(content["frame"]),
        clicks,
        box,
        mask and _mask_from_json(mask),
        base and _tracked_from_json(base),
        tuple(_scribble_from_json(scribble) for scribble in content.get("scribbles", ())),
        str(content.get("source", "")),
    )


def _scribble_from_json(content: dict[str, Any]) -> Scribble:
    points = tuple((float(x_px), float(y_px)) for x_px, y_px in content["points_px"])
    return Scribble(points, float(content["width_px"]), positive=bool(content.get("positive", True)))


def _mask_from_json(content: dict[str, Any]) -> Mask:
    width_px, height_px = int(content["width_px"]), int(content["height_px"])
    if not 0 < width_px * height_px <= _MAX_MASK_PIXELS:
        raise ValueError(f"a mask of {width_px} x {height_px} pixels")
    depth = MaskDepth(str(content.get("depth", MaskDepth.BITS_8.value)))
    size_bytes = width_px * height_px * depth.bytes_per_pixel
    packed = base64.b64decode(content["alpha_zlib_base64"], validate=True)
    return Mask(width_px, height_px, zlib.decompressobj().decompress(packed, size_bytes + 1), depth)


def masks_to_json(masks: Iterable[LockedMask]) -> list[dict[str, Any]]:
    """The masks of one object's locked frames; what calms one is written once where it is locked too."""
    listed = tuple(masks)
    named = {mask.frame: mask for mask in listed}
    return [
        {
            "frame": kept.frame,
            "stale": kept.stale,
            **_tracked_to_json(kept.mask),
            **({} if kept.looks is None else {"looks": [look_to_json(look) for look in kept.looks]}),
            **(
                {}
                if kept.around is None
                else {"around": [_near_to_json(near, named) for near in kept.around]}
            ),
        }
        for kept in listed
    ]


def masks_from_json(object_id: int, content: Iterable[dict[str, Any]]) -> Iterator[LockedMask]:
    """The masks that a document keeps of one object's locked frames.

    Raises:
        ValueError, KeyError, TypeError: They make no masks.
    """
    listed = list(content)
    named = {int(item["frame"]): (_tracked_from_json(item), looks_from_json(item)) for item in listed}

    def near(item: dict[str, Any]) -> NearMask:
        frame = int(item["frame"])
        if "logits_base64" in item:
            return NearMask(frame, _tracked_from_json(item), looks_from_json(item))
        if frame not in named:
            raise ValueError(f"frame {frame} calms another one and has no mask")
        return NearMask(frame, *named[frame])

    for item in listed:
        frame = int(item["frame"])
        around = item.get("around")
        yield LockedMask(
            object_id,
            frame,
            named[frame][0],
            bool(item.get("stale", False)),
            None if around is None else tuple(near(each) for each in around),
            named[frame][1] if "looks" in item else None,
        )


def _near_to_json(near: NearMask, named: Mapping[int, LockedMask]) -> dict[str, Any]:
    locked = named.get(near.frame)
    if locked is not None and (locked.mask, locked.looks or ()) == (near.mask, near.looks):
        return {"frame": near.frame}
    looks = {"looks": [look_to_json(look) for look in near.looks]} if near.looks else {}
    return {"frame": near.frame, **_tracked_to_json(near.mask), **looks}


def look_to_json(look: CloseLook) -> dict[str, Any]:
    """A second look."""
    packed = base64.b64encode(look.logits).decode("ascii")
    return {**{name: getattr(look, name) for name in _LOOK}, "logits_base64": packed}


def looks_from_json(content: dict[str, Any]) -> tuple[CloseLook, ...]:
    """The second looks that stand in ``content`` under ``looks``, if any."""
    return tuple(
        CloseLook(
            **{name: int(item[name]) for name in _LOOK},
            logits=base64.b64decode(item["logits_base64"], validate=True),
        )
        for item in content.get("looks", ())
    )


def _tracked_to_json(mask: TrackedMask) -> dict[str, Any]:
    return {
        "columns": mask.columns,
        "rows": mask.rows,
        "logits_base64": base64.b64encode(mask.logits).decode("ascii"),
        "presence": mask.presence.value,
        "presence_logit": mask.presence_logit,
        "predicted_iou": mask.predicted_iou,
        "pointer_base64": base64.b64encode(mask.pointer).decode("ascii"),
        **({"rival": mask.rival} if mask.rival else {}),
    }


def _tracked_from_json(content: dict[str, Any]) -> TrackedMask:
    return TrackedMask(
        int(content["columns"]),
        int(content["rows"]),
        base64.b64decode(content["logits_base64"], validate=True),
        Presence(content["presence"]),
        float(content["presence_logit"]),
        float(content["predicted_iou"]),
        base64.b64decode(content["pointer_base64"], validate=True),
        float(content.get("rival", 0.0)),
    )
