"""Publish a folder of mattes: collect, validate, extract, integrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import MaskletError, OutputError
from masklet.publish.checks import validate
from masklet.publish.extracting import extract, withdraw

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.publish.collected import Collected
    from masklet.publish.integrating import Integrator, Published
    from masklet.publish.problems import Problem


class NotReadyError(MaskletError):
    """Something is wrong with what was to be published.

    Attributes:
        problems: What.
    """

    kind = "not-ready"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.words for problem in problems))
        self.problems = problems


def publish(
    collected: Collected,
    integrator: Integrator,
    *,
    comment: str = "",
    link: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Published, str]:
    """Publish what was collected as one version.

    Args:
        collected: From :func:`masklet.publish.collected.collect`.
        integrator: Where it goes, and who is told.
        comment: For the manifest.
        link: Hard links in place of copies, where the disk can.
        on_progress: Told the files done and the files in all.

    Returns:
        The version, and what the integrator has to tell.

    Raises:
        NotReadyError: A check found something that was not accepted; nothing was written.
        OutputError: The version's folder cannot be written; nothing is there.
        MaskletError: The integrator did not take it; the folder was taken away again.
    """
    problems = validate(collected)
    if problems:
        raise NotReadyError(problems)
    published = extract(collected, integrator, comment=comment, link=link, on_progress=on_progress)
    return published, integrate(published, integrator)


def integrate(published: Published, integrator: Integrator) -> str:
    """Register a version, or take it away again.

    Raises:
        MaskletError: The integrator did not take it.
    """
    try:
        return integrator.register(published)
    except MaskletError:
        withdraw(published)
        raise
    except Exception as error:  # of somebody else's code
        withdraw(published)
        raise OutputError(
            f"version {published.manifest.version} was not registered ({error}), and its folder was taken "
            "away again: see to the asset system, then publish again"
        ) from error
