from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from masklet.errors import BadInputError, CancelledError, MaskletError, ServerFaultError
from masklet.hosting.work.jobs import EVENTS_AHEAD, Job, JobBoard


def counting(count: int) -> Callable[[Job], Iterator[object]]:
    def work(job: Job) -> Iterator[object]:
        yield from range(count)

    return work


def drained(board: JobBoard, *, within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while board.jobs:
        board.drain(0.01)
        assert time.monotonic() < deadline_s, "the job did not end"
        time.sleep(0.001)


def test_events_arrive_in_order_and_in_the_thread_that_drains() -> None:
    seen: list[object] = []
    threads = set()
    ends: list[MaskletError | None] = []

    def take(event: object) -> None:
        seen.append(event)
        threads.add(threading.current_thread())

    board = JobBoard()
    board.run(Job("Counting", counting(300), on_event=take, on_end=ends.append), wait=False)
    drained(board)
    assert seen == list(range(300))
    assert threads == {threading.current_thread()}
    assert ends == [None]


def test_whoever_drains_is_woken_for_events_and_for_the_end() -> None:
    woken = threading.Event()
    seen: list[object] = []
    board = JobBoard()
    board.wake = woken.set
    go_on = threading.Event()

    def work(job: Job) -> Iterator[object]:
        yield 1
        go_on.wait(10.0)

    board.run(Job("Working", work, on_event=seen.append), wait=False)
    assert woken.wait(10.0)
    woken.clear()
    board.drain(0.01)
    assert seen == [1]
    go_on.set()
    assert woken.wait(10.0)
    board.drain(0.01)
    assert board.jobs == ()


def test_without_an_interface_the_same_work_has_ended_on_return() -> None:
    seen: list[object] = []
    board = JobBoard()
    job = board.run(Job("Counting", counting(5), on_event=seen.append), wait=True)
    assert seen == [0, 1, 2, 3, 4]
    assert job.has_ended
    assert board.jobs == ()


def test_an_error_ends_the_work_after_the_events_before_it() -> None:
    def work(job: Job) -> Iterator[object]:
        yield 1
        raise BadInputError("that cannot be used: choose another")

    seen: list[object] = []
    ends: list[MaskletError | None] = []
    board = JobBoard()
    board.run(Job("Working", work, on_event=seen.append, on_end=ends.append), wait=False)
    drained(board)
    assert seen == [1]
    assert [str(error) for error in ends] == ["that cannot be used: choose another"]
    with pytest.raises(BadInputError):
        board.run(Job("Working", work, on_event=seen.append), wait=True)


def test_work_that_cannot_even_begin_ends_its_job() -> None:
    def work(job: Job) -> Iterator[object]:
        raise BadInputError("no server: start one")

    board = JobBoard()
    job = board.run(Job("Working", work, on_event=print), wait=False)
    drained(board)
    assert str(job.error) == "no server: start one"


def test_a_fault_of_our_own_becomes_a_sentence() -> None:
    def work(job: Job) -> Iterator[object]:
        yield 1
        raise KeyError("surprise")

    board = JobBoard()
    job = board.run(Job("Tracking", work, on_event=lambda event: None), wait=False)
    drained(board)
    assert isinstance(job.error, ServerFaultError)
    assert "Tracking: KeyError" in str(job.error)


def test_a_slow_interface_holds_the_work_back() -> None:
    made: list[int] = []

    def work(job: Job) -> Iterator[object]:
        for number in range(10 * EVENTS_AHEAD):
            made.append(number)
            yield number

    board = JobBoard()
    job = board.run(Job("Working", work, on_event=lambda event: None), wait=False)
    time.sleep(0.3)
    assert len(made) <= EVENTS_AHEAD + 2
    job.cancel()
    assert job.join(2.0)
    drained(board)


def test_cancelling_calls_what_stops_the_server_away_from_the_caller() -> None:
    stopped_by: list[threading.Thread] = []
    stop = threading.Event()

    def work(job: Job) -> Iterator[object]:
        def ask() -> None:
            stopped_by.append(threading.current_thread())
            stop.set()

        job.stops_by(ask)
        yield "begun"
        assert stop.wait(5.0)
        yield "ended"

    seen: list[object] = []
    board = JobBoard()
    job = board.run(Job("Working", work, on_event=seen.append), wait=False)
    while not seen:
        board.drain(0.01)
    job.cancel()
    job.cancel()
    drained(board)
    assert seen == ["begun", "ended"]
    assert len(stopped_by) == 1
    assert stopped_by[0] is not threading.current_thread()


def test_handling_events_stops_when_its_time_is_up() -> None:
    seen: list[object] = []

    def take(event: object) -> None:
        time.sleep(0.01)
        seen.append(event)

    board = JobBoard()
    board.run(Job("Working", counting(50), on_event=take), wait=False)
    time.sleep(0.05)
    board.drain(0.02)
    assert 1 <= len(seen) <= 5
    drained(board)
    assert len(seen) == 50


def test_the_generator_is_closed_when_its_job_is_cancelled() -> None:
    closed = threading.Event()

    def work(job: Job) -> Iterator[object]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    board = JobBoard()
    board.run(Job("Working", work, on_event=lambda event: None), wait=False)
    board.cancel_all()
    assert closed.wait(5.0)
    assert board.jobs == ()


def test_counting_ends_work_that_was_cancelled() -> None:
    job = Job("Getting mattes", counting(1), on_event=lambda event: None)
    job.count(3, 12)
    assert (job.done, job.total) == (3, 12)
    job.count_look("hero", 4, 24)
    assert (job.done, job.total) == (4, 24)
    job.cancel()
    with pytest.raises(CancelledError, match="what was done is kept"):
        job.count(4, 12)
    with pytest.raises(CancelledError, match="what was done is kept"):
        job.count_look("hero", 5, 24)
