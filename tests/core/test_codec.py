from __future__ import annotations

import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet import codec, errors, event_codec, events, mask_codec
from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, MaskletError, error_from_wire
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    Direction,
    FramePrompts,
    FrameRange,
    LockedMask,
    Mask,
    MaskDepth,
    MaskFormat,
    MaskUpdate,
    ModelInfo,
    ObjectInfo,
    Overscan,
    Presence,
    PromptDocument,
    ServerInfo,
    SessionInfo,
    StateRange,
    TrackedMask,
    UnreadableFrame,
)
from masklet.v1 import session_pb2, values_pb2

coordinates = st.floats(-1e5, 1e5, allow_nan=False)
frames = st.integers(-(2**31), 2**31 - 1)
clicks = st.builds(Click, coordinates, coordinates, positive=st.booleans())
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    coordinates,
    coordinates,
    st.floats(1.0, 1e4),
    st.floats(1.0, 1e4),
)


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    width_px, height_px = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    depth = draw(st.sampled_from(MaskDepth))
    count = width_px * height_px
    if depth is MaskDepth.HALF:
        bits = draw(st.lists(st.integers(0, 0x3C00), min_size=count, max_size=count))
        return Mask(width_px, height_px, struct.pack(f"<{count}H", *bits), depth)
    size_bytes = count * depth.bytes_per_pixel
    return Mask(width_px, height_px, draw(st.binary(min_size=size_bytes, max_size=size_bytes)), depth)


scores = st.floats(-40.0, 40.0, width=32)
tracked_masks = st.builds(
    TrackedMask,
    st.just(2),
    st.just(3),
    st.binary(max_size=20),
    st.sampled_from(Presence),
    scores,
    scores,
    st.binary(max_size=8),
)
prompts = st.one_of(
    st.builds(
        FramePrompts,
        st.integers(0, 2**32 - 1),
        frames,
        st.lists(clicks, max_size=4).map(tuple),
        st.none() | boxes,
        st.none(),
        st.none() | tracked_masks,
    ),
    st.builds(lambda mask: FramePrompts(1, 2, mask=mask), masks()),
)


@given(prompts)
def test_prompts_travel_exactly(said: FramePrompts) -> None:
    assert codec.prompts_from_wire(codec.prompts_to_wire(said)) == said


@given(masks())
def test_masks_travel_exactly_and_as_bits_keep_their_inside(mask: Mask) -> None:
    assert mask_codec.mask_from_wire(mask_codec.mask_to_wire(mask)) == mask
    bits = mask_codec.mask_from_wire(mask_codec.mask_to_wire(mask, bits=True))
    assert bits.alpha == bytes(255 if value >= 128 else 0 for value in mask.in_8_bits().alpha)


def test_sessions_updates_documents_and_servers_travel() -> None:
    clip = ClipInfo(
        "a.%04d.exr",
        64,
        48,
        -3,
        9,
        (1, 2),
        2.0,
        23.976,
        "ACEScg",
        notices=("took beauty; others: diffuse",),
        unreadable=(UnreadableFrame(2, "frame 2 breaks off: render it again."),),
        overscan=Overscan(4, 3, 2, 1),
        display_origin_px=(-160, 90),
    )
    states = (StateRange(1, FrameRange(-3, 0), Presence.ABSENT, prompted=True),)
    session = SessionInfo("ab" * 16, clip, (ObjectInfo(1, "hero", (4, 5)),), states)
    kept = TrackedMask(2, 3, b"packed", Presence.UNCERTAIN, 1.5, 0.25, b"12")
    update = MaskUpdate(
        1, "hero", -3, Mask(2, 1, b"\x00\xff"), Presence.UNCERTAIN, 0.5, 0.25, prompted=True, base=kept
    )
    document = PromptDocument(
        (ObjectInfo(1, "hero", (4,)),),
        (FramePrompts(1, 4, (Click(1.5, 2.5),)),),
        masks=(LockedMask(1, 7, kept, stale=True),),
    )
    model = ModelInfo("small", "Apache-2.0", 5, "ff")
    server = ServerInfo("1", "cpu", model, (model,), 1, 2, 3, 4, opens_paths=True, settings="{}")

    assert codec.session_from_wire(codec.session_to_wire(session)) == session
    assert mask_codec.update_from_wire(mask_codec.update_to_wire(update)) == update
    assert codec.document_from_wire(codec.document_to_wire(document)) == document
    assert codec.server_from_wire(codec.server_to_wire(server)) == server
    movie = ClipInfo("a.mov", 9, 16, 1001, 1003, frame_times_us=(0, 9, 2**40), quarter_turns=3, mirrored=True)
    assert codec.clip_from_wire(codec.clip_to_wire(movie)) == movie
    assert codec.clip_from_wire(codec.clip_to_wire(ClipInfo("b", 1, 1, 0, 0))) == ClipInfo("b", 1, 1, 0, 0)


def test_a_clip_whose_times_do_not_fit_its_frames_is_refused() -> None:
    message = values_pb2.ClipInfo(name="a.mov", last_frame=2, frame_times_us=(0, 5))

    with pytest.raises(BadInputError, match="2 frame times for 3 frames: give one for each"):
        codec.clip_from_wire(message)


