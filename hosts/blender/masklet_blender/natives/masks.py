"""Splines as a Mask datablock: one layer a piece, keyed, with feather, drawn as the server draws them.

Pieces lie in the mask in the order in which they are drawn: outer paths merge, holes are taken away, which
is what ``MERGE_ADD`` and ``MERGE_SUBTRACT`` compute.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import BadInputError
from masklet.phrases import phrase

from .coordinates import SQUARE_PIXELS, MaskRaster
from .curves import Interpolation, enum_value, has_curve, remove_curves, write_curve
from .mask_editor import mask_editor
from .mask_layers import replace_layers
from .tags import Role, Tag, find, read_tag, write_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .mask_drawing import DrawnKey, DrawnPiece, MaskDrawing


_STRETCHED_FROM = (4, 2, 0)
_STRAIGHT_FROM = (4, 4, 0)
_ROUNDING_PX = 1e-3
_WRITING = "masklet_writing"
"""Custom property of a mask that is not finished: by whom it is written."""
PIXEL_ASPECT = "masklet_pixel_aspect"
"""Custom property of a mask: the pixel aspect that it was drawn for."""


def mask_raster(scene: bpy.types.Scene) -> MaskRaster:
    """What to draw masks for, so that this scene's compositor renders them over the plate.

    Seen on renders: 3.4 knows only square pixels; 4.2 stretches pixels about their middles and centres the
    result in whole pixels; 4.4, 4.5 and 5.2 stretch about the middle of the picture.
    """
    if bpy.app.version < _STRETCHED_FROM:
        return SQUARE_PIXELS
    aspect = float(scene.render.pixel_aspect_x / scene.render.pixel_aspect_y)
    if bpy.app.version >= _STRAIGHT_FROM:
        return MaskRaster(aspect)
    height_px = scene.render.resolution_y
    # Blender keeps aspects in single precision: 1.8 times 270 must not become 485.
    uncentred = (int(height_px * aspect + _ROUNDING_PX) - height_px) % 2
    return MaskRaster(aspect, (aspect - 1 + uncentred) / 2)


def find_mask(owner: str) -> bpy.types.Mask | None:
    """The mask that was made for ``owner``; None where there is none any more."""
    return find(bpy.data.masks, Role.MASK, owner)


def write_mask(drawing: MaskDrawing, *, owner: str) -> bpy.types.Mask:
    """As :class:`MaskWriter`, all at once.

    Raises:
        MaskletError: Blender has no window.
    """
    writer = MaskWriter(drawing, owner=owner)
    while not writer.write():
        pass
    return writer.mask


class MaskWriter:
    """Makes the mask of an object, or brings the one that exists up to date, in slices.

    A key costs some milliseconds where layers and points are many, so a long shot would hold Blender for
    seconds. Between two slices the editor is the artist's, and the mask shows what it holds by then.

    Layers that the artist added to the mask stay as they are, where they are; a layer of ours that was
    renamed counts as the artist's. Whether our layers are hidden or locked is kept; those that come and go
    and that the artist has not hidden for good are hidden by a curve where there is nothing to see, so that
    their handles are out of the way. Renders do not ask for it. The scene's frame does not move.

    Args:
        drawing: From :func:`.mask_drawing.drawing_of`.
        owner: Whose mask it is; finds it again.
    """

    def __init__(self, drawing: MaskDrawing, *, owner: str) -> None:
        self._drawing = drawing
        self._owner = owner
        self._token = uuid.uuid4().hex
        self._names: list[str] | None = None
        self._due = _keys_by_frame(drawing)
        self._frames = deque(sorted(self._due))
        self.done, self.total = 0, len(self._frames)

    @property
    def mask(self) -> bpy.types.Mask:
        """The mask that is written; looked up each time, since undo replaces datablocks.

        Raises:
            BadInputError: It is gone.
        """
        mask = find_mask(self._owner)
        if mask is None:
            raise self._interrupted()
        return mask

    def write(self, budget_s: float = float("inf")) -> bool:
        """Write for about so long, at least one key; True once everything is there.

        Raises:
            MaskletError: Blender has no window.
            BadInputError: The mask was taken away, or an undo came in between: what is there is unfinished.
        """
        end_s = time.perf_counter() + budget_s
        mask = self._begun() if self._names is None else self.mask
        with mask_editor(mask) as scene:
            if self._names is None:
                self._prepare_layers(mask)
            names = self._names or []
            if _written_by(mask) != self._token or any(name not in mask.layers for name in names):
                raise self._interrupted()
            drawn = dict(zip(names, self._drawing.pieces))
            with _layers_open(mask, drawn):
                while self._frames:
                    frame = self._frames.popleft()
                    _write_frame(mask, names, self._due[frame], scene, frame)
                    self.done += 1
                    if time.perf_counter() > end_s:
                        break
            is_done = not self._frames
            if is_done:
                self._finish(mask, drawn)
        # The mask still shows its last key: bring it back to the frame the artist looks at.
        mask.update_tag(refresh={"TIME"})
        return is_done

    def _begun(self) -> bpy.types.Mask:
        mask = find_mask(self._owner)
        if mask is None:
            mask = bpy.data.masks.new(self._drawing.name)
            write_tag(mask, Tag(Role.MASK, self._owner))
        return mask

    def _prepare_layers(self, mask: bpy.types.Mask) -> None:
        tag = read_tag(mask)
        owned = tag.parts if tag is not None else ()
        # Hidden where it is to be seen, a layer was hidden by the artist, and otherwise by our curve.
        for layer in mask.layers:
            if layer.name in owned and not layer.alpha and has_curve(mask, _path(layer.name, "hide")):
                layer.hide = False
        names = replace_layers(mask, owned, [piece.name for piece in self._drawing.pieces])
        write_tag(mask, Tag(Role.MASK, self._owner, tuple(names)))
        ours = {_path(name, end) for name in (*owned, *names) for end in ("alpha", "hide")}
        remove_curves(mask, ours.__contains__)
        for name, piece in zip(names, self._drawing.pieces):
            _prepare(mask.layers[name], piece)
            write_curve(mask, _path(name, "alpha"), piece.switches, interpolation=Interpolation.CONSTANT)
        mask[_WRITING] = self._token
        self._names = names

    def _finish(self, mask: bpy.types.Mask, drawn: Mapping[str, DrawnPiece]) -> None:
        drawing = self._drawing
        for name, piece in drawn.items():
            if _comes_or_goes(piece, drawing) and not mask.layers[name].hide:
                unseen = [(frame, 1.0 - alpha) for frame, alpha in piece.switches]
                write_curve(mask, _path(name, "hide"), unseen, interpolation=Interpolation.CONSTANT)
        del mask[_WRITING]
        mask[PIXEL_ASPECT] = drawing.pixel_aspect
        mask.frame_start, mask.frame_end = drawing.first_frame, drawing.last_frame

    def _interrupted(self) -> BadInputError:
        return BadInputError(
            phrase(
                "the splines of {name} were changed while they were written, by an undo for instance: make "
                "them again",
                name=self._drawing.name,
            )
        )


def _written_by(mask: Any) -> object:
    return mask.get(_WRITING)


def _path(layer_name: str, end: str) -> str:
    return f'layers["{bpy.utils.escape_identifier(layer_name)}"].{end}'


def _comes_or_goes(piece: DrawnPiece, drawing: MaskDrawing) -> bool:
    return any(drawing.first_frame < frame < drawing.last_frame for frame, _ in piece.switches)


def _prepare(layer: bpy.types.MaskLayer, piece: DrawnPiece) -> None:
    """One closed path with as many points as the piece has vertices, all of them movable by hand."""
    layer.blend = "MERGE_SUBTRACT" if piece.hole else "MERGE_ADD"
    layer.falloff = "LINEAR"
    spline = layer.splines.new()
    spline.use_cyclic = True
    spline.weight_interpolation = "LINEAR"
    points = spline.points
    points.add(piece.point_count - len(points))
    free = enum_value(bpy.types.MaskSplinePoint, "handle_left_type", "FREE")
    for name in ("handle_left_type", "handle_right_type"):
        points.foreach_set(name, [free] * piece.point_count)


def _keys_by_frame(drawing: MaskDrawing) -> dict[int, dict[int, DrawnKey]]:
    """The keys of each frame, by the number of their piece."""
    due: dict[int, dict[int, DrawnKey]] = {}
    for number, piece in enumerate(drawing.pieces):
        for key in piece.keys:
            due.setdefault(key.frame, {})[number] = key
    return due


@contextmanager
def _layers_open(mask: bpy.types.Mask, drawn: Mapping[str, DrawnPiece]) -> Iterator[None]:
    """Points of ours are selected inside the block; what hides and locks layers is as before behind it."""
    switches = [(layer.name, layer.hide, layer.hide_select) for layer in mask.layers]
    _select(mask, drawn, True)
    try:
        yield
    finally:
        _select(mask, drawn, False)
        for name, hide, hide_select in switches:
            layer = mask.layers[name]
            layer.hide, layer.hide_select = hide, hide_select


def _write_frame(
    mask: bpy.types.Mask,
    names: Sequence[str],
    keys: Mapping[int, DrawnKey],
    scene: bpy.types.Scene,
    frame: int,
) -> None:
    """Key the points of the layers whose pieces have a key on this frame."""
    due = {names[number]: key for number, key in keys.items()}
    scene.frame_current = frame
    # The operator keys every layer that is neither hidden nor locked and has a selected point.
    for layer in mask.layers:
        layer.hide = layer.hide_select = layer.name not in due
    scene.view_layers[0].update()
    for name, key in due.items():
        points = mask.layers[name].splines[0].points
        points.foreach_set("co", key.centres)
        points.foreach_set("handle_left", key.handles_in)
        points.foreach_set("handle_right", key.handles_out)
        points.foreach_set("weight", key.weights)
    bpy.ops.mask.shape_key_insert()


def _select(mask: bpy.types.Mask, drawn: Mapping[str, DrawnPiece], selected: bool) -> None:
    for name in drawn:
        points = mask.layers[name].splines[0].points
        points.foreach_set("select", [selected] * len(points))
