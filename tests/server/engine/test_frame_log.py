from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masklet_server.engine.frame_log import FrameLog

FRAMES = st.integers(-6, 6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), FRAMES, st.booleans()),
        st.tuples(st.just("discard"), FRAMES, FRAMES),
    ),
    max_size=30,
)


@given(STEPS)
def test_a_log_says_what_a_dictionary_would_say(steps: list[tuple[str, int, int]]) -> None:
    log, plain = FrameLog(), dict[int, bool]()

    for kind, first, second in steps:
        if kind == "add":
            log.add(first, backward=bool(second))
            plain[first] = bool(second)
        else:
            first, second = min(first, second), max(first, second)
            log.discard(first, second)
            plain = {frame: way for frame, way in plain.items() if not first <= frame <= second}

    assert list(log) == sorted(plain)
    assert len(log) == len(plain)
    assert {frame: log.was_backward(frame) for frame in log} == plain
    assert all((frame in log) == (frame in plain) for frame in range(-8, 9))


def test_a_clip_tracked_in_one_go_is_one_run() -> None:
    forward, backward = FrameLog(), FrameLog()
    for frame in range(10_000):
        forward.add(frame, backward=False)
        backward.add(-frame, backward=True)

    assert len(forward) == len(backward) == 10_000
    assert forward.run_count == backward.run_count == 1
