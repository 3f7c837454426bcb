"""A disk for sessions that turns read-only: no word is taken that cannot be kept, and none is lost."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from fakes.clips import clip_of
from fakes.engine import FakeClip
from fakes.histories import CLIP, masks
from fakes.journals import store_in
from masklet.errors import BadInputError, OutputError
from masklet.types import Click

REFERENCE = clip_of(lambda: FakeClip(CLIP))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], AbstractContextManager[None]]]:
    """Makes a folder read-only as a disk is, by the system itself: that holds for root as well."""
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("folders are mounted this way on Linux alone")

    @contextmanager
    def made(folder: Path) -> Iterator[None]:
        first = mount("--bind", str(folder), str(folder))
        if first != 0:
            pytest.skip("mounting is root's, outside of most containers")
        try:
            assert mount("-o", "remount,ro,bind", str(folder)) == 0
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)

    return made


def mount(*words: str) -> int:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode


def test_no_word_is_taken_that_cannot_be_kept_and_all_goes_on_when_it_can(
    tmp_path: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    folder = tmp_path / "sessions"

    async def work() -> None:
        async with store_in(folder) as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            await session.add_click(hero, 3, Click(5.0, 5.0))
            # As after some minutes without a call: files are opened again at the next.
            await session._journal.rest()
            with read_only(folder / session.session_id):
                for _ in range(2):
                    with pytest.raises(OutputError, match="read-only"):
                        await session.add_click(hero, 4, Click(6.0, 6.0))
                # What is there can be looked at all the while.
                before = masks(session)
                assert session.results.find(hero, 3) is not None
            await session.add_click(hero, 5, Click(7.0, 7.0))
            document, after = session.whole_document(), masks(session)
            assert before.items() <= after.items()
        async with store_in(folder) as again:
            back = await again.get(session.session_id, "ann")
            assert back.whole_document() == document
            assert masks(back) == after

    asyncio.run(work())


def test_a_server_does_not_start_on_one(
    tmp_path: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    place = tmp_path / "disk"
    place.mkdir()

    async def work() -> None:
        async with store_in(place / "sessions"):
            pass

    with read_only(place), pytest.raises(BadInputError, match="Read-only file system"):
        asyncio.run(work())
    asyncio.run(work())
    # A folder that was made before is looked at as well.
    with read_only(place), pytest.raises(BadInputError, match="read-only"):
        asyncio.run(work())
