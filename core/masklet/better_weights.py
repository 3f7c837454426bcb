"""The embedded model is a first impression. Where to get a tool is said once, and fetched when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from masklet.phrases import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.phrases import Phrase

EMBEDDED: Final = "masklet_embedded"
RECOMMENDED: Final = "sam2.1_hiera_tiny"
"""The smallest official checkpoint: Apache-2.0."""
SIZE_MB: Final = 156
"""Of its file."""
_MARK = "told-of-better-weights"


def better_sentence(model: str) -> Phrase | None:
    """What whoever works with the embedded model on filmed clips should know; None for other models."""
    if model != EMBEDDED:
        return None
    return phrase(
        "the embedded model is a first impression: for filmed clips fetch an official checkpoint with "
        "masklet-server weights pull {name} ({size} MB) and work with --weights {name}",
        name=RECOMMENDED,
        size=SIZE_MB,
    )


def is_told(folder: Path) -> bool:
    """Whether this user was told before; True where that cannot be kept, so that nobody is told each time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _MARK).open("x"):
            return False
    except OSError:
        return True


def tell_of_better(model: str, say: Callable[[str], None]) -> None:
    """Say it once to each user of this machine who works with the embedded model."""
    sentence = better_sentence(model)
    if sentence is None:
        return
    from platformdirs import user_state_path

    if not is_told(user_state_path("masklet")):
        say(str(sentence))
