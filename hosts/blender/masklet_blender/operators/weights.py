"""Better weights, fetched when the artist asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Optional

import bpy

from masklet.phrases import phrase

from ..preferences import connection_settings, preferences
from ..weights_offer import OFFER
from ..words import shown
from .running import MaskletOperator

if TYPE_CHECKING:
    from .running import Result

_LOOK_EVERY_S = 0.5
_OFFLINE = phrase(
    "Blender may not go online: turn on Allow Online Access in Preferences, System, Network, or fetch the "
    "model with masklet-server weights pull"
)


class MASKLET_OT_pull_weights(MaskletOperator, bpy.types.Operator):
    """Fetch an official checkpoint for filmed clips; what was fetched before is kept"""

    bl_idname = "masklet.pull_weights"
    bl_label = "Fetch Better Model"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """True where Blender may go online; otherwise it shows why not."""
        if connection_settings().may_go_online:
            return True
        cls.poll_message_set(shown(_OFFLINE))
        return False

    def execute(self, context: bpy.types.Context) -> Result:
        """Begin, or go on from where it was stopped."""
        from masklet.hosting.work.weights_pull import WeightsPull

        python = connection_settings().helper_python
        if OFFER.pull is None or not OFFER.is_running:
            # What was fetched before lies on the disk, and the preferences may name another Python by now.
            OFFER.pull = WeightsPull(Path(python) if python else None)
            OFFER.pull.start()
        if not bpy.app.timers.is_registered(look):
            bpy.app.timers.register(look, first_interval=_LOOK_EVERY_S)
        return {"FINISHED"}


class MASKLET_OT_stop_pulling(MaskletOperator, bpy.types.Operator):
    """Stop fetching; what is here is kept for the next time"""

    bl_idname = "masklet.stop_pulling"
    bl_label = "Stop Fetching"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Stop."""
        if OFFER.pull is not None:
            OFFER.pull.cancel()
        return {"FINISHED"}


def look() -> Optional[float]:
    """Draw how far it is; when the weights are here, have Blender's own server use them."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
    if OFFER.pull is None:
        return None
    progress = OFFER.pull.progress
    if progress.is_running:
        return _LOOK_EVERY_S
    chosen = preferences()
    if progress.is_done:
        if chosen is not None:
            chosen.weights = OFFER.pull.name
        OFFER.pull = None
    return None


CLASSES = (MASKLET_OT_pull_weights, MASKLET_OT_stop_pulling)
