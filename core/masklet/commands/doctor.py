"""``masklet doctor``: what on this machine could keep masklet from working, and what helps."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
from enum import Enum
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console

from masklet.better_weights import RECOMMENDED, SIZE_MB
from masklet.commands.exits import ExitCode
from masklet.commands.options import JsonOption, ServerOption, TlsCaOption, TokenFileOption, connect_as_asked
from masklet.commands.summary import print_json
from masklet.device_survey import survey_devices
from masklet.errors import MaskletError, ServerUnreachableError
from masklet.extras import CLIENT_PACKAGES, SERVER_PACKAGES, missing, server_sentence
from masklet.findings import Finding, Verdict, is_well
from masklet.findings import as_json as report_of
from masklet.other_gpus import examine_other_gpu
from masklet.transport.server_program import server_program
from masklet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MIN_FREE_BYTES = 2 * 10**9


class Host(Enum):
    """Host applications, and the server, with a doctor of their own."""

    BLENDER = "blender"
    NUKE = "nuke"
    RESOLVE = "resolve"
    SERVER = "server"


def add_commands(app: typer.Typer) -> None:
    """Register ``doctor``."""
    app.command()(doctor)


def doctor(
    host: Annotated[
        Optional[Host], typer.Argument(help="Look at masklet in this application, or as a server, instead.")
    ] = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    start: Annotated[bool, typer.Option(help="Also start a server for a moment, if none is named.")] = True,
    config: Annotated[
        Optional[Path], typer.Option(help="With 'server': its settings file, as masklet-server serve has it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at everything masklet needs and say what is wrong and what helps.

    Exits with 1 when something keeps masklet from working.
    """
    if host is Host.SERVER:
        raise typer.Exit(_examine_as_server(config, as_json=as_json))
    console = Console(highlight=False, soft_wrap=True)
    if host is Host.BLENDER:
        # Only then: it brings the bridge and everything about installing.
        from masklet.commands.doctor_blender import examine_blender

        findings = examine_blender(server, token_file, tls_ca, start=start)
    elif host is Host.NUKE:
        from masklet.commands.doctor_nuke import examine_nuke

        findings = examine_nuke(server, token_file, tls_ca, start=start)
    elif host is Host.RESOLVE:
        from masklet.commands.doctor_resolve import examine_resolve

        findings = examine_resolve(server, token_file, tls_ca, start=start)
    else:
        findings = _findings(server, token_file, tls_ca, start=start)
    found = []
    for finding in findings:
        found.append(finding)
        if as_json:
            continue
        console.print(finding.line, markup=False)
    if as_json:
        print_json(report_of(found))
    if not is_well(found):
        raise typer.Exit(int(ExitCode.FAILED))


def _findings(
    server: str | None, token_file: Path | None, tls_ca: Path | None, *, start: bool
) -> Iterator[Finding]:
    yield Finding(Verdict.GOOD, "masklet", f"{VERSION} in {Path(__file__).parents[1]}")
    yield examine_python(sys.version_info[:2])
    yield from _examine_packages()
    yield examine_weights()
    yield from examine_devices()
    yield examine_ocio(os.environ.get("OCIO"))
    yield _examine_ports()
    yield examine_space(shutil.disk_usage(Path.cwd()).free)
    if server or os.environ.get("MASKLET_SERVER"):
        yield _examine_server(server, token_file, tls_ca)
    elif missing(SERVER_PACKAGES):
        # A workstation of a studio: fine, once it knows where the server is.
        cause, repair = "none is named, and none can be started here", "name one: --server or MASKLET_SERVER"
        yield Finding(Verdict.NOTE, "server", cause, repair)
    elif start:
        yield _examine_server(server, token_file, tls_ca)


def examine_python(version: tuple[int, ...]) -> Finding:
    """Whether this interpreter is recent enough."""
    shown = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if version < (3, 11):
        return Finding(Verdict.NOTE, "Python", shown, "the server is tested with 3.11 and newer")
    return Finding(Verdict.GOOD, "Python", shown)


def _examine_packages() -> Iterator[Finding]:
    for extra, packages in (("client", CLIENT_PACKAGES), ("server", SERVER_PACKAGES)):
        found, missing = [], []
        for package in packages.values():
            try:
                found.append(f"{package} {metadata.version(package)}")
            except metadata.PackageNotFoundError:
                missing.append(package)
        if found:
            yield Finding(Verdict.GOOD, f"packages of the {extra}", ", ".join(found))
        if missing:
            # A workstation that uses a server elsewhere needs none of the server's packages.
            verdict = Verdict.BAD if extra == "client" else Verdict.NOTE
            yield Finding(
                verdict,
                f"packages of the {extra}",
                f"{', '.join(missing)} not installed",
                f"pip install 'masklet[{extra}]'",
            )


