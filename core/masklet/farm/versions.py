"""The task that publishes: a shot that was checked becomes a version, and the same mattes never two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.farm.checking import made_mattes
from masklet.farm.results import ShotResult, keep_result, read_result
from masklet.publish.collected import collect
from masklet.publish.integrating import TemplateIntegrator
from masklet.publish.manifest import read_manifest
from masklet.publish.publishing import publish

if TYPE_CHECKING:
    from masklet.farm.task import FarmTask, Teller
    from masklet.publish.collected import Collected
    from masklet.publish.integrating import Place, Published


def publish_shot(task: FarmTask, teller: Teller) -> ShotResult:
    """Make a version of a shot that was checked; the same mattes never become two.

    Raises:
        MaskletError: It was not checked, or cannot be published.
    """
    result = read_result(task.places, task.shot.name)
    mattes = made_mattes(task)
    collected = collect(mattes, task.shot.name)
    request = task.job.request
    if request.template:
        integrator = TemplateIntegrator(request.template, dict(request.values))
    else:
        # Beside the prompts of the artist, and not beside the folders of the job.
        home = Path(task.shot.home).parent.as_posix().replace("{", "{{").replace("}", "}}")
        integrator = TemplateIntegrator(f"{home}/published/{{name}}/v{{version:03d}}", {})
    if result is None or not result.passed or result.key != mattes.name.rpartition(".")[2]:
        raise BadInputError(f"{task.shot.name} was not checked, or did not pass: run masklet farm retry")
    try:
        published, told = publish(
            collected,
            _OneVersion(integrator),
            comment=request.comment,
            on_progress=lambda done, total: teller.progress(done, total, "publishing"),
        )
        there = published.folder
        teller.say(told)
    except _PublishedError as error:
        there = error.folder
    result = replace(result, version=str(there), words=f"published as {there.name}")
    keep_result(task.places, result)
    return result


class _PublishedError(MaskletError):
    """These mattes are a version already.

    Attributes:
        folder: Of it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"published as {folder.name}")
        self.folder = folder


@dataclass(frozen=True)
class _OneVersion:
    """Places for mattes that are no version yet: of two workers that publish them at once, one does."""

    integrator: TemplateIntegrator

    def next_place(self, collected: Collected) -> Place:
        """Asked again where another worker took the place meanwhile: then that is the version.

        Raises:
            _PublishedError: It is there.
        """
        there = _published(collected, self.integrator)
        if there is not None:
            raise _PublishedError(there)
        return self.integrator.next_place(collected)

    def register(self, published: Published) -> str:
        """As the template's."""
        return self.integrator.register(published)


def _published(collected: Collected, integrator: TemplateIntegrator) -> Path | None:
    """The version that has these mattes already, by an attempt before this one or by another worker."""
    versions = integrator.next_place(collected).folder.parent
    wanted = collected.record.run
    for folder in sorted(versions.glob("v*"), reverse=True) if versions.is_dir() else ():
        try:
            record = read_manifest(folder).record
        except MaskletError:
            continue
        if (record.run, record.mattes, record.exports) == (
            wanted,
            collected.record.mattes,
            collected.record.exports,
        ):
            return folder
    return None
