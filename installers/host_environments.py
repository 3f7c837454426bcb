"""Installs the host applications that the tests run in, into a cache outside the checkout.

    python installers/host_environments.py blender-4.2 blender-5.2 qt-3.10 qt-3.11
    python installers/host_environments.py blender-4.5 blender-gui qt-gui browser

``blender-4.2``, ``blender-4.5`` and ``blender-5.2`` are Blender's own wheels, ``qt-3.9`` to ``qt-3.13`` the
Pythons of hosts that bring Qt, ``browser`` what drives a Chromium without a window, ``ray`` what places the
servers of a cluster, each in an environment of its own under ``MASKLET_TEST_HOSTS`` or the user's cache
folder; ``blender-gui`` is the Blender of Debian and Ubuntu with a virtual screen, ``qt-gui`` a virtual screen
for the panel. What is there already is left alone. An interrupted run leaves nothing that a later one would
take for complete.
"""

from __future__ import annotations

import argparse
import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hosts_to_test import BLENDER_GUI_PACKAGES, PYTHON_HOSTS, QT_GUI_PACKAGES, PythonHost

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_NO_INTERPRETER = 3

_INSTALL_TIMEOUT_S = 1200
_PARTIAL = "partial-"
_ABANDONED_AFTER_S = 3 * 3600
_SIGNS_OF_MISSING_PACKAGES = (".so", "platform plugin", "no font", "executable doesn't exist")


class HostError(Exception):
    """A host cannot be installed; the message says why and what helps."""


class NoInterpreterError(HostError):
    """The Python that a host's wheel was built for is not on this machine."""


GUI = "blender-gui"
QT_GUI = "qt-gui"


def main() -> int:
    """Run the command line and return its exit code."""
    names = [*(host.name for host in PYTHON_HOSTS), GUI, QT_GUI]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("hosts", nargs="+", choices=names)
    code = EXIT_OK
    for name in parser.parse_args().hosts:
        started = time.monotonic()
        try:
            where = install(name)
        except NoInterpreterError as error:
            say(f"{name}: {error}")
            code = code or EXIT_NO_INTERPRETER
        except HostError as error:
            say(f"{name}: {error}")
            code = EXIT_FAILED
        else:
            say(f"{name}: ready after {time.monotonic() - started:.0f} s, {where}")
    return code


def install(name: str) -> Path:
    """Install what a name on the command line stands for, unless it is there, and return its program.

    Raises:
        HostError: It cannot be had.
    """
    if name == GUI:
        return install_gui()
    return install_screen() if name == QT_GUI else install_python_host(host_named(name))


def host_named(name: str) -> PythonHost:
    """The host of a name in :data:`PYTHON_HOSTS`."""
    return next(host for host in PYTHON_HOSTS if host.name == name)


def cache_folder() -> Path:
    """Where host environments are kept: ``MASKLET_TEST_HOSTS``, or in the user's cache folder."""
    named = os.environ.get("MASKLET_TEST_HOSTS")
    if named:
        return Path(named)
    if platform.system() == "Windows":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif platform.system() == "Darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "masklet/test-hosts"


def python_of(host: PythonHost) -> Path:
    """The interpreter that imports this host, whether or not it is there yet."""
    return _interpreter_in(cache_folder() / host.folder)


def gui_blender() -> Path | None:
    """A Blender with a window on this machine, and a virtual screen to show it on; None without."""
    found = shutil.which("blender")
    return Path(found) if found and screen() is not None else None


def screen() -> Path | None:
    """A virtual screen with a mouse and a keyboard; None without."""
    found = [shutil.which(tool) for tool in ("Xvfb", "xdotool", "import")]
    return Path(found[0]) if found[0] and all(found) else None


def qt_screen() -> Path | None:
    """A virtual screen on which Qt can show windows; None without."""
    libraries = ("xcb-cursor", "xcb-icccm", "xcb-keysyms", "xcb-render-util", "xkbcommon-x11")
    return screen() if all(ctypes.util.find_library(library) for library in libraries) else None


