"""What a server's image is made of: the licences of its packages, and what is known against them.

    python installers/dependencies.py licences
    python installers/dependencies.py advisories
    python installers/dependencies.py advisories --snapshot all.zip
    python installers/dependencies.py mends

Licences are read from the packages that are installed here. Advisories come from OSV: its address, or a
snapshot of its PyPI database (``all.zip``, or a folder of its files) where there is no way out. ``mends``
asks nobody: it compares with a short list that lies beside this file, of what was known when it was written.
What could not be asked is no clean bill: exit code 2. Something is known, or a licence is not: exit code 1.
"""

from __future__ import annotations

import argparse
import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lock import LOCK, ROOT, pinned, tomllib

MENDS = Path(__file__).with_name("mends.toml")
OSV = "https://api.osv.dev/v1/querybatch"
_TIMEOUT_S = 30.0
_AT_ONCE = 500
_MOST_WORDS = 60


def packages() -> dict[str, list[Version]]:
    """Versions by package, as the lock has them."""
    return pinned(LOCK.read_text(encoding="utf-8"))


def licence_of(name: str) -> str:
    """The licence of an installed package as its own words have it; empty where they have none.

    Raises:
        importlib.metadata.PackageNotFoundError: It is not installed.
    """
    about = metadata.metadata(name)
    expression = about.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier") or ()
        if each.startswith("License ::") and each != "License :: OSI Approved"
    ]
    if classifiers:
        return ", ".join(classifiers)
    text = str(about.get("License") or "").strip()
    if "Redistribution and use in source and binary forms" in text:
        return "BSD, by its text"
    first = (text.splitlines() or [""])[0]
    return first if first.upper() != "UNKNOWN" else ""


