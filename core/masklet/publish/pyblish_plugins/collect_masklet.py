"""Collect: shots whose mattes this program has, each one instance."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pyblish.api

from masklet.publish import for_pyblish
from masklet.publish.collected import collect
from masklet.publish.shots_of_files import ShotFolder, shots_of_files


def _host_module(name: str) -> Any:
    """The program's own module, which it has imported where this runs at all."""
    return sys.modules[name]


def _add(context: Any, shots: Iterable[ShotFolder]) -> None:
    """Make an instance of each shot that has none yet."""
    there = {one.data.get("maskletShot") for one in context}
    for shot in shots:
        if shot in there:
            continue
        collected = collect(shot.folder, shot.name)
        instance = context.create_instance(
            name=f"{shot.name} {shot.folder}",
            label=shot.name,
            family=for_pyblish.FAMILY,
        )
        instance.data["maskletShot"] = shot
        instance.data["masklet"] = collected


class CollectMaskletFolders(pyblish.api.ContextPlugin):
    """Folders of mattes that were named: by the panel, or in MASKLET_PUBLISH_FOLDERS."""

    label = "Folders of mattes"
    order = pyblish.api.CollectorOrder

    def process(self, context: Any) -> None:
        _add(context, for_pyblish.shots_of_program())


class CollectMaskletNuke(pyblish.api.ContextPlugin):
    """Mattes that Read nodes of this script read."""

    label = "Mattes in Read nodes"
    order = pyblish.api.CollectorOrder
    hosts = ["nuke"]

    def process(self, context: Any) -> None:
        nuke = _host_module("nuke")
        files = [node["file"].evaluate() or "" for node in nuke.allNodes("Read", recurseGroups=True)]
        _add(context, shots_of_files(file for file in files if file))


class CollectMaskletBlender(pyblish.api.ContextPlugin):
    """Mattes that images, clips and strips of this file read."""

    label = "Mattes in images and clips"
    order = pyblish.api.CollectorOrder
    hosts = ["blender"]

    def process(self, context: Any) -> None:
        bpy = _host_module("bpy")
        paths = [one.filepath for one in (*bpy.data.images, *bpy.data.movieclips) if one.filepath]
        _add(context, shots_of_files(bpy.path.abspath(path) for path in paths))
