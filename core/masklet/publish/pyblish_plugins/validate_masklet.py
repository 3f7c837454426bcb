"""Validate: one plug-in for each of masklet's checks, with buttons for what can be repaired."""

from __future__ import annotations

from typing import Any

import pyblish.api

from masklet.publish import for_pyblish
from masklet.publish.checks import CHECKS, check_named
from masklet.publish.collected import collect
from masklet.publish.problems import Repair, accept
from masklet.publish.rebuilding import rebuild_mattes


def _failed(context: Any, plugin: Any) -> list[Any]:
    """Instances that this check found something wrong with."""
    found = [one["instance"] for one in context.data["results"] if one["plugin"] == plugin and one["error"]]
    return [one for one in found if one is not None and "masklet" in one.data]


def _again(instance: Any) -> None:
    """Collect once more what was repaired."""
    shot = instance.data["maskletShot"]
    instance.data["masklet"] = collect(shot.folder, shot.name)


class AcceptMasklet(pyblish.api.Action):
    """The artist has looked at the frames and finds them right."""

    label = Repair.ACCEPT.label
    icon = "check"
    on = "failed"

    def process(self, context: Any, plugin: Any) -> None:
        for instance in _failed(context, plugin):
            collected = instance.data["masklet"]
            problems = check_named(plugin.check).problems(collected)
            accepted = [one for one in problems if one.repair is Repair.ACCEPT]
            for problem in accepted:
                self.log.info("accepted: %s", problem.words)
            instance.data["masklet"] = accept(collected, accepted)
            if len(accepted) < len(problems):
                raise RuntimeError("not all of it can be accepted: see what helps in the words of the check")


class RebuildMasklet(pyblish.api.Action):
    """Track again and write the mattes again, in masklet's own process."""

    label = Repair.REBUILD.label
    icon = "refresh"
    on = "failed"

    def process(self, context: Any, plugin: Any) -> None:
        for instance in _failed(context, plugin):
            self.log.info("%s", rebuild_mattes(instance.data["maskletShot"]))
            _again(instance)


def _process(self: Any, instance: Any) -> None:
    """Ask the one question that this plug-in is for."""
    problems = check_named(self.check).problems(instance.data["masklet"])
    if problems:
        raise pyblish.api.ValidationError("\n".join(problem.words for problem in problems))


for _check in CHECKS:
    _name = "ValidateMasklet" + "".join(word.title() for word in _check.name.split("-"))
    globals()[_name] = type(
        _name,
        (pyblish.api.InstancePlugin,),
        {
            "__module__": __name__,
            "__doc__": _check.find.__doc__,
            "label": _check.label,
            "check": _check.name,
            "order": pyblish.api.ValidatorOrder + 0.01 * CHECKS.index(_check),
            "families": [for_pyblish.FAMILY],
            "actions": [AcceptMasklet, RebuildMasklet],
            "process": _process,
        },
    )
