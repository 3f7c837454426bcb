"""Files for a Resolve that no other program can speak to: text to paste, a composition, markers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.exchange.timeline import write_otio
from masklet.publish.shot_record import write_whole
from masklet_resolve.comp_text import comp_text, whole_comp
from masklet_resolve.time_base import TimeBase

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.exchange.scene import ExchangeScene
    from masklet.types import FrameRange


def write_files(scene: ExchangeScene, used: FrameRange, folder: Path, name: str) -> tuple[Path, ...]:
    """Write what can be imported by hand.

    Args:
        scene: In the plate's frames.
        used: Those of the plate that the clip shows; its composition counts from 0 at the first of them.
        folder: Where to; made if need be.
        name: Begins the files' names.

    Returns:
        A setting to paste, a composition to import, a timeline with markers.

    Raises:
        OutputError: They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    time = TimeBase(used.first, 0, 1.0, len(used))
    text = comp_text(scene, time)
    files = {
        f"{name}_resolve.setting": text.setting,
        f"{name}_resolve.comp": whole_comp(text, time),
        f"{name}_resolve.otio": write_otio(replace(scene, shapes=(), anchors=())),
    }
    for file, content in files.items():
        write_whole(folder / file, content.encode())
    return tuple(folder / file for file in files)
