"""What the documentation shows is run as it stands, on a clip that is really there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import masklet
from masklet_server.demo.clip_writer import DemoClip

ROOT = Path(__file__).parents[2]


def python_blocks(document: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def on_the_demo_clip(code: str, clip: DemoClip) -> str:
    """The same code with the clip that exists here, and a range that it has."""
    _, x_px, y_px = clip.clicks[0]
    code = code.replace("plate.%04d.exr", str(clip.pattern))
    code = re.sub(r"x_px=640, y_px=360", f"x_px={x_px}, y_px={y_px}", code)
    return code.replace("1050", "1003").replace("1080", "1005").replace("1100", "1005")


def test_the_readme_ten_lines_run(
    environment: Path, clip: DemoClip, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = python_blocks(ROOT / "README.md")

    exec(compile(on_the_demo_clip(code, clip), "README.md", "exec"), {})

    assert len(capsys.readouterr().out.splitlines()) == 5
    assert len(list((environment / "mattes").glob("*.exr"))) == 5


def test_the_client_guide_runs_from_clicks_to_documents(environment: Path, clip: DemoClip) -> None:
    import numpy as np

    connecting, *rest = python_blocks(ROOT / "docs" / "client.md")
    assert "masklet.connect(" in connecting
    code = "\n".join(on_the_demo_clip(block, clip) for block in rest)

    with masklet.connect() as server:
        exec(
            compile(code, "docs/client.md", "exec"),
            {"masklet": masklet, "server": server, "array": np.zeros((480, 854), np.uint8)},
        )

    assert (environment / "shot.json").is_file()
    assert list((environment / "mattes").glob("*.exr"))
    assert list((environment / "review").glob("*.mp4"))
