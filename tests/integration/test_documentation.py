"""What the documentation shows is run as it stands, on a clip that is really there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import masklet
from documentation import blocks, command_lines, python_of
from masklet.cli import main
from masklet.session import Session
from masklet_server.demo.clip_writer import DemoClip


def on_the_demo_clip(code: str, clip: DemoClip) -> str:
    """The same code with the clip that exists here, and a range that it has."""
    _, x_px, y_px = clip.clicks[0]
    code = code.replace("plate.%04d.exr", str(clip.pattern))
    code = re.sub(r"x_px=640, y_px=360", f"x_px={x_px}, y_px={y_px}", code)
    for written, own in {"1050": "1003", "1060": "1004", "1080": "1005", "1100": "1005"}.items():
        code = code.replace(written, own)
    return code


@pytest.fixture
def tracked(session: Session, clip: DemoClip) -> Session:
    """A session in which "hero" was clicked and tracked."""
    frame, x_px, y_px = clip.clicks[0]
    session.object("hero").click(frame=frame, x_px=x_px, y_px=y_px)
    for _ in session.track():
        pass
    return session


@pytest.mark.parametrize("guide", ["README.md", "docs/package.md"])
def test_the_first_ten_lines_run(
    environment: Path, clip: DemoClip, capsys: pytest.CaptureFixture[str], guide: str
) -> None:
    (code,) = python_of(guide)

    exec(compile(on_the_demo_clip(code, clip), guide, "exec"), {})

    assert len(capsys.readouterr().out.splitlines()) == 5
    assert len(list((environment / "mattes").glob("*.exr"))) == 5


def test_the_client_guide_runs_from_clicks_to_documents(environment: Path, clip: DemoClip) -> None:
    import numpy as np

    connecting, *rest = python_of("docs/client.md")
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


def test_connecting_takes_the_words_of_the_client_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    # gpu1.studio.lan is nobody's: the second connection is made to the server of this test.
    asked = []

    class Nothing:
        def __enter__(self) -> Nothing:
            return self

        def __exit__(self, *rest: object) -> None: ...

    def connect(
        address: str | None = None, *, token: str | None = None, tls_ca_file: str | None = None
    ) -> Nothing:
        asked.append((address, token, tls_ca_file))
        return Nothing()

    monkeypatch.setattr(masklet, "connect", connect, raising=False)
    connecting = python_of("docs/client.md")[0]

    exec(compile(connecting, "docs/client.md", "exec"), {})

    assert asked == [(None, None, None), ("gpu1.studio.lan:7700", "…", "studio-ca.pem")]


def test_the_guide_to_shapes_runs(environment: Path, tracked: Session) -> None:
    (code,) = python_of("docs/shapes.md")
    names: dict[str, object] = {"session": tracked}

    exec(compile(code, "docs/shapes.md", "exec"), names)

    assert {"shapes", "track"} <= names.keys()


def test_the_guide_to_exchange_writes_its_files(environment: Path, tracked: Session) -> None:
    (code,) = python_of("docs/exchange.md")

    exec(compile(code, "docs/exchange.md", "exec"), {"session": tracked})

    assert {"shot.nk", "shot.setting", "shot.json"} <= {file.name for file in environment.iterdir()}


ROTO_LINES = [
    words
    for block in blocks("")
    if block.guide in ("README.md", "docs/package.md", "docs/client.md", "docs/exchange.md")
    for words in command_lines(block)
    if words[0].endswith("masklet") and words[1:2] == ["roto"]
]


@pytest.mark.parametrize("words", ROTO_LINES, ids=" ".join)
def test_the_command_lines_that_make_mattes_make_them(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    place = f"{frame}:{x_px},{y_px}"
    swapped = {"plate.%04d.exr": str(clip.pattern), "1001:640,360": place}
    monkeypatch.setattr(sys, "argv", ["masklet", *(swapped.get(word, word) for word in words[1:])])

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code in (0, None)
    assert len(list((environment / "mattes").rglob("*.exr"))) == 5


def test_the_outline_of_the_exchange_file_names_its_parts(environment: Path, tracked: Session) -> None:
    outline = next(block.text for block in blocks("text") if "masklet-exchange" in block.text)
    (code,) = python_of("docs/exchange.md")

    exec(compile(code, "docs/exchange.md", "exec"), {"session": tracked})

    written = json.loads((environment / "shot.json").read_text(encoding="utf-8"))
    assert set(written) <= set(re.findall(r'"(\w+)"', outline))
    for part in ("clip", "shapes", "anchors", "states"):
        first = written[part] if isinstance(written[part], dict) else (written[part] or [{}])[0]
        assert set(first) <= set(re.findall(r'"(\w+)"', outline)), part
