from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from masklet.bad_frames import next_place
from masklet.errors import OutputError
from masklet.types import Presence
from masklet_server.journal.records import entry_from_json, entry_to_json
from masklet_server.sessions.masks import base_of, result_of
from masklet_server.sessions.result_places import ResultEntry
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.spill import Spilled, SpillFile
from masklet_server.tracking import ObjectFrame


def result(frame: int, object_id: int = 1, seed: int = 0, side: int = 32) -> ObjectFrame:
    values = np.random.default_rng([seed, frame & 0xFFFF]).normal(size=(side, side)).astype(np.float16)
    return ObjectFrame(object_id, frame, values, 1.5, 0.5, Presence.UNCERTAIN, values[0], prompted=frame == 3)


def same(ours: ObjectFrame | None, theirs: ObjectFrame) -> bool:
    assert ours is not None
    assert ours.logits.dtype == np.float16
    np.testing.assert_array_equal(ours.logits, theirs.logits)
    np.testing.assert_array_equal(ours.pointer, theirs.pointer)
    return (ours.presence, ours.presence_logit, ours.predicted_iou, ours.prompted) == (
        theirs.presence,
        theirs.presence_logit,
        theirs.predicted_iou,
        theirs.prompted,
    )


@given(
    hnp.arrays(
        np.float16,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(width=16, allow_nan=False),
    )
)
def test_logits_come_back_bit_for_bit(logits: np.ndarray) -> None:
    store = ResultStore()
    store.put(ObjectFrame(1, 1, logits, 0.0, 0.0, Presence.PRESENT, logits[0]))
    fresh = store.find(1, 1)
    store.pack()
    packed = store.find(1, 1)

    for found in (fresh, packed):
        assert found is not None
        assert found.logits.tobytes() == logits.tobytes()
        assert found.logits.shape == logits.shape
    store.close()


def test_results_beyond_the_limit_move_to_a_file_and_are_found_there(tmp_path: Path) -> None:
    store = ResultStore(memory_bytes=10_000, spill_folder=tmp_path)
    for frame in range(20):
        store.put(result(frame))
        store.pack()

    assert store.memory_bytes <= 10_000
    assert store.spilled_bytes > 10_000
    assert all(same(store.find(1, frame), result(frame)) for frame in range(20))
    store.put(result(0, seed=9))
    store.pack()
    assert same(store.find(1, 0), result(0, seed=9))
    store.remove_object(1)
    assert store.spilled_bytes == 0
    assert store.memory_bytes == 0
    assert store.frames_of(1) == ()


def test_what_was_written_longest_ago_moves_to_the_file_first(tmp_path: Path) -> None:
    store = ResultStore(memory_bytes=10_000, spill_folder=tmp_path)
    for frame in range(20):
        store.put(result(frame))
        store.pack()
    before = store.memory_bytes

    store.remove(1, 0)
    assert store.memory_bytes == before  # was in the file
    store.remove(1, 19)
    assert store.memory_bytes < before
    store.close()


def test_results_are_kept_apart_by_object_and_frame() -> None:
    store = ResultStore()
    for frame in (5, -2, 3):
        for object_id in (1, 2):
            store.put(result(frame, object_id, seed=object_id))
    store.remove(1, 3)
    store.remove(1, 99)

    assert store.frames_of(1) == (-2, 5)
    assert store.frames_of(2) == (-2, 3, 5)
    assert store.find(1, 3) is None
    assert same(store.find(2, 3), result(3, 2, seed=2))
    store.close()
    assert store.find(2, 3) is None


