"""What became of a run's results on their way into Resolve or Fusion: kept, approximated, lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.exchange.record import Entry, Outcome, record_of, write_record
from masklet.phrases import phrase
from masklet.publish.shot_record import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.exchange.scene import ExchangeScene
    from masklet.phrases import Phrase
    from masklet_resolve.clips import TakenClip

TOOL = "resolve"


def of_tools(scene: ExchangeScene, clip: TakenClip) -> tuple[Entry, ...]:
    """Of shapes, anchors and mattes that became tools of a composition.

    Args:
        scene: In the plate's frames.
        clip: That they were brought to.
    """
    entries = list(record_of(replace(clip.time.scene(scene), mattes=(), states=()), "fusion"))
    if scene.mattes:
        words = str(phrase("a BitmapMask for each layer, its frames by the Loader's own start"))
        entries.append(Entry(clip.name, "mattes", Outcome.KEPT, words))
        if clip.time.is_retimed:
            words = str(phrase("Loaders go on at the plate's speed: take the clip matte for a retimed clip"))
            entries[-1] = Entry(clip.name, "mattes as tools", Outcome.APPROXIMATED, words)
    if clip.time.is_retimed and (scene.shapes or scene.anchors):
        words = str(phrase("the nearest picture of the plate on each frame, with a key there"))
        entries.append(Entry(clip.name, "retime", Outcome.APPROXIMATED, words))
    hidden = len(scene.clip.frames) - len(clip.used)
    if hidden > 0:
        words = str(phrase("{count} frames of the run that the clip does not show", count=hidden))
        entries.append(Entry(clip.name, "handles", Outcome.LOST, words))
    return tuple(entries)


def kept(clip: TakenClip, what: str, words: str) -> Entry:
    """Something came as it was."""
    return Entry(clip.name, what, Outcome.KEPT, words)


def lost(clip: TakenClip, what: str, why: str) -> Entry:
    """Something did not come."""
    return Entry(clip.name, what, Outcome.LOST, why)


def write(folder: Path, name: str, entries: tuple[Entry, ...]) -> tuple[Path, list[Phrase]]:
    """Keep the record beside the results; where it lies, and what is to be told.

    Raises:
        OutputError: It cannot be written.
    """
    file = folder / f"{name}_{TOOL}.record.json"
    write_whole(file, write_record(entries, TOOL).encode())
    told = [
        phrase("{sentence}", sentence=entry.sentence)
        for entry in entries
        if entry.outcome is not Outcome.KEPT
    ]
    return file, told
