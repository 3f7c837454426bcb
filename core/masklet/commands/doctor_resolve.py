"""``masklet doctor resolve``: what keeps masklet from working beside Resolve and Fusion."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.commands.doctor_blender import examine_way_to_server
from masklet.errors import MaskletError
from masklet.findings import Finding, Verdict
from masklet.installing.resolve import ScriptPlaces, applications, python_of, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INSTALL = "masklet install resolve"


def examine_resolve(
    server: str | None, token_file: Path | None, tls_ca: Path | None, *, start: bool
) -> Iterator[Finding]:
    """Look at the applications, the menu's script, the Pythons, and at what answers now."""
    yield from examine_places(ScriptPlaces(Path.home()), applications(), os.environ)
    yield from examine_pythons(sys.platform)
    yield from examine_answer()
    yield from examine_way_to_server(server, token_file, tls_ca, start=start)


def examine_places(
    places: ScriptPlaces, found: tuple[Path, ...], environment: Mapping[str, str]
) -> Iterator[Finding]:
    """Whether there is an application, and a script in its menu that starts a Python that is there."""
    if not found:
        yield Finding(
            Verdict.NOTE, "Resolve", "neither it nor Fusion was found in the usual places", "fine on a farm"
        )
    for place in found:
        yield Finding(Verdict.GOOD, "Resolve", str(place))
    if not places.installed:
        yield Finding(Verdict.NOTE, "script in the menu", "not installed", _INSTALL)
    for file in places.installed:
        python = python_of(file)
        if Path(python).is_file():
            yield Finding(Verdict.GOOD, "script in the menu", f"{file} starts {python}")
        else:
            yield Finding(
                Verdict.BAD, "script in the menu", f"{file} starts {python}, which is gone", _INSTALL
            )
    for name, value in variables_of(environment).items():
        there = Path(value).exists()
        yield Finding(
            Verdict.GOOD if there else Verdict.BAD,
            name,
            value if there else f"{value}, which is not there",
            "" if there else "unset it, or correct it",
        )


def examine_pythons(system: str) -> Iterator[Finding]:
    """Which Python Resolve finds here for scripts in its menus, and the variable that names another."""
    pythons: Any = importlib.import_module("masklet_resolve.pythons")
    for line in pythons.lines_for(system):
        other = f"; another is named by {line.variable}" if line.variable else ""
        yield Finding(Verdict.NOTE, f"Python of Resolve {line.versions}", f"{line.finds}{other}")


def examine_answer() -> Iterator[Finding]:
    """Which edition and version answers now."""
    fusionscript: Any = importlib.import_module("masklet_resolve.fusionscript")
    connecting: Any = importlib.import_module("masklet_resolve.connecting")
    try:
        application = connecting.connect(fusionscript.load())
    except MaskletError as error:
        yield Finding(Verdict.NOTE, "what answers", str(error))
        return
    yield Finding(Verdict.GOOD, "what answers", str(application.words))
