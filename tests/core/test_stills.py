"""Pictures that have nothing to do with each other: several at a time, and each told for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from masklet.client import Server
from masklet.clip_reading import AS_FILES_SAY
from masklet.commands import stills
from masklet.commands.progress import Progress
from masklet.commands.stills import AT_ONCE, StillDone, roto_stills, stills_in
from masklet.deliveries import Existing
from masklet.errors import BusyError, ClipError
from masklet.events import MatteFormat
from masklet.types import Click, FramePrompts, Mask, MaskUpdate, ObjectInfo, Presence, PromptDocument


@dataclass
class Told(Progress):
    """What a person would read."""

    lines: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        self.lines.append(sentence)


@dataclass
class FakeServer:
    """Stands in for a server: opens a session on a picture and writes no files.

    Attributes:
        meets: Every export waits here for so many others.
        held_up: Every export but the first waits for this.
        busy: So many times it says that it is busy.
        presence: Of every mask.
        opened: Names of pictures, in order.
    """

    meets: threading.Barrier | None = None
    held_up: threading.Event | None = None
    busy: int = 0
    presence: Presence = Presence.PRESENT
    opened: list[str] = field(default_factory=list)

    def open(self, clip: str, **_: Any) -> FakeSession:
        self.opened.append(Path(clip).name)
        is_first = Path(clip).name == "01.png"
        if self.busy:
            self.busy -= 1
            raise BusyError("you may open or send 60 clips a minute on this server: try again in 1 second")
        if "torn" in clip:
            raise ClipError("it cannot be read")
        return FakeSession(self, is_first)


@dataclass
class FakeSession:
    """One picture, whose number is 1001."""

    server: FakeServer
    is_first: bool
    clip: Any = field(default_factory=lambda: SimpleNamespace(first_frame=1001, notices=("taken for sRGB",)))
    held: tuple[ObjectInfo, ...] = ()

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def load_prompts(self, document: PromptDocument) -> None:
        assert {each.frame for each in document.prompts} == {1001}
        self.held = document.objects

    def objects(self) -> tuple[ObjectInfo, ...]:
        return self.held

    def export(self, *_: object, **__: object) -> None:
        if self.server.meets is not None:
            self.server.meets.wait(timeout=60)
        if self.server.held_up is not None and not self.is_first:
            assert self.server.held_up.wait(timeout=60)

    def masks(self, **_: object) -> Iterator[MaskUpdate]:
        for info in self.held:
            yield MaskUpdate(
                info.object_id, info.name, 1001, Mask(1, 1, b"\xff"), self.server.presence, 1.0, 0.5
            )


def done_with(server: FakeServer, folder: Path, numbers: range, progress: Progress) -> tuple[StillDone, ...]:
    """One click in each of some pictures."""
    clicks = tuple(FramePrompts(7, number, (Click(1.0, 1.0),)) for number in numbers)
    return roto_stills(
        cast(Server, server),
        stills_in(folder),
        PromptDocument((ObjectInfo(7, "duck", tuple(numbers)),), clicks),
        folder / "mattes",
        reading=AS_FILES_SAY,
        matte_format=MatteFormat.EXR_LAYERS,
        raw_edges=False,
        existing=Existing.KEEP,
        progress=progress,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, 41):
        (tmp_path / f"{number:02d}.png").touch()
    return tmp_path


def test_several_pictures_are_at_work_at_once(folder: Path) -> None:
    # Nobody comes through before all of them are there.
    server = FakeServer(meets=threading.Barrier(AT_ONCE))

    done = done_with(server, folder, range(1, 2 * AT_ONCE + 1), Told())

    assert [(each.still.number, each.objects) for each in done] == [(n, 1) for n in range(1, 2 * AT_ONCE + 1)]


def test_a_server_that_lets_nobody_open_more_for_now_is_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "_BUSY_PAUSE_S", 0.0)

    done = done_with(FakeServer(busy=6), folder, range(1, 4), Told())

    assert [each.error for each in done] == ["", "", ""]


def test_an_interruption_leaves_the_pictures_that_wait(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    class Interrupted(Told):
        def say(self, sentence: str) -> None:
            raise KeyboardInterrupt

    class Threads(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            ended.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(stills, "ThreadPoolExecutor", Threads)
    server = FakeServer(held_up=ended)
    with pytest.raises(KeyboardInterrupt):
        done_with(server, folder, range(1, 41), Interrupted())

    assert len(server.opened) <= 1 + AT_ONCE


def test_what_was_assumed_and_a_doubtful_click_are_told_with_the_picture(folder: Path) -> None:
    told = Told()

    done_with(FakeServer(presence=Presence.UNCERTAIN), folder, range(2, 3), told)

    first, second, third = told.lines
    assert first == "02.png (2): 1 object"
    assert second == "02.png (2): taken for sRGB"
    assert third.startswith("02.png (2): the mask of duck on frame 2 may be poor: draw a box")


def test_a_picture_that_cannot_be_read_holds_no_other_up(folder: Path) -> None:
    (folder / "02.png").rename(folder / "02_torn.png")

    done = done_with(FakeServer(), folder, range(1, 4), Told())

    assert [each.error for each in done] == ["", "it cannot be read", ""]
