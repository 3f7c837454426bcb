"""Which layer is the plate, over names as renderers and compositing applications write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masklet.errors import BadInputError
from masklet_server.media.layers import DATA, FINISHED, Kind, Part, choose_layer, layers_of


def _layer(name: str, bases: str = "R G B A") -> tuple[str, ...]:
    return tuple(f"{name}.{base}" if name else base for base in bases.split())


def _one(*layers: tuple[str, ...]) -> list[Part]:
    return [Part("", tuple(sorted(channel for layer in layers for channel in layer)))]


# Names of the applications' own: what a file holds, and the layer that is the picture.
RENDERS = {
    "plain": (_one(_layer("")), ""),
    "nuke, all layers": (
        _one(_layer(""), _layer("depth", "Z"), _layer("forward", "u v"), _layer("mask", "a")),
        "",
    ),
    "nuke, without rgba": (_one(_layer("depth", "Z"), _layer("keylight"), _layer("beauty")), "beauty"),
    "nuke, parts": (
        [
            Part("depth", ("depth.Z",)),
            Part("rgba", ("R", "G", "B", "A")),
            Part("forward", ("forward.u", "forward.v")),
        ],
        "rgba",
    ),
    "mantra": (_one(_layer(""), _layer("N", "x y z"), _layer("P", "x y z"), ("Pz",), _layer("direct")), ""),
    "houdini, parts": (
        [
            Part("Pz", ("Pz.Y",)),
            Part("N", ("N.X", "N.Y", "N.Z")),
            Part("C", ("C.R", "C.G", "C.B", "C.A")),
            Part("C_key", ("C_key.R", "C_key.G", "C_key.B")),
        ],
        "C",
    ),
    "karma": (_one(_layer("C"), _layer("albedo"), _layer("N", "R G B"), _layer("depth", "Z")), "C"),
    "karma, parts": (
        [
            Part("albedo", ("R", "G", "B")),
            Part("beauty", ("R", "G", "B", "A")),
            Part("combineddiffuse", ("R", "G", "B")),
        ],
        "beauty",
    ),
    "arnold": (_one(_layer(""), _layer("diffuse_direct"), _layer("N", "X Y Z"), _layer("Z", "Z")), ""),
    "arnold, parts": (
        [Part("N", ("R", "G", "B")), Part("RGBA", ("R", "G", "B", "A")), Part("RGBA_key", ("R", "G", "B"))],
        "RGBA",
    ),
    "arnold, crypto first": (
        [
            Part("crypto_asset00", ("R", "G", "B", "A")),
            Part("crypto_object00", ("R", "G", "B", "A")),
            Part("RGBA", ("R", "G", "B", "A")),
        ],
        "RGBA",
    ),
    "v-ray": (
        _one(_layer(""), _layer("VRayZDepth", "R G B"), _layer("VRayNormals"), _layer("VRayDiffuseFilter")),
        "",
    ),
    "v-ray, elements only": (
        _one(_layer("VRayVelocity"), _layer("VRayMtlID"), _layer("RGB_color"), _layer("VRayReflection")),
        "RGB_color",
    ),
    "redshift": (
        [Part("Z", ("Z",)), Part("MotionVectors", ("R", "G", "B")), Part("Beauty", ("R", "G", "B", "A"))],
        "Beauty",
    ),
    "renderman": (_one(_layer("Ci"), _layer("Nworld", "r g b"), _layer("directDiffuse", "r g b")), "Ci"),
    "blender": (
        _one(
            _layer("ViewLayer.AO", "R G B"),
            _layer("ViewLayer.Combined"),
            _layer("ViewLayer.Denoising Albedo", "R G B"),
            _layer("ViewLayer.Depth", "Z"),
            _layer("ViewLayer.DiffCol", "R G B"),
            _layer("ViewLayer.DiffDir", "R G B"),
            _layer("ViewLayer.Noisy Image"),
            _layer("ViewLayer.CryptoObject00", "r g b a"),
            _layer("ViewLayer.UV", "U V A"),
            _layer("ViewLayer.Vector", "X Y Z W"),
        ),
        "ViewLayer.Combined",
    ),
    "blender, composite": (_one(_layer("Composite.Combined"), _layer("ViewLayer.Combined")), None),
    "depth first": (
        [Part("depth", ("Z",)), Part("rgba", ("R", "G", "B", "A"))],
        "rgba",
    ),
    "a vendor's own": (
        [Part("depth_main", ("depth.Z",)), Part("rgba_main", ("R", "G", "B", "A"))],
        "rgba_main",
    ),
    "parts of colour and grey": ([Part("lum", ("Y",)), Part("left_out", ("R", "G", "B"))], "left_out"),
    "grey": (_one(("Y",)), ""),
    "matte": (_one(("A",)), ""),
    "only data": (_one(_layer("N", "X Y Z")), "N"),
    "lower case": (_one(("red", "green", "blue"), ("depth.z",)), ""),
}


@pytest.mark.parametrize("render", RENDERS)
def test_the_finished_picture_is_taken_out_of_a_render(render: str) -> None:
    parts, name = RENDERS[render]

    taken = choose_layer(parts).layer

    assert name is None or taken.name == name
    bases = [parts[taken.part].channels[place].split(".")[-1].lower() for place in taken.channels]
    if taken.kind is Kind.COLOUR:
        assert [base[0] for base in bases] == ["r", "g", "b"]


def test_what_was_guessed_is_said_with_the_others() -> None:
    parts, _ = RENDERS["blender"]

    notice = choose_layer(parts).notice

    assert notice.startswith("took the layer ViewLayer.Combined; others: ViewLayer.AO, ")
    assert notice.endswith(" and 1 more")


def test_nothing_is_said_of_a_picture_that_has_no_name() -> None:
    assert choose_layer(RENDERS["arnold"][0]).notice == ""
    assert choose_layer(RENDERS["plain"][0]).notice == ""


@pytest.mark.parametrize("asked", ["ViewLayer.DiffDir", "viewlayer.diffdir", " DiffDir ", "diffdir"])
def test_a_layer_that_is_asked_for_is_taken_by_its_whole_name_or_its_last_word(asked: str) -> None:
    choice = choose_layer(RENDERS["blender"][0], layer=asked)

    assert choice.layer.name == "ViewLayer.DiffDir"
    assert choice.notice == ""


def test_data_can_be_asked_for() -> None:
    parts = RENDERS["nuke, parts"][0]

    assert choose_layer(parts, layer="depth").layer.channels == (0, 0, 0)
    assert choose_layer(RENDERS["mantra"][0], layer="N").layer.name == "N"


def test_a_layer_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadInputError, match=r"no layer is called 'diffuse': there are depth, rgba, forward"):
        choose_layer(RENDERS["nuke, parts"][0], layer="diffuse")


STEREO = {
    # As the OpenEXR documentation has it: the default view's channels carry no view.
    "one part": ([Part("", ("B", "G", "R", "right.B", "right.G", "right.R"))], ("left", "right")),
    "layers": (
        [Part("", ("R", "G", "B", "diffuse.left.R", "right.R", "right.G", "right.B", "diffuse.right.R"))],
        ("left", "right"),
    ),
    "nuke's parts": (
        [
            Part("rgba.left", ("R", "G", "B", "A"), "left"),
            Part("rgba.right", ("R", "G", "B", "A"), "right"),
        ],
        (),
    ),
    "blender": (
        [Part("", tuple(f"ViewLayer.Combined.{eye}.{base}" for eye in ("left", "right") for base in "BGR"))],
        ("left", "right"),
    ),
    "no header": ([Part("", tuple(f"{eye}.{base}" for eye in ("left", "right") for base in "BGR"))], ()),
}


@pytest.mark.parametrize("file", STEREO)
def test_a_stereo_file_gives_its_default_view_and_the_other_when_asked(file: str) -> None:
    parts, views = STEREO[file]

    first = choose_layer(parts, views=views)
    right = choose_layer(parts, views=views, view="Right")

    assert (first.layer.view, right.layer.view) == ("left", "right")
    assert first.notice.startswith("took the view left; others: right")
    assert "view" not in right.notice
    assert (first.layer.part, first.layer.channels) != (right.layer.part, right.layer.channels)


def test_a_view_that_is_not_there_is_answered_with_those_that_are() -> None:
    parts, views = STEREO["one part"]
    with pytest.raises(BadInputError, match="no view is called 'middle': it has left, right"):
        choose_layer(parts, views=views, view="middle")
    with pytest.raises(BadInputError, match="it has no views"):
        choose_layer(RENDERS["plain"][0], view="left")


names = st.sampled_from(["", *FINISHED, *sorted(DATA), "diffuse", "key_left", "ViewLayer.Emit", "überblick"])
bases = st.sampled_from(["R G B", "R G B A", "r g b", "Z", "X Y Z", "u v", "Y", "A", "R", "red green blue"])
files = st.lists(
    st.builds(
        lambda part, layers: Part(part, tuple(dict.fromkeys(channel for each in layers for channel in each))),
        names,
        st.lists(st.builds(_layer, names, bases), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@given(files)
@settings(deadline=None)
def test_any_file_has_a_plate_and_colours_come_before_everything_else(parts: list[Part]) -> None:
    taken = choose_layer(parts).layer

    assert all(0 <= place < len(parts[taken.part].channels) for place in taken.channels)
    assert taken.kind == min(layer.kind for layer in layers_of(parts))


@given(files, st.data())
@settings(deadline=None)
def test_every_layer_is_found_by_the_name_that_is_shown(parts: list[Part], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(list(layers_of(parts))))
    if wanted.name and wanted.name.strip() == wanted.name:
        assert choose_layer(parts, layer=wanted.name).layer.name.lower() == wanted.name.lower()


@given(files)
@settings(deadline=None)
def test_another_pass_of_data_changes_nothing(parts: list[Part]) -> None:
    before = choose_layer(parts).layer
    after = choose_layer([*parts, Part("motionvectors", ("R", "G", "B"))]).layer
    if before.kind < Kind.DATA and len(parts) > 1:
        assert after == before
