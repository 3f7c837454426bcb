"""The tests are collected, and what they import is imported, where Linux's own things are missing.

Neither Windows nor macOS is at hand. What is shown here is that no module of the packages and of the tests
asks for what those systems lack before a test runs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Run in a process of its own. Modules of the standard library and of others keep what they have: they ask
# for the system's name before they use it, and would ask the wrong one here.
POORER_SYSTEM = f"""
import builtins, importlib, os, signal, sys

MISSING = {{"resource", "fcntl", "pwd", "grp", "termios", "tty"}}
real = builtins.__import__

def ours(caller):
    file = (caller or {{}}).get("__file__") or ""
    return file.startswith({str(ROOT)!r}) and "site-packages" not in file

def poorer(name, globals=None, locals=None, fromlist=(), level=0):
    if name.split(".")[0] in MISSING and ours(globals):
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real(name, globals, locals, fromlist, level)

builtins.__import__ = poorer
for name in ("geteuid", "mkfifo", "killpg"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGALRM"):
    if hasattr(signal, name):
        delattr(signal, name)
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def collected(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What pytest says when it collects there."""
    return subprocess.run(
        [sys.executable, "-c", POORER_SYSTEM, "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_tests_are_collected_without_what_only_linux_has() -> None:
    done = collected("tests")

    assert done.returncode == 0, done.stdout[-3000:]
    assert "error" not in done.stdout.splitlines()[-1]


def test_a_module_that_asks_for_it_is_found_out() -> None:
    file = ROOT / "tests" / "project" / "data" / "asks_for_resource.py"

    done = collected(str(file))

    assert done.returncode != 0
    assert "No module named 'resource'" in done.stdout
