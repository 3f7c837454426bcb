"""What differs between devices is in one file; only what is CUDA's by nature lies elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).parents[2] / "server/masklet_server"
THE_FILE = "model/devices.py"
OF_CUDA = ("engine/replay.py", "training/")
"""Recordings of CUDA graphs, and training, which has its own."""
WORDS = ("doctor/device.py",)
"""Tells what the file found."""


def device_code(source: str) -> Iterator[str]:
    """``torch.cuda`` and the like, and ``"mps"`` or ``"xpu"`` as a value."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "torch"
            and node.attr in ("cuda", "mps", "xpu")
        ):
            yield f"torch.{node.attr}"
        if isinstance(node, ast.Constant) and node.value in ("mps", "xpu"):
            yield str(node.value)


def test_no_other_file_knows_apples_or_intels_gpus() -> None:
    found = {}
    for file in SERVER.rglob("*.py"):
        name = file.relative_to(SERVER).as_posix()
        code = set(device_code(file.read_text(encoding="utf-8")))
        if name.startswith(OF_CUDA):
            code -= {"torch.cuda"}
        if code and name != THE_FILE and name not in WORDS:
            found[name] = code

    assert found == {}


def test_the_search_finds_what_it_looks_for() -> None:
    assert set(device_code((SERVER / THE_FILE).read_text("utf-8"))) >= {
        "torch.cuda",
        "torch.mps",
        "mps",
        "xpu",
    }
    assert list(device_code('"""torch.mps and "mps" in words."""')) == []
