"""Which sources there are, and which of them are at hand."""

from __future__ import annotations

from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.training.material.backgrounds import (
    GettyPhotographs,
    ImageSamples,
    LearningSamples,
    Panoramas,
)
from masklet_server.training.material.clipart import ClipArt
from masklet_server.training.material.emoji import MovingEmoji, StillEmoji
from masklet_server.training.material.furniture import Furniture
from masklet_server.training.material.photographs import LabelledPhotographs
from masklet_server.training.material.pictures import Source


def available_sources(folder: Path, photographs: Path | None) -> list[Source]:
    """The sources whose packages were fetched to ``folder``, and the labelled photographs if given.

    Raises:
        BadInputError: There are none.
    """
    sources: list[Source] = [] if photographs is None else [LabelledPhotographs(photographs)]
    if (folder / "emoji-still").is_dir():
        sources.append(StillEmoji(folder / "emoji-still"))
    if (folder / "emoji-moving").is_dir():
        sources.append(MovingEmoji(folder / "emoji-moving"))
    if (folder / "furniture").is_dir():
        sources.append(Furniture(folder / "furniture"))
    if (folder / "clipart").is_dir():
        sources.append(ClipArt(folder / "clipart"))
    if (folder / "samples").is_dir():
        sources += [ImageSamples(folder / "samples"), LearningSamples(folder / "samples")]
    if (folder / "getty").is_dir():
        sources.append(GettyPhotographs(folder / "getty"))
    if (folder / "panoramas").is_dir():
        sources.append(Panoramas(folder / "panoramas"))
    if not sources:
        raise BadInputError(
            f"There is no material in {folder.name}. Run `masklet-server material fetch` first, or name a"
            " folder of photographs."
        )
    return sources
