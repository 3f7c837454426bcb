"""Writes ``installers/server.lock``: every package of a server's image, with the digests of its files.

    python installers/lock.py            writes it anew, with the versions of constraints.txt
    python installers/lock.py --check    says whether it still fits pyproject.toml and constraints.txt

``pip install --require-hashes -r installers/server.lock`` then installs these files and no others. Writing
asks the package index; checking asks nobody.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "installers" / "server.lock"
EXTRAS = ("server", "metrics", "oidc", "status", "traces")
"""Of pyproject.toml: what a server's image holds."""
OLDEST_PYTHON = "3.11"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.M)


def pinned(text: str) -> dict[str, list[Version]]:
    """Versions by package, in the text of a lock or of constraints; several where platforms differ."""
    found: dict[str, list[Version]] = {}
    for name, version in _PINNED.findall(text):
        found.setdefault(canonicalize_name(name), []).append(Version(version))
    return found


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for on Linux, extras that name other extras followed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pending = [*project["dependencies"], *(f"{project['name']}[{extra}]" for extra in EXTRAS)]
    found: list[Requirement] = []
    seen: set[str] = set()
    while pending:
        text = pending.pop()
        if text in seen:
            continue
        seen.add(text)
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            for extra in requirement.extras:
                pending += project["optional-dependencies"][extra]
        elif requirement.marker is None or requirement.marker.evaluate({"python_version": OLDEST_PYTHON}):
            found.append(requirement)
    return found


def problems() -> list[str]:
    """Why the lock has to be written anew; empty where it is right."""
    if not LOCK.is_file():
        return ["there is no lock"]
    text = LOCK.read_text(encoding="utf-8")
    locked = pinned(text)
    constrained = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    found = []
    for requirement in wanted():
        versions = locked.get(canonicalize_name(requirement.name), [])
        if not versions:
            found.append(f"{requirement} is not in the lock")
        found += [
            f"the lock has {requirement.name} {version}, pyproject.toml wants {requirement.specifier}"
            for version in versions
            if version not in requirement.specifier
        ]
    for name, versions in locked.items():
        found += [
            f"the lock has {name} {version}, constraints.txt has {constrained[name][0]}"
            for version in versions
            if name in constrained and version not in constrained[name]
        ]
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)
    found += [
        f"{block.split('==')[0]} has no digest"
        for block in blocks
        if _PINNED.match(block) and "--hash=sha256:" not in block
    ]
    return found


def write() -> None:
    """Ask the index for the digests of all files."""
    command = [
        *("uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--no-annotate"),
        *("--python-version", OLDEST_PYTHON, "--constraint", "constraints.txt", "--no-emit-index-url"),
        *(word for extra in EXTRAS for word in ("--extra", extra)),
        *("--quiet", "--output-file", str(LOCK.relative_to(ROOT))),
    ]
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "python installers/lock.py"}
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=True)


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write()
    found = problems()
    for problem in found:
        print(problem)
    if found:
        print("write the lock anew: python installers/lock.py")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
