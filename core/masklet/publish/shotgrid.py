"""A worked example of an integrator: versions as published files of ShotGrid (Flow Production Tracking).

::

    import shotgun_api3
    from masklet.publish import for_pyblish
    from masklet.publish.integrating import TemplateIntegrator
    from masklet.publish.shotgrid import ShotGridIntegrator

    site = shotgun_api3.Shotgun("https://studio.shotgrid.autodesk.com", script_name="masklet", api_key=KEY)
    files = TemplateIntegrator("/shows/{show}/{name}/mattes/v{version:03d}", {"show": "abc"})
    for_pyblish.use_integrator(ShotGridIntegrator(site, project_id=123, shot="010_0040", files=files))

AYON and ftrack are filled in the same way: a place before, a registration after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from masklet.errors import BadInputError
from masklet.publish.integrating import TemplateIntegrator

if TYPE_CHECKING:
    from masklet.publish.collected import Collected
    from masklet.publish.integrating import Integrator, Place, Published

_PICTURES = ("mattes", "cryptomatte")


class Site(Protocol):
    """What is used of ``shotgun_api3.Shotgun``."""

    def find_one(self, entity_type: str, filters: list[Any], fields: list[str]) -> dict[str, Any] | None:
        """The first that fits, or None."""
        ...

    def create(self, entity_type: str, data: dict[str, Any]) -> dict[str, Any]:
        """Make one."""
        ...

    def delete(self, entity_type: str, entity_id: int) -> bool:
        """Retire one."""
        ...


@dataclass(frozen=True)
class ShotGridIntegrator:
    """One published file for each sequence of mattes of a version.

    Attributes:
        site: Logged in.
        project_id: Of the show.
        shot: Code of the shot.
        files: Where the files go.
        file_type: Code of their published file type; it has to be there.
    """

    site: Site
    project_id: int
    shot: str
    files: Integrator = field(default_factory=TemplateIntegrator)
    file_type: str = "Matte"

    def next_place(self, collected: Collected) -> Place:
        """Where the files go; refused before anything is copied where the site has no such shot.

        Raises:
            BadInputError: There is no such shot or file type.
        """
        self._shot()
        self._type()
        return self.files.next_place(collected)

    def register(self, published: Published) -> str:
        """Make the published files; those that were made go again where one is refused."""
        manifest = published.manifest
        project = {"type": "Project", "id": self.project_id}
        shot, kind = self._shot(), self._type()
        made: list[int] = []
        try:
            for part in manifest.parts:
                if part.role not in _PICTURES:
                    continue
                file = self.site.create(
                    "PublishedFile",
                    {
                        "project": project,
                        "entity": shot,
                        "code": f"{part.files} v{manifest.version:03d}",
                        "name": part.files,
                        "version_number": manifest.version,
                        "published_file_type": kind,
                        "description": manifest.comment,
                        "path": {"local_path": str(published.folder / part.files)},
                    },
                )
                made.append(int(file["id"]))
        except Exception:
            for number in made:
                self.site.delete("PublishedFile", number)
            raise
        return (
            f"version {manifest.version} of {self.shot} is {len(made)} published files in {published.folder}"
        )

    def _shot(self) -> dict[str, Any]:
        project = {"type": "Project", "id": self.project_id}
        found = self.site.find_one(
            "Shot", [["project", "is", project], ["code", "is", self.shot]], ["id", "type"]
        )
        if found is None:
            raise BadInputError(f"ShotGrid has no shot {self.shot} in this project: check its code")
        return {"type": "Shot", "id": found["id"]}

    def _type(self) -> dict[str, Any]:
        found = self.site.find_one("PublishedFileType", [["code", "is", self.file_type]], ["id", "type"])
        if found is None:
            raise BadInputError(
                f"ShotGrid has no published file type {self.file_type}: have it made, or name another"
            )
        return {"type": "PublishedFileType", "id": found["id"]}
