"""The knobs of a Masklet node: everything said about its plate, kept in the script with the node.

What is said is kept as text, so that it is saved, copied, pasted, undone and versioned with the script; the
masks of locked frames lie in a knob of their own, since they may be many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.anchors import Absence, AnchorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_nuke.api import Group, Knob, Node, Nuke

UID = "masklet_uid"
KNOWN_NAME = "masklet_known_name"
DOCUMENT = "masklet_document"
LOCKED_MASKS = "masklet_locked_masks"
STATES = "masklet_states"
SESSION = "masklet_session"
MATTES = "masklet_mattes"
RENDERED = "masklet_rendered"
SHOWN = "masklet_shown"
TEXTS = (UID, KNOWN_NAME, DOCUMENT, LOCKED_MASKS, STATES, SESSION, MATTES, RENDERED, SHOWN)
"""Kept for us alone; no artist types into them."""

EDIT = "masklet_edit"
OBJECT = "masklet_object"
OUTPUT = "masklet_output"
SERVER = "masklet_server"
TOKEN_FILE = "masklet_token_file"
TLS_CA = "masklet_tls_ca"
HELPER = "masklet_helper"
OTHER_MACHINES = "masklet_other_machines"
FOLDER = "masklet_folder"
NOTICE = "masklet_notice"
FOLLOW = "masklet_follow"
ABSENCE = "masklet_absence"
TOLERANCE = "masklet_tolerance"
PLACE = "masklet_place"
OVERSCAN = "masklet_overscan"

_KINDS = (AnchorKind.SIMILARITY, *(kind for kind in AnchorKind if kind is not AnchorKind.SIMILARITY))
NO_OBJECT = "none yet"
NO_PLACE = "none found"
ALL_OBJECTS = "all objects"

BUTTONS: tuple[tuple[str, str, str, str], ...] = (
    ("add_object", "Add Object", "Add an object to track; click it in the viewer then", ""),
    ("rename_object", "Rename", "Give the object another name: of layers and files made from now on", ""),
    ("remove_object", "Remove", "Remove the object with its prompts; what was made of it stays", ""),
    ("clear_frame", "Clear Frame", "Take back what was said about the object on this frame", ""),
    ("mask_from_alpha", "Mask from Alpha", "Take the plate's alpha on this frame for the object's mask", ""),
    ("mask_from_roto", "Mask from Roto", "Take the selected Roto's shapes on this frame for its mask", ""),
    ("track", "Track", "Follow all objects from their prompts, both ways", "line"),
    ("track_backward", "Backward", "Follow them from this frame to earlier ones", ""),
    ("track_forward", "Forward", "Follow them from this frame to later ones", ""),
    ("track_changed", "Only Changed", "Track only what prompts have overtaken", ""),
    ("stop", "Stop", "Stop what runs, and keep what is done", ""),
    ("previous_bad", "Previous Bad Frame", "Go to the bad frame before this one", "line"),
    ("next_bad", "Next Bad Frame", "Go to the next frame that is uncertain or out of date", ""),
    (
        "find_again",
        "Find Again",
        "Look where the object may be on this frame, after an absence or a cut",
        "line",
    ),
    ("take_place", "Take Place", "Click the object at the chosen place; track then", ""),
    ("lock", "Lock", "Keep tracking from changing the run of frames around this one", ""),
    ("unlock", "Unlock", "Let tracking change them again", ""),
    ("get_mattes", "Get Mattes", "Write the mattes of all objects, and show them", "line"),
    ("make_roto", "Roto", "Make a Roto with animated shapes of the object", ""),
    ("make_anchor", "Anchor", "Make a Transform, a Tracker and a CornerPin that follow the object", ""),
    ("make_stabiliser", "Stabilise", "Make a Transform and a CornerPin that hold the object still", ""),
    ("make_cryptomatte", "Cryptomatte", "Write a Cryptomatte of all objects and make its node", ""),
    ("attach", "Attach Selected", "Have the selected nodes follow the object's anchor, baked", ""),
    ("publish", "Publish", "Check the mattes and publish them as the next version", "line"),
    ("submit_to_farm", "Submit to Farm", "Make a job of this shot, for the farm or the night", ""),
    ("open_panel", "Open Panel", "Dock masklet's panel", ""),
)
"""Name of the command, label, tooltip, and whether it begins a line."""


def is_masklet(node: Node) -> bool:
    """True for a Masklet node."""
    return node.knob(UID) is not None


def has_overscan(node: Node) -> bool:
    """True where what lies beyond the format is matted, too; nodes of earlier versions do not."""
    knob = node.knob(OVERSCAN)
    return knob is not None and bool(knob.value())


def button_text(command: str) -> str:
    """The script of a button: a sentence where masklet is not installed, instead of a trace."""
    return (
        f"try:\n    from masklet_nuke.buttons import {command}\n"
        "except ImportError:\n    import nuke\n"
        "    nuke.tprint('masklet is not installed in this Nuke: run \"masklet install nuke\"')\n"
        f"else:\n    {command}()\n"
    )


def add_knobs(nuke: Nuke, node: Group) -> None:
    """Give a Group the knobs of a Masklet node."""
    for knob in _knobs(nuke):
        node.addKnob(knob)


def _knobs(nuke: Nuke) -> Iterator[Knob]:
    yield nuke.Tab_Knob("masklet", "Masklet")
    edit = nuke.Boolean_Knob(EDIT, "edit")
    edit.setTooltip(
        "While the node is selected: Ctrl-click adds to the object, Ctrl-right-click takes away, Shift-drag "
        "draws a box"
    )
    yield edit
    yield nuke.Enumeration_Knob(OBJECT, "object", [NO_OBJECT])
    yield nuke.Enumeration_Knob(OUTPUT, "alpha", [ALL_OBJECTS])
    for command, label, tooltip, line in BUTTONS:
        button = nuke.PyScript_Knob(f"masklet_{command}", label, button_text(command))
        button.setTooltip(tooltip)
        if line:
            button.setFlag(nuke.STARTLINE)
        yield button
        if command == "find_again":
            place = nuke.Enumeration_Knob(PLACE, "place", [NO_PLACE])
            place.setTooltip("What Find Again found, the likeliest first; their handles are marked ?")
            yield place
    follow = nuke.Enumeration_Knob(FOLLOW, "follow", [kind.value for kind in _KINDS])
    follow.setTooltip("What an anchor follows: the surface inside the matte, or its outline")
    yield follow
    absence = nuke.Enumeration_Knob(ABSENCE, "while hidden", [way.value for way in Absence])
    absence.setTooltip("What an anchor does while the object cannot be seen")
    yield absence
    tolerance = nuke.Double_Knob(TOLERANCE, "tolerance")
    tolerance.setValue(1.0)
    tolerance.setTooltip("How far shapes may lie from the matte's edge, in pixels of the plate")
    yield tolerance
    overscan = nuke.Boolean_Knob(OVERSCAN, "overscan")
    overscan.setTooltip("Matte what the plate holds beyond its format, too; prompts may lie there")
    yield overscan
    yield nuke.Text_Knob(NOTICE, "", "")
    yield nuke.Tab_Knob("masklet_server_tab", "Server")
    server = nuke.String_Knob(SERVER, "server")
    server.setTooltip("host:port; empty to work on this machine")
    yield server
    yield nuke.File_Knob(TOKEN_FILE, "token file")
    yield nuke.File_Knob(TLS_CA, "certificate")
    yield nuke.File_Knob(HELPER, "helper's Python")
    machines = nuke.Boolean_Knob(OTHER_MACHINES, "may reach other machines")
    machines.setValue(True)
    yield machines
    folder = nuke.File_Knob(FOLDER, "mattes' folder")
    folder.setTooltip("Empty: a folder beside the script")
    yield folder
    # Last, since position knobs of further clicks are added behind the last knob.
    yield nuke.Tab_Knob("masklet_prompts_tab", "Prompts")
    for name in TEXTS:
        knob = nuke.String_Knob(name, name)
        knob.setFlag(nuke.NO_ANIMATION | nuke.INVISIBLE)
        yield knob


def text(node: Node, name: str) -> str:
    """What a text knob holds; empty where it is not there."""
    knob = node.knob(name)
    return "" if knob is None else str(knob.value() or "")


def set_text(node: Node, name: str, value: str) -> None:
    """Write it where it changed: to write is to change the script."""
    if text(node, name) != value:
        node[name].setValue(value)
