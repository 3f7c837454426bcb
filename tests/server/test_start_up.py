"""Commands of the server that serve nothing load nothing of what serves."""

from __future__ import annotations

import json
import subprocess
import sys


def test_the_command_line_loads_neither_the_service_nor_a_library_of_it() -> None:
    code = "import json, sys, masklet_server.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))

    assert "masklet_server.serving" in loaded
    assert not loaded & {"asyncio", "av", "cv2", "grpc", "numpy", "torch", "masklet_server.sandbox.decoders"}
    assert not [name for name in loaded if name.startswith("masklet_server.service.")]
