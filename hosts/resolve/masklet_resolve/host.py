"""Resolve as a host of the artist's loop: plates come from its timeline, their documents lie beside them.

The loop runs in a process of ours, beside Resolve, with the panel in it. So this is the panel's host with
Resolve's clips and words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate
from masklet.hosting.work.connection import ConnectionSettings
from masklet.prompts import PlateShape
from masklet_panel.panel_host import PanelHost, PanelPlate
from masklet_resolve.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_resolve.clips import TakenClip


class ResolveHost(PanelHost):
    """Implements :class:`masklet.hosting.ports.Host` over clips that were taken from Resolve."""

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        *,
        keep_ticking: Callable[[], None] = lambda: None,
        redraw: Callable[[bool], None] = lambda panels: None,
        changed: Callable[[PanelPlate], None] = lambda plate: None,
    ) -> None:
        super().__init__(
            replace(settings or ConnectionSettings(), words=WORDS),
            keep_ticking=keep_ticking,
            redraw=redraw,
            changed=changed,
        )

    def take_clip(self, clip: TakenClip) -> PanelPlate:
        """The plate of a clip, with what was said about it before.

        Raises:
            MaskletError: The document beside it is damaged.
        """
        return self.open(kept_of(clip))


def kept_of(clip: TakenClip) -> KeptPlate:
    """What the document beside a clip's plate keeps; how Resolve reads the clip, where there is none yet.

    Raises:
        MaskletError: The document is damaged.
    """
    file = kept_plate.document_beside(clip.path)
    if not file.exists():
        shape = None if clip.size_px is None else PlateShape(*clip.size_px, clip.whole or clip.used)
        return KeptPlate(clip.path, reading=clip.reading, shape=shape)
    kept, _ = kept_plate.read(file)
    return replace(kept, path=clip.path)
