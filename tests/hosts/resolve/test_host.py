"""Resolve as a host of the loop keeps what every host keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host_contract import CHECKS
from masklet.clip_reading import ClipReading
from masklet.hosting import kept_plate
from masklet.hosting.ports import Host
from masklet.types import FrameRange
from masklet_resolve.clips import TakenClip
from masklet_resolve.host import ResolveHost, kept_of
from masklet_resolve.time_base import TimeBase


def clip_in(folder: Path) -> TakenClip:
    return TakenClip(
        "plate",
        str(folder / "plate.mov"),
        FrameRange(0, 9),
        TimeBase(0, 0, 1.0, 10),
        23.976,
        size_px=(64, 36),
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(check: Callable[[Host[Any], Any], None], tmp_path: Path) -> None:
    host = ResolveHost()
    check(host, host.take_clip(clip_in(tmp_path)))


def test_repairs_are_in_the_words_of_resolves_menus() -> None:
    assert "Media Pool" in str(ResolveHost().connection_settings().words.find_pictures)


def test_a_clip_is_read_at_resolves_rate_and_its_document_lies_beside_it(tmp_path: Path) -> None:
    clip = clip_in(tmp_path)
    first = kept_of(clip)
    assert first.reading == ClipReading(frame_rate=23.976)

    file = kept_plate.document_beside(clip.path)
    kept_plate.write(file, first, "")

    again = kept_of(clip)
    assert (again.path, again.reading) == (clip.path, first.reading)
