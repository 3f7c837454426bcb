"""Fusion: tools as text, a ``.setting`` to paste and a ``.comp`` to import.

Positions are shares of the picture, y upwards: polylines count from the centre, points from the
bottom left corner. A piece is a PolylineMask; pieces of one object are chained through their effect
mask, holes subtract, and a mask's Level, stepping between 0 and 1, says when a piece is there. Where an
anchor fades, a BrightnessContrast behind its Transform takes the picture away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.exchange.gap_words import anchor_gaps, shape_gaps
from masklet.exchange.identifiers import Identifiers
from masklet.exchange.numbers import decimal
from masklet.exchange.pieces import drawn_pieces, switches, widest_feather_px
from masklet.exchange.redrawing import redrawn
from masklet.interpolation import Interpolation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet.shapes import ObjectShapes, Piece
    from masklet.types import ClipInfo

_PLACES = 8
"""Decimals of shares of the picture: a ten-thousandth of a pixel on an 8K plate."""


@dataclass(frozen=True)
class FusionTools:
    """Tools as text, and what they are called.

    Attributes:
        text: Entries of a table of tools.
        names: Of every tool and spline.
        masks: By object that has shapes, the last mask of its chain.
        transforms: By anchor, its Transform.
    """

    text: str
    names: tuple[str, ...]
    masks: Mapping[str, str]
    transforms: Mapping[str, str]


def write_setting(scene: ExchangeScene) -> str:
    """Tools to paste into a composition."""
    return f"{{\n\tTools = ordered() {{\n{fusion_tools(scene).text}\t}},\n}}\n"


def write_comp(scene: ExchangeScene) -> str:
    """A whole composition with the clip's range; what is rendered are the frames that have mattes."""
    clip = scene.clip
    span = f"{{ {clip.first_frame}, {clip.last_frame} }}"
    first = min((mattes.first_frame for mattes in scene.mattes), default=clip.first_frame)
    last = max((mattes.last_frame for mattes in scene.mattes), default=clip.last_frame)
    return (
        "Composition {\n"
        f"\tCurrentTime = {first},\n\tRenderRange = {{ {first}, {last} }},\n\tGlobalRange = {span},\n"
        f"\tTools = ordered() {{\n{fusion_tools(scene).text}\t}},\n}}\n"
    )


def fusion_tools(scene: ExchangeScene) -> FusionTools:
    """The scene's tools, for whoever puts them into a composition of their own."""
    identifiers = Identifiers()
    parts: list[str] = []
    masks: dict[str, str] = {}
    transforms: dict[str, str] = {}
    for mattes in scene.mattes:
        parts.append(_loader(mattes, identifiers))
    for shapes in scene.shapes:
        made = _masks(scene.clip, redrawn(shapes, Interpolation.LINEAR).shapes, identifiers)
        parts += made
        if made:
            # Each piece is a mask, its outline and its level.
            masks[shapes.name] = _name_of(made[-3])
    for track in scene.anchors:
        if track.keys:
            made = _anchor(scene.clip, track, identifiers)
            parts += made
            transforms[track.name] = _name_of(made[0])
    return FusionTools("".join(parts), tuple(map(_name_of, parts)), masks, transforms)


def _name_of(part: str) -> str:
    return part.split("=", 1)[0].strip()


def _loader(mattes: MatteSequence, identifiers: Identifiers) -> str:
    first, last = mattes.first_frame, mattes.last_frame
    length = last - first + 1
    name = identifiers.of(mattes.files.partition("%")[0] or "masklet mattes")
    picture = "PNGFormat" if mattes.files.endswith(".png") else "OpenEXRFormat"
    return (
        f"\t\t{name} = Loader {{\n\t\t\tClips = {{\n\t\t\t\tClip {{\n"
        f'\t\t\t\t\tID = "Clip1",\n\t\t\t\t\tFilename = {quoted(mattes.first_file)},\n'
        f'\t\t\t\t\tFormatID = "{picture}",\n'
        f"\t\t\t\t\tStartFrame = {first},\n\t\t\t\t\tLengthSetManually = true,\n"
        f"\t\t\t\t\tTrimIn = 0,\n\t\t\t\t\tTrimOut = {length - 1},\n\t\t\t\t\tLength = {length},\n"
        f"\t\t\t\t\tGlobalStart = {first},\n\t\t\t\t\tGlobalEnd = {last},\n"
        "\t\t\t\t},\n\t\t\t},\n\t\t},\n"
    )


def _masks(clip: ClipInfo, shapes: ObjectShapes, identifiers: Identifiers) -> list[str]:
    parts = []
    before: str | None = None
    for piece in drawn_pieces(shapes):
        name = identifiers.of(f"{shapes.name} {piece.name}")
        outline, level = identifiers.of(f"{name} polyline"), identifiers.of(f"{name} level")
        inputs = [
            f"MaskWidth = Input {{ Value = {shapes.width_px}, }}",
            f"MaskHeight = Input {{ Value = {shapes.height_px}, }}",
            f"PixelAspect = Input {{ Value = {{ {decimal(shapes.pixel_aspect)}, 1 }}, }}",
            "UseFrameFormatSettings = Input { Value = 0, }",
            'ClippingMode = Input { Value = FuID { "None" }, }',
            f"SoftEdge = Input {{ Value = {decimal(widest_feather_px(piece) / 2 / shapes.width_px, 8)}, }}",
            f'Level = Input {{ SourceOp = "{level}", Source = "Value", }}',
            f'Polyline = Input {{ SourceOp = "{outline}", Source = "Value", }}',
        ]
        if before is None and (gaps := shape_gaps(shapes)):
            inputs.append(f"Comments = Input {{ Value = {quoted(gaps)}, }}")
        if piece.hole:
            inputs.append('PaintMode = Input { Value = FuID { "Subtract" }, }')
        if before is not None:
            inputs.append(f'EffectMask = Input {{ SourceOp = "{before}", Source = "Mask", }}')
        parts.append(_tool(name, "PolylineMask", inputs, 'DrawMode = "ModifyOnly",'))
        parts.append(_outline(outline, shapes, piece))
        parts.append(_steps(level, [(frame, float(on)) for frame, on in switches(piece, clip.frames)]))
        before = name
    return parts