def test_without_a_place_for_temporary_files_results_stay_in_memory_up_to_a_limit(tmp_path: Path) -> None:
    store = ResultStore(memory_bytes=1, spill_folder=tmp_path / "missing", full_disk_bytes=4_000)
    for frame in range(3):
        store.put(result(frame))
        store.pack()

    with pytest.raises(OutputError, match="full or read-only"):
        store.make_room()
    assert all(same(store.find(1, frame), result(frame)) for frame in range(3))

    store.remove(1, 0)
    store.remove(1, 1)
    store.make_room()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_masks_that_the_disk_took_are_readable_when_it_is_full(tmp_path: Path) -> None:
    kept = 0
    store = ResultStore(memory_bytes=5_000, spill_folder=tmp_path, full_disk_bytes=10_000)
    with files_of_at_most(20_000):
        while not store.is_full and kept < 100:
            store.put(result(kept))
            kept += 1
            store.pack()
        with pytest.raises(OutputError, match="all finished masks are kept"):
            store.make_room()
    assert 10 < kept < 100
    assert store.spilled_bytes <= 20_000

    with files_of_at_most(20_000):
        assert all(same(store.find(1, frame), result(frame)) for frame in range(kept))
    # There is room again: what waited in memory moves, and nothing was lost.
    store.make_room()
    assert store.memory_bytes <= 5_000
    assert all(same(store.find(1, frame), result(frame)) for frame in range(kept))
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_has_no_room_for_a_second_file_and_keeps_the_first(tmp_path: Path) -> None:
    store = ResultStore(memory_bytes=3_000, spill_folder=tmp_path, full_disk_bytes=1 << 20)
    with files_of_at_most(12_000):
        for seed in range(4):
            for frame in range(8):
                store.put(result(frame, seed=seed))
                store.pack()
        assert all(same(store.find(1, frame), result(frame, seed=3)) for frame in range(8))
    store.close()


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """A disk that takes no more than this of a file, as a full one does: a part first, then nothing."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_readers_never_see_half_a_result() -> None:
    store = ResultStore(memory_bytes=5_000)
    problems: list[BaseException] = []

    def write() -> None:
        for turn in range(30):
            for frame in range(8):
                store.put(result(frame, seed=turn % 2 * 100))
            store.pack()

    def read() -> None:
        try:
            for turn in range(300):
                found = store.find(1, turn % 8)
                if found is not None:
                    kinds = [result(turn % 8, seed=seed).logits for seed in (0, 100)]
                    assert any(np.array_equal(found.logits, kind) for kind in kinds)
        except AssertionError as error:
            problems.append(error)

    threads = [threading.Thread(target=target) for target in (write, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert not problems


def test_tracking_the_same_frames_again_and_again_does_not_fill_the_disk(tmp_path: Path) -> None:
    store = ResultStore(memory_bytes=10_000, spill_folder=tmp_path)
    sizes = []

    for seed in range(30):
        for frame in range(20):
            store.put(result(frame, seed=seed))
            store.pack()
        sizes.append(store.spilled_bytes)

    # One round spills some 20 to 30 kB; thirty of them would be thirty times that.
    assert sizes[0] > 10_000
    assert max(sizes) < 4 * sizes[0]
    assert all(same(store.find(1, frame), result(frame, seed=29)) for frame in range(20))
    store.close()
    assert store.spilled_bytes == 0


def test_the_temporary_file_has_a_limit_and_says_so_when_memory_is_full_as_well(tmp_path: Path) -> None:
    store = ResultStore(
        memory_bytes=1_000, spill_folder=tmp_path, full_disk_bytes=4_000, most_spilled_bytes=10_000
    )
    frames = 0
    while not store.is_full:
        frames += 1
        store.put(result(frames))
        store.pack()
    with pytest.raises(OutputError, match="disk that each session has"):
        store.make_room()

    assert store.spilled_bytes <= 10_000
    assert frames > 5
    for frame in range(1, frames + 1):
        assert same(store.find(1, frame), result(frame))
    store.close()


def test_whoever_asks_for_states_does_not_wait_for_the_disk_that_masks_move_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultStore(memory_bytes=1, spill_folder=tmp_path)
    for frame in range(1, 5):
        store.put(result(frame))
    begun, answers = threading.Event(), threading.Event()
    append = SpillFile._append

    def hanging(file: SpillFile, packed: bytes) -> Spilled:
        begun.set()
        assert answers.wait(20.0)
        return append(file, packed)

    monkeypatch.setattr(SpillFile, "_append", hanging)
    packing = threading.Thread(target=store.pack)
    packing.start()
    assert begun.wait(20.0)

    assert store.frames_of(1) == (1, 2, 3, 4)
    assert store.has(1, 2)
    assert same(store.find(1, 3), result(3))
    store.put(result(2, seed=9))
    answers.set()
    packing.join()

    assert same(store.find(1, 2), result(2, seed=9))
    assert same(store.find(1, 1), result(1))
    store.close()


def test_room_that_came_while_another_thread_was_at_the_full_disk_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask_bytes = result(0).logits.nbytes
    store = ResultStore(memory_bytes=1, spill_folder=tmp_path / "full", full_disk_bytes=2 * mask_bytes)
    for frame in range(4):
        store.put(result(frame, seed=frame))
    refused, may_go_on = threading.Event(), threading.Event()

    def make(file: SpillFile, folder: Path | None) -> None:
        try:
            plain(file, folder)
        except OSError:
            refused.set()
            may_go_on.wait(10)
            raise

    plain = SpillFile.__init__
    monkeypatch.setattr(SpillFile, "__init__", make)
    another = threading.Thread(target=store.pack)
    another.start()
    assert refused.wait(10)
    (tmp_path / "full").mkdir()
    threading.Timer(0.1, may_go_on.set).start()

    store.make_room()

    another.join()
    assert not store.is_full
    store.close()


def test_resting_results_leave_memory_and_are_found_again(tmp_path: Path) -> None:
    store = ResultStore(spill_folder=tmp_path)
    for frame in range(1, 20):
        store.put(result(frame))

    store.rest()

    assert store.memory_bytes < 3_000
    for frame in range(1, 20):
        assert same(store.find(1, frame), result(frame))
    store.close()


def test_a_frame_beside_a_rival_is_a_bad_frame_and_documents_keep_how_near_it_was() -> None:
    store = ResultStore()
    for frame in range(1, 7):
        near = float(np.float32(0.7)) if frame in (3, 4) else 0.1
        store.put(replace(result(frame), rival=near, prompted=False, presence=Presence.PRESENT))
    store.pack()

    states = store.states(1, ())

    assert [(state.frames.first, state.frames.last, state.rival) for state in states] == [
        (1, 2, False),
        (3, 4, True),
        (5, 6, False),
    ]
    place = next_place(states, after=1)
    assert place is not None
    assert place.frame == 3
    kept = store.packed(1, 3)
    assert kept is not None
    assert result_of(kept, 1, 3).rival == kept.rival == float(np.float32(0.7))
    found = store.find(1, 3)
    assert found is not None
    # What a correction starts from is the mask, whatever was beside it.
    assert base_of(found).rival == 0
    digest, entry, track = entry_from_json(entry_to_json(b"\x01", ResultEntry.of(found), 4))
    assert (digest, entry.rival, track) == (b"\x01", found.rival, 4)
