"""Settings of this Blender's user: the server, the helper's Python, folders and the look of the overlay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from masklet.better_weights import EMBEDDED, better_sentence
from masklet.hosting.shown.palette import PALETTE
from masklet.hosting.work.connection import ConnectionSettings
from masklet.phrases import phrase

from .fields import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    StringProperty,
)
from .listening import listener
from .repairs import BLENDER
from .weights_offer import OFFER
from .words import CONTEXT, shown
from .wrapped_text import sentence

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour

_LABEL_SHARE = 0.4
"""Of a row, as Blender lays properties out."""

ADDON = __package__ or "masklet_blender"


class MaskletPreferences(bpy.types.AddonPreferences):
    """Add-on preferences of masklet."""

    bl_idname = ADDON

    address: StringProperty(
        name="Server",
        description="host:port of a masklet server; leave empty to work with a server of Blender's own",
    )
    token_file: StringProperty(
        name="Token File",
        description="File that holds the server's token; empty where the server asks for none",
        subtype="FILE_PATH",
    )
    tls_ca_file: StringProperty(
        name="TLS Certificate",
        description="Certificate of the authority that signed the server's; empty for the system's",
        subtype="FILE_PATH",
    )
    helper_python: StringProperty(
        name="Helper's Python",
        description="The Python that has masklet; empty for the one that 'masklet install blender' noted",
        subtype="FILE_PATH",
    )
    weights: StringProperty(
        name="Model", description="Name or file, for a server of Blender's own; empty for the embedded model"
    )
    device: StringProperty(
        name="Device", description="cpu or cuda, for a server of Blender's own; empty lets it choose"
    )
    quality: EnumProperty(
        name="Quality",
        description="How closely a server of Blender's own looks at pictures: closer takes longer",
        items=(
            ("OWN", "As Trained", "What the model was trained for"),
            ("FAST", "Fast", "For a first pass, and slow machines"),
            ("BALANCED", "Balanced", "Between the two"),
            ("BEST", "Best", "The closest look, and the slowest"),
        ),
        default="OWN",
    )
    cache_folder: StringProperty(
        name="Matte Folder",
        description="Where mattes go unless a folder is chosen, in a folder for each .blend; "
        "empty for a masklet folder beside the .blend",
        subtype="DIR_PATH",
    )
    opacity: FloatProperty(
        name="Opacity",
        description="How much of the picture masks cover in the viewer",
        min=0.0,
        max=1.0,
        default=0.45,
    )
    max_side_px: IntProperty(
        name="Overlay Size",
        description="Longest side of masks in the viewer, in pixels; mattes always have the plate's size",
        min=128,
        max=4096,
        subtype="PIXEL",
        default=1024,
    )
    show_strips: BoolProperty(
        name="States in the Timeline",
        description="Show under the timeline where each object is present, uncertain, absent or out of date",
        default=True,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Lay out the preferences."""
        layout = self.layout
        layout.use_property_split = True
        server = layout.column(heading="Server", heading_ctxt=CONTEXT)
        # Placeholders are younger than the oldest Blender that is served.
        hint: dict[str, Any] = (
            {"placeholder": shown(phrase("started by Blender"))} if bpy.app.version >= (4, 1, 0) else {}
        )
        server.prop(self, "address", **hint)
        server.prop(self, "token_file")
        server.prop(self, "tls_ca_file")
        own = layout.column()
        own.enabled = not self.address
        own.prop(self, "weights")
        own.prop(self, "device")
        own.prop(self, "quality")
        if not self.address and self.weights in ("", EMBEDDED):
            self._offer_weights(layout.column(), context)
        layout.prop(self, "helper_python")
        row = layout.row()
        row.operator("masklet.test_connection", icon="LINKED")
        row.operator("masklet.reconnect", icon="FILE_REFRESH")
        told = listener().server_sentence
        if told:
            sentence(layout, context, told, icon="INFO")
        look = layout.column(heading="Viewer", heading_ctxt=CONTEXT)
        look.prop(self, "opacity", slider=True)
        look.prop(self, "max_side_px")
        look.prop(self, "show_strips")
        labelled = layout.split(factor=_LABEL_SHARE)
        labelled.use_property_split = False
        label = labelled.row()
        label.alignment = "RIGHT"
        label.label(text="Objects", text_ctxt=CONTEXT)
        colours = labelled.row(align=True)
        for name in _COLOURS:
            colours.prop(self, name, text="")
        layout.prop(self, "cache_folder")

    def _offer_weights(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        told = OFFER.problem or better_sentence(EMBEDDED)
        if told:
            sentence(layout, context, told, icon="INFO")
        row = layout.row()
        if OFFER.pull is None or not OFFER.is_running:
            row.operator("masklet.pull_weights", icon="IMPORT")
            return
        progress = OFFER.pull.progress
        done = f"{progress.done_bytes / 1e6:.0f} / {(progress.total_bytes or 0) / 1e6:.0f} MB"
        if bpy.app.version >= (4, 0, 0):
            row.progress(factor=progress.share, text=done)
        else:
            row.label(text=done)
        row.operator("masklet.stop_pulling", icon="CANCEL")


_COLOURS = tuple(f"colour_{number}" for number in range(1, len(PALETTE) + 1))
_make: Any = FloatVectorProperty
for _name, _colour in zip(_COLOURS, PALETTE):
    MaskletPreferences.__annotations__[_name] = _make(
        name="Colour",
        description="New objects of a plate take these colours in turn",
        subtype="COLOR_GAMMA",
        size=3,
        min=0.0,
        max=1.0,
        default=_colour,
    )


def preferences() -> MaskletPreferences | None:
    """The user's settings; None where the add-on runs without being enabled, as in scripts."""
    addon = bpy.context.preferences.addons.get(ADDON)
    found = getattr(addon, "preferences", None)
    return found if isinstance(found, MaskletPreferences) else None


def object_colours() -> tuple[Colour, ...]:
    """The colours that new objects take in turn."""
    chosen = preferences()
    if chosen is None:
        return PALETTE
    return tuple(tuple(getattr(chosen, name)) for name in _COLOURS)


def connection_settings() -> ConnectionSettings:
    """What to connect to now."""
    chosen = preferences()
    online = bool(getattr(bpy.app, "online_access", True))
    # Studios that start Blender from a script name their server there.
    given = os.environ.get("MASKLET_SERVER", "")
    if chosen is None:
        return ConnectionSettings(given, may_go_online=online, words=BLENDER)
    return ConnectionSettings(
        address=chosen.address.strip() or given,
        token_file=_absolute(chosen.token_file),
        tls_ca_file=_absolute(chosen.tls_ca_file),
        helper_python=_absolute(chosen.helper_python),
        weights=chosen.weights.strip(),
        device=chosen.device.strip(),
        quality="" if chosen.quality == "OWN" else chosen.quality.lower(),
        may_go_online=online,
        words=BLENDER,
    )


def matte_folder(plate_uid: str) -> Path:
    """Where mattes of this file go unless the artist chooses; versions of a file have folders of their own.

    Args:
        plate_uid: Keeps files apart that were never saved.
    """
    chosen = preferences()
    if bpy.data.filepath:
        file = Path(bpy.data.filepath)
        if chosen is not None and chosen.cache_folder:
            return Path(bpy.path.abspath(chosen.cache_folder)) / file.stem
        return file.parent / "masklet" / file.stem
    import tempfile  # A dozen modules with what it imports, at every start of Blender.

    return Path(tempfile.gettempdir()) / "masklet-blender" / plate_uid[:8]


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""