def list_licences() -> int:
    """Print a line a package; 1 where one that is installed does not say its licence."""
    unknown, absent = [], []
    for name, versions in packages().items():
        try:
            licence = licence_of(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
            continue
        if not licence:
            unknown.append(name)
        print(f"{name:28} {versions[0]!s:16} {licence[:_MOST_WORDS] or 'does not say'}")
    if absent:
        print(f"\nnot installed here, so not looked at: {', '.join(absent)}")
    if unknown:
        print(f"\nwithout a licence: {', '.join(unknown)}")
    return 1 if unknown else 0


def known_in(entries: Iterable[dict[str, Any]], wanted: dict[str, list[Version]]) -> list[tuple[str, str]]:
    """Package with version and advisory, of OSV's entries that speak of one in ``wanted``.

    Source: the OSV schema, https://ossf.github.io/osv-schema/.
    """
    found = []
    for entry in entries:
        if entry.get("withdrawn"):
            continue
        for affected in entry.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") != "PyPI":
                continue
            name = canonicalize_name(str(package.get("name", "")))
            found += [
                (f"{name} {version}", str(entry["id"]))
                for version in wanted.get(name, ())
                if _is_affected(version, affected)
            ]
    return sorted(set(found))


def _is_affected(version: Version, affected: dict[str, Any]) -> bool:
    if any(_version(listed) == version for listed in affected.get("versions", ())):
        return True
    for each in affected.get("ranges", ()):
        if each.get("type") != "ECOSYSTEM":
            continue
        inside = False
        for event in each.get("events", ()):
            (kind, text), *_ = event.items()
            at = Version("0") if text == "0" else _version(text)
            if at is None:
                continue
            if kind == "introduced" and version >= at:
                inside = True
            elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
                inside = False
        if inside:
            return True
    return False


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def entries_in(snapshot: Path) -> Iterator[dict[str, Any]]:
    """All entries of a snapshot: a zip file or a folder.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no snapshot, or holds nothing.
    """
    is_empty = True
    try:
        for text in _texts_in(snapshot):
            is_empty = False
            yield json.loads(text)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{snapshot.name} is no zip file") from error
    if is_empty:
        raise ValueError("it is empty")


def _texts_in(snapshot: Path) -> Iterator[bytes]:
    if snapshot.is_dir():
        yield from (file.read_bytes() for file in snapshot.rglob("*.json"))
        return
    with zipfile.ZipFile(snapshot) as archive:
        yield from (archive.read(name) for name in archive.namelist() if name.endswith(".json"))


def ask(address: str, wanted: dict[str, list[Version]]) -> list[tuple[str, str]]:
    """What OSV knows against these, by its batch interface.

    Raises:
        OSError: It cannot be reached.
        ValueError: What answers is not OSV.
    """
    pairs = [(name, str(version)) for name, versions in wanted.items() for version in versions]
    found = []
    for begin in range(0, len(pairs), _AT_ONCE):
        part = pairs[begin : begin + _AT_ONCE]
        queries = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in part
        ]
        request = urllib.request.Request(
            address, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            results = json.loads(response.read())["results"]
        if len(results) != len(part):
            raise ValueError("it answers for other packages")
        found += [
            (f"{name} {version}", str(each["id"]))
            for (name, version), result in zip(part, results, strict=True)
            for each in result.get("vulns", ())
        ]
    return found


def mends() -> dict[str, Any]:
    """Holes known and mended at the release, by number: of packages, and of what wheels bring inside."""
    content: dict[str, Any] = tomllib.loads(MENDS.read_text(encoding="utf-8"))
    return content


def libraries() -> dict[str, Version]:
    """What the wheels that are installed here bring inside; less where one is not installed."""
    found: dict[str, Version] = {}
    with suppress(ImportError):
        import OpenImageIO

        for each in OpenImageIO.get_string_attribute("library_list").split(";"):
            name, _, told = each.partition(":")
            found |= _numbered(name, told)
    with suppress(ImportError):
        import av

        found |= _numbered("ffmpeg", av.ffmpeg_version_info)
    return found


def _numbered(name: str, told: str) -> dict[str, Version]:
    number = re.search(r"\d+(?:\.\d+)+", told)
    return {} if number is None else {name: Version(number[0])}


def list_mends() -> int:
    """Print what lacks a mend of the list that lies here; 1 where something does."""
    locked, constrained = packages(), pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    inside, known = libraries(), mends()
    count, lacking, absent = 0, [], set()
    for number, mend in known["packages"].items():
        versions = {*locked.get(mend["package"], ()), *constrained.get(mend["package"], ())}
        if not versions:
            absent.add(mend["package"])
        count += bool(versions)
        lacking += [
            f"{mend['package']} {version}: {number} is mended in {mend['mended']} ({mend['what']})"
            for version in sorted(versions)
            if version < Version(mend["mended"])
        ]
    for number, mend in known["libraries"].items():
        if mend["library"] not in inside:
            absent.add(mend["library"])
            continue
        count += 1
        version = inside[mend["library"]]
        if version < Version(mend["mended"]):
            lacking.append(f"{mend['library']} {version}: {number} is mended in {mend['mended']}")
    for line in lacking:
        print(line)
    if absent:
        print(f"not used or not installed here: {', '.join(sorted(absent))}")
    print(
        f"{count} known mends were looked for, {len(lacking)} are missing. This list was written by hand: "
        "ask OSV as well (advisories)"
    )
    return 1 if lacking else 0


def list_advisories(snapshot: Path | None, address: str) -> int:
    """Print what is known; 2 where nobody could be asked."""
    wanted = packages()
    count = sum(map(len, wanted.values()))
    try:
        found = ask(address, wanted) if snapshot is None else known_in(entries_in(snapshot), wanted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        where = address if snapshot is None else str(snapshot)
        print(
            f"NOTHING WAS CHECKED: {where} cannot be asked ({error}). Of {count} packages nothing is known, "
            "neither good nor bad: ask again where there is a way out, or with --snapshot. What can be said "
            "without: dependencies.py mends."
        )
        return 2
    for package, advisory in found:
        print(f"{package}: {advisory}  https://osv.dev/vulnerability/{advisory}")
    print(f"{count} packages were asked about, {len(found)} advisories are known")
    return 1 if found else 0


def main(words: list[str] | None = None) -> int:
    """List licences, advisories or mends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("licences")
    commands.add_parser("mends")
    advisories = commands.add_parser("advisories")
    advisories.add_argument("--snapshot", type=Path, help="OSV's all.zip for PyPI, or a folder of its files")
    advisories.add_argument("--address", default=OSV, help="of OSV's batch interface, or a mirror of it")
    arguments = parser.parse_args(words)
    if arguments.command == "licences":
        return list_licences()
    if arguments.command == "mends":
        return list_mends()
    return list_advisories(arguments.snapshot, arguments.address)


if __name__ == "__main__":
    raise SystemExit(main())
