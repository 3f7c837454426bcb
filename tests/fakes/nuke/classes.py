"""Which knobs a node of a class has: those that are used here, with Nuke's own names and choices.

DOC: the reference guide of each node lists its knobs "for scripting".
"""

from __future__ import annotations

from collections.abc import Callable

from fakes.nuke.knobs import (
    FakeArray,
    FakeBoolean,
    FakeChannel,
    FakeEnumeration,
    FakeFile,
    FakeKnob,
    FakeTracks,
    FakeTree,
    FakeXY,
)

Maker = Callable[[], FakeKnob]


def text(name: str, value: str = "") -> Maker:
    return lambda: FakeKnob(name, value=value)


def file(name: str) -> Maker:
    return lambda: FakeFile(name)


def flag(name: str, value: bool = False) -> Maker:
    return lambda: FakeBoolean(name, value=value)


def number(name: str, value: float = 0.0, count: int = 1) -> Maker:
    return lambda: FakeArray(name, value=[value] * count, count=count)


def pair(name: str, x: float = 0.0, y: float = 0.0) -> Maker:
    return lambda: FakeXY(name, value=[x, y])


def choice(name: str, *choices: str) -> Maker:
    return lambda: FakeEnumeration(name, "", choices)


def channel(name: str) -> Maker:
    return lambda: FakeChannel(name, value="rgba.alpha")


def tracks() -> FakeKnob:
    return FakeTracks("tracks")


def tree(name: str) -> Maker:
    return lambda: FakeTree(name)


COMMON: tuple[Maker, ...] = (
    text("label"),
    number("tile_color"),
    number("note_font_size", 11),
    flag("selected"),
    number("xpos"),
    number("ypos"),
    flag("hide_input"),
)
IMAGE: tuple[Maker, ...] = (flag("disable"), number("mix", 1.0))

COLOUR_SPACES = ("default (linear)", "linear", "sRGB", "rec709", "Cineon", "AlexaV3LogC", "ACES - ACEScg")

CLASSES: dict[str, tuple[Maker, ...]] = {
    "Root": (
        number("first_frame", 1),
        number("last_frame", 100),
        flag("proxy"),
        number("proxy_scale", 0.5),
        text("name"),
        choice("colorManagement", "Nuke", "OCIO"),
        text("workingSpaceLUT", "linear"),
    ),
    "Group": (),
    "Input": (text("number"),),
    "Output": (),
    "Viewer": (number("colour_sample_bbox", 0.0, 4),),
    "BackdropNode": (number("bdwidth", 80), number("bdheight", 80), number("z_order")),
    "Dot": (),
    "NoOp": IMAGE,
    "Read": (
        *IMAGE,
        file("file"),
        number("first", 1),
        number("last", 1),
        number("origfirst", 1),
        number("origlast", 1),
        flag("origset"),
        choice("frame_mode", "expression", "start at", "offset"),
        text("frame"),
        choice("colorspace", *COLOUR_SPACES),
        flag("raw"),
        # DOC: what is shown on a frame without a file; "error" is what a new node has.
        choice("on_error", "error", "black", "checkerboard", "nearest frame"),
        choice("before", "hold", "loop", "bounce", "black"),
        choice("after", "hold", "loop", "bounce", "black"),
        choice("auto_alpha", "false", "true"),
    ),
    "Write": (
        *IMAGE,
        file("file"),
        choice("file_type", "", "exr", "png"),
        choice("datatype", "16 bit half", "32 bit float"),
        choice("compression", "Zip (1 scanline)", "none"),
        choice("channels", "rgb", "rgba", "all", "alpha"),
        flag("raw"),
        choice("colorspace", *COLOUR_SPACES),
        flag("create_directories"),
        flag("use_limit"),
        number("first", 1),
        number("last", 1),
    ),
    "Roto": (
        *IMAGE,
        tree("curves"),
        choice("output", "rgba", "rgb", "alpha"),
        choice("cliptype", "format", "no clip", "none", "bbox"),
    ),
    "Tracker4": (*IMAGE, tracks, number("reference_frame", 1)),
    "Transform": (
        *IMAGE,
        pair("translate"),
        number("rotate"),
        number("scale", 1.0, 2),
        pair("center"),
        flag("invert_matrix"),
        choice("black_outside", "true", "false"),
    ),
    "CornerPin2D": (
        *IMAGE,
        *(pair(f"{way}{corner}") for way in ("to", "from") for corner in (1, 2, 3, 4)),
        flag("invert"),
    ),
    "Merge2": (*IMAGE, choice("operation", "over", "stencil", "max", "mask", "plus")),
    "Multiply": (*IMAGE, choice("channels", "rgb", "rgba", "all", "alpha"), number("value", 1.0)),
    "Copy": (*IMAGE, channel("from0"), channel("to0")),
    "Expression": (*IMAGE, text("channel0"), text("expr0")),
    "FrameRange": (*IMAGE, number("first_frame", 1), number("last_frame", 1)),
    "Remove": (*IMAGE, text("channels")),
    "Cryptomatte": (*IMAGE, text("matteList"), text("cryptoLayer")),
    "TimeOffset": (*IMAGE, number("time_offset"), flag("reverse_input")),
    "Retime": (*IMAGE, number("speed", 1.0)),
    "Grade": (*IMAGE, number("white", 1.0), number("multiply", 1.0)),
    "Crop": (*IMAGE, number("box", 0.0, 4)),
    "Reformat": (*IMAGE, number("box_width"), number("box_height")),
    "Blur": (*IMAGE, number("size")),
    "Text2": (*IMAGE, text("message")),
}

MAX_INPUTS = {"Read": 0, "Input": 0, "BackdropNode": 0, "Root": 0, "Copy": 3, "Merge2": 3, "Viewer": 10}
