"""What every key does: one table for key bindings, the sheet of shortcuts and the guide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from masklet.phrases import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.phrases import Phrase

OBJECT_KEYS = 9
"""So many objects have a number key."""


class Action(Enum):
    """What an artist's hands on the keyboard ask for."""

    PLAY_BACKWARD = "play backward"
    STOP = "stop"
    PLAY_FORWARD = "play forward"
    PLAY_OR_STOP = "play or stop"
    FRAME_BACK = "frame back"
    FRAME_ON = "frame on"
    TEN_BACK = "ten back"
    TEN_ON = "ten on"
    FIRST_FRAME = "first frame"
    LAST_FRAME = "last frame"
    BAD_FRAME_BACK = "bad frame back"
    BAD_FRAME_ON = "bad frame on"
    PROMPT_BACK = "prompt back"
    PROMPT_ON = "prompt on"
    SET_IN = "set in"
    SET_OUT = "set out"
    CLEAR_RANGE = "clear range"
    CLICKS_ADD = "clicks add"
    CLICKS_TAKE_AWAY = "clicks take away"
    CLEAR_FRAME = "clear frame"
    UNDO = "undo"
    REDO = "redo"
    NEW_OBJECT = "new object"
    CHOOSE_OBJECT = "choose object"
    """Of the number that was pressed."""
    HIDE_OBJECT = "hide object"
    SOLO_OBJECT = "solo object"
    RENAME_OBJECT = "rename object"
    DUPLICATE_OBJECT = "duplicate object"
    MERGE_OBJECTS = "merge objects"
    DELETE_OBJECT = "delete object"
    LOCK_RANGE = "lock range"
    UNLOCK_RANGE = "unlock range"
    TRACK_BOTH = "track both"
    TRACK_FORWARD = "track forward"
    TRACK_BACKWARD = "track backward"
    TRACK_ONE = "track one"
    TRACK_STALE = "track stale"
    TRY_POLICY = "try policy"
    CANCEL = "cancel"
    EXPORT = "export"
    FIT = "fit"
    ONE_TO_ONE = "one to one"
    ZOOM_IN = "zoom in"
    ZOOM_OUT = "zoom out"
    CONTACT_SHEET = "contact sheet"
    FIND_AGAIN = "find again"
    FIND_THINGS = "find things"
    FIND_ALIKE = "find alike"
    WIPE = "wipe"
    SHORTCUTS = "shortcuts"


@dataclass(frozen=True)
class Shortcut:
    """What some keys do.

    Attributes:
        action: What is asked for.
        keys: Any of them, written as Qt reads and people write them: ``Ctrl+Z``. Ctrl is Command on a Mac.
        words: What happens, for the sheet, tooltips and the guide.
        repeats: Holding the key does it again and again.
    """

    action: Action
    keys: tuple[str, ...]
    words: Phrase
    repeats: bool = False


