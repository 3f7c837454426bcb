"""From clicks to a version, and from its manifest to the same mattes: a real server, the embedded model."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

import masklet
from fakes.host import WORDS, FakeHost
from masklet import cli
from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Existing
from masklet.events import MatteFormat
from masklet.exchange.json_reading import read_json
from masklet.hosting.loop import Loop
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import Connection, ConnectionSettings
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import TrackRequest
from masklet.hosting.work.plate_output import Written, write
from masklet.hosting.work.plate_session import PlateSession
from masklet.outputs.extra_exports import ExtraExports
from masklet.outputs.output import Output
from masklet.publish.checks import validate
from masklet.publish.collected import collect
from masklet.publish.integrating import TemplateIntegrator
from masklet.publish.manifest import read_manifest
from masklet.publish.publishing import publish
from masklet.said.documents import SaidObject, new_uid, with_click
from masklet.types import Click, FrameRange
from masklet_server.demo.clip_writer import DemoClip


class Given(Connection):
    """The server that the tests share."""

    def __init__(self, server: masklet.Server) -> None:
        super().__init__()
        self._given = server

    def server(self, settings: ConnectionSettings) -> masklet.Server:
        """Whatever the settings say."""
        return self._given


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``masklet …``."""
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def pixels(file: Path) -> np.ndarray:
    picture = oiio.ImageInput.open(str(file))
    assert picture is not None
    values = picture.read_image()
    picture.close()
    return np.asarray(values)


def test_the_manifest_of_a_version_is_enough_to_make_the_same_mattes(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--object", "duck", "--name", "sh")
    grow = ("--matte", "grow=1", "--format", "exr")
    assert run(monkeypatch, *common, "--click", f"{frame}:{x_px},{y_px}", *grow, "--out", "first") == 0
    # A correction of what was tracked, a locked stretch: all that a document can hold.
    more = ("--click", "1004:240,345", "--lock", "1002-1003", "--shapes", "--export", "nuke")
    assert run(monkeypatch, *common, *more, *grow, "--out", "mattes") == 0
    capsys.readouterr()

    assert run(monkeypatch, "publish", "mattes", "--prompts", "shot.json", "--json") == 0
    version = Path(json.loads(capsys.readouterr().out)["folder"])
    manifest = read_manifest(version)
    assert manifest.record.run.prompts_sha256

    # Nothing but the manifest and the plate is left.
    alone = environment / "alone.version.json"
    shutil.copy(version / "sh.version.json", alone)
    shutil.rmtree("mattes")
    (environment / "shot.json").unlink()
    assert run(monkeypatch, "rebuild", alone, "--out", "again", "--json") == 0

    made, again = (sorted(folder.glob("*.exr")) for folder in (version, environment / "again"))
    assert [file.name for file in made] == [file.name for file in again]
    assert len(made) == 5
    for one, other in zip(made, again, strict=True):
        assert np.array_equal(pixels(one), pixels(other))
    assert "all 5 mattes are the same bytes" in capsys.readouterr().err


def test_a_lost_matte_is_refused_and_made_again_by_the_command_that_is_told(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    click = f"{frame}:{x_px},{y_px}"
    made = ("roto", clip.pattern, "--object", "duck", "--click", click, "--name", "sh")
    assert run(monkeypatch, *made, "--range", "1001-1002", "--out", "mattes") == 0
    (environment / "mattes/sh_mattes.1002.exr").unlink()
    capsys.readouterr()

    assert run(monkeypatch, "publish", "mattes") == 1
    told = capsys.readouterr().err
    assert "has no file on 1002" in told
    (command,) = {line.split("[masklet ")[1].rstrip("]") for line in told.splitlines() if "[masklet " in line}

    assert run(monkeypatch, *command.split()) == 0
    assert run(monkeypatch, "publish", "mattes") == 0


def tracked_plate(server: masklet.Server, clip: DemoClip, *names: str) -> tuple[Loop[Any], Any]:
    """A plate in a host with objects that were clicked and tracked."""
    host = FakeHost()
    loop = Loop(host, Given(server))
    plate = host.open(PlateSource("duck", str(clip.pattern), 854, 480, words=WORDS))
    host.adopt(plate)
    frame, x_px, y_px = clip.clicks[0]
    click = Click(x_px, y_px)
    host.take(plate, tuple(with_click(SaidObject(new_uid(), name), frame, click) for name in names))

    def tracked(session: PlateSession, job: Job, server: masklet.Server) -> Iterator[object]:
        return plate_work.track(session, job, server, TrackRequest())

    loop.start(plate, "Tracking", tracked, wait=True)
    return loop, plate


def written_by(loop: Loop[Any], plate: Any, output: Output, frames: FrameRange | None = None) -> Written:
    came: list[object] = []

    def written(session: PlateSession, job: Job, server: masklet.Server) -> Iterator[object]:
        return write(session, job, server, output, uids=(), frames=frames, next_version=False)

    loop.start(plate, "Writing", written, wait=True, on_made=lambda _, value: came.append(value))
    (made,) = came
    assert isinstance(made, Written)
    return made


def test_every_format_of_mattes_is_published_whole_and_made_again_from_its_manifest(
    server: masklet.Server,
    clip: DemoClip,
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop, plate = tracked_plate(server, clip, "Ente ä")
    nothing = ExtraExports(False, 1.0, (), Absence.HOLD, ())
    for matte_format in MatteFormat:
        folder = environment / matte_format.value
        made = written_by(
            loop, plate, Output(folder, matte_format, "sh", False, nothing, False, Existing.KEEP)
        )

        collected = collect(made.folder)
        assert validate(collected) == (), matte_format
        template = TemplateIntegrator(
            str(environment / "versions" / f"{matte_format.value}_v{{version:03d}}")
        )
        published, _ = publish(collected, template)
        pictures = [file for file in published.folder.rglob("*.*") if file.suffix in (".exr", ".png")]
        assert len(pictures) == 5, matte_format

    # A part of what was tracked as 8-bit PNGs, whose edges masks beside it calm: once more from nothing but
    # the manifest.
    output = Output(environment / "part", MatteFormat.PNG8, "sh", False, nothing, False, Existing.KEEP)
    made = written_by(loop, plate, output, FrameRange(1002, 1003))
    publish(collect(made.folder), TemplateIntegrator(str(environment / "versions/part_v{version:03d}")))
    version = environment / "versions/part_v001"
    again = environment / "again"
    capsys.readouterr()
    assert run(monkeypatch, "rebuild", version, "--out", again) == 0
    assert "all 2 mattes are the same bytes" in capsys.readouterr().err


def test_a_host_writes_what_can_be_published_and_brought_elsewhere(
    server: masklet.Server, clip: DemoClip, tmp_path: Path
) -> None:
    loop, plate = tracked_plate(server, clip, "duck")
    extras = ExtraExports(True, 1.0, (AnchorKind.SIMILARITY,), Absence.HOLD, ("json",))
    folder = tmp_path / "out"
    output = Output(folder, MatteFormat.EXR_LAYERS, "sh", False, extras, False, Existing.KEEP)

    made = written_by(loop, plate, output)
    collected = collect(made.folder)
    assert validate(collected) == ()
    assert [part.files for part in collected.parts] == [
        *("sh.json", "sh.shot.json", "sh_json.record.json", "sh_mattes.%04d.exr"),
    ]
    scene = read_json((folder / "sh.json").read_text(encoding="utf-8"))
    assert (len(scene.shapes), len(scene.anchors), len(scene.mattes)) == (1, 1, 1)
    published, _ = publish(collected, TemplateIntegrator())
    assert len(list(published.folder.glob("*.exr"))) == 5
