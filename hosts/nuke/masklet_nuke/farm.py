"""Renders: mattes are read from disk, no server is ever asked, and a missing one is a sentence and an error.

The Reads inside a Masklet node end a render by themselves where a file is missing, with or without masklet on
the farm. Where it is installed, the log says which object lacks which frame, and what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from masklet.phrases import phrase
from masklet_nuke.inside import chosen_uid, kept_mattes
from masklet_nuke.node_knobs import OUTPUT, is_masklet, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_nuke.api import Group, Node, Nuke

_MOST_NODES = 10_000


class MissingMatteError(RuntimeError):
    """A render needs a matte that is not there; raised before the frame is rendered, it ends the render."""


def check_frame(nuke: Nuke) -> None:
    """Called before each frame that a Write renders.

    Raises:
        MissingMatteError: A matte is not there.
    """
    reason = missing(nuke.thisNode(), nuke.frame())
    if reason:
        nuke.tprint(f"masklet: {reason}")
        raise MissingMatteError(reason)


def missing(node: Node, frame: int) -> str:
    """Which matte is missing for a node to be rendered, in a sentence; empty where none is."""
    for found, at in _masklets_above(node, frame):
        if not _is_used(found):
            continue
        mattes = kept_mattes(found)
        if not mattes:
            return phrase(
                "{name} has no mattes yet: open the script in Nuke, press Get Mattes, and save it",
                name=found.name(),
            )
        chosen = chosen_uid(found)
        if chosen and chosen not in mattes:
            return phrase(
                "{name} has no mattes of {object} yet, which its alpha is to show: press Get Mattes",
                name=found.name(),
                object=text(found, OUTPUT),
            )
        for own in mattes.values():
            if at is None:
                continue
            number = at - own.shift
            folder, _, pattern = own.file.rpartition("/")
            # Only the name is a pattern: in the folder's, a percent sign is a percent sign.
            file = Path(folder, pattern % number if "%" in pattern else pattern)
            if not file.is_file():
                return phrase(
                    "{name} has no matte of {object} on frame {frame} ({file}): track it there and press Get "
                    "Mattes, or see that this machine reaches the folder",
                    name=found.name(),
                    object=own.name,
                    frame=at,
                    file=file,
                )
    return ""


def _is_used(node: Node) -> bool:
    disable = node.knob("disable")
    return disable is None or not disable.value()


def _masklets_above(node: Node, frame: int) -> Iterator[tuple[Node, int | None]]:
    """Masklet nodes that feed a node, and the frame on which each is asked; None where a retime decides."""
    seen: set[tuple[str, int | None]] = set()
    stack: list[tuple[Node, int | None]] = [(node, frame)]
    while stack and len(seen) < _MOST_NODES:
        found, at = stack.pop()
        key = found.fullName(), at
        if key in seen:
            continue
        seen.add(key)
        kind = found.Class()
        if kind == "Group" and is_masklet(found):
            yield found, at
        elif kind == "TimeOffset" and at is not None:
            at = None if found["reverse_input"].value() else at - int(found["time_offset"].value())
        elif kind in _RETIMES:
            at = None
        elif kind == "Group":
            stack += [(inside, at) for inside in cast("Group", found).nodes() if inside.Class() == "Output"]
        for index in range(found.inputs()):
            above = found.input(index)
            if above is not None:
                stack.append((above, at))


_RETIMES = frozenset(
    {
        "Retime",
        "TimeWarp",
        "OFXuk.co.thefoundry.time.oflow_v100",
        "Kronos",
        "FrameHold",
        "AppendClip",
        "TimeClip",
        "FrameBlend",
        "TimeEcho",
        "TemporalMedian",
        "NoTimeBlur",
        "TimeBlur",
        "SlateRetime",
    }
)
"""Nodes that ask their input for other frames than they are asked for."""