def examine_weights(folder: Path | None = None) -> Finding:
    """Whether the embedded model is there; ``folder`` is its package's unless given."""
    if folder is None:
        found = util.find_spec("masklet_server")
        if found is None or not found.submodule_search_locations:
            return Finding(Verdict.NOTE, "weights", "the server is not installed here")
        folder = Path(found.submodule_search_locations[0]) / "weights"
    file = folder / "masklet_embedded.safetensors"
    if not file.is_file() or file.stat().st_size < 1_000_000:
        return Finding(
            Verdict.BAD,
            "weights",
            "the embedded model is missing or cut short",
            "install masklet again, or name other weights with --weights",
        )
    held = f"embedded model, {file.stat().st_size / 1e6:.1f} MB: a first impression"
    get = f"for filmed clips: masklet-server weights pull {RECOMMENDED} ({SIZE_MB} MB)"
    return Finding(Verdict.GOOD, "weights", held, get)


def examine_devices() -> Iterator[Finding]:
    """What a server on this machine would run on."""
    if missing(SERVER_PACKAGES) or util.find_spec("masklet_server") is None:
        yield Finding(Verdict.NOTE, "GPU", "no server is installed here that could use one")
        return
    found = survey_devices("GPU")
    if isinstance(found, Finding):
        yield found
        return
    yield from examine_gpus(found, has_driver=shutil.which("nvidia-smi") is not None)


def examine_gpus(found: Mapping[str, Any], *, has_driver: bool) -> Iterator[Finding]:
    """What is to be said of the GPUs here.

    Args:
        found: As the server's survey has it.
        has_driver: NVIDIA's is installed.
    """
    cards, others = found["cards"], found["others"]
    if found.get("error"):
        cause = f"there is one that torch cannot use ({found['error']})"
        yield Finding(Verdict.NOTE, "GPU", cause, "update its driver, or install the torch that fits it")
    elif has_driver and not cards:
        cause = "there is an NVIDIA driver but torch cannot use it"
        yield Finding(Verdict.NOTE, "GPU", cause, "install torch with CUDA from pytorch.org")
    elif not cards and not others:
        yield Finding(Verdict.NOTE, "GPU", "none that torch can use; the server runs on the processor")
    for card in cards:
        yield Finding(Verdict.GOOD, "GPU", card["name"])
    if not cards:
        for device in others[:1]:
            yield from examine_other_gpu(device, "GPU")


def examine_ocio(variable: str | None) -> Finding:
    """Whether ``$OCIO``, if set, names a configuration that can be read."""
    if not variable:
        return Finding(Verdict.GOOD, "OCIO", "not set; the built-in ACES configuration is used")
    if variable.startswith("ocio://"):
        return Finding(Verdict.GOOD, "OCIO", variable)
    if not Path(variable).is_file():
        return Finding(
            Verdict.BAD, "OCIO", f"{variable} is no file", "correct the variable OCIO, or unset it"
        )
    return Finding(Verdict.GOOD, "OCIO", variable)


def _examine_ports() -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return Finding(Verdict.GOOD, "ports", "this machine lets programs listen on its loopback address")
    except OSError as error:
        return Finding(
            Verdict.BAD,
            "ports",
            f"nothing can listen on 127.0.0.1 ({error.strerror})",
            "allow Python in the firewall or the endpoint protection",
        )


def examine_space(free_bytes: int) -> Finding:
    """Whether there is room for mattes where this runs."""
    cause = f"{free_bytes / 1e9:.1f} GB free in this folder"
    if free_bytes < _MIN_FREE_BYTES:
        return Finding(Verdict.NOTE, "disk", cause, "write mattes elsewhere or make room")
    return Finding(Verdict.GOOD, "disk", cause)


def _examine_server(server: str | None, token_file: Path | None, tls_ca: Path | None) -> Finding:
    try:
        with connect_as_asked(server, token_file, tls_ca) as connected:
            info = connected.info()
            cause = f"masklet {info.version}, {info.model.name} on {info.device}"
            return Finding(Verdict.GOOD, "server", cause)
    except MaskletError as error:
        # The message says the cause and the repair already.
        return Finding(Verdict.BAD, "server", str(error))


def _examine_as_server(config: Path | None, *, as_json: bool) -> int:
    """Have the server's own package look at this machine; how it ended."""
    lacking = server_sentence()
    if lacking is not None:
        raise ServerUnreachableError(lacking)
    words = [*(["--config", str(config)] if config else []), *(["--json"] if as_json else [])]
    return subprocess.run(server_program("cli", "doctor", *words), check=False).returncode
