"""The client library against a real server: from a clip to mattes, and back from mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

import masklet
from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    ClipError,
    FrameMissingError,
    NameTakenError,
    NotPromptedError,
    ServerUnreachableError,
    SessionNotFoundError,
)
from masklet.session import Session
from masklet.transport.grpc import GrpcTransport
from masklet.transport.local_server import LocalServer
from masklet.transport.shared_memory import is_possible
from masklet.types import FramePrompts, FrameRange, Mask, MaskFormat
from masklet_server.demo.clip_writer import DemoClip


def click_duck(session: Session, clip: DemoClip, name: str = "duck") -> masklet.TrackedObject:
    duck = session.object(name)
    for frame, x_px, y_px in clip.clicks:
        duck.click(frame=frame, x_px=x_px, y_px=y_px)
    return duck


def test_a_server_says_what_it_is_and_allows(server: masklet.Server) -> None:
    info = server.info()

    assert info.model.name == "masklet_embedded"
    assert info.version == masklet.__version__
    assert info.opens_paths


def test_a_click_becomes_layered_exrs_at_the_plates_size(
    session: Session, clip: DemoClip, tmp_path: Path
) -> None:
    assert (session.clip.width_px, session.clip.height_px) == (854, 480)
    click_duck(session, clip)

    frames = [update.frame for update in session.track()]
    exported = session.export(tmp_path / "mattes", base_name="sh010")

    assert sorted(frames) == [1001, 1002, 1003, 1004, 1005]
    assert len(exported.files) == 5
    picture = oiio.ImageInput.open(str(exported.files[0]))
    assert picture is not None
    specification = picture.spec()
    picture.close()
    assert (specification.width, specification.height) == (854, 480)
    assert any("duck" in name for name in specification.channelnames)
    assert specification.getattribute("masklet/model") == "masklet_embedded"


@pytest.mark.skipif(not is_possible(), reason="memory is shared on Linux")
def test_a_server_that_masklet_starts_hands_its_masks_over_in_memory(
    server: masklet.Server, session: Session, clip: DemoClip
) -> None:
    ((frame, x_px, y_px),) = clip.clicks
    session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
    masks = sum(1 for _ in session.track())
    transport = server._transport
    assert isinstance(transport, GrpcTransport)
    memory = transport._memory._memory
    assert memory is not None
    assert memory.read_pieces >= masks > 1


def test_masks_of_a_smaller_size_can_be_asked_for(session: Session, clip: DemoClip) -> None:
    click_duck(session, clip)

    small = list(
        session.track(frames=FrameRange(1001, 1002), mask_format=MaskFormat(max_side_px=427, bits=True))
    )

    assert {(update.mask.width_px, update.mask.height_px) for update in small} == {(427, 240)}
    assert {int(value) for value in np.unique(small[0].mask.as_array())} <= {0, 255}


def test_clicks_undo_and_redo_bring_masks_of_the_size_that_is_asked_for(
    session: Session, clip: DemoClip
) -> None:
    small = MaskFormat(max_side_px=427)
    frame, x_px, y_px = clip.clicks[0]
    duck = session.object("duck")

    clicked = duck.click(frame=frame, x_px=x_px, y_px=y_px, mask_format=small)
    duck.click(frame=frame, x_px=x_px + 5, y_px=y_px)
    undone = session.undo(mask_format=small).update
    redone = session.redo(mask_format=small).update

    assert undone is not None
    assert redone is not None
    sizes = {(update.mask.width_px, update.mask.height_px) for update in (clicked, undone, redone)}
    assert sizes == {(427, 240)}


def test_two_objects_are_tracked_together_and_one_leaves_unnoticed(session: Session, clip: DemoClip) -> None:
    click_duck(session, clip, "duck")
    other = session.object("other")
    other.box(frame=1003, left_px=600, top_px=150, right_px=800, bottom_px=300)

    together = {(update.object_name, update.frame) for update in session.track()}
    other.remove()

    assert len(together) == 10
    assert [item.name for item in session.objects()] == ["duck"]
    assert {update.object_name for update in session.masks()} == {"duck"}


def test_leaving_a_track_keeps_what_is_finished(session: Session, clip: DemoClip, tmp_path: Path) -> None:
    click_duck(session, clip)

    for update in session.track(direction=masklet.Direction.FORWARD):
        if update.frame == 1003:
            break
    exported = session.export(tmp_path)

    assert len(exported.files) >= 3


def test_the_prompt_document_rebuilds_the_same_masks(
    server: masklet.Server, session: Session, clip: DemoClip
) -> None:
    duck = click_duck(session, clip)
    duck.click(frame=1004, x_px=240, y_px=345)
    masks = {update.frame: update.mask for update in session.track()}

    with server.open(clip.pattern) as again:
        again.load_prompts(session.prompts())
        rebuilt = {update.frame: update.mask for update in again.track()}

    assert rebuilt == masks


def test_an_uploaded_clip_gives_the_same_mask_as_an_opened_one(
    server: masklet.Server, session: Session, clip: DemoClip
) -> None:
    frame, x_px, y_px = clip.clicks[0]

    with server.open(clip.pattern, upload=True) as uploaded:
        sent = uploaded.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
        assert uploaded.clip.frames == session.clip.frames

    assert session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px).mask == sent.mask


def test_undo_takes_back_the_last_click(session: Session, clip: DemoClip) -> None:
    duck = click_duck(session, clip)
    frame, x_px, y_px = clip.clicks[0]
    before = next(session.masks(frames=FrameRange(frame, frame))).mask
    duck.click(frame=frame, x_px=x_px + 40, y_px=y_px, positive=False)

    undone = session.undo()

    assert len(undone.prompts.clicks) == 1
    assert undone.update is not None
    assert undone.update.mask == before


def test_a_drawn_mask_comes_back_as_it_was_drawn(session: Session) -> None:
    alpha = np.zeros((480, 854), np.uint8)
    alpha[200:300, 300:500] = 255

    update = session.object("drawn").mask(frame=1002, mask=Mask.from_array(alpha))

    assert update is not None
    inside = update.mask.as_array() >= 128
    union = (inside | (alpha > 0)).sum()
    assert (inside & (alpha > 0)).sum() / union > 0.9


@pytest.mark.parametrize(("x_px", "y_px"), [(-20, 100), (900, 100), (100, 480.5), (1e9, -1e9)])
def test_a_click_outside_the_plate_is_refused(session: Session, x_px: float, y_px: float) -> None:
    with pytest.raises(BadInputError, match="outside"):
        session.object("duck").click(frame=1001, x_px=x_px, y_px=y_px)


def test_a_click_at_nan_is_refused(session: Session) -> None:
    with pytest.raises(BadInputError, match="finite"):
        session.object("duck").click(frame=1001, x_px=float("nan"), y_px=3)


def test_a_click_on_a_frame_that_is_not_there_is_refused(session: Session) -> None:
    with pytest.raises(FrameMissingError, match="1099"):
        session.object("duck").click(frame=1099, x_px=100, y_px=100)


@pytest.mark.parametrize("name", ["a/b", "..", " ", "x" * 400])
def test_an_object_name_that_makes_no_layer_is_refused(session: Session, name: str) -> None:
    with pytest.raises(BadInputError):
        session.object(name)


def test_a_name_that_is_taken_is_refused(session: Session) -> None:
    session.object("a")

    with pytest.raises(NameTakenError):
        session.object("b").rename("a")


def test_nothing_can_be_tracked_before_something_is_said(session: Session) -> None:
    session.object("duck")

    with pytest.raises(NotPromptedError):
        list(session.track())


def test_a_closed_session_is_gone(server: masklet.Server, clip: DemoClip) -> None:
    session = server.open(clip.pattern)
    session.close()
    session.close()

    with pytest.raises(SessionNotFoundError):
        session.object("duck")


def test_a_clip_that_is_not_there_is_refused_without_its_folder(
    server: masklet.Server, tmp_path: Path
) -> None:
    with pytest.raises(ClipError, match=r"missing\.mov") as caught:
        server.open(tmp_path / "missing.mov")

    assert str(tmp_path) not in str(caught.value)


def test_a_file_that_is_no_picture_is_refused(server: masklet.Server, tmp_path: Path) -> None:
    (tmp_path / "empty.0001.png").touch()

    with pytest.raises(ClipError):
        server.open(tmp_path / "empty.%04d.png").object("a").click(frame=1, x_px=1, y_px=1)


def test_a_wrong_token_is_refused(process: LocalServer) -> None:
    with pytest.raises(AccessDeniedError, match="token"):
        masklet.connect(process.address, token="not the token at all")


def test_an_address_where_nobody_listens_is_refused_with_a_repair() -> None:
    with pytest.raises(ServerUnreachableError, match=r"no server answers at 127\.0\.0\.1:1: check"):
        masklet.connect("127.0.0.1:1")


def test_prompts_of_an_object_that_was_removed_are_refused(session: Session) -> None:
    gone = session.object("gone")
    gone.remove()

    with pytest.raises(masklet.MaskletError, match="object"):
        gone.prompt(FramePrompts(gone.object_id, 1001, (masklet.Click(5, 5),)))
