from __future__ import annotations

from masklet_server.sessions.track_watch import TrackWatch


def test_a_leg_that_ended_at_a_cut_stays_ended_while_another_goes_on() -> None:
    watch = TrackWatch()
    assert watch.enter(1, 11, before=10, backward=False)
    watch.block(1, 11, backward=False)

    assert watch.enter(1, 51, before=50, backward=False)
    assert not watch.enter(1, 12, before=11, backward=False)
    assert watch.enter(1, 52, before=51, backward=False)
    assert not watch.enter(1, 13, before=12, backward=False)


def test_a_frame_that_does_not_follow_begins_a_leg() -> None:
    watch = TrackWatch()
    watch.enter(1, 11, before=10, backward=False)
    watch.block(1, 11, backward=False)

    assert watch.enter(1, 31, before=30, backward=False)
    assert watch.enter(1, 10, before=11, backward=True)
