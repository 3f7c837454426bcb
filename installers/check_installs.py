"""Installs masklet in every way into fresh environments and sees that each works or says what is missing.

    python installers/check_installs.py                         masklet, [client], lowest versions
    python installers/check_installs.py --server                and [server] with the constraints: 1 GB
    python installers/check_installs.py --python python3.13 …   for other Pythons than this one

Needs a package index and ``uv``. ``lowest`` takes the oldest versions that pyproject.toml allows, so that a
lower bound is one that somebody has run. Each client is used: it asks a server of this checkout who it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from masklet.transport.local_server import LocalServer

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
EXIT_NO_SERVER = 3


@dataclass(frozen=True)
class Case:
    """One way of installing.

    Attributes:
        name: For people.
        extra: What follows the package's name.
        options: Of ``uv pip install``.
        expected: What to run, the exit code, and words that the output must hold.
    """

    name: str
    extra: str
    options: tuple[str, ...]
    expected: tuple[tuple[tuple[str, ...], int, str], ...]


_COUNT_TYPED = (
    "from importlib.metadata import files; "
    "print(sum(file.name == 'py.typed' for file in files('masklet')), 'typed')"
)
ALONE = Case(
    "masklet alone",
    "",
    (),
    (
        (("masklet", "--help"), 1, "pip install 'masklet[client]'"),
        (("masklet-server", "--help"), 1, "pip install 'masklet[server]'"),
        (("python", "-c", "import masklet; print(masklet.Click(1, 2))"), 0, "x_px=1"),
        (("python", "-c", _COUNT_TYPED), 0, "3 typed"),
    ),
)
_OF_A_CLIENT = (
    (("masklet", "--help"), 0, "roto"),
    (("masklet", "roto", "--help"), 0, "--click"),
    (("masklet", "doctor"), 0, "name one: --server"),
    (("masklet", "serve"), EXIT_NO_SERVER, "pip install 'masklet[server]'"),
    (("masklet", "ping"), EXIT_NO_SERVER, "pip install 'masklet[server]'"),
    (("masklet", "ping", "--server", "HERE", "--token-file", "TOKEN"), 0, "answered in"),
)
CLIENT = Case("masklet[client], newest", "[client]", (), _OF_A_CLIENT)
LOWEST = Case("masklet[client], lowest", "[client]", ("--resolution", "lowest-direct"), _OF_A_CLIENT)
# uv does not read pip's own settings.
_WHEELS = ("--find-links", os.environ["PIP_FIND_LINKS"]) if os.environ.get("PIP_FIND_LINKS") else ()
_OF_A_SERVER = (
    (("masklet-server", "--help"), 0, "serve"),
    (("masklet", "doctor"), 0, "masklet_embedded"),
    (("masklet", "demo", "--frames", "2", "--out", "demo"), 0, "EXR files"),
)
SERVER = Case(
    "masklet[server], as constrained", "[server]", ("--constraint", str(CONSTRAINTS), *_WHEELS), _OF_A_SERVER
)


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="interpreters to install for")
    parser.add_argument("--server", action="store_true", help="the server too")
    arguments = parser.parse_args()
    cases = [ALONE, CLIENT, LOWEST, *([SERVER] if arguments.server else [])]
    failed = []
    with tempfile.TemporaryDirectory(prefix="masklet-installs-") as name:
        folder = Path(name)
        wheel = _build(folder / "dist")
        own = LocalServer()
        try:
            token_file = folder / "token"
            token_file.write_text(own.token, encoding="utf-8")
            words = {"HERE": own.address, "TOKEN": str(token_file)}
            for python in arguments.python:
                for number, case in enumerate(cases):
                    place = folder / f"{arguments.python.index(python)}-{number}"
                    faults = _faults(case, wheel, python, place, words)
                    verdict = "FAIL" if faults else "ok  "
                    print(f"{verdict} {python}: {case.name}", *faults, sep="\n     ", flush=True)
                    failed += faults
        finally:
            own.stop()
    return 1 if failed else 0


def _build(folder: Path) -> Path:
    _checked([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _faults(case: Case, wheel: Path, python: str, place: Path, words: dict[str, str]) -> list[str]:
    """Everything about the installed package that is not as expected."""
    beside = Path(sys.executable).parent
    uv = [shutil.which("uv", path=str(beside)) or "uv", "--quiet"]
    _checked([*uv, "venv", "--python", python, str(place)])
    tools = place / ("Scripts" if os.name == "nt" else "bin")
    try:
        # Only what a folder asks for counts as asked for directly, which is what "lowest" is about.
        whence = str(ROOT) if "lowest-direct" in case.options else f"masklet @ {wheel.as_uri()}"
        package = f"{whence}{case.extra}" if whence == str(ROOT) else whence.replace(" @", f"{case.extra} @")
        target = ["--python", str(tools / "python"), package]
        _checked([*uv, "pip", "install", *case.options, *target])
    except RuntimeError as error:
        return [str(error)]
    faults = []
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("MASKLET_", "PYTHON"))
    }
    for (tool, *rest), code, part in case.expected:
        command = [str(tools / tool), *(words.get(word, word) for word in rest)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=place, env=environment
        )
        said = done.stdout + done.stderr
        if done.returncode != code or part not in said or "Traceback" in said:
            last = (said.strip().splitlines() or ["nothing"])[-1]
            faults.append(
                f"{tool} {' '.join(rest)}: exit code {done.returncode} and not {code}, said: {last}"
            )
    return faults


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RuntimeError(f"{' '.join(command[:6])} … failed: {reason}")


if __name__ == "__main__":
    sys.exit(main())
