"""After Effects: keyframe data for the clipboard, and a script that makes the masks.

Transforms and corner pins travel as the text After Effects itself puts on the clipboard ("Keyframe
Data", version 8.0): copy the file's text and paste it onto a layer. Mask paths have no text form
there, so they come as an ExtendScript file (File > Scripts > Run) that adds them to the selected
layer. Pixels, y downwards, as ours; frames count from the clip's first picture, and where the clip's rate
varies each key lies at its picture's own time. The script adds where the layer begins.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from masklet.exchange.anchor_ways import on_every_frame
from masklet.exchange.gap_words import shape_gaps
from masklet.exchange.numbers import decimal
from masklet.exchange.pieces import drawn_pieces, switches, widest_feather_px
from masklet.exchange.redrawing import redrawn
from masklet.interpolation import Interpolation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.exchange.scene import ExchangeScene
    from masklet.shapes import Piece

_PINS = ("Upper Left #2", "Upper Right #3", "Lower Right #5", "Lower Left #4")
"""Properties of the Corner Pin effect in the order of our corners."""

_SCRIPT = """// Adds the masks of masklet to the layer that is selected in the open composition.
(function () {
    var comp = app.project.activeItem;
    if (!(comp instanceof CompItem) || comp.selectedLayers.length !== 1) {
        alert("Open a composition and select the one layer that is to get the masks.");
        return;
    }
    var layer = comp.selectedLayers[0];
    var masks = %s;
    // Null where neither the clip nor the artist says: frames of the composition then.
    var rate = %s || comp.frameRate;
    // Keys lie in the time of the composition: a layer may begin elsewhere, and run faster or backwards.
    function at(units) {
        return layer.startTime + (units / rate) * (layer.stretch / 100);
    }
    if (layer.timeRemapEnabled) {
        alert("This layer is time-remapped: masks follow the frames of the footage, not the remapping.");
    }
    app.beginUndoGroup("masklet masks");
    for (var i = 0; i < masks.length; i++) {
        var given = masks[i];
        var mask = layer.property("ADBE Mask Parade").addProperty("ADBE Mask Atom");
        mask.name = given.name;
        mask.maskMode = given.hole ? MaskMode.SUBTRACT : MaskMode.ADD;
        var paths = [];
        for (var k = 0; k < given.paths.length; k++) {
            var path = new Shape();
            path.vertices = given.paths[k].vertices;
            path.inTangents = given.paths[k].in_tangents;
            path.outTangents = given.paths[k].out_tangents;
            path.closed = true;
            paths.push(path);
        }
        var times = [];
        for (var t = 0; t < given.units.length; t++) {
            times.push(at(given.units[t]));
        }
        var shape = mask.property("ADBE Mask Shape");
        shape.setValuesAtTimes(times, paths);
        // Whatever the application's default is: straight is what the splines were fitted for.
        for (var s = 1; s <= shape.numKeys; s++) {
            shape.setInterpolationTypeAtKey(s, KeyframeInterpolationType.LINEAR);
        }
        mask.property("ADBE Mask Feather").setValue([given.feather_px, given.feather_px]);
        var opacity = mask.property("ADBE Mask Opacity");
        for (var j = 0; j < given.switches.length; j++) {
            opacity.setValueAtTime(at(given.switches[j][0]), given.switches[j][1]);
        }
        for (var n = 1; n <= opacity.numKeys; n++) {
            opacity.setInterpolationTypeAtKey(n, KeyframeInterpolationType.HOLD);
        }
    }
    app.endUndoGroup();
})();
"""


def write_keyframes(scene: ExchangeScene, track: AnchorTrack) -> str:
    """Position, and what else the anchor has: rotation, scale, corner pin, opacity where it fades."""
    clip = scene.clip
    units = scene.units
    # The text cannot say that a way is straight, so no way is longer than a frame. Frames of a movie whose
    # rate varies are all there, each at its own time.
    keys = track.keys if clip.is_variable_rate else on_every_frame(track.keys)
    blocks = [_block(("Transform", "Position"), "X pixels\tY pixels\tZ pixels", units, keys, _place)]
    if track.is_animated_in_size:
        blocks.append(_block(("Transform", "Rotation"), "degrees", units, keys, _turn))
        blocks.append(
            _block(("Transform", "Scale"), "X percent\tY percent\tZ percent", units, keys, _percent)
        )
    if track.fades:
        blocks.append(_block(("Transform", "Opacity"), "percent", units, keys, _shown))
    if keys and all(key.corners is not None for key in keys):
        blocks += [
            _block(("Effects", "Corner Pin #1", pin), "X pixels\tY pixels", units, keys, _corner(number))
            for number, pin in enumerate(_PINS)
        ]
    head = (
        "Adobe After Effects 8.0 Keyframe Data\n\n"
        f"\tUnits Per Second\t{decimal(scene.rate)}\n"
        f"\tSource Width\t{clip.display_width_px}\n\tSource Height\t{clip.display_height_px}\n"
        f"\tSource Pixel Aspect Ratio\t{decimal(clip.pixel_aspect)}\n"
        f"\tComp Pixel Aspect Ratio\t{decimal(clip.pixel_aspect)}\n\n"
    )
    return head + "\n".join(blocks) + "\n\nEnd of Keyframe Data\n"


def write_mask_script(scene: ExchangeScene) -> str:
    """The script that adds all masks of the scene to the selected layer."""
    masks = [
        _mask(scene, f"{shapes.name} {piece.name}", piece)
        for shapes in scene.shapes
        for piece in drawn_pieces(redrawn(shapes, Interpolation.LINEAR).shapes)
    ]
    gaps = [
        f"// {_plain(shapes.name)}: {words}\n" for shapes in scene.shapes if (words := shape_gaps(shapes))
    ]
    # ASCII, because ExtendScript guesses the encoding of a file without a mark.
    return "".join(gaps) + _SCRIPT % (
        json.dumps(masks, indent=1, ensure_ascii=True, allow_nan=False),
        json.dumps(scene.clip.frames_per_s),
    )


def _plain(name: str) -> str:
    """A name for a comment of one line."""
    return json.dumps(name, ensure_ascii=True)[1:-1]


def _mask(scene: ExchangeScene, name: str, piece: Piece) -> dict[str, Any]:
    return {
        "name": name,
        "hole": piece.hole,
        "feather_px": round(widest_feather_px(piece), 4),
        "units": [scene.units(key.frame) for key in piece.keys],
        "paths": [
            {
                "vertices": [_rounded(one.x_px, one.y_px) for one in key.vertices],
                "in_tangents": [_rounded(one.in_dx_px, one.in_dy_px) for one in key.vertices],
                "out_tangents": [_rounded(one.out_dx_px, one.out_dy_px) for one in key.vertices],
            }
            for key in piece.keys
        ],
        "switches": [
            [scene.units(frame), 100 if on else 0] for frame, on in switches(piece, scene.clip.frames)
        ],
    }


def _rounded(x: float, y: float) -> list[float]:
    return [round(x, 5), round(y, 5)]


def _place(key: AnchorKey) -> Sequence[float]:
    return (key.x_px, key.y_px, 0.0)


def _turn(key: AnchorKey) -> Sequence[float]:
    return (key.rotation_deg,)


def _percent(key: AnchorKey) -> Sequence[float]:
    return (100 * key.scale_x, 100 * key.scale_y, 100.0)


def _shown(key: AnchorKey) -> Sequence[float]:
    return (100 * key.weight,)


def _corner(number: int) -> Callable[[AnchorKey], Sequence[float]]:
    return lambda key: () if key.corners is None else key.corners[number]


def _block(
    where: Sequence[str],
    columns: str,
    units: Callable[[int], float],
    keys: Sequence[AnchorKey],
    values: Callable[[AnchorKey], Sequence[float]],
) -> str:
    lines = ["\t".join(where), f"\tFrame\t{columns}\t"]
    for key in keys:
        numbers = "\t".join(decimal(value) for value in values(key))
        lines.append(f"\t{decimal(units(key.frame))}\t{numbers}\t")
    return "\n".join(lines) + "\n"
