"""What every host has to keep, whatever it is: run against the hand-written one, and inside real ones.

No test framework: a host's own Python runs it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from masklet.errors import MaskletError
from masklet.hosting.ports import Host, KeptSession
from masklet.matte_settings import MatteSettings
from masklet.said.documents import Document, SaidObject, with_lock, with_masks
from masklet.types import Box, Click, FramePrompts, FrameRange, LockedMask, MemoryPolicy, TrackedMask

AnyHost = Host[Any]
HERO = SaidObject(
    "u1",
    "hero",
    (
        FramePrompts(
            0, 1001, (Click(20.5, 18.0), Click(3.0, 4.0, positive=False)), Box(1.0, 2.0, 30.0, 20.0)
        ),
        FramePrompts(0, 1004, (Click(21.0, 18.0),), base=TrackedMask(4, 4, b"logits")),
    ),
    matte=MatteSettings(grow_px=2.0, calm=0.5),
    policy=MemoryPolicy.GUARDED,
)
MASK = LockedMask(0, 1002, TrackedMask(4, 4, b"locked logits"))
LOCKED = with_masks(with_lock(HERO, FrameRange(1002, 1003), locked=True), [MASK])
SECOND = SaidObject("u2", "Ente", (FramePrompts(0, 1001, (Click(5.0, 6.0),)),))


def a_plate_has_no_name_until_it_is_adopted_and_keeps_it_then(host: AnyHost, plate: Any) -> None:
    assert host.uid(plate) == ""
    uid = host.adopt(plate)
    assert uid
    assert (host.uid(plate), host.adopt(plate)) == (uid, uid)


def a_plate_that_was_adopted_is_listed_and_found_by_its_uid(host: AnyHost, plate: Any) -> None:
    uid = host.adopt(plate)
    assert [host.uid(found) for found in host.plates()].count(uid) == 1
    found = host.find(uid)
    assert found is not None
    assert host.uid(found) == uid
    assert host.find("nobody") is None


def nothing_is_said_at_first(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    assert (host.document(plate), list(host.uids(plate)), dict(host.states(plate))) == ((), [], {})
    assert host.session(plate) == KeptSession()


def everything_that_was_said_comes_back_as_it_was(host: AnyHost, plate: Any) -> None:
    wanted: Document = (LOCKED, SECOND)
    host.adopt(plate)
    host.take(plate, wanted)
    assert host.document(plate) == wanted
    assert list(host.uids(plate)) == ["u1", "u2"]


def objects_that_are_no_longer_said_go_and_others_stay(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    host.take(plate, (LOCKED, SECOND))
    renamed = replace(SECOND, name="hero", frames=())
    host.take(plate, (renamed,))
    assert host.document(plate) == (renamed,)


def prompts_of_an_object_come_without_the_masks_of_its_locked_frames(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    host.take(plate, (LOCKED,))
    assert host.prompts(plate, "u1") == replace(LOCKED, masks=())


def the_session_is_kept(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    session = KeptSession("session7", "0123456789abcdef", "/plates/shot.%04d.exr")
    host.keep_session(plate, session, (64, 36))
    assert host.session(plate) == session


def states_are_kept_by_object_and_go_with_it(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    host.take(plate, (HERO, SECOND))
    host.keep_states(plate, {"u1": "[[1001, 1004]]"})
    assert dict(host.states(plate)) == {"u1": "[[1001, 1004]]", "u2": ""}
    host.take(plate, (SECOND,))
    assert dict(host.states(plate)) == {"u2": ""}


def a_plate_is_read_from_an_absolute_path_at_its_own_size(host: AnyHost, plate: Any) -> None:
    source = host.source(plate)
    assert Path(source.path).is_absolute()
    assert (source.width_px, source.height_px) == (64, 36)
    assert source.words.host == host.connection_settings().words.host != "This program"


def masks_of_all_objects_are_seen_unless_they_are_hidden(host: AnyHost, plate: Any) -> None:
    host.adopt(plate)
    host.take(plate, (HERO, SECOND))
    assert list(host.shown_uids(plate)) == ["u1", "u2"]
    assert host.max_side_px >= 16


def to_be_called_and_drawn_may_be_asked_for_at_any_time(host: AnyHost, plate: Any) -> None:
    host.keep_ticking()
    host.keep_ticking()
    for panels, everything in ((True, False), (False, False), (True, True)):
        host.redraw(panels=panels, everything=everything)
    assert host.is_playing is False


CHECKS: tuple[Callable[[AnyHost, Any], None], ...] = (
    a_plate_has_no_name_until_it_is_adopted_and_keeps_it_then,
    a_plate_that_was_adopted_is_listed_and_found_by_its_uid,
    nothing_is_said_at_first,
    everything_that_was_said_comes_back_as_it_was,
    objects_that_are_no_longer_said_go_and_others_stay,
    prompts_of_an_object_come_without_the_masks_of_its_locked_frames,
    the_session_is_kept,
    states_are_kept_by_object_and_go_with_it,
    a_plate_is_read_from_an_absolute_path_at_its_own_size,
    masks_of_all_objects_are_seen_unless_they_are_hidden,
    to_be_called_and_drawn_may_be_asked_for_at_any_time,
)


def failures(host: AnyHost, new_plate: Callable[[], Any]) -> dict[str, str]:
    """Names of the checks that a host does not pass, and why; each gets a plate of its own."""
    found = {}
    for check in CHECKS:
        try:
            check(host, new_plate())
        except (AssertionError, MaskletError) as error:
            found[check.__name__] = f"{type(error).__name__}: {error}"
    return found
