"""The hand-written host keeps the contract, and the contract finds hosts that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.host import WORDS, FakeHost, Handle
from host_contract import CHECKS, failures
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.ports import Host
from masklet.said.documents import Document

SOURCE = PlateSource("plate", str(Path("/plates/plate.%04d.png").absolute()), 64, 36, words=WORDS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_hand_written_host_keeps_the_contract(check: Callable[[Host[Any], Any], None]) -> None:
    host = FakeHost()
    check(host, host.open(SOURCE))


class ForgettingHost(FakeHost):
    """Keeps names and forgets what was said."""

    def take(self, plate: Handle, document: Document) -> None:
        super().take(plate, document[:1])


def test_a_host_that_forgets_is_found() -> None:
    host = ForgettingHost()

    found = failures(host, lambda: host.open(SOURCE))

    assert "everything_that_was_said_comes_back_as_it_was" in found
    assert "the_session_is_kept" not in found


def test_the_hand_written_host_refuses_void_handles_and_foreign_threads() -> None:
    host = FakeHost()
    plate = host.open(SOURCE)
    host.adopt(plate)
    (after,) = host.restore(host.snapshot())
    with pytest.raises(ReferenceError, match="an undo has replaced"):
        host.document(plate)
    errors: list[Exception] = []

    def touch() -> None:
        try:
            host.take(after, ())
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=touch)
    thread.start()
    thread.join()
    assert len(errors) == 1
