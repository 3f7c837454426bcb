"""Installs the host applications that the tests run in, into a cache outside the checkout.

    python installers/host_environments.py blender-4.2 blender-5.2
    python installers/host_environments.py blender-4.5 blender-gui

``blender-4.2``, ``blender-4.5`` and ``blender-5.2`` are Blender's own wheels, each in an environment of its
own under ``MASKLET_TEST_HOSTS`` or the user's cache folder; ``blender-gui`` is the Blender of Debian and
Ubuntu with a virtual screen. What is there already is left alone. An interrupted run leaves nothing that a
later one would take for complete.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_NO_INTERPRETER = 3

_INSTALL_TIMEOUT_S = 1200
_PARTIAL = "partial-"
_ABANDONED_AFTER_S = 3 * 3600
_LIBRARIES = (
    "libx11-6",
    "libxrender1",
    "libxfixes3",
    "libxi6",
    "libxkbcommon0",
    "libxxf86vm1",
    "libsm6",
    "libgl1",
    "libegl1",
)
_GUI_PACKAGES = ("blender", "python3-numpy", "xvfb", "xauth", "xdotool", "imagemagick", "libgl1-mesa-dri")


class HostError(Exception):
    """A host cannot be installed; the message says why and what helps."""


class NoInterpreterError(HostError):
    """The Python that a host's wheel was built for is not on this machine."""


@dataclass(frozen=True)
class BlenderWheel:
    """One Blender as a Python module.

    Attributes:
        name: As on the command line.
        version: The release that the tests are known to pass with.
        python: Major and minor version of the only Python its wheel fits.
    """

    name: str
    version: str
    python: str


BLENDERS = (
    BlenderWheel("blender-4.2", "4.2.23", "3.11"),
    BlenderWheel("blender-4.5", "4.5.15", "3.11"),
    BlenderWheel("blender-5.2", "5.2.3", "3.13"),
)
GUI = "blender-gui"


def main() -> int:
    """Run the command line and return its exit code."""
    names = [wheel.name for wheel in BLENDERS] + [GUI]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("hosts", nargs="+", choices=names)
    code = EXIT_OK
    for name in parser.parse_args().hosts:
        started = time.monotonic()
        try:
            where = install_gui() if name == GUI else install_blender(wheel_named(name))
        except NoInterpreterError as error:
            say(f"{name}: {error}")
            code = code or EXIT_NO_INTERPRETER
        except HostError as error:
            say(f"{name}: {error}")
            code = EXIT_FAILED
        else:
            say(f"{name}: ready after {time.monotonic() - started:.0f} s, {where}")
    return code


def wheel_named(name: str) -> BlenderWheel:
    """The wheel of a name in :data:`BLENDERS`."""
    return next(wheel for wheel in BLENDERS if wheel.name == name)


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


def python_of(wheel: BlenderWheel) -> Path:
    """The interpreter that imports this Blender, whether or not it is there yet."""
    return _interpreter_in(cache_folder() / f"bpy-{wheel.version}")


def gui_blender() -> Path | None:
    """A Blender with a window on this machine, and a virtual screen to show it on; None without."""
    found = shutil.which("blender")
    screen = all(shutil.which(tool) for tool in ("Xvfb", "xdotool"))
    return Path(found) if found and screen else None


def install_blender(wheel: BlenderWheel) -> Path:
    """Install one Blender unless it is there, and return its interpreter.

    Raises:
        NoInterpreterError: There is no Python of the version that the wheel needs.
        HostError: The index is out of reach, the disk is full, or system libraries are missing.
    """
    python = python_of(wheel)
    if python.is_file():
        _make_importable(python, wheel)
        return python
    base = find_python(wheel.python)
    if base is None:
        raise NoInterpreterError(
            f"Blender {wheel.version} needs Python {wheel.python} and none was found: install it, for "
            f"instance with pyenv, so that python{wheel.python} can be run"
        )
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(cache)
    # Renamed when complete: an environment with its final name has everything.
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=cache))
    try:
        _run([str(base), "-m", "venv", str(partial)], f"no environment could be made with {base}")
        partial_python = _interpreter_in(partial)
        say(f"installing bpy {wheel.version} into {cache} (once; about 400 MB to fetch, 1 GB on the disk)")
        pip = [str(partial_python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(
            [*pip, "--only-binary=:all:", f"bpy=={wheel.version}"],
            f"bpy {wheel.version} could not be fetched: check the network, the proxy (HTTPS_PROXY), the "
            "package index (PIP_INDEX_URL) and the space on the disk",
        )
        _make_importable(partial_python, wheel)
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
        _apt_install(_GUI_PACKAGES)
        found = gui_blender()
    if found is None:
        raise HostError("Blender was installed and is still not on the PATH: look at /usr/bin/blender")
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


def _make_importable(python: Path, wheel: BlenderWheel) -> None:
    """Make sure that the interpreter can import bpy; install system libraries where that is allowed."""
    code = "import bpy; print(bpy.app.version_string)"
    for attempt in range(2):
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0 and wheel.version in done.stdout:
            return
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if attempt == 0 and ".so" in reason:
            _apt_install(_LIBRARIES)
            continue
        raise HostError(
            f"bpy {wheel.version} does not start ({reason}): delete {python.parents[1]} and run this again"
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
