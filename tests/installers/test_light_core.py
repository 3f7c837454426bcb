"""The wheel that goes into hosts: only what their own Python can run."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from masklet.installing.light_core import light_modules, make_wheel

IMPORT_ALL = """
import importlib, sys, zipfile
wheel = sys.argv[1]
sys.path.insert(0, wheel)
names = [n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".py") and "/pyblish_plugins/" not in n]
for name in names:
    importlib.import_module(name[:-3].replace("/__init__", "").replace("/", "."))
print(len(names))
"""


def test_the_client_is_in_it_and_what_needs_grpc_or_the_command_line_is_not() -> None:
    names = set(light_modules())

    assert {"masklet", "masklet.client", "masklet.session", "masklet.shapes", "masklet.types"} <= names
    assert not names & {"masklet.codec", "masklet.transport.grpc", "masklet.cli", "masklet.commands.doctor"}
    assert not any(name.startswith(("masklet.v1", "masklet.installing")) for name in names)


def test_the_same_sources_give_the_same_bytes() -> None:
    assert make_wheel() == make_wheel()


def test_a_wheel_lists_every_file_it_holds() -> None:
    name, content = make_wheel()
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        assert wheel.testzip() is None
        record = next(member for member in wheel.namelist() if member.endswith("RECORD"))
        listed = {line.split(",")[0] for line in wheel.read(record).decode().splitlines()}
        assert listed == set(wheel.namelist())
    assert name.endswith("-py3-none-any.whl")


def test_a_wheel_has_the_plugins_that_pyblish_finds_in_a_host() -> None:
    with zipfile.ZipFile(io.BytesIO(make_wheel()[1])) as wheel:
        found = {name for name in wheel.namelist() if name.startswith("masklet/publish/pyblish_plugins/")}
    assert {name.rpartition("/")[2] for name in found} == {
        "collect_masklet.py",
        "validate_masklet.py",
        "publish_masklet.py",
    }


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.13"])
def test_every_module_imports_with_nothing_but_the_standard_library(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    wheel = tmp_path / "light.whl"
    wheel.write_bytes(make_wheel()[1])

    # -S leaves out site-packages, -I the environment and the folder.
    done = subprocess.run(
        [python, "-I", "-S", "-c", IMPORT_ALL, wheel], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(light_modules())


def interpreter(version: str) -> str:
    """A Python of this version; skips the test where there is none."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    versions = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*"))
    found = str(versions[-1] / "bin/python") if versions else shutil.which(f"python{version}")
    works = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    if not works:
        pytest.skip(f"no Python {version} on this machine")
    assert found is not None
    return found
