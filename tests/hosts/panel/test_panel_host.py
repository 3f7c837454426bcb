"""The panel answers the loop as every host does. No Qt is needed for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host_contract import CHECKS, HERO, LOCKED, SECOND
from masklet.hosting.kept_plate import KeptPlate, Look
from masklet.hosting.ports import Host
from masklet.prompts import PlateShape
from masklet.types import FrameRange
from masklet_panel.panel_host import PanelHost, PanelPlate

KEPT = KeptPlate(
    str(Path("/plates/plate.%04d.png").absolute()), shape=PlateShape(64, 36, FrameRange(1001, 1010))
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_panel_keeps_what_every_host_keeps(check: Callable[[Host[Any], Any], None]) -> None:
    host = PanelHost()
    check(host, host.open(KEPT))


def test_the_document_is_written_when_something_changed_and_only_then() -> None:
    written: list[PanelPlate] = []
    host = PanelHost(changed=written.append)
    plate = host.open(KEPT)
    host.adopt(plate)
    host.take(plate, (HERO,))
    assert written == [plate]
    host.take(plate, (HERO,))
    host.keep_states(plate, {})
    assert written == [plate]
    host.take(plate, (LOCKED,))
    assert written == [plate, plate]


def test_objects_that_are_shown_alone_hide_the_others() -> None:
    host = PanelHost()
    plate = host.open(KEPT)
    host.take(plate, (HERO, SECOND))
    host.solo = frozenset({"u2"})
    assert list(host.shown_uids(plate)) == ["u2"]
    host.solo = frozenset({"gone"})
    assert list(host.shown_uids(plate)) == ["u1", "u2"]


def test_an_object_whose_eye_is_closed_is_not_shown() -> None:
    host = PanelHost()
    plate = host.open(KEPT)
    host.take(plate, (HERO, SECOND))
    kept = host.kept(plate)
    looks = {**kept.looks, "u1": Look(kept.look("u1").colour, is_shown=False)}
    host.keep(plate, KeptPlate(kept.path, kept.uid, document=kept.document, looks=looks))
    assert list(host.shown_uids(plate)) == ["u2"]
