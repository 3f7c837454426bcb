"""Publishes into Mockgun, ShotGrid's own stand-in for a site: it refuses fields and types it does not know.

Fields of PublishedFile: https://developers.shotgridsoftware.com/python-api, and a site's default schema.
"""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from shotgun_api3.lib import mockgun

from masklet.errors import MaskletError
from masklet.publish.collected import collect
from masklet.publish.publishing import publish
from masklet.publish.shotgrid import ShotGridIntegrator

mattes, scratch = Path(sys.argv[1]), Path(sys.argv[2])


def field(kind: str, *entities: str) -> dict[str, Any]:
    """A field as the site's schema has it."""
    valid = {"valid_types": {"value": list(entities), "editable": True}} if entities else {}
    return {
        "data_type": {"value": kind, "editable": False},
        "properties": {"default_value": {"value": None, "editable": False}, **valid},
        "editable": {"value": True, "editable": False},
    }


code = {"code": field("text")}
project = {"project": field("entity", "Project")}
schema = {
    "Project": {**code, "name": field("text")},
    "Shot": {**code, **project},
    "PublishedFileType": dict(code),
    "EventLogEntry": {
        **code,
        **project,
        **{name: field("text") for name in ("event_type", "description")},
        "user": field("entity", "HumanUser"),
        "entity": field("entity", "Shot"),
        "meta": field("serializable"),
    },
    "PublishedFile": {
        **code,
        **project,
        "name": field("text"),
        "description": field("text"),
        "version_number": field("number"),
        "entity": field("entity", "Shot", "Asset"),
        "published_file_type": field("entity", "PublishedFileType"),
        "path": field("url"),
    },
}
paths = scratch / "schema", scratch / "entities"
paths[0].write_bytes(pickle.dumps(schema))
paths[1].write_bytes(pickle.dumps({name: {} for name in schema}))
mockgun.Shotgun.set_schema_paths(*map(str, paths))
site = mockgun.Shotgun("https://nowhere.invalid", "masklet", "key")
show = site.create("Project", {"name": "abc"})
site.create("Shot", {"code": "010", "project": show})
site.create("PublishedFileType", {"code": "Matte"})

integrator = ShotGridIntegrator(site, show["id"], "010")
publish(collect(mattes), integrator, comment="hair")
fields = ["code", "version_number", "path", "entity"]
files = site.find("PublishedFile", [["entity", "is", {"type": "Shot", "id": 1}]], fields)


def refusal(one: ShotGridIntegrator) -> str:
    """What is said where it is not taken."""
    try:
        publish(collect(mattes), one)
    except MaskletError as error:
        return str(error)
    return ""


class Closed:
    """A site that may be read and takes nothing."""

    find_one = staticmethod(site.find_one)
    delete = staticmethod(site.delete)

    def create(self, entity_type: str, data: dict[str, Any]) -> dict[str, Any]:
        """Refuse."""
        raise PermissionError(f"no rights to create {entity_type}")


unknown = refusal(replace(integrator, shot="999"))
assert "no rights" in refusal(replace(integrator, site=Closed()))
left = sorted(path.name for path in (mattes.parent / "published/shot").iterdir())
print(json.dumps({"files": files, "unknown_shot": unknown, "refused_left": left}))
