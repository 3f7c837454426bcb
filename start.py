"""Sets masklet up from a clone and runs it: ``python3.11 start.py demo``.

Needs nothing but Python 3.11 or newer, on Linux, macOS and Windows. Everything is installed into
a virtual environment inside the clone (``.venv``, or the folder named by ``MASKLET_VENV``), with
the pip configuration, proxy and package index of whoever runs it. A second run starts at once.

    python3.11 start.py demo     Render a clip, cut its object out, write EXRs, a movie and a contact sheet
    python3.11 start.py panel    Open masklet's own window, on a clip if one is named
    python3.11 start.py test     Run the tests
    python3.11 start.py hosts    Install the hosts that tests run in, into a cache outside the clone
    python3.11 start.py check    Lint, format, strict types, import contracts, generated code, protocol
    python3.11 start.py setup    Install only, and say how the commands are found

What is installed are the versions in constraints.txt, with which everything is tested.

What follows the command is passed on: ``start.py test tests/core -k prompts``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)
CONSTRAINTS = ROOT / "constraints.txt"
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
STAMP_NAME = "masklet-installed.txt"
HOSTS = ("blender-4.2", "blender-5.2", "qt-3.10", "qt-3.11")
OLDER_QT = ("--python-version", "3.10", "--cache-dir", ".mypy_cache/older-qt", "-p", "masklet_panel")

TORCH_VARIABLE = "MASKLET_TORCH"
# Each holds a server and a network or two of its own: about 2 GB.
MOST_TEST_WORKERS = 4
# pytest's word for: all that was asked ran, and not all of it passed.
TESTS_FAILED = 1
MOST_SECOND_FAILURES = 5

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2


class SetupError(Exception):
    """Setting up failed; the message says why and what helps."""


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.version_info < OLDEST_PYTHON:
        have = platform.python_version()
        say(f"masklet needs Python 3.11 or newer and this is {have}: run it with python3.11 start.py")
        return EXIT_USAGE
    parser = argparse.ArgumentParser(
        prog="start.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=list(COMMANDS))
    arguments, rest = parser.parse_known_args()
    venv = Path(os.environ.get("MASKLET_VENV") or ROOT / ".venv")
    try:
        python = prepare(venv, *EXTRAS.get(arguments.command, ("server",)))
    except SetupError as error:
        say(str(error))
        return EXIT_FAILED
    try:
        return COMMANDS[arguments.command](python, rest)
    except KeyboardInterrupt:
        say("stopped")
        return 130


def prepare(venv: Path, *extras: str) -> Path:
    """Return the interpreter of an environment that has masklet installed with these extras.

    Raises:
        SetupError: The environment cannot be made, or pip could not install something.
    """
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = venv / STAMP_NAME
    wanted = digest_of_requirements()
    done = stamp.read_text(encoding="utf-8").split() if stamp.is_file() else []
    there = set(done[1:]) if done[:1] == [wanted] else set()
    # "dev" contains "server": whoever has the larger set needs nothing for the smaller one.
    if python.is_file() and set(extras) <= there | ({"server"} if "dev" in there else set()):
        return python

    say(f"installing into {venv} (once; a few minutes, 1.3 GB, for tests 2.4, with CUDA 5)")
    if not python.is_file():
        make_environment(venv)
    if not has_torch(python):
        install_torch(python)
    wished = f"{ROOT}[{','.join(extras)}]"
    pip(python, "install", "--quiet", "--constraint", str(CONSTRAINTS), "-e", wished)
    stamp.write_text(" ".join([wanted, *sorted(there | set(extras))]) + "\n", encoding="utf-8")
    return python


def digest_of_requirements() -> str:
    """Changes whenever something else would have to be installed, or the clone has moved."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes())
    digest.update(f"{ROOT} {platform.python_version()}".encode())
    return digest.hexdigest()


