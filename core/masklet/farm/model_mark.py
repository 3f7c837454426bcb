"""With what the masks of a job are made: weights, and those settings of a server that decide about masks."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, WeightsError
from masklet.farm.share import keep_file, keep_first
from masklet.publish.shot_record import read_object

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from masklet.client import Server


@dataclass(frozen=True)
class ModelMark:
    """What masks follow from at a server.

    Attributes:
        name: Of the weights, for people.
        sha256: Of the weights.
        settings: Of the server, as it tells them.
    """

    name: str
    sha256: str
    settings: str

    @property
    def worded(self) -> str:
        """Its settings, for people."""
        with suppress(ValueError, AttributeError):
            return ", ".join(f"{name} {value}" for name, value in sorted(json.loads(self.settings).items()))
        return self.settings or "none that it tells"


def mark_of(server: Server) -> ModelMark:
    """What a server makes masks with."""
    info = server.info()
    return ModelMark(info.model.name, info.model.sha256, info.settings)


def read_mark(path: Path) -> ModelMark | None:
    """What a job was begun with; None where no task has begun.

    Raises:
        BadInputError: The file cannot be understood.
    """
    if not path.is_file():
        return None
    told = read_object(path, "the job's weights")
    try:
        return ModelMark(str(told["name"]), str(told["sha256"]), str(told.get("settings", "")))
    except KeyError as error:
        raise BadInputError(
            f"{path.name} of the job has no {error}, it was changed by hand: delete it, then run masklet "
            "farm retry"
        ) from error


def check_same(path: Path, own: ModelMark, say: Callable[[str], None]) -> ModelMark:
    """See that a worker makes masks with what the job was begun with; the first to come decides.

    Args:
        path: Where the job keeps it.
        own: Of this worker's server.
        say: Told where the job was begun before servers told their settings, and this one's are taken.

    Raises:
        WeightsError: The worker has other weights, or its server other settings.
        OutputError: The share takes no word of it.
    """
    if not path.is_file():
        # Of two that begin at once, the first one's stays, and is asked below.
        keep_first(path, json.dumps(asdict(own)).encode())
    told = read_mark(path) or own
    if told.sha256 != own.sha256:
        raise WeightsError(
            f"the job was begun with the weights {told.name} ({told.sha256[:12]}…) and this worker has "
            f"{own.name} ({own.sha256[:12]}…): give all workers the same, then run masklet farm retry"
        )
    if not told.settings and own.settings:
        # What was made then has other keys, whatever its settings were: nothing of it is taken up.
        say(f"the job was begun by a server that told no settings: from here on they are {own.worded}")
        keep_file(path, json.dumps(asdict(own)).encode())
        told = read_mark(path) or own
    if told.settings != own.settings:
        raise WeightsError(
            f"the job was begun by a server with {told.worded} and this worker's has {own.worded}, which "
            "makes other masks: give all workers the same settings, then run masklet farm retry"
        )
    return own
