"""What was said about a plate, in the knobs of its node."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.hosting.ports import KeptSession
from masklet.phrases import phrase
from masklet.said.documents import said_from_json, said_to_json
from masklet_nuke import node_knobs
from masklet_nuke.node_knobs import set_text, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from masklet.said.documents import Document, SaidObject
    from masklet_nuke.api import Node


def document(node: Node) -> Document:
    """Everything said.

    Raises:
        BadInputError: The knobs were damaged.
    """
    masks = _read(node, node_knobs.LOCKED_MASKS, {})
    return tuple(_with_masks(said, masks.get(said.uid, "")) for said in objects(node))


def objects(node: Node) -> Document:
    """The same without the masks of locked frames.

    Raises:
        BadInputError: The knobs were damaged.
    """
    try:
        return tuple(
            said_from_json(str(entry["uid"]), str(entry["name"]), str(entry["said"]))
            for entry in _read(node, node_knobs.DOCUMENT, [])
        )
    except (KeyError, TypeError) as error:
        raise _damaged(node) from error


def take_objects(node: Node, document: Document) -> None:
    """Make the node say this; the masks of locked frames, which may be many, are left as they are."""
    entries = [
        {"uid": said.uid, "name": said.name, "said": said_to_json(replace(said, masks=()))}
        for said in document
    ]
    set_text(node, node_knobs.DOCUMENT, json.dumps(entries, ensure_ascii=False) if entries else "")


def take(node: Node, document: Document) -> None:
    """Make the node say exactly this; texts that stay the same are not written."""
    take_objects(node, document)
    masks = {
        said.uid: said_to_json(replace(said, frames=(), masks=said.masks)) for said in document if said.masks
    }
    set_text(node, node_knobs.LOCKED_MASKS, json.dumps(masks) if masks else "")


def session(node: Node) -> KeptSession:
    """The session that is kept."""
    kept = _read(node, node_knobs.SESSION, {})
    return KeptSession(*(str(kept.get(key, "")) for key in ("session_id", "fingerprint", "path")))


def keep_session(node: Node, session: KeptSession, size_px: tuple[int, int]) -> None:
    """Keep another, and the plate's size."""
    kept = {
        "session_id": session.session_id,
        "fingerprint": session.fingerprint,
        "path": session.path,
        "size_px": list(size_px),
    }
    set_text(node, node_knobs.SESSION, json.dumps(kept))


def states(node: Node) -> Mapping[str, str]:
    """Of frames, by object; empty texts where nothing was kept."""
    kept = _read(node, node_knobs.STATES, {})
    return {said.uid: str(kept.get(said.uid, "")) for said in objects(node)}


def keep_states(node: Node, states: Mapping[str, str]) -> None:
    """Keep them."""
    kept = {**_read(node, node_knobs.STATES, {}), **states}
    uids = {said.uid for said in objects(node)}
    left = {uid: value for uid, value in kept.items() if uid in uids and value}
    set_text(node, node_knobs.STATES, json.dumps(left) if left else "")


def _with_masks(said: SaidObject, kept: str) -> SaidObject:
    return replace(said, masks=said_from_json(said.uid, said.name, kept).masks) if kept else said


def _read(node: Node, name: str, otherwise: Any) -> Any:
    kept = text(node, name)
    if not kept:
        return otherwise
    try:
        found = json.loads(kept)
    except ValueError as error:
        raise _damaged(node) from error
    if not isinstance(found, type(otherwise)):
        raise _damaged(node)
    return found


def _damaged(node: Node) -> BadInputError:
    return BadInputError(
        phrase(
            "what {name} keeps of its prompts was damaged: undo the change, or open an earlier version of "
            "the script",
            name=node.name(),
        )
    )
