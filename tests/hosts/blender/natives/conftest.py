"""What the tests of Blender's native data share: every Blender there is, and how to run a script in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from real_blender import Blender, blender_application, blender_wheel

SCRIPTS = Path(__file__).parent / "scripts"


class RunScript(Protocol):
    """Runs a script of this folder in the Blender under test and returns the JSON of its last line."""

    def __call__(self, script: str, *arguments: str | Path) -> dict[str, Any]: ...


@pytest.fixture(scope="module", params=["4.2", "4.5", "5.2", "application"])
def host(request: pytest.FixtureRequest) -> Blender:
    """One Blender: a wheel, or the application of the distribution, which is older."""
    return blender_application() if request.param == "application" else blender_wheel(request.param)


@pytest.fixture(scope="module")
def run_script(host: Blender, tmp_path_factory: pytest.TempPathFactory) -> RunScript:
    """Runs a script by its name, with the checkout's sources."""
    user_folder = tmp_path_factory.mktemp("blender-user")

    def run(script: str, *arguments: str | Path) -> dict[str, Any]:
        return host.run(SCRIPTS / script, *arguments, user_folder=user_folder)

    return run
