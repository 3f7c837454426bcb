"""What a node says, as a document on disk: for the panel, and for the farm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import OutputError
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate
from masklet.phrases import phrase
from masklet_nuke import documents
from masklet_nuke.folders import own_folder

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.hosting.plate_files import PlateSource
    from masklet_nuke.api import Node, Nuke


def document_file(nuke: Nuke, node: Node) -> Path:
    """Where the document of a node lies."""
    return own_folder(nuke, node) / f"{node.name()}{kept_plate.SUFFIX}"


def write_document(nuke: Nuke, node: Node, source: PlateSource, uid: str) -> Path:
    """Write the document of a node anew; its file.

    Args:
        nuke: The module.
        node: Whose document.
        source: Of its plate.
        uid: Of its plate.

    Raises:
        OutputError: It cannot be written.
    """
    file = document_file(nuke, node)
    kept = KeptPlate(
        source.path,
        uid,
        source.reading,
        document=documents.document(node),
        states=documents.states(node),
        session=documents.session(node),
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            phrase("{folder} cannot be made ({fault})", folder=file.parent, fault=error.strerror)
        ) from error
    kept_plate.write(file, kept, None)
    return file
