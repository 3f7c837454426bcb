"""Prompts that nobody clicked: plates among what is submitted get documents before the job is made."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.commands.carry import carry
from masklet.commands.find import find
from masklet.errors import BadInputError, NotPromptedError
from masklet.farm.submitting import plate_path
from masklet.hosting.kept_plate import document_beside, is_document
from masklet.prompts import read_shot

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Prompted:
    """What goes to the farm.

    Attributes:
        documents: In the order of what was submitted.
        doubts: Why what was proposed for objects of a document may be something else, by their names.
    """

    documents: list[Path] = field(default_factory=list)
    doubts: dict[Path, dict[str, str]] = field(default_factory=dict)


def prompted(
    shots: Sequence[Path],
    *,
    find_every: int | None,
    carry_from: Path | None,
    weights: str | None,
    device: str | None,
) -> Prompted:
    """A document for everything that is submitted; plates get one beside them.

    Args:
        shots: Documents, and plates as people write clips.
        find_every: Make everything on these plates an object, looking again every so many frames.
        carry_from: A document of a neighbouring shot: its objects are looked for on these plates.
        weights: As for the job.
        device: As for the job.

    Raises:
        BadInputError: There is a plate, and nothing says how it comes by prompts; or it has a document.
        NotPromptedError: Nothing was found on a plate.
    """
    if find_every is not None and carry_from is not None:
        raise BadInputError("--find looks for everything and --carry for objects of another shot: choose one")
    found = Prompted()
    for shot in shots:
        if is_document(str(shot)):
            found.documents.append(shot)
            continue
        if find_every is None and carry_from is None:
            raise BadInputError(
                f"{shot.name} is a plate without prompts: name its document, or add --find 24 to make "
                "everything in it an object, or --carry with the document of a neighbouring shot"
            )
        document = document_beside(str(shot.absolute()))
        if document.exists():
            raise BadInputError(f"{document.name} lies beside {shot.name} already: submit that document")
        if carry_from is not None:
            neighbour = plate_path(carry_from.absolute(), read_shot(carry_from).clip)
            # What it lists is for people here; standard output is for the job.
            with redirect_stdout(sys.stderr):
                carried = carry(
                    str(neighbour),
                    str(shot),
                    prompts=carry_from,
                    out=document,
                    weights=weights,
                    device=device,
                )
            found.doubts[document] = {each.name: each.doubt for each in carried if each.doubt is not None}
        else:
            find(str(shot), every=find_every, prompts=document, weights=weights, device=device)
        if not read_shot(document).document.prompts:
            document.unlink()
            raise NotPromptedError(f"nothing was found in {shot.name}: click what is to be cut out")
        found.documents.append(document)
    return found