def _outline(name: str, shapes: ObjectShapes, piece: Piece) -> str:
    width_px, height_px = shapes.width_px, shapes.height_px

    def share(x_px: float, y_px: float) -> tuple[str, str]:
        return decimal(x_px / width_px, _PLACES), decimal(-y_px / height_px, _PLACES)

    keys = []
    for index, key in enumerate(piece.keys):
        points = []
        for one in key.vertices:
            x, y = share(one.x_px - width_px / 2, one.y_px - height_px / 2)
            in_x, in_y = share(one.in_dx_px, one.in_dy_px)
            out_x, out_y = share(one.out_dx_px, one.out_dy_px)
            points.append(f"{{ X = {x}, Y = {y}, LX = {in_x}, LY = {in_y}, RX = {out_x}, RY = {out_y} }}")
        value = f"Polyline {{ Closed = true, Points = {{ {', '.join(points)} }} }}"
        flags = "Flags = { Linear = true, LockedY = true }"
        keys.append(f"\t\t\t\t[{key.frame}] = {{ {index}, {flags}, Value = {value} }},\n")
    return _spline(name, "".join(keys))


def _anchor(clip: ClipInfo, track: AnchorTrack, identifiers: Identifiers) -> list[str]:
    reference = track.key_at(track.reference_frame) or track.keys[0]
    name = identifiers.of(track.name)
    path = identifiers.of(f"{name} path")
    splines: list[tuple[str, Callable[[AnchorKey], float]]] = [
        # The picture's centre carries its anchor along: half, plus how far the anchor has gone.
        ("X", lambda key: 0.5 + (key.x_px - reference.x_px) / clip.display_width_px),
        ("Y", lambda key: 0.5 - (key.y_px - reference.y_px) / clip.display_height_px),
    ]
    pivot_x = decimal(reference.x_px / clip.display_width_px, _PLACES)
    pivot_y = decimal(1.0 - reference.y_px / clip.display_height_px, _PLACES)
    inputs = [
        f'Center = Input {{ SourceOp = "{path}", Source = "Value", }}',
        f"Pivot = Input {{ Value = {{ {pivot_x}, {pivot_y} }}, }}",
    ]
    if gaps := anchor_gaps(track):
        inputs.append(f"Comments = Input {{ Value = {quoted(gaps)}, }}")
    if track.is_animated_in_size:
        splines += [("angle", lambda key: -key.rotation_deg), ("size x", lambda key: key.scale_x)]
        splines.append(("size y", lambda key: key.scale_y))
    names = {what: identifiers.of(f"{name} {what}") for what, _ in splines}
    if track.is_animated_in_size:
        inputs += [
            "UseSizeAndAspect = Input { Value = 0, }",
            f'Angle = Input {{ SourceOp = "{names["angle"]}", Source = "Value", }}',
            f'XSize = Input {{ SourceOp = "{names["size x"]}", Source = "Value", }}',
            f'YSize = Input {{ SourceOp = "{names["size y"]}", Source = "Value", }}',
        ]
    ways = [f'{axis} = Input {{ SourceOp = "{names[axis]}", Source = "Value", }}' for axis in ("X", "Y")]
    parts = [_tool(name, "Transform", inputs), _tool(path, "XYPath", ways)]
    if track.fades:
        splines.append(("weight gain", lambda key: key.weight))
        names["weight gain"] = identifiers.of(f"{name} weight gain")
        fading = [
            f'Input = Input {{ SourceOp = "{name}", Source = "Output", }}',
            f'Gain = Input {{ SourceOp = "{names["weight gain"]}", Source = "Value", }}',
            # Else the colours would fade and the matte stay.
            "Alpha = Input { Value = 1, }",
        ]
        parts.append(_tool(identifiers.of(f"{name} weight"), "BrightnessContrast", fading))
    for what, value in splines:
        keys = "".join(
            f"\t\t\t\t[{key.frame}] = {{ {decimal(value(key), _PLACES)}, Flags = {{ Linear = true }} }},\n"
            for key in track.keys
        )
        parts.append(_spline(names[what], keys))
    return parts


def _steps(name: str, values: Sequence[tuple[int, float]]) -> str:
    keys = "".join(
        f"\t\t\t\t[{frame}] = {{ {decimal(value)}, Flags = {{ StepIn = true }} }},\n"
        for frame, value in values
    )
    return _spline(name, keys)


def _tool(name: str, kind: str, inputs: Sequence[str], before: str = "") -> str:
    lines = "".join(f"\t\t\t\t{line},\n" for line in inputs)
    head = f"\t\t\t{before}\n" if before else ""
    return f"\t\t{name} = {kind} {{\n{head}\t\t\tInputs = {{\n{lines}\t\t\t}},\n\t\t}},\n"


def _spline(name: str, keys: str) -> str:
    return f"\t\t{name} = BezierSpline {{\n\t\t\tKeyFrames = {{\n{keys}\t\t\t}},\n\t\t}},\n"


def quoted(text: str) -> str:
    """A string of Lua."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
