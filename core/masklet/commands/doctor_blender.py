"""``masklet doctor blender``: what keeps the add-on from working, from Blender to the server."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import masklet
from masklet.errors import HelperError, MaskletError
from masklet.findings import Finding, Verdict
from masklet.installing.blender import check_helper, installed_version
from masklet.installing.blender_extension import REPOSITORY, extension_id
from masklet.installing.blender_places import find_blenders
from masklet.settings import read_settings
from masklet.transport.bridge import BridgeTransport
from masklet.transport.endpoint import ServerChoice, is_loopback
from masklet.transport.helper_environment import find_helper_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from masklet.installing.blender_places import BlenderPlace

_BLENDER_TIMEOUT_S = 120.0
_INSTALL = "masklet install blender"
_ANSWER = "masklet-doctor:"
# Runs in Blender with the user's own preferences; writes nothing.
_QUESTION = """
import bpy, json
module = {module!r}
addon = bpy.context.preferences.addons.get(module)
settings = getattr(addon, "preferences", None)
print({answer!r} + json.dumps(dict(
    enabled=addon is not None,
    online=bool(getattr(bpy.app, "online_access", True)),
    address=str(getattr(settings, "address", "") or ""),
)))
"""


@dataclass(frozen=True)
class Said:
    """What a Blender says about itself.

    Attributes:
        enabled: The add-on is ticked in the preferences.
        online: Blender may go online.
        address: The server in the add-on's preferences; empty for one of the artist's own.
    """

    enabled: bool
    online: bool
    address: str


def examine_blender(
    server: str | None, token_file: Path | None, tls_ca: Path | None, *, start: bool
) -> Iterator[Finding]:
    """Look at every Blender of the user, at the helper, and at the server through it."""
    places = find_blenders()
    if not places:
        yield Finding(
            Verdict.BAD, "Blender", "none was found", "install Blender 4.2 or newer and start it once"
        )
    address = server or read_settings().address
    for place in places:
        yield from examine_place(place, extension_id(), address)
    yield from examine_way_to_server(server, token_file, tls_ca, start=start)


def examine_place(place: BlenderPlace, identifier: str, address: str | None) -> Iterator[Finding]:
    """Whether one Blender is recent enough, has the add-on, and may use it."""
    subject = f"Blender {place.version}"
    where = str(place.application) if place.application else "only its user folder was found"
    if not place.takes_extensions:
        yield Finding(Verdict.NOTE, subject, f"{where}; too old for masklet", "update to 4.2 or newer")
        return
    yield Finding(Verdict.GOOD, subject, where)
    version = installed_version(place, identifier)
    if version is None:
        yield Finding(
            Verdict.NOTE, f"{subject}, add-on", "not installed", f"{_INSTALL} --version {place.version}"
        )
        return
    if version != masklet.__version__:
        yield Finding(
            Verdict.BAD,
            f"{subject}, add-on",
            f"{version} is installed and masklet is {masklet.__version__}",
            f"{_INSTALL} --version {place.version}",
        )
    else:
        yield Finding(Verdict.GOOD, f"{subject}, add-on", f"{version} in {place.addon_folder(identifier)}")
    yield from judge(subject, ask(place, identifier), address)


def judge(subject: str, said: Said | None, address: str | None) -> Iterator[Finding]:
    """What a Blender's own words mean for masklet; without words there is only a note."""
    if said is None:
        yield Finding(
            Verdict.NOTE,
            f"{subject}, preferences",
            "this Blender could not be asked",
            "see that masklet is ticked in Edit > Preferences > Add-ons",
        )
        return
    if said.enabled:
        yield Finding(Verdict.GOOD, f"{subject}, add-on ticked", "yes")
    else:
        yield Finding(
            Verdict.BAD, f"{subject}, add-on ticked", "no", "tick masklet in Edit > Preferences > Add-ons"
        )
    goes_to = said.address or address
    if said.online:
        yield Finding(Verdict.GOOD, f"{subject}, online access", "allowed")
    elif goes_to and not is_loopback(goes_to):
        yield Finding(
            Verdict.BAD,
            f"{subject}, online access",
            f"not allowed, and the server {goes_to} is another machine",
            "turn on Allow Online Access in Edit > Preferences > System > Network",
        )
    else:
        yield Finding(
            Verdict.GOOD, f"{subject}, online access", "not allowed; a server on this machine needs none"
        )


def ask(place: BlenderPlace, identifier: str) -> Said | None:
    """Have a Blender say what its preferences are; None when there is none to ask or it does not answer."""
    if place.application is None:
        return None
    code = _QUESTION.format(module=f"bl_ext.{REPOSITORY}.{identifier}", answer=_ANSWER)
    try:
        done = subprocess.run(
            [place.application, "--background", "--python-expr", code],
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BLENDER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in done.stdout.splitlines():
        if line.startswith(_ANSWER):
            said = json.loads(line[len(_ANSWER) :])
            return Said(enabled=said["enabled"], online=said["online"], address=said["address"])
    return None


def examine_way_to_server(
    server: str | None, token_file: Path | None, tls_ca: Path | None, *, start: bool
) -> Iterator[Finding]:
    """Whether the helper's Python works, the helper answers, and a server answers through it."""
    try:
        python = find_helper_python()
        check_helper(python)
    except HelperError as error:
        yield Finding(Verdict.BAD, "helper", str(error))
        return
    yield Finding(Verdict.GOOD, "helper", str(python))
    yield _examine_bridge(python)
    if server or read_settings().address or start:
        yield _examine_server(python, server, token_file, tls_ca)


def _examine_bridge(python: Path) -> Finding:
    bridge = BridgeTransport(ServerChoice(), python)
    started = time.perf_counter()
    try:
        bridge.ping()
        ready = time.perf_counter()
        bridge.ping()
        answered = time.perf_counter()
    except MaskletError as error:
        return Finding(Verdict.BAD, "bridge", str(error))
    finally:
        bridge.close()
    return Finding(
        Verdict.GOOD,
        "bridge",
        f"starts in {ready - started:.2f} s, answers in {(answered - ready) * 1000:.1f} ms",
    )


def _examine_server(
    python: Path, server: str | None, token_file: Path | None, tls_ca: Path | None
) -> Finding:
    from masklet.client import connect_through_helper

    try:
        with connect_through_helper(
            server, token_file=token_file, tls_ca_file=tls_ca, python=python
        ) as connected:
            info = connected.info()
            return Finding(
                Verdict.GOOD, "server", f"masklet {info.version}, {info.model.name} on {info.device}"
            )
    except MaskletError as error:
        # The message says the cause and the repair already.
        return Finding(Verdict.BAD, "server", str(error))
