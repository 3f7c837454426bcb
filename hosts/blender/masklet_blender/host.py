"""Blender as a host of the artist's loop: what the loop asks, answered from Blender's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import bpy

from masklet.hosting.ports import KeptSession

from . import plates
from .plates import PlateBlock
from .preferences import connection_settings, preferences
from .redrawing import redraw

if TYPE_CHECKING:
    from masklet.hosting.plate_files import PlateSource
    from masklet.hosting.work.connection import ConnectionSettings
    from masklet.said.documents import Document, SaidObject

_MAX_SIDE_PX = 1024
"""Where the add-on runs without being enabled."""


class BlenderHost:
    """Implements :class:`masklet.hosting.ports.Host`; a plate's handle is its datablock.

    Args:
        beat: Called by Blender's timer, until it returns None.
        every_s: How long after it is asked for it is called first.
    """

    def __init__(self, beat: Callable[[], float | None], every_s: float) -> None:
        self._beat = beat
        self._every_s = every_s

    def plates(self) -> Iterator[PlateBlock]:
        """Clips and images that were given objects."""
        return plates.all_plates()

    def find(self, uid: str) -> PlateBlock | None:
        """As :func:`.plates.find_plate`."""
        return plates.find_plate(uid)

    def uid(self, plate: PlateBlock) -> str:
        """Empty where the datablock was given none."""
        return str(plates.props(plate).uid)

    def adopt(self, plate: PlateBlock) -> str:
        """As :func:`.plates.adopt`."""
        return plates.adopt(plate)

    def source(self, plate: PlateBlock) -> PlateSource:
        """As :func:`.plates.source_of`."""
        return plates.source_of(plate)

    def document(self, plate: PlateBlock) -> Document:
        """What the .blend file keeps."""
        return plates.props(plate).document()

    def take(self, plate: PlateBlock, document: Document) -> None:
        """Make the file say this."""
        plates.props(plate).take(document)

    def uids(self, plate: PlateBlock) -> Sequence[str]:
        """Of the objects, in the order of the panel."""
        return [item.uid for item in plates.props(plate).objects]

    def prompts(self, plate: PlateBlock, uid: str) -> SaidObject:
        """What is said about an object, without the masks of locked frames."""
        item = plates.props(plate).object_of(uid)
        assert item is not None
        return item.prompts()

    def session(self, plate: PlateBlock) -> KeptSession:
        """The session that the file remembers."""
        own = plates.props(plate)
        return KeptSession(own.session_id, own.fingerprint, own.session_path)

    def keep_session(self, plate: PlateBlock, session: KeptSession, size_px: tuple[int, int]) -> None:
        """Write it into the file."""
        own = plates.props(plate)
        own.session_id, own.fingerprint = session.session_id, session.fingerprint
        own.session_path = session.path
        own.size_px = size_px

    def states(self, plate: PlateBlock) -> Mapping[str, str]:
        """Of frames, as the file keeps them."""
        return {item.uid: item.states for item in plates.props(plate).objects}

    def keep_states(self, plate: PlateBlock, states: Mapping[str, str]) -> None:
        """Write them into the file where they changed: to write is to change the file."""
        for item in plates.props(plate).objects:
            text = states.get(item.uid, item.states)
            if item.states != text:
                item.states = text

    @property
    def has_interface(self) -> bool:
        """False with ``--background``."""
        return not bpy.app.background

    def keep_ticking(self) -> None:
        """Have Blender's timer call the beat."""
        if self.has_interface and not bpy.app.timers.is_registered(self._beat):
            bpy.app.timers.register(self._beat, first_interval=self._every_s, persistent=True)

    @property
    def max_side_px(self) -> int:
        """As the preferences say."""
        chosen = preferences()
        return _MAX_SIDE_PX if chosen is None else int(chosen.max_side_px)

    @property
    def is_playing(self) -> bool:
        """True while the animation plays in this window."""
        screen = bpy.context.screen
        return screen is not None and bool(screen.is_animation_playing)

    def shown_uids(self, plate: PlateBlock) -> Sequence[str]:
        """Of the objects whose eye is open in the panel."""
        return [item.uid for item in plates.props(plate).objects if item.is_shown]

    def redraw(self, *, panels: bool = True, everything: bool = False) -> None:
        """As :func:`.redrawing.redraw`."""
        redraw(panels=panels, everything=everything)

    def connection_settings(self) -> ConnectionSettings:
        """As :func:`.preferences.connection_settings`."""
        return connection_settings()