@dataclass(frozen=True)
class Group:
    """Shortcuts under one heading."""

    title: Phrase
    shortcuts: tuple[Shortcut, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        phrase("Playing"),
        (
            Shortcut(Action.PLAY_BACKWARD, ("J",), phrase("Play backward; again for faster")),
            Shortcut(Action.STOP, ("K",), phrase("Stop")),
            Shortcut(Action.PLAY_FORWARD, ("L",), phrase("Play; again for faster")),
            Shortcut(Action.PLAY_OR_STOP, ("Space",), phrase("Play or stop")),
            Shortcut(Action.FRAME_BACK, ("Left",), phrase("One frame back"), repeats=True),
            Shortcut(Action.FRAME_ON, ("Right",), phrase("One frame on"), repeats=True),
            Shortcut(Action.TEN_BACK, ("Shift+Left",), phrase("Ten frames back"), repeats=True),
            Shortcut(Action.TEN_ON, ("Shift+Right",), phrase("Ten frames on"), repeats=True),
            Shortcut(Action.FIRST_FRAME, ("Home",), phrase("First frame of the range")),
            Shortcut(Action.LAST_FRAME, ("End",), phrase("Last frame of the range")),
        ),
    ),
    Group(
        phrase("Finding"),
        (
            Shortcut(Action.BAD_FRAME_BACK, (",",), phrase("Bad frame before this one"), repeats=True),
            Shortcut(Action.BAD_FRAME_ON, (".",), phrase("Next bad frame"), repeats=True),
            Shortcut(Action.PROMPT_BACK, ("Down",), phrase("Marked frame before this one"), repeats=True),
            Shortcut(Action.PROMPT_ON, ("Up",), phrase("Next marked frame"), repeats=True),
            Shortcut(Action.CONTACT_SHEET, ("C",), phrase("The worst frames side by side")),
            Shortcut(Action.FIND_AGAIN, ("Ctrl+F",), phrase("Find the object again on this frame")),
            Shortcut(
                Action.FIND_THINGS, ("G",), phrase("Find everything on this frame; click what you want")
            ),
            Shortcut(Action.FIND_ALIKE, ("Shift+G",), phrase("Find all that looks like the object")),
            Shortcut(Action.WIPE, ("W",), phrase("Wipe between the track before and this one")),
        ),
    ),
    Group(
        phrase("Range"),
        (
            Shortcut(Action.SET_IN, ("I",), phrase("The range begins here")),
            Shortcut(Action.SET_OUT, ("O",), phrase("The range ends here")),
            Shortcut(Action.CLEAR_RANGE, ("Shift+I", "Shift+O"), phrase("The whole plate again")),
            Shortcut(Action.LOCK_RANGE, ("Ctrl+L",), phrase("Lock the range, or this frame")),
            Shortcut(Action.UNLOCK_RANGE, ("Ctrl+Shift+L",), phrase("Unlock the range, or this frame")),
        ),
    ),
    Group(
        phrase("Clicks"),
        (
            Shortcut(Action.CLICKS_ADD, ("+", "="), phrase("Clicks add to the object")),
            Shortcut(Action.CLICKS_TAKE_AWAY, ("-",), phrase("Clicks take away")),
            Shortcut(Action.CLEAR_FRAME, ("Backspace",), phrase("Take back all that was said on this frame")),
            Shortcut(Action.UNDO, ("Ctrl+Z",), phrase("Undo"), repeats=True),
            Shortcut(Action.REDO, ("Ctrl+Shift+Z", "Ctrl+Y"), phrase("Redo"), repeats=True),
        ),
    ),
    Group(
        phrase("Objects"),
        (
            Shortcut(
                Action.CHOOSE_OBJECT,
                tuple(str(number) for number in range(1, OBJECT_KEYS + 1)),
                phrase("Choose the object of this number"),
            ),
            Shortcut(Action.NEW_OBJECT, ("N",), phrase("New object")),
            Shortcut(Action.RENAME_OBJECT, ("F2",), phrase("Rename")),
            Shortcut(Action.HIDE_OBJECT, ("H",), phrase("Hide or show")),
            Shortcut(Action.SOLO_OBJECT, ("S",), phrase("Show alone, or all again")),
            Shortcut(Action.DUPLICATE_OBJECT, ("Ctrl+D",), phrase("Duplicate")),
            Shortcut(Action.MERGE_OBJECTS, ("Ctrl+M",), phrase("Make one object of those chosen")),
            Shortcut(Action.DELETE_OBJECT, ("Delete",), phrase("Delete")),
        ),
    ),
    Group(
        phrase("Work"),
        (
            Shortcut(Action.TRACK_BOTH, ("T",), phrase("Track both ways")),
            Shortcut(Action.TRACK_FORWARD, ("Ctrl+Right",), phrase("Track forward")),
            Shortcut(Action.TRACK_BACKWARD, ("Ctrl+Left",), phrase("Track backward")),
            Shortcut(Action.TRACK_ONE, ("Ctrl+T",), phrase("Track one frame")),
            Shortcut(Action.TRACK_STALE, ("R",), phrase("Track again what is out of date")),
            Shortcut(Action.TRY_POLICY, ("P",), phrase("Try the policy that may help the object")),
            Shortcut(Action.CANCEL, ("Esc",), phrase("Stop and keep what is done")),
            Shortcut(Action.EXPORT, ("Ctrl+E",), phrase("Export")),
        ),
    ),
    Group(
        phrase("View"),
        (
            Shortcut(Action.FIT, ("F",), phrase("Fit the plate to the viewer")),
            Shortcut(Action.ONE_TO_ONE, ("Ctrl+1",), phrase("One pixel for one pixel")),
            Shortcut(Action.ZOOM_IN, ("Ctrl++", "Ctrl+="), phrase("Closer"), repeats=True),
            Shortcut(Action.ZOOM_OUT, ("Ctrl+-",), phrase("Further away"), repeats=True),
            Shortcut(Action.SHORTCUTS, ("?", "F1"), phrase("This sheet")),
        ),
    ),
)


def shortcuts() -> Iterable[Shortcut]:
    """All of them, in the order of the sheet."""
    return (shortcut for group in GROUPS for shortcut in group.shortcuts)


def keys_of(action: Action) -> tuple[str, ...]:
    """The keys that ask for something."""
    return next(shortcut.keys for shortcut in shortcuts() if shortcut.action is action)


def tooltip(words: str, action: Action) -> str:
    """A control's tooltip, with the key that does the same."""
    return f"{words} ({keys_of(action)[0]})"


def as_markdown() -> str:
    """The sheet as it stands in the guide."""
    lines = ["| key | does |", "|---|---|"]
    for group in GROUPS:
        lines.append(f"| **{group.title}** | |")
        lines += [f"| {_written(shortcut)} | {shortcut.words} |" for shortcut in group.shortcuts]
    return "\n".join(lines) + "\n"


def shown_keys(shortcut: Shortcut) -> tuple[str, ...]:
    """Keys as the sheet shows them: a row of numbers is a range."""
    if shortcut.action is Action.CHOOSE_OBJECT:
        return (f"{shortcut.keys[0]} … {shortcut.keys[-1]}",)
    return shortcut.keys


def _written(shortcut: Shortcut) -> str:
    return " or ".join(f"`{key}`" for key in shown_keys(shortcut))
