"""What an artist is told, and which button goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    ClipError,
    MaskletError,
    OutputError,
    ServerUnreachableError,
    VersionError,
    WeightsError,
)
from masklet.phrases import text_of

_CONNECTION = (ServerUnreachableError, AccessDeniedError, VersionError)


class Remedy(Enum):
    """What helps, where a button can do it."""

    NONE = "none"
    RECONNECT = "reconnect"
    """The server is out of reach, or does not let in."""
    ACCEPT_PLATE = "accept plate"
    """The pictures are others than those the prompts were made on."""
    FIND_PLATE = "find plate"
    """The pictures are no longer where they were."""
    OTHER_WEIGHTS = "other weights"
    """A server of one's own is to run weights that are not there."""
    OPEN_THEIRS = "open theirs"
    """Somebody else has written the document."""
    TRACK = "track"
    """The server holds fewer masks than the file knows of."""


@dataclass(frozen=True)
class Notice:
    """One sentence for the artist.

    Attributes:
        sentence: Cause, then repair.
        is_alarm: True for what went wrong.
        remedy: The button below it.
        stays: It is worth reading still when the server has opened the plate.
    """

    sentence: str
    is_alarm: bool = True
    remedy: Remedy = Remedy.NONE
    stays: bool = False


class PlateChangedError(ClipError):
    """The pictures are others than those the prompts were made on."""


class PlateGoneError(ClipError):
    """The pictures are no longer where they were."""


class ChangedMeanwhileError(OutputError):
    """Somebody else has written the document since it was read here."""


class LessHeldError(BadInputError):
    """The server holds fewer masks than the file knows of, so results would be replaced by fewer."""


def notice_of(error: MaskletError) -> Notice:
    """What is told of an error; a button is offered by the kind of the error, never by its words."""
    if isinstance(error, _CONNECTION):
        return Notice(text_of(error), remedy=Remedy.RECONNECT)
    if isinstance(error, PlateChangedError):
        return Notice(text_of(error), remedy=Remedy.ACCEPT_PLATE)
    if isinstance(error, PlateGoneError):
        return Notice(text_of(error), remedy=Remedy.FIND_PLATE)
    if isinstance(error, ChangedMeanwhileError):
        return Notice(text_of(error), remedy=Remedy.OPEN_THEIRS)
    if isinstance(error, WeightsError):
        return Notice(text_of(error), remedy=Remedy.OTHER_WEIGHTS)
    if isinstance(error, LessHeldError):
        return Notice(text_of(error), remedy=Remedy.TRACK)
    return Notice(text_of(error))
