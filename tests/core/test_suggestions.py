from __future__ import annotations

from masklet.policies import MemoryPolicy
from masklet.suggestions import LONG_FRAMES, Sign, Suggestion, suggestions
from masklet.types import FrameRange, ObjectPolicy, Presence, StateRange


def state(
    first: int, last: int, presence: Presence = Presence.PRESENT, *, rival: bool = False, locked: bool = False
) -> StateRange:
    return StateRange(1, FrameRange(first, last), presence, prompted=False, locked=locked, rival=rival)


def test_a_look_alike_that_passes_suggests_what_may_help_and_where() -> None:
    (found,) = suggestions([state(1, 30), state(31, 35, rival=True), state(36, 60)])

    assert found == Suggestion(1, Sign.LOOK_ALIKE, (FrameRange(31, 35),), MemoryPolicy.GUARDED)


def test_look_alikes_on_half_of_the_frames_are_a_crowd() -> None:
    (found,) = suggestions([state(1, 20), state(21, 40, rival=True)])
    assert found.sign is Sign.CROWD

    (few,) = suggestions([state(1, 5), state(6, 10, rival=True)])
    assert few.sign is Sign.LOOK_ALIKE


def test_frames_on_which_the_object_is_gone_make_no_crowd_less() -> None:
    states = [state(1, 20, rival=True), state(21, 100, Presence.ABSENT)]

    assert [each.sign for each in suggestions(states)] == [Sign.CROWD, Sign.LONG_ABSENCE]


def test_a_short_absence_suggests_nothing_and_a_long_one_does() -> None:
    assert not suggestions([state(1, LONG_FRAMES - 1, Presence.ABSENT)])
    (found,) = suggestions([state(1, 9, Presence.ABSENT), state(10, LONG_FRAMES, Presence.ABSENT)])
    assert found.frames == (FrameRange(1, LONG_FRAMES),)


def test_frames_that_somebody_looked_at_suggest_nothing() -> None:
    assert not suggestions([state(1, 20, rival=True, locked=True)])


def test_an_object_with_a_policy_of_its_own_is_told_what_was_seen_and_not_what_to_choose() -> None:
    chosen = [ObjectPolicy(1, MemoryPolicy.GATED)]

    (found,) = suggestions([state(31, 35, rival=True)], chosen)

    assert (found.sign, found.policy) == (Sign.LOOK_ALIKE, None)