@pytest.mark.parametrize(
    "reading",
    [
        ClipReading(),
        ClipReading("ACEScg", -7, 24000 / 1001),
        ClipReading(first_frame=0),
        ClipReading(layer="ViewLayer.Combined", view="left", overscan=True, frames=FrameRange(-3, 9)),
    ],
)
def test_how_a_clip_is_read_travels(reading: ClipReading) -> None:
    assert codec.opening_from_wire(codec.opening_to_wire("one", reading)) == reading


def test_a_rate_or_a_first_frame_that_cannot_be_is_refused_on_the_wire() -> None:
    for message, said in (
        (session_pb2.OpenSessionRequest(frame_rate=-24), "-24 is no frame rate"),
        (session_pb2.OpenSessionRequest(frame_rate=math.nan), "nan is no frame rate"),
        (session_pb2.OpenSessionRequest(first_frame=2**31 - 1), "2147483647 is too far off"),
    ):
        with pytest.raises(BadInputError, match=said):
            codec.opening_from_wire(message)


@pytest.mark.parametrize(
    "event",
    [
        events.TrackStarted(3, 6, (2,)),
        events.TrackFinished(3, 6, cancelled=True),
        events.TrackFinished(3, 6, unreadable=(UnreadableFrame(2, "frame 2 breaks off"),)),
        MaskUpdate(1, "hero", 4, Mask(1, 1, b"\xff"), Presence.PRESENT, 1.0, 1.0),
    ],
)
def test_events_of_a_track_travel(event: events.TrackEvent) -> None:
    assert event_codec.track_event_from_wire(event_codec.track_event_to_wire(event)) == event


@pytest.mark.parametrize(
    "event",
    [
        events.ExportProgress(1, 2),
        events.ExportProgress(0, 40, looking_at="hero"),
        events.FileWritten("a/b.exr", 5),
        events.FileChunk("a/b.exr", b"12", 5, last=False),
        events.ExportFinished(3, (4, 5)),
    ],
)
def test_events_of_an_export_travel(event: events.ExportEvent) -> None:
    assert event_codec.export_event_from_wire(event_codec.export_event_to_wire(event)) == event


def test_every_choice_travels() -> None:
    for direction in Direction:
        assert codec.direction_from_wire(codec.direction_to_wire(direction)) is direction
    for matte_format in events.MatteFormat:
        wire = event_codec.matte_format_to_wire(matte_format)
        assert event_codec.matte_format_from_wire(wire) is matte_format
    for kind in events.OverlayKind:
        assert event_codec.overlay_kind_from_wire(event_codec.overlay_kind_to_wire(kind)) is kind
    for mask_format in (MaskFormat(), MaskFormat(320, bits=True)):
        assert codec.mask_format_from_wire(codec.mask_format_to_wire(mask_format)) == mask_format


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (values_pb2.Mask(width_px=0, height_px=4), "cannot be used"),
        (values_pb2.Mask(width_px=1 << 20, height_px=1 << 20), "cannot be used"),
        (values_pb2.Mask(width_px=2, height_px=2, data=b"no zlib"), "damaged"),
        (values_pb2.Mask(width_px=2, height_px=2, data=zlib.compress(bytes(3))), "unpack to 4"),
        (values_pb2.Mask(width_px=2, height_px=2, data=zlib.compress(bytes(100_000_000))), "unpack to 4"),
        (
            values_pb2.Mask(
                width_px=9, height_px=1, data=zlib.compress(bytes(1)), encoding="MASK_ENCODING_BITS_ZLIB"
            ),
            "unpack to 2",
        ),
    ],
)
def test_masks_that_lie_about_themselves_are_refused(message: values_pb2.Mask, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        mask_codec.mask_from_wire(message)


def test_values_that_contradict_themselves_are_bad_input() -> None:
    mask = values_pb2.Mask(width_px=1, height_px=1, data=zlib.compress(b"\xff"))
    both = values_pb2.FramePrompts(object_id=1, frame=1, clicks=[values_pb2.Click(x_px=1)], mask=mask)
    with pytest.raises(BadInputError, match="not both"):
        codec.prompts_from_wire(both)
    with pytest.raises(BadInputError, match="finite"):
        codec.click_from_wire(values_pb2.Click(x_px=float("nan")))
    with pytest.raises(BadInputError, match="left < right"):
        codec.box_from_wire(values_pb2.Box(left_px=5, right_px=4, bottom_px=1))


def test_every_error_travels_by_its_kind() -> None:
    kinds = {}
    pending = [MaskletError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind is not MaskletError and kind.__module__ == errors.__name__:
            kinds[kind.kind] = kind
            assert type(error_from_wire(kind.kind, kind.grpc_status, "why")) is kind
    assert len(kinds) == 27


def test_errors_of_unknown_kinds_are_told_by_their_status() -> None:
    assert isinstance(error_from_wire("later", "INVALID_ARGUMENT", "why"), BadInputError)
    assert isinstance(error_from_wire(None, "NOT_FOUND", "why"), errors.ObjectNotFoundError)
    assert isinstance(error_from_wire(None, "DATA_LOSS", "why"), errors.ServerFaultError)
