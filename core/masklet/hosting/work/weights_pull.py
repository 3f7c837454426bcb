"""An official checkpoint, fetched when an artist asks for it: by a process outside of the host."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from masklet.better_weights import RECOMMENDED
from masklet.errors import MaskletError
from masklet.phrases import text_of
from masklet.transport.helper_environment import clean_environment, find_helper_python

_PREFIX: Final = "masklet-server: "
_LONGEST: Final = 2000


@dataclass(frozen=True)
class PullProgress:
    """How far it is.

    Attributes:
        done_bytes: What is here.
        total_bytes: What there is; None while nobody knows.
        is_running: True until it ended.
        is_done: The weights are here, whole.
        problem: Why it ended without them; empty where it was stopped by the artist.
    """

    done_bytes: int = 0
    total_bytes: int | None = None
    is_running: bool = False
    is_done: bool = False
    problem: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done_bytes / self.total_bytes if self.total_bytes else 0.0


class WeightsPull:
    """Fetches weights with ``masklet-server weights pull``: resumed, through the proxy, never by itself.

    Args:
        python: The interpreter that has masklet's server; None for the one that ``masklet install`` noted.
        name: Of the checkpoint.
        more: Further words of the command: an address of a mirror, say.
    """

    def __init__(self, python: Path | None, name: str = RECOMMENDED, more: tuple[str, ...] = ()) -> None:
        self.name = name
        self._python = python
        self._more = more
        self._lock = threading.Lock()
        self._progress = PullProgress()
        self._process: subprocess.Popen[str] | None = None
        self._is_cancelled = False

    @property
    def progress(self) -> PullProgress:
        """As of now; to be asked for as often as one likes."""
        with self._lock:
            return self._progress

    def start(self) -> None:
        """Begin, or go on from where it was stopped; returns at once."""
        with self._lock:
            if self._progress.is_running:
                return
            self._is_cancelled = False
            self._progress = PullProgress(is_running=True)
        threading.Thread(target=self._run, daemon=True, name="masklet-weights-pull").start()

    def cancel(self) -> None:
        """Stop; what is here is kept for the next time."""
        with self._lock:
            self._is_cancelled = True
            process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()

    def _run(self) -> None:
        try:
            python = self._python or find_helper_python()
            command = [
                str(python),
                "-m",
                "masklet_server",
                "weights",
                "pull",
                self.name,
                "--json",
                *self._more,
            ]
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                env=clean_environment(),
                cwd=Path.home(),
            )
        except (OSError, MaskletError) as error:
            told = text_of(error) if isinstance(error, MaskletError) else str(error)
            self._end(PullProgress(problem=str(told)))
            return
        with self._lock:
            self._process = process
            if self._is_cancelled:
                process.kill()
        words: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        listener = threading.Thread(target=_read, args=(process.stderr, words), daemon=True)
        listener.start()
        is_done = False
        for line in process.stdout:
            with suppress(ValueError, KeyError, TypeError):
                told_line = json.loads(line)
                if "sha256" in told_line:
                    is_done = True
                else:
                    self._note(told_line["done_bytes"], told_line["total_bytes"])
        code = process.wait()
        listener.join()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        problem = ""
        if not (code == 0 and is_done) and not self._is_cancelled:
            said = "".join(words).strip().splitlines()
            last = said[-1] if said else f"exit code {code}"
            problem = last[len(_PREFIX) :] if last.startswith(_PREFIX) else last
        with self._lock:
            done, total = self._progress.done_bytes, self._progress.total_bytes
        self._end(PullProgress(done, total, is_done=code == 0 and is_done, problem=problem))

    def _note(self, done_bytes: int, total_bytes: int | None) -> None:
        with self._lock:
            self._progress = PullProgress(int(done_bytes), total_bytes, is_running=True)

    def _end(self, progress: PullProgress) -> None:
        with self._lock:
            self._process = None
            self._progress = progress


def _read(stream: IO[str], words: list[str]) -> None:
    for line in stream:
        words[:] = [*words[-1:], line[:_LONGEST]]
