"""What every transport promises of sessions and prompts: on a real server, directly and through a helper."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from masklet.clip_reading import ClipReading
from masklet.errors import (
    BadInputError,
    CancelledError,
    ClipError,
    FrameMissingError,
    MaskletError,
    NameTakenError,
    NotPromptedError,
    ObjectNotFoundError,
    SessionNotFoundError,
)
from masklet.events import (
    EditKind,
)
from masklet.found import FindProgress, FindRequest, Found
from masklet.matte_settings import MatteSettings
from masklet.pictures import Grade, PictureRequest
from masklet.scopes import Scope
from masklet.transport.interface import (
    ClipFile,
    TrackRequest,
    Transport,
)
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    MaskFormat,
    MemoryPolicy,
    ObjectPolicy,
    Presence,
    SessionInfo,
    Share,
)
from masklet_server.demo.clip_writer import DemoClip

FULL = MaskFormat()
SMALL = MaskFormat(max_side_px=214, bits=True)
WHOLE = FrameRange(1001, 1004)


def add_duck(transport: Transport, session_id: str, clip: DemoClip) -> int:
    duck = transport.add_object(session_id, "duck")
    for frame, x_px, y_px in clip.clicks:
        transport.add_click(session_id, duck.object_id, frame, Click(x_px, y_px), FULL)
    return duck.object_id


def raised(call: Callable[[], object]) -> tuple[type[MaskletError], str]:
    with pytest.raises(MaskletError) as caught:
        call()
    return type(caught.value), str(caught.value)


def test_a_server_tells_what_it_is(transport: Transport) -> None:
    info = transport.server_info()

    assert info.model.name == "masklet_embedded"
    assert info.model in info.models
    assert info.opens_paths


def test_a_session_is_opened_found_again_and_forgotten(transport: Transport, clip: DemoClip) -> None:
    opened = transport.open_session(path=str(clip.pattern), reading=ClipReading("sRGB"))

    assert opened.clip.frames == WHOLE
    assert (opened.clip.width_px, opened.clip.height_px) == (854, 480)
    assert transport.get_session(opened.session_id) == opened
    listed = {each.session_id: each for each in transport.list_sessions()}
    assert (listed[opened.session_id].clip_name, listed[opened.session_id].is_busy) == (
        opened.clip.name,
        False,
    )

    transport.close_session(opened.session_id)
    transport.close_session(opened.session_id)
    with pytest.raises(SessionNotFoundError):
        transport.get_session(opened.session_id)


def test_a_session_is_shared_and_taken_back(transport: Transport, clip: DemoClip) -> None:
    opened = transport.open_session(path=str(clip.pattern))
    bob = Share("bob", (Scope.READ, Scope.PROMPT))

    assert transport.share_session(opened.session_id, "bob", (Scope.PROMPT,)) == (bob,)
    assert transport.share_session(opened.session_id, "al", (Scope.READ,))[0] == Share("al", (Scope.READ,))
    assert transport.unshare_session(opened.session_id, "al") == (bob,)
    assert transport.list_shares(opened.session_id) == (bob,)
    (own,) = [each for each in transport.list_sessions() if each.session_id == opened.session_id]
    assert (own.owner, own.rights) == ("", ())
    assert (
        raised(lambda: transport.share_session(opened.session_id, "a/b", (Scope.READ,)))[0] is BadInputError
    )
    assert (
        raised(lambda: transport.share_session(opened.session_id, "bob", (Scope.ADMIN,)))[0] is BadInputError
    )

    transport.close_session(opened.session_id)
    with pytest.raises(SessionNotFoundError):
        transport.list_shares(opened.session_id)


def test_an_uploaded_clip_is_opened_by_its_id(transport: Transport, clip: DemoClip) -> None:
    files = [ClipFile(Path(str(clip.pattern) % frame), frame) for frame in (1001, 1002)]

    upload_id = transport.upload("duck.%04d.png", files)
    opened = transport.open_session(upload_id=upload_id)

    assert opened.clip.name == "duck.%04d.png"
    assert opened.clip.frames == FrameRange(1001, 1002)
    transport.close_session(opened.session_id)


def test_an_upload_tells_how_far_it_is_and_can_be_left(transport: Transport, tmp_path: Path) -> None:
    file = tmp_path / "plate.mov"
    file.write_bytes(os.urandom(3 << 20))
    told: list[tuple[int, int]] = []

    def leave(done: int, total: int) -> None:
        told.append((done, total))
        raise CancelledError("enough")

    with pytest.raises(CancelledError, match="enough"):
        transport.upload("plate.mov", [ClipFile(file, None)], on_progress=leave)
    left = len(told)
    transport.upload(
        "plate.mov", [ClipFile(file, None)], on_progress=lambda done, total: told.append((done, total))
    )

    assert left == 1
    assert told[-1] == (6 << 20, 6 << 20)
    assert told[left:] == sorted(told[left:])


def test_a_file_that_cannot_be_read_ends_an_upload_with_its_name(
    transport: Transport, tmp_path: Path
) -> None:
    with pytest.raises(ClipError, match=r"gone\.1001\.png cannot be read"):
        transport.upload("gone.%04d.png", [ClipFile(tmp_path / "gone.1001.png", 1001)])


def test_objects_are_added_renamed_and_removed(transport: Transport, opened: SessionInfo) -> None:
    first = transport.add_object(opened.session_id, "hero")
    second = transport.add_object(opened.session_id, "")

    assert first.name == "hero"
    assert second.name
    assert transport.rename_object(opened.session_id, first.object_id, "héros 2").name == "héros 2"
    transport.remove_object(opened.session_id, second.object_id)
    assert [info.name for info in transport.get_session(opened.session_id).objects] == ["héros 2"]


def test_a_click_answers_with_the_mask_on_its_frame(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    duck = transport.add_object(opened.session_id, "duck")
    frame, x_px, y_px = clip.clicks[0]

    update = transport.add_click(opened.session_id, duck.object_id, frame, Click(x_px, y_px), FULL)

    assert (update.object_id, update.object_name, update.frame) == (duck.object_id, "duck", frame)
    assert (update.mask.width_px, update.mask.height_px) == (854, 480)
    assert update.presence is Presence.PRESENT
    assert update.prompted
    assert update.mask.alpha[int(y_px) * 854 + int(x_px)] > 200


def test_prompts_of_a_frame_are_replaced_and_taken_away(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    drawn = Mask(854, 480, bytes(854 * 200) + bytes([255]) * (854 * 280))

    boxed = transport.set_prompts(
        opened.session_id, FramePrompts(item.object_id, 1002, box=Box(100, 200, 300, 420)), SMALL
    )
    masked = transport.set_prompts(opened.session_id, FramePrompts(item.object_id, 1003, mask=drawn), FULL)
    document = transport.get_prompts(opened.session_id)

    assert boxed is not None
    assert (boxed.mask.width_px, boxed.mask.height_px) == (214, 120)
    assert masked is not None
    assert [prompts.frame for prompts in document.prompts] == [1002, 1003]
    assert document.prompts[1].mask == drawn
    click = FramePrompts(item.object_id, 1003, (Click(200.5, 340.5),))
    with pytest.raises(BadInputError, match="replace=True"):
        transport.set_prompts(opened.session_id, click, SMALL)
    with pytest.raises(BadInputError, match="replace=True"):
        transport.add_click(opened.session_id, item.object_id, 1003, click.clicks[0], SMALL)
    assert transport.get_prompts(opened.session_id).prompts[1].mask == drawn
    assert transport.set_prompts(opened.session_id, click, SMALL, replace_mask=True) is not None
    assert transport.get_prompts(opened.session_id).prompts[1].clicks == click.clicks
    assert transport.set_prompts(opened.session_id, FramePrompts(item.object_id, 1002), SMALL) is None


def test_edits_are_undone_and_made_again(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    transport.add_click(opened.session_id, item.object_id, 1001, Click(200.5, 340.5), SMALL)

    undone = transport.undo_prompt(opened.session_id, SMALL)
    redone = transport.redo_prompt(opened.session_id, SMALL)

    assert undone.kind is EditKind.PROMPTS
    assert undone.prompts == FramePrompts(item.object_id, 1001)
    assert undone.update is None
    assert redone.prompts == FramePrompts(item.object_id, 1001, (Click(200.5, 340.5),))
    assert redone.update is not None
    assert redone.redo_left == 0


def test_locks_and_matte_settings_show_in_the_session(transport: Transport, opened: SessionInfo) -> None:
    item = transport.add_object(opened.session_id, "duck")
    settings = MatteSettings(grow_px=2.5, gamma=1.25, invert=True)

    locks = transport.set_lock(opened.session_id, item.object_id, FrameRange(1001, 1003), locked=True)
    left = transport.set_lock(opened.session_id, item.object_id, FrameRange(1002, 1002), locked=False)
    transport.set_matte(opened.session_id, item.object_id, settings)
    info = transport.get_session(opened.session_id)

    assert locks == (LockedRange(item.object_id, FrameRange(1001, 1003)),)
    assert [lock.frames for lock in left] == [FrameRange(1001, 1001), FrameRange(1003, 1003)]
    assert info.locks == left
    assert info.mattes[0].settings == settings


def test_a_document_makes_the_same_session_again(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    object_id = add_duck(transport, opened.session_id, clip)
    transport.set_lock(opened.session_id, object_id, FrameRange(1002, 1002), locked=True)
    document = transport.get_prompts(opened.session_id)

    (again,) = transport.set_prompts_of_session(opened.session_id, document)
    rebuilt = transport.get_prompts(opened.session_id)

    assert again.name == "duck"
    assert again.prompted_frames == (1001,)
    assert [prompts.clicks for prompts in rebuilt.prompts] == [prompts.clicks for prompts in document.prompts]
    assert [lock.frames for lock in rebuilt.locks] == [FrameRange(1002, 1002)]


def test_errors_are_of_their_classes_and_keep_cause_and_repair(
    transport: Transport, opened: SessionInfo
) -> None:
    session_id = opened.session_id
    item = transport.add_object(session_id, "duck")
    click = Click(10.0, 10.0)

    assert raised(lambda: transport.add_object(session_id, "duck"))[0] is NameTakenError
    assert raised(lambda: transport.rename_object(session_id, 99, "x"))[0] is ObjectNotFoundError
    assert raised(lambda: list(transport.track(session_id, TrackRequest())))[0] is NotPromptedError
    assert raised(lambda: transport.get_session("0" * 32))[0] is SessionNotFoundError
    assert raised(lambda: transport.undo_prompt("0" * 32, FULL))[0] is SessionNotFoundError
    assert (
        raised(lambda: transport.add_click(session_id, item.object_id, 7, click, FULL))[0]
        is FrameMissingError
    )
    found, words = raised(lambda: transport.add_object(session_id, "a/b"))
    assert found is BadInputError
    assert "choose another name" in words


def test_several_threads_call_at_once(transport: Transport, opened: SessionInfo) -> None:
    def add(number: int) -> str:
        info = transport.add_object(opened.session_id, f"object {number}")
        assert transport.get_session(opened.session_id).clip.frames == WHOLE
        return info.name

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(add, range(8)))

    assert names == {f"object {number}" for number in range(8)}
    assert {info.name for info in transport.get_session(opened.session_id).objects} == names


def test_pictures_are_shown_and_previews_change_nothing(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    session_id = opened.session_id
    pictures = list(
        transport.fetch_pictures(session_id, PictureRequest((1002, 1001, 7), 320, Grade(exposure_stops=1.0)))
    )
    assert [(each.frame, each.width_px, each.height_px) for each in pictures[:2]] == [
        (1002, 320, 180),
        (1001, 320, 180),
    ]
    assert pictures[0].jpeg.startswith(b"\xff\xd8")
    assert "has no frame 7" in pictures[2].reason

    frame, x_px, y_px = clip.clicks[0]
    prompts = FramePrompts(0, frame, (Click(x_px, y_px),))
    ahead = transport.preview_prompts(session_id, prompts, SMALL)
    assert transport.get_session(session_id) == opened
    duck = transport.add_object(session_id, "duck")
    said = transport.add_click(session_id, duck.object_id, frame, Click(x_px, y_px), SMALL)
    assert said.mask == ahead.mask
    with pytest.raises(BadInputError):
        transport.preview_prompts(session_id, FramePrompts(0, frame), SMALL)


def test_an_object_is_proposed_on_another_frame_and_accepting_gives_what_was_shown(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    session_id = opened.session_id
    frame, x_px, y_px = clip.clicks[0]
    duck = transport.add_object(session_id, "duck")
    with pytest.raises(NotPromptedError):
        transport.find_again(session_id, duck.object_id, frame + 1, 2, SMALL)
    transport.add_click(session_id, duck.object_id, frame, Click(x_px, y_px), SMALL)
    before = transport.get_session(session_id)

    found = transport.find_again(session_id, duck.object_id, frame + 1, 2, SMALL)

    assert transport.get_session(session_id) == before
    assert 1 <= len(found) <= 2
    assert found[0].likeness == max(each.likeness for each in found)
    said = transport.set_prompts(session_id, found[0].prompts, SMALL)
    assert said is not None
    assert said.mask == found[0].update.mask
    with pytest.raises(BadInputError, match="has prompts on frame"):
        transport.find_again(session_id, duck.object_id, frame + 1, 2, SMALL)
    transport.set_policy(session_id, duck.object_id, MemoryPolicy.GUARDED)
    chosen = (ObjectPolicy(duck.object_id, MemoryPolicy.GUARDED),)
    assert transport.get_session(session_id).policies == chosen
    assert transport.get_prompts(session_id).policies == chosen
    with pytest.raises(BadInputError, match="at most 8"):
        transport.find_again(session_id, duck.object_id, frame + 2, 99, SMALL)


def test_things_in_a_picture_are_proposed_and_taking_one_gives_what_was_shown(
    transport: Transport, opened: SessionInfo, clip: DemoClip
) -> None:
    session_id = opened.session_id
    frame = clip.clicks[0][0]
    request = FindRequest(frame, per_side=6, limit=2, mask_format=SMALL)

    events = list(transport.find(session_id, request))

    assert transport.get_session(session_id) == opened
    things = [event for event in events if isinstance(event, Found)]
    steps = [event.done for event in events if isinstance(event, FindProgress)]
    assert 1 <= len(things) <= 2
    assert steps == sorted(steps)
    duck = transport.add_object(session_id, "duck")
    said = transport.set_prompts(session_id, replace(things[0].prompts, object_id=duck.object_id), SMALL)
    assert said is not None
    assert _share_apart(said.mask, things[0].update.mask) < 0.03
    look = transport.get_look(session_id, duck.object_id, frame)
    alike = FindRequest(frame + 2, like=look, limit=1, mask_format=SMALL)
    found = [event for event in transport.find(session_id, alike) if isinstance(event, Found)]
    assert all(0.5 < each.likeness <= 1.001 for each in found)
    with pytest.raises(BadInputError, match="no model that finds things by words"):
        list(transport.find(session_id, FindRequest(frame, words="duck")))


def _share_apart(one: Mask, other: Mask) -> float:
    inside = one.as_array() > 127
    outside = other.as_array() > 127
    return float((inside != outside).mean())
