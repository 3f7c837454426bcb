"""Records that are chained: each holds the digest of the one before, and its own.

Whoever changes, leaves out, adds or reorders a line breaks the chain at that place. A log that was cut off at
its end, or written anew as a whole, still is a chain: note its last digest elsewhere from time to time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError

NOTHING = "0" * 64
"""Stands for the digest of a record before the first."""
MAX_LINE_BYTES = 64 << 10
_TURNED = re.compile(r"\.\d{10}")


@dataclass(frozen=True)
class Link:
    """The last record of a chain, or what comes before its first."""

    number: int = 0
    digest: str = NOTHING


@dataclass(frozen=True)
class Break:
    """The first place where a chain is broken.

    Attributes:
        file: Where.
        line: Which line of it, from 1.
        why: For people.
    """

    file: Path
    line: int
    why: str


@dataclass(frozen=True)
class Verified:
    """What came of looking at a log.

    Attributes:
        first: Number of the first record that is there; 0 for none.
        last: The end of the chain, as far as it holds.
        files: How many were read.
        broken: The first broken link; None where all hold.
        met: Whether a record with the expected digest was among them.
    """

    first: int
    last: Link
    files: int
    broken: Break | None = None
    met: bool = False


def linked(record: Mapping[str, Any], before: Link) -> tuple[bytes, Link]:
    """A record as a line behind another, and the chain's new end."""
    content = {**record, "n": before.number + 1, "prev": before.digest}
    digest = _digest(content)
    return _line({**content, "hash": digest}), Link(before.number + 1, digest)


def link_in(line: bytes) -> tuple[Link, str]:
    """A line's own link, and the digest of the record before it.

    Raises:
        ValueError: It is no record, or not as it was written; the message says which.
    """
    if len(line) > MAX_LINE_BYTES:
        raise ValueError("it is longer than a record can be")
    try:
        content = json.loads(line)
        number, digest, before = content["n"], content["hash"], content["prev"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it is no record") from error
    known = {name: value for name, value in content.items() if name != "hash"}
    if type(number) is not int or _digest(known) != digest or _line(content) != line + b"\n":
        raise ValueError(f"record {number} is not as it was written")
    return Link(number, str(digest)), str(before)


def files_of(log: Path) -> list[Path]:
    """The files of a log in their order: those that were put aside, then the one that is written."""
    turned = [
        each
        for each in log.parent.glob(f"{log.name}.*")
        if _TURNED.fullmatch(each.name.removeprefix(log.name)) and each.is_file()
    ]
    return sorted(turned, key=lambda each: each.name) + ([log] if log.is_file() else [])


def verify(log: Path, *, expected: str = "") -> Verified:
    """Follow the whole chain.

    Args:
        log: The file that is written; those that were put aside are found beside it.
        expected: A digest that some record should have.

    Raises:
        BadInputError: There is no log, or it cannot be read.
    """
    files = files_of(log)
    if not files:
        raise BadInputError(f"there is no audit log {log}: name the file that --audit names")
    first, last, met = 0, Link(), False
    try:
        for file in files:
            for number, line in enumerate(_lines(file), start=1):
                try:
                    link = _next(line, last if first else None)
                except ValueError as error:
                    return Verified(first, last, len(files), Break(file, number, str(error)), met)
                first, last = first or link.number, link
                met = met or link.digest == expected
    except OSError as error:
        raise BadInputError(
            f"the audit log {log} cannot be read ({error.strerror}): check its rights"
        ) from error
    return Verified(first, last, len(files), met=met)


def _next(line: bytes, last: Link | None) -> Link:
    """The link of a line, behind another or as the first that is there: old files may have been put away.

    Raises:
        ValueError: The chain is broken here; the message says how.
    """
    link, before = link_in(line.removesuffix(b"\n"))
    if not line.endswith(b"\n"):
        raise ValueError("it is torn")
    if last is None:
        last = Link(link.number - 1, before)
        if link.number == 1 and before != NOTHING:
            raise ValueError("record 1 says that another was before it")
    if link.number != last.number + 1:
        raise ValueError(f"record {link.number} follows record {last.number}")
    if before != last.digest:
        raise ValueError(f"record {link.number} was written behind another record {last.number}")
    return link


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as lines:
        while line := lines.readline(MAX_LINE_BYTES + 2):
            yield line


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(content).encode()).hexdigest()


def _line(content: Mapping[str, Any]) -> bytes:
    return _text(content).encode() + b"\n"


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def shortened(values: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Values fit for a record: long texts and lists end with what is left out."""

    def fit(value: Any) -> Any:
        if isinstance(value, str):
            return value if len(value) <= most else f"{value[:most]}… ({len(value)} characters)"
        if isinstance(value, Sequence):
            return [fit(each) for each in value[:20]] + ([f"… ({len(value)})"] if len(value) > 20 else [])
        return value

    return {name: fit(value) for name, value in values.items()}
