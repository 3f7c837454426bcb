"""What tasks tell of themselves, one small file each, so that anybody who sees the share can watch.

Times in them are for people. Whether a task still lives is told by a number that grows, never by comparing
the clocks of two machines.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.farm.share import keep_file
from masklet.publish.shot_record import read_json

if TYPE_CHECKING:
    from pathlib import Path


class TaskPhase(Enum):
    """How far a task is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Cancelled, or out of time; what was finished is kept."""


@dataclass(frozen=True)
class TaskState:
    """How one task is.

    Attributes:
        shot: Its shot.
        stage: What it does.
        piece: Its number, for one that tracks; else 0.
        phase: How far it is.
        done: Frames times objects that are finished.
        total: Of these in all; 0 where nobody knows yet.
        words: What goes on, or why it failed, and what helps.
        worker: The machine.
        beat: Grows while the task lives.
        attempt: Counts from 1.
        seconds: How long the machine was at it.
        reused: How many of ``done`` an earlier attempt had made.
        is_lost: It failed because its server went away: another attempt may do it.
        told_at: By the clock of the machine that wrote this.
    """

    shot: str
    stage: str
    piece: int = 0
    phase: TaskPhase = TaskPhase.WAITING
    done: int = 0
    total: int = 0
    words: str = ""
    worker: str = ""
    beat: int = 0
    attempt: int = 0
    seconds: float = 0.0
    reused: int = 0
    is_lost: bool = False
    told_at: str = ""

    @property
    def file_name(self) -> str:
        """Of the state's file."""
        return f"{self.shot}.{self.stage}{f'.{self.piece}' if self.piece else ''}.json"


def keep_state(folder: Path, state: TaskState) -> TaskState:
    """Write it, whole or not at all; what was written.

    Raises:
        OutputError: The share is full, or may not be written to.
    """
    told = replace(
        state,
        beat=state.beat + 1,
        worker=state.worker or socket.gethostname(),
        told_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    content = {**asdict(told), "phase": told.phase.value}
    keep_file(folder / told.file_name, (json.dumps(content, ensure_ascii=False) + "\n").encode())
    return told


def read_state(folder: Path, shot: str, stage: str, piece: int = 0) -> TaskState:
    """What a task told last; waiting where it has told nothing, or nothing that can be read."""
    empty = TaskState(shot, stage, piece)
    path = folder / empty.file_name
    if not path.is_file():
        return empty
    with suppress(BadInputError, KeyError, TypeError, ValueError, AttributeError):
        content = read_json(path, "the state")
        return TaskState(
            shot,
            stage,
            piece,
            TaskPhase(content["phase"]),
            int(content["done"]),
            int(content["total"]),
            str(content["words"]),
            str(content["worker"]),
            int(content["beat"]),
            int(content["attempt"]),
            float(content["seconds"]),
            int(content["reused"]),
            bool(content.get("is_lost", False)),
            str(content["told_at"]),
        )
    return empty
