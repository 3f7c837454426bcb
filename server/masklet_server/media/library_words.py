"""What the libraries behind media and colour say, fit for a sentence to an artist."""

from __future__ import annotations

import re

_LONGEST = 160
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/](?:[^\s\"',;:()\\/]+[\\/])*([^\s\"',;:()\\/]+)")


def in_one_line(message: object) -> str:
    """A library's message in one line, at most one, without the folders of this machine; may be empty."""
    parts = (part.strip() for part in str(message).splitlines())
    line = " ".join(dict.fromkeys(part for part in parts if part))
    line = _PATH.sub(r"\1", line)
    line = "".join(sign for sign in line if sign.isprintable()).rstrip(" .:")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
