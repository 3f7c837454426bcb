"""Generates ``core/masklet/v1`` from ``protos``; with ``--check``, tells whether it is fresh.

    python installers/generate_protos.py [--check]

Gencode refuses runtimes older than its generator, so the generator is the oldest one we support,
whatever the surrounding environment holds: grpcio-tools 1.62.3 (protoc 25.1), whose output was
loaded under protobuf 3.20.3 to 7.36. It lives in a virtual environment of its own in the user's
cache folder, made on the first run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

REQUIREMENTS = (
    "grpcio-tools==1.62.3",
    "mypy-protobuf==3.6.0",
    "protobuf==4.25.8",
    "setuptools<81",  # grpcio-tools 1.62 imports pkg_resources
    "types-protobuf==4.25.0.20240417",
)
PROJECT = Path(__file__).resolve().parent.parent
PROTOS = PROJECT / "protos"
GENERATED = PROJECT / "core" / "masklet" / "v1"
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def main() -> int:
    """Generate, or compare; 0 when all is well, 1 when something is stale or failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is checked in, write nothing")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        try:
            fresh = _generate(Path(folder), _generator_python())
        except subprocess.CalledProcessError as error:
            print(f"generate_protos: {error.cmd[1:4]} failed; read the lines above", file=sys.stderr)
            return 1
        if arguments.check:
            return _compare(fresh)
        for old in _generated_files(GENERATED):
            old.unlink()
        for path in fresh:
            shutil.copyfile(path, GENERATED / path.name)
        print(f"generate_protos: wrote {len(fresh)} files to {GENERATED.relative_to(PROJECT)}")
    return 0


def _generate(folder: Path, python: Path) -> list[Path]:
    # The proto path masklet/v1 equals the Python package masklet.v1: protoc's imports are right as they are.
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.glob("masklet/v1/*.proto"))
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python")]
    outputs += [f"--{kind}_out=quiet:{folder}" for kind in ("mypy", "mypy_grpc")]
    # protoc finds the mypy plug-ins beside its interpreter.
    path = os.pathsep.join((str(python.parent), os.environ.get("PATH", "")))
    subprocess.run(
        [str(python), "-m", "grpc_tools.protoc", "-I.", *outputs, *sources],
        cwd=PROTOS,
        env={**os.environ, "PATH": path},
        check=True,
    )
    return _generated_files(folder / "masklet" / "v1")


def _compare(fresh: list[Path]) -> int:
    stored = {path.name: path.read_bytes() for path in _generated_files(GENERATED)}
    made = {path.name: path.read_bytes() for path in fresh}
    stale = sorted(
        name for name in stored.keys() | made.keys() if _lines(stored.get(name)) != _lines(made.get(name))
    )
    if stale:
        print(
            f"generate_protos: stale: {', '.join(stale)}; run python installers/generate_protos.py",
            file=sys.stderr,
        )
        return 1
    print(f"generate_protos: {len(made)} files are fresh")
    return 0


def _lines(content: bytes | None) -> list[bytes] | None:
    # A checkout on Windows may have other line ends.
    return None if content is None else content.splitlines()


def _generated_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in PATTERNS for path in folder.glob(pattern))


def _generator_python() -> Path:
    digest = hashlib.sha256("\n".join((*REQUIREMENTS, sys.version)).encode()).hexdigest()[:12]
    home = _cache_folder() / f"protos-{digest}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / "ready"
    if not ready.exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS],
            check=True,
        )
        ready.touch()
    return python


def _cache_folder() -> Path:
    if os.name == "nt":
        return Path(os.environ["LOCALAPPDATA"]) / "masklet" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "masklet"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "masklet"


if __name__ == "__main__":
    sys.exit(main())
