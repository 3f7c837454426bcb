"""One place where benchmarks say what they found: a JSON line, and in front of it what it was measured with.

The first line of a run names the day, the commit, the machine, the versions, and of weights and footage what
identifies them: a figure without these cannot be measured again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_DIRTY = "+changes"
_VERSIONS = ("torch", "numpy", "opencv-python-headless", "av", "OpenImageIO")


def provenance(
    *, weights: Path | str | None = None, footage: str | None = None, sequences: Iterable[str] = ()
) -> dict[str, Any]:
    """Everything that a figure depends on besides the benchmark's own arguments.

    Args:
        weights: Their file, or the name of embedded ones; None where none are used.
        footage: What the pictures are: a data set's name, or how they are made.
        sequences: Names of the clips that were used, in their order.

    Returns:
        JSON values: ``date``, ``commit`` (with ``+changes`` where files differ from it), ``machine``,
        ``threads``, ``versions``, and of what was given ``weights``, ``weights_sha256``, ``footage``,
        ``sequences``.

    Raises:
        WeightsError: There are no such weights.
    """
    about: dict[str, Any] = {
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "threads": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count())),
        "versions": _versions(),
    }
    if weights is not None:
        # Only here: a host's Python, in which the panel is measured, has no server.
        from masklet_server.model.store import find_weights

        file = find_weights(weights)
        about |= {"weights": file.stem, "weights_sha256": _sha256(file)}
    if footage is not None:
        about["footage"] = footage
    if names := list(sequences):
        about["sequences"] = names
    return about


def write_line(line: dict[str, Any]) -> None:
    """Print one line of a record at once: a run that is cut short is worth keeping."""
    print(json.dumps(line), flush=True)


def begin(
    benchmark: str,
    *,
    weights: Path | str | None = None,
    footage: str | None = None,
    sequences: Iterable[str] = (),
    **more: Any,
) -> None:
    """Print the first line of a record: which benchmark, and :func:`provenance`."""
    about = provenance(weights=weights, footage=footage, sequences=sequences)
    write_line({"record": benchmark, **about, **more})


def commit() -> str:
    """The commit that is measured, short; empty outside a clone."""
    try:
        found = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found + (_DIRTY if changed else "")


def machine() -> str:
    """The processor and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    for line in _cpu_lines():
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {count} cores"


@cache
def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _VERSIONS:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
