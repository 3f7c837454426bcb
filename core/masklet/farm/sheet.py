"""What a dialog for the farm asks, and what its button does: one value for every host.

A dialog lays out :data:`FIELDS` in their order, and gives the sheet back with what was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from masklet.anchors import Absence, AnchorKind
from masklet.errors import BadInputError
from masklet.exchange.files import TOOLS
from masklet.farm.request import QUALITIES, FarmRequest
from masklet.farm.submitting import submit
from masklet.names import checked_stem
from masklet.outputs.extra_exports import DEFAULT_TOOL, ExtraExports
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.farm.submitting import Submitted

Value = Union[str, bool]
_SUFFIX = ".masklet.json"
_MOST_JOBS = 10_000


@dataclass(frozen=True)
class FarmField:
    """One line of the dialog.

    Attributes:
        name: Of the sheet's attribute.
        label: For people.
        tip: What it does.
        choices: Of a text, where it is one of some; none for any text, or for a tick.
    """

    name: str
    label: str
    tip: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class FarmSheet:
    """A shot that is about to go to the farm.

    Attributes:
        document: Its prompt document.
        job: The job's folder, which does not exist yet; all workers have to see it.
        shapes: Also shapes of every object.
        anchors: Also a transform that follows each object.
        tool: Whom shapes and anchors are written for.
        publish: It becomes a version if it passes the check.
        reviewed: Uncertain frames do not hold it up.
        weights: Name or file of the model, as workers have it; empty for theirs.
        quality: How closely pictures are looked at.
        comment: For the manifest.
    """

    document: Path
    job: str
    shapes: bool = False
    anchors: bool = False
    tool: str = DEFAULT_TOOL
    publish: bool = True
    reviewed: bool = False
    weights: str = ""
    quality: str = QUALITIES[0]
    comment: str = ""

    def with_value(self, name: str, value: Value) -> FarmSheet:
        """The same with another value in a field."""
        change: dict[str, Any] = {name: value}
        return replace(self, **change)

    def value(self, name: str) -> Value:
        """What stands in a field."""
        found: Value = getattr(self, name)
        return found

    @property
    def request(self) -> FarmRequest:
        """What is asked of the farm.

        Raises:
            BadInputError: There is no such tool, or no such quality.
        """
        if self.quality not in QUALITIES:
            raise BadInputError(phrase("there is no quality {quality}", quality=self.quality))
        if self.tool not in TOOLS:
            raise BadInputError(phrase("there is no export for {tool}", tool=self.tool))
        kinds = (AnchorKind.SIMILARITY,) if self.anchors else ()
        tools = (self.tool,) if self.shapes or self.anchors else ()
        return FarmRequest(
            extras=ExtraExports(self.shapes, 1.0, kinds, Absence.HOLD, tools),
            publish=self.publish,
            comment=self.comment.strip(),
            accepted=("reviewed",) if self.reviewed else (),
            weights=self.weights.strip() or None,
            quality=self.quality,
        )


FIELDS = (
    FarmField("job", "Job Folder", "A new folder on a disk that all workers of the farm see"),
    FarmField("shapes", "Shapes", "Also Bezier shapes of every object"),
    FarmField("anchors", "Anchors", "Also a transform that follows every object"),
    FarmField("tool", "For", "The tool that shapes and anchors are written for", TOOLS),
    FarmField("publish", "Publish", "The shot becomes a version if it passes the check"),
    FarmField(
        "reviewed", "Uncertain Frames Are Right", "Frames on which an object may be lost do not hold it up"
    ),
    FarmField("weights", "Model", "Name or file of the model, as workers have it; empty for theirs"),
    FarmField("quality", "Quality", "How closely pictures are looked at: closer takes longer", QUALITIES),
    FarmField("comment", "Comment", "For those who take the version"),
)


def sheet_for(document: Path, tool: str = DEFAULT_TOOL) -> FarmSheet:
    """A sheet with a job folder beside the document that is free."""
    name = document.name[: -len(_SUFFIX)] if document.name.endswith(_SUFFIX) else document.stem
    stem = checked_stem(name)
    jobs = document.parent / "farm"
    number = next(count for count in range(1, _MOST_JOBS) if not (jobs / f"{stem}_{count:03d}").exists())
    return FarmSheet(document, str(jobs / f"{stem}_{number:03d}"), tool=tool)


def submit_sheet(sheet: FarmSheet) -> tuple[Submitted, str]:
    """Make the job; and a sentence for the artist.

    Raises:
        BadInputError: The document cannot be used, or no folder is named.
        OutputError: The folder is there already, or cannot be made.
    """
    if not sheet.job.strip():
        raise BadInputError(phrase("no job folder is named: give one that all workers see"))
    submitted = submit([sheet.document], sheet.request, Path(sheet.job.strip()).expanduser())
    told = phrase(
        "The job is {folder}: start it with masklet farm run, or on your farm", folder=submitted.bundle
    )
    notes = "; ".join(submitted.notes)
    return submitted, phrase("{told} ({notes})", told=told, notes=notes) if notes else told