def install_python_host(host: PythonHost) -> Path:
    """Install one host unless it is there, and return its interpreter.

    Raises:
        NoInterpreterError: There is no Python of the version that the host needs.
        HostError: The index is out of reach, the disk is full, or system libraries are missing.
    """
    python = python_of(host)
    if python.is_file():
        _make_importable(python, host)
        return python
    base = find_python(host.python)
    if base is None:
        raise NoInterpreterError(
            f"{host.title} needs Python {host.python} and none was found: install it, for "
            f"instance with pyenv, so that python{host.python} can be run"
        )
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(cache)
    # Renamed when complete: an environment with its final name has everything.
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=cache))
    try:
        _run([str(base), "-m", "venv", str(partial)], f"no environment could be made with {base}")
        partial_python = _interpreter_in(partial)
        say(f"installing {host.title} into {cache} (once; {host.size})")
        pip = [str(partial_python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(
            [*pip, "--only-binary=:all:", *host.requirements],
            f"{host.title} could not be fetched: check the network, the proxy (HTTPS_PROXY), the "
            "package index (PIP_INDEX_URL) and the space on the disk",
        )
        _make_importable(partial_python, host)
        try:
            partial.rename(python.parents[1])
        except OSError:
            if not python.is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return python


def install_gui() -> Path:
    """Install the Blender of the Linux distribution and a virtual screen unless both are there.

    Raises:
        HostError: Not on Debian or Ubuntu, not as root, or the archive is out of reach.
    """
    found = gui_blender()
    if found is None:
        _apt_install(BLENDER_GUI_PACKAGES)
        found = gui_blender()
    if found is None:
        raise HostError("Blender was installed and is still not on the PATH: look at /usr/bin/blender")
    return found


def install_screen() -> Path:
    """Install a virtual screen, and what Qt needs to show windows there, unless all of it is there.

    Raises:
        HostError: Not on Debian or Ubuntu, not as root, or the archive is out of reach.
    """
    if qt_screen() is None:
        _apt_install(QT_GUI_PACKAGES)
    found = qt_screen()
    if found is None:
        raise HostError("a virtual screen was installed and is still not found: is Xvfb on the PATH?")
    return found


def find_python(version: str) -> Path | None:
    """A Python of a major and minor version: on the PATH, of pyenv, or by the launcher of Windows."""
    candidates = [[f"python{version}"], ["py", f"-{version}"]]
    for folder in sorted((Path.home() / ".pyenv/versions").glob(f"{version}*"), reverse=True):
        candidates.append([str(folder / "bin/python")])
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        code = "import sys, ensurepip; print(sys.executable, *sys.version_info[:2], sep='\\n')"
        done = subprocess.run([*command, "-c", code], capture_output=True, text=True, check=False)
        # A launcher of pyenv for a version that is not chosen is on the PATH and fails.
        lines = done.stdout.splitlines()
        if done.returncode == 0 and ".".join(lines[1:]) == version:
            return Path(lines[0])
    return None


def _interpreter_in(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make_importable(python: Path, host: PythonHost) -> None:
    """Make sure that the interpreter can import the host; install system packages where that is allowed."""
    for attempt in range(2):
        done = subprocess.run([str(python), "-c", host.probe], capture_output=True, text=True, check=False)
        if done.returncode == 0 and host.version in done.stdout:
            return
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if attempt == 0 and any(sign in done.stderr for sign in _SIGNS_OF_MISSING_PACKAGES):
            _apt_install(host.libraries)
            continue
        raise HostError(
            f"{host.title} does not start ({reason}): delete {python.parents[1]} and run this again"
        )


def _apt_install(packages: tuple[str, ...]) -> None:
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise HostError(f"system packages are missing, on Debian: {', '.join(packages)}: install them")
    if os.geteuid() != 0:
        raise HostError(f"system packages are missing: run sudo {command}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    failed = "system packages could not be installed: check the network and /etc/apt/sources.list"
    _run(["apt-get", "update", "-qq"], failed, environment)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], failed, environment)


def _run(command: list[str], sentence: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            timeout=_INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostError(f"{sentence} (given up after {_INSTALL_TIMEOUT_S} s)") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise HostError(f"{sentence} ({reason})")


def _remove_abandoned(cache: Path) -> None:
    """Delete what interrupted runs left behind."""
    for folder in cache.glob(f"{_PARTIAL}*"):
        if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(f"host_environments: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
