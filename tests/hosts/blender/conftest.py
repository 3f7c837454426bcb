"""Every test here runs in each Blender that is installed; see installers/host_environments.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from real_blender import Blender, blender_wheel

FRAMES = 5


class RunInBlender(Protocol):
    """Runs a script in the Blender under test and returns the JSON of its last line."""

    def __call__(self, script: Path, *arguments: str | Path, sources: bool = True) -> dict[str, Any]: ...


@pytest.fixture(params=["4.2", "4.5", "5.2"], ids=lambda version: f"blender-{version}")
def blender(request: pytest.FixtureRequest) -> Blender:
    """One installed Blender as a module."""
    return blender_wheel(request.param)


@pytest.fixture
def bpy_python(blender: Blender) -> Path:
    """The interpreter in which ``import bpy`` gives the Blender under test."""
    return blender.executable


@pytest.fixture
def user_folder(tmp_path: Path) -> Path:
    """Stands in for the user's Blender folder; empty."""
    folder = tmp_path / "blender-user"
    folder.mkdir()
    return folder


@pytest.fixture
def run_in_blender(blender: Blender, user_folder: Path) -> RunInBlender:
    """Runs a script in the Blender under test: ``run_in_blender(script, *arguments)``."""

    def run(script: Path, *arguments: str | Path, sources: bool = True) -> dict[str, Any]:
        return blender.run(script, *arguments, user_folder=user_folder, sources=sources)

    return run


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    """Five frames, 1001 to 1005, of 854x480."""
    return write_clip(tmp_path_factory.mktemp("clip"), frame_count=FRAMES)


@pytest.fixture(scope="session")
def process() -> Iterator[LocalServer]:
    """A running server with the embedded model."""
    server = LocalServer()
    yield server
    server.stop()