def torch_version() -> str:
    """The torch that is tested, from the constraints."""
    (version,) = re.findall(r"^torch==(\S+)$", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    return str(version)


def make_environment(venv: Path) -> None:
    """Make an empty environment with pip in it."""
    result = subprocess.run([sys.executable, "-m", "venv", str(venv)], check=False)
    if result.returncode != 0:
        shutil.rmtree(venv, ignore_errors=True)
        raise SetupError(
            f"no environment could be made at {venv}: on Debian and Ubuntu install python3-venv, elsewhere "
            "see the reason above; another place is chosen with MASKLET_VENV=/some/folder"
        )


def has_torch(python: Path) -> bool:
    """True when the environment has the version of torch that is tested."""
    code = f"import importlib.metadata as m; assert m.version('torch').split('+')[0] == '{torch_version()}'"
    return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0


def install_torch(python: Path) -> None:
    """Install torch, on Linux its build for processors unless there is an NVIDIA card.

    The common build for Linux brings several gigabytes of CUDA that a laptop has no use for. It is never
    taken in its place without being asked for.

    Raises:
        SetupError: The build cannot be had, and why.
    """
    version = torch_version()
    wants_cpu_build = (
        platform.system() == "Linux"
        and platform.machine() == "x86_64"
        and shutil.which("nvidia-smi") is None
        and os.environ.get(TORCH_VARIABLE) != "common"
    )
    if not wants_cpu_build:
        say(f"installing torch {version}")
        pip(python, "install", "--quiet", f"torch=={version}")
        return
    say(f"installing torch {version} for processors, since there is no NVIDIA card (no nvidia-smi)")
    elsewhere = ["--extra-index-url", CPU_WHEELS, "--retries", "1", "--timeout", "20"]
    reason = ""
    for more in ([], elsewhere):
        command = [str(python), "-m", "pip", "install", "--quiet", f"torch=={version}+cpu", *more]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise SetupError(
        f"torch {version} for processors could not be installed ({reason}): let pip reach {CPU_WHEELS}, or "
        f"name a folder with its wheel in PIP_FIND_LINKS, or set {TORCH_VARIABLE}=common to take the build "
        "with CUDA from the package index (5 GB)"
    )


def pip(python: Path, *arguments: str) -> None:
    """Run pip, which shows its own messages."""
    if subprocess.run([str(python), "-m", "pip", *arguments], check=False).returncode != 0:
        raise SetupError(
            "pip could not install what masklet needs (its reason is above): check the network, the proxy "
            "(HTTPS_PROXY) or the package index (PIP_INDEX_URL), then run the same command again"
        )


def demo(python: Path, rest: list[str]) -> int:
    """Cut the object out of the project's own clip."""
    return run(python, "-m", "masklet.cli", "demo", *rest)


def panel(python: Path, rest: list[str]) -> int:
    """Open masklet's own window. Paths are meant from where the command was given."""
    return subprocess.run([str(python), "-P", "-m", "masklet.cli", "panel", *rest], check=False).returncode


def test(python: Path, rest: list[str]) -> int:
    """Run the tests: all of them side by side, or in one process what is named."""
    workers = min(os.cpu_count() or 1, MOST_TEST_WORKERS)
    if rest or workers == 1:
        return run(python, "-m", "pytest", *rest)
    ended = run(python, "-m", "pytest", "--cache-clear", "-n", str(workers), "--dist", "loadfile")
    if ended != TESTS_FAILED:
        return ended
    # Many tests are about time, and a neighbour may have had the core. What is wrong fails again, alone.
    say("what failed above runs once more, alone; what passes now is unsteady and wants mending")
    return run(python, "-m", "pytest", "--last-failed", f"--maxfail={MOST_SECOND_FAILURES}")


def hosts(python: Path, rest: list[str]) -> int:
    """Install hosts for the tests: those named, or the oldest and the newest Blender, and both Qts."""
    return run(python, "installers/host_environments.py", *(rest or HOSTS))


def setup(python: Path, rest: list[str]) -> int:
    """Say how the commands are found."""
    del rest
    folder = python.parent
    on = f"{folder / 'activate'}" if os.name == "nt" else f"source {folder / 'activate'}"
    say(f"ready: masklet and masklet-server are in {folder}")
    say(f"to find them by name in this terminal: {on}")
    return EXIT_OK


def check(python: Path, rest: list[str]) -> int:
    """Run every check that is no test, all of them even if one fails."""
    del rest
    tools = python.parent
    steps = [
        ("lint", [str(tools / "ruff"), "check", "."], ROOT),
        ("format", [str(tools / "ruff"), "format", "--check", "."], ROOT),
        ("types", [str(python), "-m", "mypy"], ROOT),
        # The panel runs on two bindings of Qt: the older one is what its types are for Python 3.10.
        ("types of the older Qt", [str(python), "-m", "mypy", *OLDER_QT], ROOT),
        ("import contracts", [str(tools / "lint-imports")], ROOT),
        ("generated code", [str(python), "installers/generate_protos.py", "--check"], ROOT),
        ("protocol", [str(tools / "buf"), "lint"], ROOT / "protos"),
    ]
    failed = []
    for name, command, folder in steps:
        say(f"check: {name}")
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return EXIT_FAILED if failed else EXIT_OK


def run(python: Path, *arguments: str) -> int:
    """Run the environment's interpreter in the clone and return its exit code."""
    return subprocess.run([str(python), *arguments], cwd=ROOT, check=False).returncode


def say(sentence: str) -> None:
    """Tell the person at the terminal, apart from the output of the programs that are run."""
    print(f"start.py: {sentence}", file=sys.stderr, flush=True)


# What a command needs beside what "server" brings.
EXTRAS = {
    "panel": ("server", "panel"),
    "test": ("dev",),
    "check": ("dev",),
    "hosts": ("dev",),
}
COMMANDS = {"demo": demo, "panel": panel, "test": test, "hosts": hosts, "check": check, "setup": setup}

if __name__ == "__main__":
    sys.exit(main())
