"""Memory of pictures is used again, and never while somebody still looks at one."""

from __future__ import annotations

import gc
import threading

import numpy as np

from masklet_server.sandbox.picture_pool import PicturePool


def address(picture: np.ndarray) -> int:
    return int(picture.__array_interface__["data"][0])


def test_memory_comes_back_when_the_picture_has_gone() -> None:
    pool = PicturePool(12)
    first = pool.copy_of(np.arange(12, dtype=np.uint8))
    where = address(first)
    del first
    gc.collect()

    assert address(pool.copy_of(np.zeros(12, np.uint8))) == where


def test_a_picture_stays_while_any_view_of_it_is_held() -> None:
    pool = PicturePool(12)
    views = [
        pool.copy_of(np.full(12, 1, np.uint8)).reshape(2, 2, 3)[1:],
        pool.copy_of(np.full(12, 2, np.uint8)).reshape(2, 2, 3)[:, ::-1].transpose(1, 0, 2)[0],
        memoryview(pool.copy_of(np.full(12, 3, np.uint8)).reshape(3, 4)[1]),
    ]
    gc.collect()
    others = [pool.copy_of(np.full(12, 9, np.uint8)) for _ in range(6)]

    assert [set(np.asarray(view).ravel().tolist()) for view in views] == [{1}, {2}, {3}]
    assert len({address(other) for other in others}) == 6


def test_a_pool_that_has_gone_leaves_its_pictures() -> None:
    picture = PicturePool(12).copy_of(np.arange(12, dtype=np.uint8))
    gc.collect()

    assert picture.tolist() == list(range(12))


def test_a_picture_may_end_while_another_is_being_made() -> None:
    pool = PicturePool(12)
    held = [pool.copy_of(np.zeros(12, np.uint8))]

    def collected_in_between() -> None:
        with pool._lock:
            held.clear()

    thread = threading.Thread(target=collected_in_between, daemon=True)
    thread.start()
    thread.join(10.0)

    assert not thread.is_alive()
