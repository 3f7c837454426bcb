"""Networks that break and that are far: artists see a pause, and nothing comes twice or is lost."""

from __future__ import annotations

import asyncio
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

import masklet
from fakes.engine import FAKE_INFO, FakeEngine
from fakes.line import BreakingLine, FarLine
from fakes.service import Running, running
from masklet.types import MaskFormat

SMALL = MaskFormat(max_side_px=32)
LineT = TypeVar("LineT", bound=BreakingLine)
FRAMES = range(FAKE_INFO.first_frame, FAKE_INFO.last_frame + 1)


def over(folder: Path, line: Callable[[str], LineT], work: Callable[[Running, LineT], None]) -> None:
    async def run() -> None:
        async with running(folder, engine=FakeEngine(frame_s=0.03)) as server:
            between = line(server.address)
            try:
                await asyncio.to_thread(work, server, between)
            finally:
                between.close()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def over_the_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKLET_SHARED_MEMORY", "0")


def test_a_track_over_a_line_that_breaks_twice_brings_each_mask_once(tmp_path: Path) -> None:
    def work(server: Running, line: BreakingLine) -> None:
        with masklet.connect(line.address) as client:
            session = client.open(server.root / "clip")
            hero = session.object("hero")
            hero.click(frame=1, x_px=10.0, y_px=10.0, mask_format=SMALL)
            came: Counter[int] = Counter()
            for update in session.track(mask_format=SMALL):
                came[update.frame] += 1
                if len(came) in (2, 5) and came.total() == len(came):
                    assert line.cut() > 0

            assert came == Counter(FRAMES)

    over(tmp_path, BreakingLine, work)


def test_clicks_over_a_line_that_has_broken_are_made_once_each(tmp_path: Path) -> None:
    def work(server: Running, line: BreakingLine) -> None:
        with masklet.connect(line.address) as client:
            session = client.open(server.root / "clip")
            hero = session.object("hero")
            for place in range(4):
                assert line.cut() > 0
                hero.click(frame=1, x_px=10.0 + place, y_px=10.0, mask_format=SMALL)

            (said,) = session.prompts().prompts
            assert [click.x_px for click in said.clicks] == [10.0, 11.0, 12.0, 13.0]

    over(tmp_path, BreakingLine, work)


def test_clicks_over_a_line_of_a_tenth_of_a_second_take_little_longer_than_the_line(tmp_path: Path) -> None:
    def work(server: Running, line: BreakingLine) -> None:
        with masklet.connect(line.address) as client:
            session = client.open(server.root / "clip")
            hero = session.object("hero")
            waits_s = []
            for place in range(5):
                began_s = time.perf_counter()
                hero.click(frame=1, x_px=10.0 + place, y_px=10.0, mask_format=SMALL)
                waits_s.append(time.perf_counter() - began_s)

            assert statistics.median(waits_s) < 0.6

    over(tmp_path, lambda address: BreakingLine(address, delay_s=0.05), work)


def test_a_line_that_falls_silent_in_mid_track_is_a_pause(tmp_path: Path) -> None:
    def work(server: Running, line: FarLine) -> None:
        with masklet.connect(line.address) as client:
            session = client.open(server.root / "clip")
            hero = session.object("hero")
            hero.click(frame=1, x_px=10.0, y_px=10.0, mask_format=SMALL)
            came: Counter[int] = Counter()
            for update in session.track(mask_format=SMALL):
                came[update.frame] += 1
                if came.total() == 3:
                    line.speaks.clear()
                    threading.Timer(0.5, line.speaks.set).start()

            assert came == Counter(FRAMES)
            hero.click(frame=2, x_px=10.0, y_px=10.0, mask_format=SMALL)

    over(tmp_path, FarLine, work)


def test_over_a_narrow_line_that_breaks_time_and_again_all_is_done_once(tmp_path: Path) -> None:
    plates = tmp_path / "plates"
    plates.mkdir()
    for frame in FRAMES:
        (plates / f"plate.{frame:04d}.png").write_bytes(random.Random(frame).randbytes(1 << 15))

    def work(server: Running, line: FarLine) -> None:
        with masklet.connect(line.address) as client:
            session = client.open(plates / "plate.%04d.png", upload=True)
            hero = session.object("hero")
            for place in range(4):
                hero.click(frame=1, x_px=10.0 + place, y_px=10.0, mask_format=SMALL)
                line.cut()
            (said,) = session.prompts().prompts
            came = Counter(update.frame for update in session.track(mask_format=SMALL))

            assert [click.x_px for click in said.clicks] == [10.0, 11.0, 12.0, 13.0]
            assert came == Counter(FRAMES)
            assert line.cuts >= 2

    over(
        tmp_path, lambda address: FarLine(address, delay_s=0.02, bits_per_s=1e7, cut_every_bytes=90_000), work
    )
