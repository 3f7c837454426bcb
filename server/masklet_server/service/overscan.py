"""Coordinates at the door: those of the display window outside, those of the picture that is matted inside.

Whoever speaks to the server means pixels of the plate's display window (:mod:`masklet.types`). With
overscan the picture that is matted begins further to the left and further up. Sessions, engine and mattes
know that picture only; here, and nowhere else, values are moved on their way in and out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from masklet.anchors import AnchorKey, AnchorTrack
from masklet.shapes import ObjectShapes, Piece, ShapeKey
from masklet.types import Click, ClipInfo, FramePrompts, Mask, Overscan, PromptDocument


def click_inside(click: Click, clip: ClipInfo) -> Click:
    """A click of a client, as sessions have it."""
    return replace(click, x_px=click.x_px + clip.overscan.left_px, y_px=click.y_px + clip.overscan.top_px)


def point_inside(point_px: tuple[float, float], clip: ClipInfo) -> tuple[float, float]:
    """A point of a client, as sessions have it."""
    return point_px[0] + clip.overscan.left_px, point_px[1] + clip.overscan.top_px


def prompts_inside(prompts: FramePrompts, clip: ClipInfo) -> FramePrompts:
    """Prompts of a client, as sessions have them: a mask of the display window is put into its place."""
    if clip.overscan == Overscan():
        return prompts
    mask = prompts.mask
    if mask is not None and (mask.width_px, mask.height_px) == (
        clip.display_width_px,
        clip.display_height_px,
    ):
        prompts = replace(prompts, mask=_widened(mask, clip.overscan))
    return _moved_prompts(prompts, clip.overscan.left_px, clip.overscan.top_px)


def prompts_outside(prompts: FramePrompts, clip: ClipInfo) -> FramePrompts:
    """Prompts of a session, as clients have them; a mask is as large as the picture that is matted."""
    return _moved_prompts(prompts, -clip.overscan.left_px, -clip.overscan.top_px)


def document_inside(document: PromptDocument, clip: ClipInfo) -> PromptDocument:
    """A document of a client, as sessions have it."""
    return _of_each(document, clip, prompts_inside)


def document_outside(document: PromptDocument, clip: ClipInfo) -> PromptDocument:
    """A document of a session, as clients have it."""
    return _of_each(document, clip, prompts_outside)


def shapes_outside(shapes: ObjectShapes, clip: ClipInfo) -> ObjectShapes:
    """Shapes of a session's mattes, as clients have them."""
    overscan = clip.overscan
    if overscan == Overscan():
        return shapes
    return replace(
        shapes,
        width_px=clip.display_width_px,
        height_px=clip.display_height_px,
        pieces=tuple(_moved_piece(piece, -overscan.left_px, -overscan.top_px) for piece in shapes.pieces),
    )


def anchor_outside(track: AnchorTrack, clip: ClipInfo) -> AnchorTrack:
    """An anchor on a session's picture, as clients have it."""
    overscan = clip.overscan
    if overscan == Overscan():
        return track
    keys = tuple(_moved_key(key, -overscan.left_px, -overscan.top_px) for key in track.keys)
    return replace(track, keys=keys)


def anchor_key_inside(key: AnchorKey, clip: ClipInfo) -> AnchorKey:
    """A key that a client put by hand, as sessions have it."""
    return _moved_key(key, clip.overscan.left_px, clip.overscan.top_px)


def _of_each(
    document: PromptDocument, clip: ClipInfo, move: Callable[[FramePrompts, ClipInfo], FramePrompts]
) -> PromptDocument:
    if clip.overscan == Overscan():
        return document
    return replace(document, prompts=tuple(move(prompts, clip) for prompts in document.prompts))


def _moved_prompts(prompts: FramePrompts, dx_px: int, dy_px: int) -> FramePrompts:
    if not (dx_px or dy_px):
        return prompts
    return prompts.moved(x_px=dx_px, y_px=dy_px)


def _moved_piece(piece: Piece, dx_px: float, dy_px: float) -> Piece:
    keys = tuple(
        ShapeKey(
            key.frame,
            tuple(replace(each, x_px=each.x_px + dx_px, y_px=each.y_px + dy_px) for each in key.vertices),
        )
        for key in piece.keys
    )
    return replace(piece, keys=keys)


def _moved_key(key: AnchorKey, dx_px: float, dy_px: float) -> AnchorKey:
    corners = key.corners
    if corners is not None:
        one, two, three, four = ((x_px + dx_px, y_px + dy_px) for x_px, y_px in corners)
        corners = (one, two, three, four)
    matrix = key.matrix
    if matrix is not None:
        # Moved back, taken along, and moved there again.
        a, b, c, d, e, f, g, h, i = matrix
        c, f, i = c - a * dx_px - b * dy_px, f - d * dx_px - e * dy_px, i - g * dx_px - h * dy_px
        matrix = (
            a + dx_px * g,
            b + dx_px * h,
            c + dx_px * i,
            d + dy_px * g,
            e + dy_px * h,
            f + dy_px * i,
            g,
            h,
            i,
        )
    return replace(key, x_px=key.x_px + dx_px, y_px=key.y_px + dy_px, corners=corners, matrix=matrix)


def _widened(mask: Mask, overscan: Overscan) -> Mask:
    """A mask of the display window with nothing in the overscan around it."""
    per_pixel = mask.depth.bytes_per_pixel
    width_px = mask.width_px + overscan.left_px + overscan.right_px
    height_px = mask.height_px + overscan.top_px + overscan.bottom_px
    row_bytes = mask.width_px * per_pixel
    left, right = bytes(overscan.left_px * per_pixel), bytes(overscan.right_px * per_pixel)
    rows = (mask.alpha[start : start + row_bytes] for start in range(0, len(mask.alpha), row_bytes))
    inside = b"".join(left + row + right for row in rows)
    above, below = overscan.top_px * width_px * per_pixel, overscan.bottom_px * width_px * per_pixel
    return Mask(width_px, height_px, bytes(above) + inside + bytes(below), mask.depth)
