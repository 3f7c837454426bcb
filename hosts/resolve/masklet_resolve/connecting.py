"""Finding the Resolve or Fusion that runs: which edition and version answered, and what it allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from masklet.errors import BadInputError
from masklet.phrases import Phrase, phrase
from masklet_resolve.api import Fusion, FusionComp, Project, Resolve, Timeline
from masklet_resolve.words import FREE

OLDEST, NEWEST_KNOWN = (19, 0), (21, 1)


class Edition(Enum):
    """What answered."""

    RESOLVE_STUDIO = "DaVinci Resolve Studio"
    RESOLVE_FREE = "DaVinci Resolve"
    FUSION_STUDIO = "Fusion Studio"

    @property
    def takes_scripts(self) -> bool:
        """False where files are the only way in."""
        return self is not Edition.RESOLVE_FREE


@dataclass(frozen=True)
class Application:
    """The program that answered.

    Attributes:
        edition: Which.
        version: As it says it: ``21.1.0``.
        resolve: None for Fusion Studio alone.
        fusion: None for a Resolve that hands none out.
    """

    edition: Edition
    version: str
    resolve: Resolve | None = None
    fusion: Fusion | None = None

    @property
    def words(self) -> Phrase:
        """For people: what answered, and what of it is not known."""
        known = phrase("{edition} {version} answered", edition=self.edition.value, version=self.version)
        number = version_number(self.version)
        if number < OLDEST:
            return phrase(
                "{known}; masklet knows versions from {oldest}, so see that all of it works",
                known=known,
                oldest=_shown(OLDEST),
            )
        if number[:2] > NEWEST_KNOWN:
            return phrase(
                "{known}; it is newer than any that masklet knows ({newest})",
                known=known,
                newest=_shown(NEWEST_KNOWN),
            )
        return known


def connect(scripts: Any) -> Application:
    """The program that runs on this machine.

    Args:
        scripts: Blackmagic's module, as :func:`masklet_resolve.fusionscript.load` gives it.

    Raises:
        BadInputError: None answers, or the free edition does.
    """
    resolve = scripts.scriptapp("Resolve")
    if resolve is not None:
        return _resolve(cast("Resolve", resolve))
    fusion = scripts.scriptapp("Fusion")
    if fusion is not None:
        attributes = cast("Fusion", fusion).GetAttrs() or {}
        version = str(attributes.get("FUSIONS_Version", ""))
        return Application(Edition.FUSION_STUDIO, version, fusion=cast("Fusion", fusion))
    raise BadInputError(
        phrase(
            "neither Resolve nor Fusion answers: start it, open a project, and choose Local at "
            "Preferences > System > "
            "General > External scripting using. The free edition never answers; masklet writes files for it "
            "(docs/resolve.md)"
        )
    )


def current_timeline(application: Application) -> tuple[Project, Timeline]:
    """The project and timeline that are open.

    Raises:
        BadInputError: There is none.
    """
    if application.resolve is None:
        raise BadInputError(
            phrase("Fusion Studio has no timeline: take the Loader of its composition instead")
        )
    manager = application.resolve.GetProjectManager()
    project = None if manager is None else manager.GetCurrentProject()
    if project is None:
        raise BadInputError(phrase("no project is open in Resolve: open one"))
    timeline = project.GetCurrentTimeline()
    if timeline is None:
        raise BadInputError(phrase("no timeline is open in Resolve: open the one with the clip"))
    return cast("Project", project), cast("Timeline", timeline)


def current_comp(application: Application) -> FusionComp:
    """The composition that Fusion shows.

    Raises:
        BadInputError: There is none.
    """
    fusion = application.fusion
    comp = None if fusion is None else fusion.GetCurrentComp()
    if comp is None:
        raise BadInputError(phrase("no composition is open: open one on Fusion's page"))
    return cast("FusionComp", comp)


def version_number(text: str) -> tuple[int, ...]:
    """``21.1.0`` as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _resolve(resolve: Resolve) -> Application:
    name = str(resolve.GetProductName() or "")
    version = str(resolve.GetVersionString() or "")
    if "Studio" not in name:
        # Nothing else is asked of it: a call that Studio alone has opens a dialogue that blocks all later
        # ones.
        raise BadInputError(FREE)
    fusion = getattr(resolve, "Fusion", None)
    return Application(
        Edition.RESOLVE_STUDIO, version, resolve, cast("Fusion", fusion()) if callable(fusion) else None
    )


def _shown(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
