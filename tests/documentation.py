"""The documentation's blocks of code, and the command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "server/benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        guide: The document, from the root of the repository.
        line: In which it begins.
        language: After the fence; empty for what a terminal shows.
        text: Between the fences.
    """

    guide: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.guide}:{self.line}"


def blocks(*languages: str) -> Iterator[Block]:
    """All blocks of the guides in one of these languages, every language where none is named."""
    for file in GUIDES:
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            if not languages or match[1] in languages:
                line = text.count("\n", 0, match.start()) + 1
                yield Block(file.relative_to(ROOT).as_posix(), line, match[1], match[2])


def python_of(guide: str) -> list[str]:
    """The blocks of Python of one guide."""
    return [block.text for block in blocks("python") if block.guide == guide]


def command_lines(block: Block) -> list[list[str]]:
    """The commands in a block that a terminal shows, as words; remarks beside them are left out."""
    joined = re.sub(r"\\\n\s*", " ", block.text)
    commands = []
    for line in joined.splitlines():
        said = re.split(r"\s{3,}|\s+#\s", line.strip())[0]
        for part in said.split(";"):
            words = shlex.split(re.split(r"\s>\s", part)[0])
            if words:
                commands.append(words)
    return commands
