"""Numbered file names: ``plate.%04d.exr``, ``plate.####.exr``, ``plate.@@@@.exr`` and whole folders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from masklet.errors import BadInputError
from masklet.types import MAX_FRAME

_PLACEHOLDER = re.compile(r"%(?:0?(\d*))d|(#+)|(@+)")
# The last number of the stem is the frame: "v002_shot010.1001.exr" is frame 1001.
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$")


@dataclass(frozen=True)
class FramePattern:
    """A file name with one place for the frame number.

    Attributes:
        prefix: Before the number.
        padding: Least width of the number, filled with zeros.
        suffix: After the number, extension included.
    """

    prefix: str
    padding: int
    suffix: str

    @staticmethod
    def parse(name: str) -> FramePattern | None:
        """The pattern that a file name spells, or None where it has no placeholder.

        Raises:
            BadInputError: There is more than one placeholder.
        """
        places = list(_PLACEHOLDER.finditer(name))
        if not places:
            return None
        if len(places) > 1:
            raise BadInputError(
                f"{name} has {len(places)} places for the frame number: leave one, such as plate.%04d.exr."
            )
        (place,) = places
        digits, hashes, ats = place.groups()
        padding = len(hashes or ats or "") or int(digits or "1")
        # File names end at 255 bytes; a wider number cannot exist and would only cost memory.
        if padding > 32:
            raise BadInputError(f"{name} asks for {padding} digits: a frame number has at most 32.")
        return FramePattern(name[: place.start()], max(padding, 1), name[place.end() :])

    def name_of(self, frame: int) -> str:
        """The file name of a frame, padded as C's printf does it: the sign counts."""
        return f"{self.prefix}{frame:0{self.padding}d}{self.suffix}"

    def frame_of(self, name: str) -> int | None:
        """The frame number in a file name, or None where the name is not of this pattern.

        Negative numbers are taken both as printf pads them (``-005``) and as applications that
        leave the sign out of the width do (``-0005``).
        """
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        text = name[len(self.prefix) : len(name) - len(self.suffix)]
        digits = text[1:] if text.startswith("-") else text
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 32:
            return None
        frame = int(text)
        plain = str(abs(frame))
        fits = text == f"{frame:0{self.padding}d}" or digits == plain.zfill(self.padding)
        # "-0" is nobody's frame number.
        return frame if fits and not (frame == 0 and text.startswith("-")) else None

    def __str__(self) -> str:
        """As Nuke writes it."""
        return (
            f"{self.prefix}%0{self.padding}d{self.suffix}"
            if self.padding > 1
            else f"{self.prefix}%d{self.suffix}"
        )


def frames_matching(pattern: FramePattern, names: Iterable[str]) -> dict[int, str]:
    """Frame number to file name, ascending, for the names that the pattern fits.

    Raises:
        BadInputError: A number among them is larger than any frame's.
    """
    found: dict[int, str] = {}
    for name in sorted(names):
        frame = pattern.frame_of(name)
        if frame is not None:
            if not _can_be_frame(frame):
                raise BadInputError(
                    f"the number in {name} is larger than a frame's can be ({MAX_FRAME}): rename the files."
                )
            found.setdefault(frame, name)
    return dict(sorted(found.items()))


def frame_in(name: str) -> int | None:
    """The frame number in a single file's name, or None where it has none: a time stamp is none."""
    split = _split(name)
    return None if split is None else int(split[1])


def group_sequences(names: Iterable[str]) -> tuple[Mapping[str, Mapping[int, str]], tuple[str, ...]]:
    """Sort the files of a folder into sequences.

    Args:
        names: File names without folders.

    Returns:
        For each sequence, keyed by its pattern as people write it, frame number to file name,
        ascending; and the names that carry no number.
    """
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    loose: list[str] = []
    for name in sorted(names):
        split = _split(name)
        if split is None:
            loose.append(name)
        else:
            prefix, number, suffix = split
            groups[prefix, suffix].append((number, name))
    sequences: dict[str, Mapping[int, str]] = {}
    for (prefix, suffix), numbered in groups.items():
        frames: dict[int, str] = {}
        for number, name in numbered:
            frames.setdefault(int(number), name)
        padding = min(len(number) for number, _ in numbered)
        sequences[str(FramePattern(prefix, padding, suffix))] = dict(sorted(frames.items()))
    return sequences, tuple(loose)


def _can_be_frame(number: int) -> bool:
    return -MAX_FRAME - 1 <= number <= MAX_FRAME


def _split(name: str) -> tuple[str, str, str] | None:
    """Prefix, number and suffix of a numbered file name."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    match = _LAST_NUMBER.match(stem)
    if match is None or not match.group(2).isascii() or len(match.group(2)) > 32:
        return None
    if not _can_be_frame(int(match.group(2))):
        # A date, a time or somebody's id.
        return None
    prefix, number, rest = match.groups()
    # A hyphen is a sign only where something else already separates name and number:
    # "plate.-5.exr" is frame -5, "plate-5.exr" is frame 5.
    if prefix.endswith("-") and (len(prefix) == 1 or prefix[-2] in "._ ") and int(number) != 0:
        prefix, number = prefix[:-1], f"-{number}"
    return prefix, number, f"{rest}{dot}{extension}"
