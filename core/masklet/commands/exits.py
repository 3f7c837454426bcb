"""Exit codes of ``masklet``: said once, here; ``--help`` and the guide show them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_SERVER = 3
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """For people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done; frames worth a look and frames without a matte are in the summary",
    ExitCode.FAILED: "something given or something on the machine is not right, or no matte came of it; "
    "the message says what",
    ExitCode.USAGE: "the command line itself is not understood",
    ExitCode.NO_SERVER: "no server answers, or it does not let in",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C; what was finished is written",
}
