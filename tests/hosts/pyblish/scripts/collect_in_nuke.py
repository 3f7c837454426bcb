"""Collects beside a stand-in of Nuke that has Read nodes with the files that are given, and nothing else."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pyblish.api
import pyblish.util

from masklet.publish import for_pyblish


class FileKnob:
    """Nuke's ``File_Knob``: ``evaluate`` gives None for an empty one (Nuke Python reference, File_Knob)."""

    def __init__(self, file: str) -> None:
        self._file = file

    def evaluate(self) -> str | None:
        """The file."""
        return self._file or None


def all_nodes(kind: str, *, recurseGroups: bool = False) -> list[dict[str, FileKnob]]:
    """Nodes of one class, in groups too."""
    assert (kind, recurseGroups) == ("Read", True)
    return [{"file": FileKnob(file)} for file in sys.argv[1:]]


nuke = ModuleType("nuke")
nuke.allNodes = all_nodes  # type: ignore[attr-defined]
sys.modules["nuke"] = nuke
for_pyblish.register("nuke")
context = pyblish.util.collect()
assert not [one for one in context.data["results"] if one["error"]], context.data["results"]
print(json.dumps({"folders": [str(one.data["masklet"].folder) for one in context]}))
