"""Every way of installing works, or says in one sentence what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from masklet.extras import CLIENT_PACKAGES, SERVER_PACKAGES

ROOT = Path(__file__).parents[2]
SERVER_ONLY = tuple(name.split(".")[0] for name in SERVER_PACKAGES)
EVERYTHING = (*SERVER_ONLY, "grpc", "google", "typer", "rich", "platformdirs", "numpy")

# An interpreter that has everything stands in for one that lacks some: it does not find them.
POORER = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv[0] = "masklet"
{code}
"""
MASKLET = "from masklet.__main__ import main; main()"
CONNECT = """
import masklet
try:
    masklet.connect()
except masklet.MaskletError as error:
    print(error)
"""
SERVER = "from masklet_server.__main__ import main; main()"


def run_without(
    names: tuple[str, ...], code: str, *arguments: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", POORER.format(names=set(names), code=code), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
    )


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = done.stderr.strip().splitlines()
    return line


def test_masklet_alone_says_what_to_install() -> None:
    done = run_without(EVERYTHING, MASKLET, "--help")

    assert done.returncode == 1
    assert "not installed (numpy, grpcio, protobuf, typer, rich, platformdirs)" in only_line(done)
    assert "pip install 'masklet[client]'" in only_line(done)


@pytest.mark.parametrize("lacks", [SERVER_ONLY, ("torch",), EVERYTHING])
def test_the_servers_command_says_what_to_install(lacks: tuple[str, ...]) -> None:
    done = run_without(lacks, SERVER, "serve")

    assert done.returncode == 1
    assert "torch" in only_line(done)
    assert "pip install 'masklet[server]'" in only_line(done)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("ping",),
        ("roto", "plate.png", "--click", "1:2,3", "--out", "mattes"),
        ("demo",),
        ("dataset", "stats", "."),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_client_without_a_server_says_so_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "plate.png").touch()

    done = run_without(SERVER_ONLY, MASKLET, *arguments, folder=tmp_path)

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "pip install 'masklet[server]'" in last
    assert "torch" in last


def test_the_doctor_of_a_client_alone_finds_nothing_bad_and_says_what_to_name() -> None:
    done = run_without(SERVER_ONLY, MASKLET, "doctor")

    assert done.returncode == 0, done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "  server:" in line)
    assert line.startswith("note")
    assert "MASKLET_SERVER" in line


def test_connecting_without_grpc_is_a_sentence() -> None:
    code = (
        "import masklet\ntry:\n    masklet.connect()\nexcept masklet.MaskletError as error:\n    print(error)"
    )

    done = run_without(("grpc", "google"), code)

    assert "grpcio and protobuf are not installed" in done.stdout
    assert "pip install 'masklet[client]'" in done.stdout


def test_what_is_looked_for_is_what_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def names(lines: list[str]) -> set[str]:
        found = {re.split(r"[<>=;\[ ]", line)[0] for line in lines}
        return found - {"masklet", "tomli"}

    assert set(CLIENT_PACKAGES.values()) == names(project["dependencies"] + extras["grpc"] + extras["client"])
    # Without OpenVINO torch does everything; PyJWT is looked for where signed tokens are used.
    assert set(SERVER_PACKAGES.values()) == names(extras["server"]) - {"openvino", "PyJWT"} - names(
        extras["grpc"]
    )


def test_every_lower_bound_is_below_what_is_tested_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = dict(
        re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    )
    pins = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    wanted = project["dependencies"] + [
        line for lines in project["optional-dependencies"].values() for line in lines
    ]

    for line in wanted:
        name, _, bound = line.split(";")[0].split(",")[0].partition(">=")
        if line.startswith("masklet[") or "python_version <" in line or name == "triton":
            continue
        assert name.strip().lower() in pins, f"{name} is in no constraint"
        assert not bound or numbers_of(bound) <= numbers_of(pins[name.lower()]), line


def numbers_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
