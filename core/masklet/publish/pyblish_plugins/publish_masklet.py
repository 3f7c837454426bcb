"""Extract and integrate: the version's folder, whole or not at all, then the studio's asset system."""

from __future__ import annotations

from typing import Any

import pyblish.api

from masklet.publish import for_pyblish
from masklet.publish.extracting import extract
from masklet.publish.publishing import integrate


class ExtractMasklet(pyblish.api.InstancePlugin):
    """Put mattes, shapes, anchors, prompts and where they come from into the next version."""

    label = "Version of mattes"
    order = pyblish.api.ExtractorOrder
    families = [for_pyblish.FAMILY]

    def process(self, instance: Any) -> None:
        comment = instance.context.data.get("comment") or ""
        link = bool(instance.context.data.get("maskletLink"))
        integrator = for_pyblish.integrator()
        instance.data["maskletPublished"] = extract(
            instance.data["masklet"], integrator, comment=comment, link=link
        )
        instance.data["maskletIntegrator"] = integrator
        self.log.info("%s", instance.data["maskletPublished"].folder)


class IntegrateMasklet(pyblish.api.InstancePlugin):
    """Tell the studio's asset system of the version; where it refuses, the version is taken away again."""

    label = "Register the version"
    order = pyblish.api.IntegratorOrder
    families = [for_pyblish.FAMILY]

    def process(self, instance: Any) -> None:
        published = instance.data.get("maskletPublished")
        if published is None:
            raise RuntimeError("there is no version to register: see what the extractor says")
        self.log.info("%s", integrate(published, instance.data["maskletIntegrator"]))
