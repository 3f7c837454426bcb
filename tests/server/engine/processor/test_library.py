"""OpenVINO is loaded without what would report to its makers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from masklet_server.engine.processor.library import is_installed


@pytest.mark.skipif(not is_installed(), reason="OpenVINO has no wheel for this machine")
def test_nothing_is_reported_to_the_makers_of_a_library(tmp_path: Path) -> None:
    code = (
        "import sys; from masklet_server.engine.processor.library import openvino; "
        "assert openvino().Core(); "
        "print([name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
    )

    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []
