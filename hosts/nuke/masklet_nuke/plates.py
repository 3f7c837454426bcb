"""Plates as Nuke knows them: Masklet nodes, their pictures, and which of them shows when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, ClipError
from masklet.hosting.clip_match import HostClip
from masklet.hosting.plate_files import PlateSource, sequence_pattern
from masklet.phrases import phrase
from masklet.said.documents import new_uid
from masklet_nuke import node_knobs
from masklet_nuke.node_knobs import set_text, text
from masklet_nuke.spaces import FrameMap, PlateSpace
from masklet_nuke.undoing import no_step
from masklet_nuke.upstream import pictures_hash, plain_read, plate_input, spoken_space
from masklet_nuke.words import IN_NUKE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from masklet_nuke.api import Node, Nuke


@dataclass(frozen=True)
class Rendered:
    """Pictures that were rendered because no file holds the plate.

    Attributes:
        path: The pattern.
        hash: Of what they were rendered from.
        first: Frame of the script.
        last: Frame of the script.
        colour_space: Of the script, in which they were rendered; empty for linear light of Rec. 709.
    """

    path: str
    hash: str
    first: int
    last: int
    colour_space: str = ""


class NotRenderedError(ClipError):
    """The plate is no file, and what it shows was not rendered yet, or has changed since."""


def masklet_nodes(nuke: Nuke) -> Iterator[Node]:
    """All Masklet nodes of the script, on its top level."""
    root = nuke.root()
    return (node for node in root.nodes() if node.Class() == "Group" and node_knobs.is_masklet(node))


def adopted(nuke: Nuke) -> Iterator[Node]:
    """Those that have a name of ours."""
    return (node for node in masklet_nodes(nuke) if text(node, node_knobs.UID))


def adopt(nuke: Nuke, node: Node) -> str:
    """The uid of a plate, given when it has none; no step of undo.

    A pasted copy brings its original's uid along: it gets one of its own, keeps prompts, and opens a session
    of its own. The copy is the one that is called otherwise than when the uid was written.
    """
    uid = text(node, node_knobs.UID)
    twins = [other for other in masklet_nodes(nuke) if text(other, node_knobs.UID) == uid]
    is_copy = len(twins) > 1 and text(node, node_knobs.KNOWN_NAME) != node.name()
    if uid and not is_copy and text(node, node_knobs.KNOWN_NAME) == node.name():
        return uid
    with no_step(nuke):
        if not uid or is_copy:
            set_text(node, node_knobs.SESSION, "")
            uid = new_uid()
            set_text(node, node_knobs.UID, uid)
        set_text(node, node_knobs.KNOWN_NAME, node.name())
    return uid


def rendered(node: Node) -> Rendered | None:
    """What was rendered of a plate; None where nothing was."""
    try:
        kept = json.loads(text(node, node_knobs.RENDERED) or "{}")
        return Rendered(
            str(kept["path"]),
            str(kept["hash"]),
            int(kept["first"]),
            int(kept["last"]),
            str(kept.get("colour_space", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def keep_rendered(nuke: Nuke, node: Node, done: Rendered) -> None:
    """Remember it; no step of undo."""
    with no_step(nuke):
        set_text(node, node_knobs.RENDERED, json.dumps(done.__dict__))


def working_space(nuke: Nuke) -> str:
    """The colour space in which the script works; empty where Nuke itself manages it, which is Rec. 709."""
    root = nuke.root()
    if text(root, "colorManagement") != "OCIO":
        return ""
    return spoken_space(text(root, "workingSpaceLUT"))


def frame_map(node: Node) -> FrameMap:
    """Which picture of the plate shows on a frame; what we render keeps the script's numbers."""
    above = node.input(0)
    read = None if above is None else plain_read(above)
    return FrameMap() if read is None else read.frames


def space_of(node: Node) -> PlateSpace:
    """The plate's size, whatever proxy is shown."""
    shape = plate_input(node).format()
    return PlateSpace(shape.width(), shape.height(), shape.pixelAspect())


def source_of(node: Node) -> PlateSource:
    """Where a plate's pictures are and how large they are.

    Raises:
        BadInputError: Nothing is connected.
        NotRenderedError: The plate has to be rendered first.
    """
    above = plate_input(node)
    space = space_of(node)
    read = plain_read(above)
    if read is None:
        done = rendered(node)
        if done is None or done.hash != pictures_hash(above):
            raise NotRenderedError(
                phrase(
                    "what {name} shows is no file as it lies on disk: it has to be rendered once, which "
                    "Track does",
                    name=node.name(),
                )
            )
        return PlateSource(
            node.name(),
            done.path,
            space.width_px,
            space.height_px,
            ClipReading(colour_space=done.colour_space or None, overscan=node_knobs.has_overscan(node)),
            HostClip(node.name(), space.width_px, space.height_px),
            IN_NUKE,
        )
    path = read.path
    if not Path(path).is_absolute():
        raise BadInputError(
            phrase(
                "the file knob of {name} is no absolute path ({path}): give it one, so that the server finds "
                "the same files",
                name=read.node.name(),
                path=path,
            )
        )
    pictures = int(read.node["last"].value()) - int(read.node["first"].value()) + 1 if read.is_movie else 0
    return PlateSource(
        read.node.name(),
        path if read.is_movie or "%" in Path(path).name or "#" in Path(path).name else sequence_pattern(path),
        space.width_px,
        space.height_px,
        ClipReading(
            colour_space=read.colour_space,
            first_frame=1 if read.is_movie else None,
            overscan=node_knobs.has_overscan(node),
        ),
        HostClip(read.node.name(), space.width_px, space.height_px, pictures=pictures),
        IN_NUKE,
    )


def chosen_uid(node: Node, uids: Sequence[str], names: Sequence[str]) -> str:
    """The uid of the object that clicks go to; empty where there is none."""
    knob = node.knob(node_knobs.OBJECT)
    chosen = "" if knob is None else str(knob.value())
    if chosen in names:
        return uids[list(names).index(chosen)]
    return uids[0] if uids else ""
