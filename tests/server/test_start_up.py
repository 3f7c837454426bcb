"""Commands of the server that serve nothing load nothing of what serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from masklet_server import cli


def test_the_command_line_loads_neither_the_service_nor_a_library_of_it() -> None:
    code = "import json, sys, masklet_server.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))

    assert "masklet_server.serving" in loaded
    assert not loaded & {"asyncio", "av", "cv2", "grpc", "numpy", "torch", "masklet_server.sandbox.decoders"}
    assert not [name for name in loaded if name.startswith("masklet_server.service.")]


def test_on_macs_what_apples_gpus_lack_runs_on_the_processor_however_the_server_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "PYTORCH_ENABLE_MPS_FALLBACK"
    monkeypatch.setattr(os, "environ", {key: value for key, value in os.environ.items() if key != name})
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "argv", ["masklet-server", "--version"])

    with pytest.raises(SystemExit):
        cli.main()

    assert os.environ[name] == "1"
