"""What is remembered of a journal's records: which contents they name, and what they come to together."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = tuple[str, str]
"""Kind and key of a record."""


@dataclass(frozen=True)
class Tally:
    """How many records of a kind there are, and what they come to together."""

    count: int
    mark: int

    def with_record(self, kind: str, key: str, value: bytes) -> Tally:
        """With one record more."""
        return Tally(self.count + 1, self.mark ^ mark_of(kind, key, value))

    def without_mark(self, mark: int) -> Tally:
        """Without the record of this mark."""
        return Tally(self.count - 1, self.mark ^ mark)


NO_TALLY = Tally(0, 0)


@dataclass(frozen=True)
class Kept:
    """What is remembered of a record: its mark, and the contents that it names."""

    mark: int
    uses: Sequence[bytes]


def note(
    kind: str,
    key: str,
    value: bytes,
    uses_of: Callable[[str, bytes], Sequence[bytes]],
    records: dict[Key, Kept],
    uses: Counter[bytes],
    tallies: dict[str, Tally],
) -> None:
    """Remember a record that was not remembered before."""
    kept = records[kind, key] = Kept(mark_of(kind, key, value), uses_of(kind, value))
    uses.update(kept.uses)
    before = tallies.get(kind, NO_TALLY)
    tallies[kind] = Tally(before.count + 1, before.mark ^ kept.mark)


def mark_of(kind: str, key: str, value: bytes) -> int:
    """A number for a record, hardly ever the same for two."""
    content = f"{kind}\n{key}\n".encode() + value
    # SQLite's numbers have a sign.
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 1


def write_tallies(connection: sqlite3.Connection, tallies: Mapping[str, Tally], kinds: Iterable[str]) -> None:
    """Write the tallies of some kinds."""
    connection.executemany(
        "INSERT OR REPLACE INTO tally VALUES (?, ?, ?)",
        [(kind, tallies[kind].count, tallies[kind].mark) for kind in kinds],
    )
