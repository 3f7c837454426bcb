"""Values of masklet from the exchange document, in Blender's Python."""

from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange


def shapes_of(document):
    """The shapes of the first object."""
    clip, shapes = document["clip"], document["shapes"][0]
    return ObjectShapes(
        shapes["object"],
        clip["width_px"],
        clip["height_px"],
        clip["pixel_aspect"],
        tuple(map(_piece, shapes["pieces"])),
        ShapeReport(**shapes["report"]),
    )


def anchor_of(document):
    """The first anchor."""
    anchor = document["anchors"][0]
    keys = tuple(AnchorKey(**{**key, "corners": None, "matrix": None}) for key in anchor["keys"])
    return AnchorTrack(
        anchor["name"], anchor["object"], AnchorKind(anchor["kind"]), anchor["reference_frame"], keys
    )


def _piece(piece):
    return Piece(
        piece["name"],
        piece["hole"],
        tuple(FrameRange(*span) for span in piece["visible"]),
        tuple(
            ShapeKey(key["frame"], tuple(BezierVertex(*v) for v in key["vertices"])) for key in piece["keys"]
        ),
    )
