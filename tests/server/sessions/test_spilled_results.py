"""Results in the temporary file stay whose they are while the file is written anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from masklet_server.sessions.spill import Spilled
from masklet_server.sessions.spilled_results import Key, SpilledResults

ONE, TWO, HOLE, ELSEWHERE = (1, 1), (2, 1), (3, 1), (4, 1)


@dataclass(frozen=True, eq=False)
class Beside(Spilled):
    """A place at whose reading somebody else does something."""

    does: Callable[[], None]

    def read(self) -> bytes:
        packed = super().read()
        self.does()
        return packed


def moved_away(results: SpilledResults) -> None:
    results.rename(ONE, ELSEWHERE)


def moved_onto_another(results: SpilledResults) -> None:
    results.drop(TWO)
    results.rename(ONE, TWO)


@pytest.mark.parametrize(
    ("does", "holds"),
    [(moved_away, {ELSEWHERE: b"one", TWO: b"two"}), (moved_onto_another, {TWO: b"one"})],
)
def test_results_that_get_other_keys_meanwhile_are_found_under_these(
    does: Callable[[SpilledResults], None], holds: dict[Key, bytes]
) -> None:
    lock = threading.Lock()
    results = SpilledResults(lock, None, most_bytes=1 << 20, slack_bytes=0)

    def beside() -> None:
        with lock:
            does(results)

    try:
        for key, packed in ((TWO, b"two"), (ONE, b"one"), (HOLE, b"hole" * 100)):
            place = results.write(packed)
            assert place is not None
            if key == ONE:
                place = Beside(place.file, place.offset_bytes, place.size_bytes, beside)
            results.enter(key, place)
        results.drop(HOLE)

        # Now there is more of holes than of what counts.
        assert results.write(b"next") is not None

        assert results.size_bytes == len(b"two" + b"one" + b"next")
        found = {key: results.find(key) for key in (ONE, TWO, ELSEWHERE)}
        assert {key: place.read() for key, place in found.items() if place is not None} == holds
    finally:
        results.clear()
