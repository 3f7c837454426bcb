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

    from masklet_nuke.api import Node, Nuke
    from masklet_nuke.runtime import Runtime


def document_file(nuke: Nuke, node: Node) -> Path:
    """Where the document of a node lies."""
    return own_folder(nuke, node) / f"{node.name()}{kept_plate.SUFFIX}"


def write_document(runtime: Runtime, node: Node) -> Path:
    """Write the document of a node anew; its file.

    Raises:
        BadInputError: Nothing is connected to the node.
        OutputError: It cannot be written.
    """
    source = runtime.host.source(node)
    file = document_file(runtime.nuke, node)
    kept = KeptPlate(
        source.path,
        runtime.host.uid(node),
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
