"""Which pictures the server opens, on which frames they show, and where a place lies: in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from fakes.exchange_scenes import at_frame, ellipse, scene
from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeFormat, FakeNode
from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack
from masklet.errors import BadInputError, CancelledError, ClipError
from masklet.mask import MaskDepth
from masklet.shapes import ObjectShapes, Piece
from masklet.types import Box, FrameRange
from masklet_nuke import node_knobs, plates, prompting
from masklet_nuke.anchor_nodes import make_anchor
from masklet_nuke.exr_alpha import read_alpha
from masklet_nuke.plates import NotRenderedError
from masklet_nuke.rendering import alpha_of, ensure_rendered
from masklet_nuke.results import Results
from masklet_nuke.rotos import make_rotos
from masklet_nuke.runtime import Runtime
from masklet_nuke.spaces import PlateSpace
from masklet_nuke.upstream import pictures_hash, plain_read
from nuke_scripts import new_read, run


def shift_of(node: FakeNode) -> int:
    found = plain_read(node)
    assert found is not None
    return found.frames.shift


@pytest.mark.parametrize(
    ("mode", "said", "shift"),
    [
        ("expression", "", 0),
        ("expression", "frame+499", -499),
        ("expression", "frame - 10", 10),
        ("expression", "frame", 0),
        # The first frame, 1001, shows on frame 1.
        ("start at", "1", -1000),
        ("start at", "1101", 100),
        # As it was run: an offset is how much later the clip begins.
        ("offset", "100", 100),
        ("offset", "-1000", -1000),
    ],
)
def test_a_read_shows_its_files_on_the_frames_that_it_says(
    read: FakeNode, mode: str, said: str, shift: int
) -> None:
    read["frame_mode"].setValue(mode)
    read["frame"].setValue(said)

    assert shift_of(read) == shift
    if mode != "expression":
        assert read.firstFrame() == 1001 + shift


def test_expressions_that_are_no_shift_have_to_be_rendered(read: FakeNode) -> None:
    read["frame"].setValue("frame*2")

    assert plain_read(read) is None


def test_what_hands_the_picture_on_is_no_change_of_it(nuke: FakeNuke, read: FakeNode) -> None:
    dot = nuke.nodes.Dot(inputs=[read])
    grade = nuke.nodes.Grade(inputs=[dot])
    grade["disable"].setValue(True)
    later = nuke.nodes.TimeOffset(inputs=[grade], time_offset=7)
    found = plain_read(nuke.nodes.NoOp(inputs=[later]))

    assert found is not None
    assert found.node is read
    assert found.frames.shift == 7
    assert later.firstFrame() == 1008


@pytest.mark.parametrize("kind", ["Grade", "Crop", "Retime", "Reformat", "Transform"])
def test_what_changes_pictures_has_to_be_rendered(nuke: FakeNuke, read: FakeNode, kind: str) -> None:
    assert plain_read(getattr(nuke.nodes, kind)(inputs=[read])) is None


def test_a_reversed_or_animated_offset_has_to_be_rendered(nuke: FakeNuke, read: FakeNode) -> None:
    backwards = nuke.nodes.TimeOffset(inputs=[read], reverse_input=True)
    moving = nuke.nodes.TimeOffset(inputs=[read])
    moving["time_offset"].fromScript("{curve L x1 0 x9 4}")

    assert plain_read(backwards) is None
    assert plain_read(moving) is None


def test_a_movie_counts_from_1_as_nuke_does(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, tmp_path: Path
) -> None:
    movie = new_read(nuke, tmp_path / "shot.mov", 1, 48)
    node.setInput(0, movie)

    source = loop.host.source(node)

    assert source.reading.first_frame == 1
    assert source.shown is not None
    assert source.shown.pictures == 48


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("default (linear)", "linear"),
        ("sRGB", "sRGB"),
        ("ACES - ACEScg", "ACES - ACEScg"),
        ("rec709", "rec709"),
    ],
)
def test_a_read_is_opened_in_its_colour_space(
    loop: Runtime, node: FakeNode, read: FakeNode, said: str, name: str
) -> None:
    read["colorspace"].setValue(said)
    assert loop.host.source(node).reading.colour_space == name

    read["raw"].setValue(True)
    assert loop.host.source(node).reading.colour_space is None


def test_a_relative_path_is_told_with_its_node(loop: Runtime, node: FakeNode, read: FakeNode) -> None:
    read["file"].setValue("plates/shot.%04d.exr")

    with pytest.raises(BadInputError, match="file knob of Read1 is no absolute path"):
        loop.host.source(node)


def test_a_click_says_the_pictures_own_number(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, read: FakeNode
) -> None:
    read["frame_mode"].setValue("start at")
    read["frame"].setValue("1")
    nuke.current_frame = 5

    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    run(nuke, loop)

    assert [prompts.frame for prompts in loop.host.document(node)[0].frames] == [1005]


@pytest.mark.parametrize(
    ("across", "up", "space", "place"),
    [
        (-1.0, 36 / 64, PlateSpace(64, 36), (0.0, 0.0)),
        (1.0, -36 / 64, PlateSpace(64, 36), (64.0, 36.0)),
        (0.0, 0.0, PlateSpace(2048, 858, 2.0), (1024.0, 429.0)),
        # Anamorphic: shown twice as wide, so that its top is a quarter of its width up.
        (0.0, 858 / (2048 * 2.0), PlateSpace(2048, 858, 2.0), (1024.0, 0.0)),
        (0.5, -0.1, PlateSpace(1920, 1080), (1440.0, 636.0)),
    ],
)
def test_a_sample_of_the_viewer_is_a_place_on_the_plate(
    across: float, up: float, space: PlateSpace, place: tuple[float, float]
) -> None:
    assert space.of_sample(across, up) == pytest.approx(place)


def test_samples_agree_with_the_way_that_scripts_read_them() -> None:
    """KNOWN: x = (b * .5 + .5) w, y = (b * .5 + .5 / aspect) aspect h, from the bottom, aspect = w pa / h."""
    space = PlateSpace(1828, 1556, 2.0)
    aspect = space.width_px * space.pixel_aspect / space.height_px
    for across, up in ((-0.8, 0.1), (0.25, -0.3), (0.0, 0.42)):
        x = (across * 0.5 + 0.5) * space.width_px
        y = (up * 0.5 + 0.5 / aspect) * aspect * space.height_px
        assert space.of_sample(across, up) == pytest.approx((x, space.height_px - y))


# -- rendered once ---------------------------------------------------------------------------------------


@pytest.fixture
def graded(nuke: FakeNuke, node: FakeNode, read: FakeNode) -> FakeNode:
    """A node whose plate is graded, in a Nuke whose Writes write."""
    grade = nuke.nodes.Grade(inputs=[read], white=1.2)
    node.setInput(0, grade)

    def write(writer: FakeNode, frame: int) -> None:
        path = writer["file"].value()
        Path(path % frame if "%" in path else path).write_bytes(b"picture")

    nuke.on_render = write
    return grade


def test_anything_else_is_rendered_once_to_half_floats_for_its_range(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, graded: FakeNode, tmp_path: Path
) -> None:
    nuke.root()["name"].setValue(str(tmp_path / "shot.nk"))
    seen: dict[str, object] = {}
    write = nuke.on_render

    def note(writer: FakeNode, frame: int) -> None:
        seen.update({name: writer[name].value() for name in ("datatype", "channels", "raw", "file_type")})
        write(writer, frame)

    nuke.on_render = note
    with pytest.raises(NotRenderedError, match="has to be rendered once"):
        loop.host.source(node)

    done = ensure_rendered(nuke, node)
    ensure_rendered(nuke, node)

    assert [(first, last) for _, first, last in nuke.renders] == [(1001, 1012)]
    assert seen == {"datatype": "16 bit half", "channels": "rgb", "raw": True, "file_type": "exr"}
    assert done is not None
    assert loop.host.source(node).path == done.path
    assert Path(done.path).is_relative_to(tmp_path / "masklet" / "shot")
    # The Write was there for a moment, and nothing of it can be undone.
    assert nuke.allNodes("Write") == []
    assert not any("Write" in name for name, _ in nuke.Undo.steps)


def test_it_is_rendered_again_only_where_its_pictures_changed(
    nuke: FakeNuke, node: FakeNode, graded: FakeNode, read: FakeNode
) -> None:
    ensure_rendered(nuke, node)
    graded.setXYpos(500, 500)
    graded.setName("nicer")
    graded["label"].setValue("warm")
    ensure_rendered(nuke, node)
    assert len(nuke.renders) == 1

    graded["white"].setValue(1.3)
    ensure_rendered(nuke, node)
    assert len(nuke.renders) == 2

    read["last"].setValue(1008)
    ensure_rendered(nuke, node)
    assert [(first, last) for _, first, last in nuke.renders][-1] == (1001, 1008)


def test_a_picture_that_is_gone_is_rendered_again(nuke: FakeNuke, node: FakeNode, graded: FakeNode) -> None:
    done = ensure_rendered(nuke, node)
    assert done is not None
    Path(done.path % 1004).unlink()

    ensure_rendered(nuke, node)

    assert len(nuke.renders) == 2


def test_pictures_that_were_written_anew_are_others(graded: FakeNode, files: Path) -> None:
    before = pictures_hash(graded)
    (files.parent / "plate.1013.png").write_bytes(b"one more")
    assert pictures_hash(graded) == before
    (files.parent / "plate.1001.png").write_bytes(b"graded anew")

    assert pictures_hash(graded) != before


def test_a_render_that_fails_or_is_stopped_is_told_and_nothing_is_kept(
    nuke: FakeNuke, node: FakeNode, graded: FakeNode
) -> None:
    def fail(writer: FakeNode, frame: int) -> None:
        raise RuntimeError("Grade1: bad channel")

    def stop(writer: FakeNode, frame: int) -> None:
        raise RuntimeError("Cancelled")

    nuke.current_frame = 1007
    nuke.on_render = fail
    with pytest.raises(ClipError, match="could not render what Masklet1 shows \\(Grade1: bad channel\\)"):
        ensure_rendered(nuke, node)
    nuke.on_render = stop
    with pytest.raises(CancelledError):
        ensure_rendered(nuke, node)

    assert plates.rendered(node) is None
    assert nuke.current_frame == 1007


def test_a_rendered_plate_counts_as_the_script_does(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, graded: FakeNode, read: FakeNode
) -> None:
    read["frame_mode"].setValue("start at")
    read["frame"].setValue("1")

    done = ensure_rendered(nuke, node)

    assert done is not None
    assert (done.first, done.last) == (1, 12)
    assert plates.frame_map(node).shift == 0


def test_a_plate_is_rendered_in_the_scripts_working_space_and_opened_in_it(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, graded: FakeNode
) -> None:
    ensure_rendered(nuke, node)
    assert loop.host.source(node).reading.colour_space is None

    nuke.root()["colorManagement"].setValue("OCIO")
    nuke.root()["workingSpaceLUT"].setValue("scene_linear (ACES - ACEScg)")
    ensure_rendered(nuke, node)

    assert len(nuke.renders) == 2
    assert loop.host.source(node).reading.colour_space == "ACES - ACEScg"


@pytest.mark.parametrize(
    ("kind", "values"), [("Retime", {"speed": 2.0}), ("TimeOffset", {"reverse_input": True})]
)
def test_a_retimed_input_is_rendered_as_it_plays_so_that_each_frame_is_its_own_picture(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, read: FakeNode, kind: str, values: dict[str, object]
) -> None:
    retimed = getattr(nuke.nodes, kind)(inputs=[read], **values)
    node.setInput(0, retimed)
    written: list[int] = []

    def write(writer: FakeNode, frame: int) -> None:
        written.append(frame)
        Path(writer["file"].value() % frame).write_bytes(b"picture")

    nuke.on_render = write
    done = ensure_rendered(nuke, node)

    assert done is not None
    assert written == list(range(retimed.firstFrame(), retimed.lastFrame() + 1))
    assert (done.first, done.last) == (written[0], written[-1])
    # Pictures carry the script's numbers: nothing is shifted, neither what is said nor what comes back.
    assert plates.frame_map(node).shift == 0
    nuke.current_frame = 1005
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    assert [prompts.frame for prompts in loop.host.document(node)[0].frames] == [1005]


# -- overscan --------------------------------------------------------------------------------------------


@pytest.fixture
def overscanned(node: FakeNode) -> FakeNode:
    """A node that is to matte what lies beyond its format of 64 x 36."""
    node[node_knobs.OVERSCAN].setValue(True)
    return node


def test_overscan_is_read_where_the_node_says_so(loop: Runtime, node: FakeNode) -> None:
    assert loop.host.source(node).reading.overscan is False
    node[node_knobs.OVERSCAN].setValue(True)
    assert loop.host.source(node).reading.overscan is True


def test_a_click_and_a_box_beyond_the_format_are_negative_places_of_the_plate(
    nuke: FakeNuke, loop: Runtime, overscanned: FakeNode
) -> None:
    # Four pixels above the format and three to its left, as a knob of Nuke says it.
    space = plates.space_of(overscanned)
    assert space.to_plate(-3.0, 40.0) == (-3.0, -4.0)

    prompting.add_click(loop, overscanned, *space.to_plate(-3.0, 40.0), positive=True)
    prompting.set_box(loop, overscanned, space.to_plate(-3.0, 40.0), space.to_plate(70.0, -2.0))

    (prompts,) = loop.host.document(overscanned)[0].frames
    assert (prompts.clicks[0].x_px, prompts.clicks[0].y_px) == (-3.0, -4.0)
    assert prompts.box == Box(-3.0, -4.0, 70.0, 38.0)
    # The handles stand there again.
    assert overscanned["masklet_click_1"].value() == [-3.0, 40.0]
    assert overscanned["masklet_box_low"].value() == [-3.0, -2.0]


def test_without_overscan_nothing_is_said_beside_the_format(loop: Runtime, node: FakeNode) -> None:
    with pytest.raises(BadInputError, match="outside the picture"):
        prompting.add_click(loop, node, -3.0, -4.0, positive=True)
    prompting.set_box(loop, node, (-3.0, -4.0), (20.0, 18.0))

    assert loop.host.document(node)[0].frames[0].box == Box(0.0, 0.0, 20.0, 18.0)


def test_shapes_and_anchors_beyond_the_format_stand_there_in_nuke(
    nuke: FakeNuke, overscanned: FakeNode
) -> None:
    """As the server tells them: places of the display window, negative in the overscan above and left."""
    piece = Piece("piece 1", False, (FrameRange(1, 1),), (at_frame(ellipse((-4.0, -6.0), (8.0, 5.0)), 1),))
    shapes = ObjectShapes("hero", 64, 36, 1.0, (piece,), scene().shapes[0].report)
    results = Results(nuke, overscanned, "u1")
    made = make_rotos(nuke, rotopaint, results, shapes)
    keys = (AnchorKey(1, -4.0, -6.0), AnchorKey(2, 68.0, 41.0))
    track = AnchorTrack("hero", "hero", AnchorKind.POINT, 1, keys)

    (shape,) = made.nodes[0]["curves"].rootLayer
    found = [point.center.getPosition(1.0) for point in shape]
    wanted = [(vertex.x_px, 36 - vertex.y_px) for vertex in piece.keys[0].vertices]
    assert np.array([(at.x, at.y) for at in found]) == pytest.approx(np.array(wanted))
    assert max(at.y for at in found) > 36
    transform = make_anchor(results, track, plates.space_of(overscanned).height_px)[0]
    assert [transform["center"].getValueAt(1, index) for index in (0, 1)] == [-4.0, 42.0]
    moved = [transform["translate"].getValueAt(2, index) for index in (0, 1)]
    assert moved == pytest.approx([72.0, -47.0])


def test_the_first_button_that_needs_pictures_renders_them(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, graded: FakeNode
) -> None:
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    assert "has to be rendered once" in str(loop.memory(node).notice)

    nuke.press(node, "masklet_track")
    run(nuke, loop)

    assert len(nuke.renders) == 1
    assert loop.memory(node).book.frames_with_masks(loop.host.uids(node)[0]) == 12


# -- masks drawn by hand ---------------------------------------------------------------------------------


def write_alpha(
    path: str, data: np.ndarray, *, x: int = 0, y: int = 0, width: int = 64, height: int = 36
) -> None:
    """An EXR as Nuke writes alpha alone: 32-bit float, uncompressed, with a data window of its own."""
    spec = oiio.ImageSpec(data.shape[1], data.shape[0], 1, "float")
    spec.channelnames = ["A"]
    spec.x, spec.y, spec.full_x, spec.full_y = x, y, 0, 0
    spec.full_width, spec.full_height = width, height
    spec["compression"] = "none"
    out = oiio.ImageOutput.create(path)
    assert out.open(path, spec)
    assert out.write_image(data.astype(np.float32)[..., None])
    out.close()


def test_alpha_is_read_at_the_plates_size_whatever_its_data_window_is(tmp_path: Path) -> None:
    drawn = np.linspace(0, 1, 30 * 20).reshape(20, 30)
    path = str(tmp_path / "alpha.exr")
    # Overscan to the left and above: what lies outside of the picture is left out.
    write_alpha(path, drawn, x=-4, y=-6)

    mask = read_alpha(Path(path), width_px=64, height_px=36)

    assert mask.depth is MaskDepth.BITS_16
    expected = np.zeros((36, 64))
    expected[:14, :26] = drawn[6:, 4:]
    assert mask.coverage() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("width", "height"), [(100, 50), (40, 20)])
def test_a_roto_in_the_scripts_own_format_keeps_its_place_from_the_bottom_left(
    tmp_path: Path, width: int, height: int
) -> None:
    path = str(tmp_path / "alpha.exr")
    # Ten pixels wide and four high, its lower left corner at (5, 3) as Nuke counts.
    write_alpha(path, np.ones((4, 10)), x=5, y=height - 3 - 4, width=width, height=height)

    coverage = read_alpha(Path(path), width_px=64, height_px=36).coverage()

    assert coverage.sum() == 40
    assert coverage[36 - 3 - 4 : 36 - 3, 5:15].all()


@pytest.mark.parametrize("damage", [b"", b"v/1\x01", b"not an exr at all", b"v/1\x01\x02\x02\x00\x00"])
def test_an_alpha_that_is_damaged_is_one_sentence(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "alpha.exr"
    file.write_bytes(damage)

    with pytest.raises(ClipError, match="cannot be read"):
        read_alpha(file, width_px=64, height_px=36)


def test_a_compressed_alpha_is_refused(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(8, 8, 1, "float")
    path = str(tmp_path / "alpha.exr")
    out = oiio.ImageOutput.create(path)
    assert out.open(path, spec)
    out.write_image(np.zeros((8, 8, 1), np.float32))
    out.close()

    with pytest.raises(ClipError, match="compressed"):
        read_alpha(Path(path), width_px=8, height_px=8)


def test_a_roto_and_the_inputs_alpha_are_masks_on_their_frame(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    drawn = np.zeros((36, 64))
    drawn[10:20, 5:25] = 1.0
    nuke.on_render = lambda writer, frame: write_alpha(writer["file"].value(), drawn)
    nuke.press(node, "masklet_add_object")
    nuke.press(node, "masklet_mask_from_alpha")
    run(nuke, loop)

    (said,) = loop.host.document(node)
    mask = said.at(1001).mask
    assert mask is not None
    assert (mask.coverage() > 0.5).sum() == 200

    nuke.frame(1003)
    roto = nuke.nodes.Roto()
    for each in nuke.selectedNodes():
        each.setSelected(False)
    roto.setSelected(True)
    nuke.press(node, "masklet_mask_from_roto")
    run(nuke, loop)

    assert loop.host.document(node)[0].at(1003).mask is not None
    assert nuke.messages == []


def test_an_empty_alpha_is_no_mask(nuke: FakeNuke, node: FakeNode, read: FakeNode) -> None:
    nuke.on_render = lambda writer, frame: write_alpha(writer["file"].value(), np.zeros((36, 64)))

    with pytest.raises(BadInputError, match="the alpha of Read1 is empty on frame 1001"):
        alpha_of(nuke, read, 1001, node)


def test_data_windows_and_proxies_move_no_place(nuke: FakeNuke, node: FakeNode, read: FakeNode) -> None:
    read.picture = FakeFormat(2048, 1152)
    for scale in (1.0, 0.5, 0.25):
        nuke.scale = scale
        assert plates.space_of(node).to_nuke(100.5, 0.5) == (100.5, 1151.5)
