"""The host's side in the interpreters that host applications bring: standard library and core alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import masklet
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip

CORE = Path(masklet.__file__).parent.parent
VERSIONS = ("3.9", "3.10", "3.11", "3.13")

SCRIPT = """
import json, sys
sys.path.insert(0, {core!r})
from masklet.client import connect_through_helper
from masklet.errors import MaskletError, NameTakenError

with connect_through_helper({address!r}, token_file={token_file!r}, python={python!r}) as server:
    session = server.open({clip!r})
    duck = session.object("duck")
    clicked = duck.click(frame=1001, x_px={x_px!r}, y_px={y_px!r})
    frames = [update.frame for update in session.track()]
    left = iter(session.track())
    next(left)
    left.close()
    files = session.export({folder!r}).files
    shapes = session.shapes("duck")
    anchor = session.anchor("duck", "similarity")
    try:
        session.object("other").rename("duck")
    except NameTakenError as error:
        refused = str(error)
    document = session.prompts()
    session.close()

print(json.dumps({{
    "version": sys.version_info[:2],
    "modules": sorted(sys.modules),
    "mask": [clicked.mask.width_px, clicked.mask.height_px, len(clicked.mask.alpha)],
    "frames": frames,
    "files": len(files),
    "vertices": shapes.pieces[0].vertex_count,
    "keys": len(anchor.keys),
    "refused": refused,
    "prompts": len(document.prompts),
}}))
"""


def interpreter(version: str) -> str | None:
    """An interpreter of this version, from pyenv or from the path."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = str(homes[-1]) if homes else shutil.which(f"python{version}")
    # pyenv puts names of versions on the path that it does not start.
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interpreter_without_any_package_does_everything(
    version: str, process: LocalServer, clip: DemoClip, tmp_path: Path
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    token_file = tmp_path / "token"
    token_file.write_text(process.token)
    _, x_px, y_px = clip.clicks[0]
    script = SCRIPT.format(
        core=str(CORE),
        address=process.address,
        token_file=str(token_file),
        python=sys.executable,
        clip=str(clip.pattern),
        x_px=x_px,
        y_px=y_px,
        folder=str(tmp_path / "mattes"),
    )

    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={name: value for name, value in os.environ.items() if not name.startswith("MASKLET")},
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert ".".join(map(str, found["version"])) == version
    assert not {"grpc", "google", "google.protobuf", "numpy", "torch", "_cffi_backend"} & set(
        found["modules"]
    )
    assert found["mask"] == [854, 480, 854 * 480]
    assert sorted(found["frames"]) == [1001, 1002, 1003, 1004]
    assert (found["files"], found["keys"], found["prompts"]) == (4, 4, 1)
    assert found["vertices"] >= 3
    assert "duck" in found["refused"]
