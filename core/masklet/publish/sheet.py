"""What a dialog for publishing shows, and what its buttons do: one value for every host.

A dialog lays out the lines, offers what can be accepted and made again, asks for a comment, and gives the
sheet back. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.publish import for_pyblish
from masklet.publish.checks import CHECKS
from masklet.publish.collected import Collected, collect
from masklet.publish.problems import Problem, Repair, accept
from masklet.publish.publishing import publish
from masklet.publish.rebuilding import rebuild_mattes
from masklet.publish.shots_of_files import ShotFolder, shots_of_files

if TYPE_CHECKING:
    from masklet.publish.integrating import Integrator

Count = Callable[[int, int], None]
"""Told what is done, and what there is in all."""


@dataclass(frozen=True)
class CheckLine:
    """One check, and what it found.

    Attributes:
        label: For people.
        problems: None where all is well.
    """

    label: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class PublishSheet:
    """A shot that is about to be published.

    Attributes:
        shot: Where its mattes lie.
        collected: What would be published.
        lines: One for each check, in their order.
        version: The number it would get.
        folder: Where it would go.
    """

    shot: ShotFolder
    collected: Collected
    lines: tuple[CheckLine, ...]
    version: int
    folder: str

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of all checks."""
        return tuple(problem for line in self.lines for problem in line.problems)

    @property
    def acceptable(self) -> tuple[Problem, ...]:
        """Those that an artist who has looked may find right."""
        return tuple(problem for problem in self.problems if problem.repair is Repair.ACCEPT)

    @property
    def can_rebuild(self) -> bool:
        """True where making the mattes again helps."""
        return any(problem.repair is Repair.REBUILD for problem in self.problems)

    @property
    def is_ready(self) -> bool:
        """True where it can be published."""
        return not self.problems

    @property
    def title(self) -> str:
        """For the dialog's head."""
        return phrase("Publish {name}, version {version}", name=self.shot.name, version=self.version)

    @property
    def text(self) -> str:
        """All lines, for dialogs that can show nothing but text."""
        told = []
        for line in self.lines:
            told.append(f"{'no' if line.problems else 'ok'}  {line.label}")
            told += [f"      {problem.words}" for problem in line.problems]
        return "\n".join(told)


def shot_of(files: Iterable[str]) -> ShotFolder:
    """The shot that mattes of a host belong to.

    Args:
        files: Paths or patterns of mattes, as the host's nodes and images have them.

    Raises:
        BadInputError: None of them lies beside the record of a run.
    """
    found = shots_of_files(files)
    if not found:
        raise BadInputError(
            phrase("there are no mattes of this plate to publish yet: get the mattes, then publish them")
        )
    return found[0]


def open_sheet(shot: ShotFolder, integrator: Optional[Integrator] = None) -> PublishSheet:
    """Collect and check a shot.

    Raises:
        MaskletError: Its record is damaged, or there is no place for a version.
    """
    return _sheet(shot, collect(shot.folder, shot.name), integrator)


def accepting(
    sheet: PublishSheet, problems: Iterable[Problem], integrator: Optional[Integrator] = None
) -> PublishSheet:
    """The sheet with these problems accepted, which is kept beside the mattes with the artist's name.

    Raises:
        OutputError: It cannot be written.
    """
    chosen = [problem for problem in problems if problem.repair is Repair.ACCEPT]
    return _sheet(sheet.shot, accept(sheet.collected, chosen), integrator) if chosen else sheet


def rebuilt(sheet: PublishSheet, integrator: Optional[Integrator] = None) -> PublishSheet:
    """The sheet after the mattes were made again; takes as long as tracking does.

    Raises:
        MaskletError: They were not.
    """
    rebuild_mattes(sheet.shot)
    return open_sheet(sheet.shot, integrator)


def publish_sheet(
    sheet: PublishSheet,
    *,
    comment: str = "",
    integrator: Optional[Integrator] = None,
    on_progress: Optional[Count] = None,
) -> str:
    """Publish it, as it lies on the disk now; what the integrator has to tell.

    Raises:
        NotReadyError: A check found something; nothing was written.
        MaskletError: The version cannot be written, or was not registered; nothing is there.
    """
    collected = collect(sheet.shot.folder, sheet.shot.name)
    _, told = publish(
        collected, integrator or for_pyblish.integrator(), comment=comment, on_progress=on_progress
    )
    return told


def _sheet(shot: ShotFolder, collected: Collected, integrator: Optional[Integrator]) -> PublishSheet:
    lines = tuple(CheckLine(check.label, tuple(check.problems(collected))) for check in CHECKS)
    place = (integrator or for_pyblish.integrator()).next_place(collected)
    return PublishSheet(shot, collected, lines, place.version, str(place.folder))
