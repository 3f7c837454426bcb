"""``masklet doctor nuke``: what keeps masklet from working in Nuke, from its path to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import masklet
from masklet.commands.doctor_blender import examine_way_to_server
from masklet.findings import Finding, Verdict
from masklet.installing.blender_places import Machine
from masklet.installing.nuke import (
    CURRENT,
    FOLDER,
    foreign_packages,
    has_panel,
    installed_in,
    names_folder,
)
from masklet.installing.nuke_places import NEWEST_KNOWN, PYTHONS, find_nukes, path_folders, user_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INSTALL = "masklet install nuke"


def examine_nuke(
    server: str | None, token_file: Path | None, tls_ca: Path | None, *, start: bool
) -> Iterator[Finding]:
    """Look at every Nuke, at what is on its path, at the helper, and at the server through it."""
    yield from examine_machine(Machine())
    yield from examine_way_to_server(server, token_file, tls_ca, start=start)


def examine_machine(machine: Machine) -> Iterator[Finding]:
    """Which Nukes there are, and which masklet they start with."""
    yield from _examine_applications(machine)
    own = user_folder(machine)
    folders = [folder for folder in path_folders(machine) if (folder / CURRENT).is_file()]
    if (own / FOLDER).is_dir():
        folders.append(own / FOLDER)
        if names_folder(own):
            yield Finding(Verdict.GOOD, "init.py", f"{own / 'init.py'} names masklet")
        else:
            yield Finding(Verdict.BAD, "init.py", f"{own / 'init.py'} does not name masklet", _INSTALL)
    if not folders:
        yield Finding(Verdict.BAD, "masklet in Nuke", f"neither in {own} nor on NUKE_PATH", _INSTALL)
    for folder in folders:
        yield from examine_folder(folder)
    if len(folders) > 1:
        yield Finding(
            Verdict.NOTE,
            "masklet in Nuke",
            f"found twice: {', '.join(map(str, folders))}",
            "keep one: 'masklet uninstall nuke' removes your own",
        )
    for name in ("PYTHONPATH", "NUKE_PATH"):
        if "site-packages" in machine.variables.get(name, ""):
            yield Finding(
                Verdict.NOTE,
                name,
                "puts a whole site-packages before Nuke's own Python",
                "leave it out: packages there, such as protobuf, keep Nuke from starting",
            )


def examine_folder(folder: Path) -> Iterator[Finding]:
    """Whether a folder on Nuke's path holds a whole masklet of this version and nothing foreign."""
    subject, found = "masklet in Nuke", installed_in(folder)
    if found is None or found.current not in found.versions:
        yield Finding(Verdict.BAD, subject, f"{folder} is not whole", _INSTALL)
        return
    if found.current != masklet.__version__:
        yield Finding(
            Verdict.BAD, subject, f"{found.current} starts and masklet is {masklet.__version__}", _INSTALL
        )
    else:
        versions = f" (also there: {', '.join(found.versions)})" if len(found.versions) > 1 else ""
        yield Finding(Verdict.GOOD, subject, f"{found.current} in {folder}{versions}")
    if not has_panel(folder):
        yield Finding(
            Verdict.NOTE,
            "panel in Nuke",
            "Qt.py is missing, so Open Panel says so",
            f"pip install 'masklet[panel]', then {_INSTALL}",
        )
    foreign = foreign_packages(folder)
    if foreign:
        yield Finding(
            Verdict.BAD, subject, f"{', '.join(foreign)} must not be on Nuke's path", "remove them there"
        )


def _examine_applications(machine: Machine) -> Iterator[Finding]:
    nukes = find_nukes(machine)
    if not nukes:
        yield Finding(
            Verdict.NOTE,
            "Nuke",
            "none was found in the usual places",
            "fine where a studio starts it from elsewhere",
        )
    for nuke in nukes:
        subject = f"Nuke {nuke.version}"
        if not nuke.takes_masklet:
            yield Finding(
                Verdict.NOTE, subject, f"{nuke.folder}; too old for masklet", "use Nuke 14 or newer"
            )
        elif nuke.major > NEWEST_KNOWN:
            yield Finding(Verdict.NOTE, subject, f"{nuke.folder}; newer than any that is known here")
        else:
            yield Finding(Verdict.GOOD, subject, f"{nuke.folder}, Python {PYTHONS[nuke.major]}")
