"""What goes wrong around Blender ends in a sentence, and what the artist said is still there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip, write_clip
from platforms import KILL
from processes import children_of, is_running
from real_blender import SOURCE_FOLDERS, Blender, blender_wheel

SCRIPTS = Path(__file__).parent / "scripts"
MODULE = "masklet_blender"
OTHER_VERSION = """
import sys, masklet.version
masklet.version.VERSION = sys.argv[1]
options = ["--address", "127.0.0.1:0", "--token-file", sys.argv[2], "--announce", "--stop-with-stdin"]
sys.argv[1:] = ["serve", *options]
from masklet_server.cli import main
main()
"""
TOKEN = "a-token-of-this-test"
FRAMES = 30

Mishap = Callable[..., dict[str, Any]]

oldest_and_newest = pytest.mark.parametrize("blender", ["4.2", "5.2"], indirect=True)
"""For mishaps that are quick to bring about; the others were seen in 5.2 too, and lie outside of Blender."""


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    """Long enough for something to happen in the middle of its track."""
    return write_clip(tmp_path_factory.mktemp("plate"), frame_count=FRAMES)


@pytest.fixture
def blender(request: pytest.FixtureRequest) -> Blender:
    """The oldest version, unless a test says otherwise."""
    return blender_wheel(getattr(request, "param", "4.2"))


@pytest.fixture
def own_process() -> Iterator[LocalServer]:
    """A server that a test may kill."""
    server = LocalServer()
    yield server
    server.stop()


@pytest.fixture
def arguments(plate: DemoClip, tmp_path: Path) -> list[str]:
    """What every script is given: add-on, plate, folder, click. The plate is a copy."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for picture in plate.pattern.parent.glob("*.png"):
        (folder / picture.name).hardlink_to(picture)
    frame, x_px, y_px = plate.clicks[0]
    return [MODULE, str(folder / (plate.pattern.name % frame)), str(tmp_path), str(x_px), str(y_px)]


@pytest.fixture
def meet(blender: Blender, user_folder: Path, arguments: list[str]) -> Mishap:
    """Runs the script for a mishap with a server and returns what the artist met."""

    def run(mishap: str, *more: object, address: str, token: str) -> dict[str, Any]:
        environment = variables(address, token)
        words = [*arguments, mishap, *(str(word) for word in more)]
        return blender.run(SCRIPTS / "mishaps.py", *words, user_folder=user_folder, environment=environment)

    return run


def variables(address: str, token: str) -> dict[str, str]:
    """By which the add-on finds helper and server."""
    server = {"MASKLET_SERVER": address, "MASKLET_TOKEN": token}
    return server | {"MASKLET_PYTHON": sys.executable, "MASKLET_PATIENCE_S": "2"}


def is_sentence(text: str) -> bool:
    """One or two sentences for people: nothing of a traceback, a class or a path of the code."""
    foreign = ("Traceback", 'File "', "Error:", "grpc", "StatusCode", "errno", ".py")
    return bool(text) and len(text) < 400 and not any(word in text for word in foreign)


def test_a_server_killed_in_mid_track(meet: Mishap, own_process: LocalServer) -> None:
    met = meet("server killed", own_process.pid, address=own_process.address, token=own_process.token)

    assert met["click"] == ""
    assert is_sentence(met["sentence"]), met
    assert met["kept"]


@oldest_and_newest
def test_a_helper_killed_in_mid_track_is_replaced(meet: Mishap, process: LocalServer) -> None:
    met = meet("helper killed", address=process.address, token=process.token)

    assert is_sentence(met["sentence"]), met
    assert met["afterwards"] == ""
    assert met["kept"]


@oldest_and_newest
def test_a_wrong_token(meet: Mishap, process: LocalServer) -> None:
    met = meet("wrong token", address=process.address, token="wrong")

    assert is_sentence(met["sentence"]), met
    assert "token" in met["sentence"]
    assert met["kept"]


@oldest_and_newest
def test_another_machine_that_the_environment_names_is_not_reached_while_blender_may_not_go_online(
    meet: Mishap,
) -> None:
    met = meet("offline", address="gpu.studio:50051", token="any")

    assert "Allow Online Access" in met["sentence"], met
    assert "gpu.studio:50051" in met["sentence"]
    assert not met["may fetch"]
    assert met["kept"]


@pytest.mark.parametrize("version", ["0.0.1", "9.0.0"])
def test_a_server_of_another_version(version: str, meet: Mishap, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    command = [sys.executable, "-c", OTHER_VERSION, version, token_file]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        address = json.loads(server.stdout.readline())["address"]
        met = meet("another version", address=address, token=TOKEN)
        server.stdin.close()

    assert is_sentence(met["sentence"]), met
    assert version in met["sentence"]
    assert met["kept"]


@oldest_and_newest
@pytest.mark.skipif(sys.platform != "linux", reason="the limit that stands in for a full disk is Linux's")
def test_a_full_disk(meet: Mishap, process: LocalServer) -> None:
    met = meet("disk full", address=process.address, token=process.token)

    assert is_sentence(met["sentence"]), met
    assert [name for name in met["files"] if name.endswith(".png")] == []
    assert met["afterwards"] == ""
    assert met["kept"]


@oldest_and_newest
def test_a_plate_deleted_in_mid_work(meet: Mishap, process: LocalServer) -> None:
    met = meet("plate deleted", address=process.address, token=process.token)

    assert is_sentence(met["sentence"]), met
    assert "left out" in met["sentence"]
    assert met["kept"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up as Linux shows them")
def test_blender_killed_in_mid_track_takes_helper_and_server_with_it(
    blender: Blender, user_folder: Path, arguments: list[str]
) -> None:
    folders = [str(folder) for folder in SOURCE_FOLDERS]
    environment = blender.environment(user_folder, {"MASKLET_PYTHON": sys.executable}, folders)
    for name in ("MASKLET_SERVER", "MASKLET_TOKEN"):
        environment.pop(name, None)
    command = blender.command(SCRIPTS / "mishaps.py", [*arguments, "closed"], folders)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        line = next(line for line in running.stdout if line.startswith('{"helper"'))
        helper = int(line.split("[")[1].split("]")[0])
        server = next(child for child in children_of(helper))
        os.kill(running.pid, KILL)

    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline and (is_running(helper) or is_running(server)):
        time.sleep(0.1)
    assert not is_running(helper)
    assert not is_running(server)
