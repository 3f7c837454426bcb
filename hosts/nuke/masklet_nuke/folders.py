"""Where files of a script lie: beside it, or where the node says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from masklet_nuke import node_knobs
from masklet_nuke.node_knobs import text

if TYPE_CHECKING:
    from masklet_nuke.api import Node, Nuke


def script_file(nuke: Nuke) -> str:
    """The script's own file, absolute; empty while it was never saved."""
    name = text(nuke.root(), "name")
    return name if name and Path(name).is_absolute() else ""


def own_folder(nuke: Nuke, node: Node) -> Path:
    """Where mattes and rendered plates of a node go; versions of a script have folders of their own."""
    chosen, file = text(node, node_knobs.FOLDER).strip(), script_file(nuke)
    if chosen:
        return Path(chosen).expanduser()
    if file:
        return Path(file).parent / "masklet" / Path(file).stem
    return Path(tempfile.gettempdir()) / "masklet-nuke" / text(node, node_knobs.UID)[:8]
