"""The extension in real Blenders: built, validated by Blender, installed, enabled, taken out again."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from masklet import __version__ as version
from masklet.installing.blender import installed_version, uninstall
from masklet.installing.blender_extension import extension_id, make_extension
from masklet.installing.blender_places import BlenderPlace
from real_blender import ROOT, Blender

SCRIPTS = Path(__file__).parent / "scripts"
MOST_MODULES = 140
"""That the add-on may import at Blender's start: modules are what a start costs, and counting them is fair on
a busy machine."""


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, as the build command writes it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, ROOT / "installers/build.py", "blender", "--out", folder]
    done = subprocess.run(build, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def test_the_build_is_the_same_every_time(extension: Path) -> None:
    assert extension.read_bytes() == make_extension()


def test_blenders_own_tool_finds_nothing_wrong(blender: Blender, extension: Path, user_folder: Path) -> None:
    done = blender.command_line("extension", "validate", extension, user_folder=user_folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_a_studio_hosts_it_as_a_static_repository(
    blender: Blender, extension: Path, user_folder: Path, run_in_blender, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(extension, folder)
    done = blender.command_line(
        "extension", "server-generate", f"--repo-dir={folder}", "--html", user_folder=user_folder
    )
    assert {"index.json", "index.html"} <= {file.name for file in folder.iterdir()}, done.stdout + done.stderr

    serving = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=folder)
    )
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{serving.server_address[1]}/index.json"
        answer = run_in_blender(SCRIPTS / "install_from_repository.py", address, sources=False)
    finally:
        serving.shutdown()
        serving.server_close()

    assert answer == {"steps": [["FINISHED"], ["FINISHED"]], "enabled": ["bl_ext.studio.masklet"]}


def test_it_installs_costs_little_and_leaves_nothing_when_disabled_and_removed(
    blender: Blender, extension: Path, user_folder: Path, run_in_blender
) -> None:
    identifier = extension_id()
    installed = blender.command_line(
        *("extension", "install-file", "--repo", "user_default", "--enable", extension),
        user_folder=user_folder,
    )
    place = BlenderPlace(blender.version, user_folder / "extensions")
    assert installed_version(place, identifier) is not None, installed.stdout + installed.stderr

    module = f"bl_ext.user_default.{identifier}"
    enabling = SCRIPTS / "enable_and_disable.py"
    start = run_in_blender(enabling, module, "start", sources=False)
    answer = run_in_blender(enabling, module, sources=False)

    assert answer["enabled"]
    assert {"click", "track"} <= set(answer["operators"])
    assert answer["before"] == []
    assert answer["during"] != []
    assert answer["after"] == []
    assert not [name for name in answer["heavy"] if not name.startswith("numpy")]
    assert len(start["imported"]) <= MOST_MODULES, len(start["imported"])
    # What only work with a server or files for other tools needs.
    late = (
        "masklet.exchange",
        "masklet.client",
        "masklet.transport.bridge",
        "asyncio",
        "ssl",
        "http",
        "multiprocessing",
    )
    assert [name for name in start["imported"] if name.startswith(late)] == []

    blender.command_line("extension", "remove", f"user_default.{identifier}", user_folder=user_folder)
    assert installed_version(place, identifier) is None
    assert uninstall(place, identifier) is None
    assert list(user_folder.glob("extensions/.local/**/masklet*")) == []


def test_a_folder_that_was_only_copied_works_once_it_is_ticked(
    blender: Blender, extension: Path, user_folder: Path, run_in_blender
) -> None:
    from masklet.installing.blender import install

    identifier = extension_id()
    place = BlenderPlace(blender.version, user_folder / "extensions")
    install(place, extension.read_bytes(), identifier)

    answer = run_in_blender(
        SCRIPTS / "enable_and_disable.py", f"bl_ext.user_default.{identifier}", sources=False
    )

    assert answer["enabled"]
    assert answer["after"] == []
    uninstall(place, identifier)
    assert [path.name for path in (user_folder / "extensions/user_default").iterdir() if path.is_dir()] in (
        [],
        [".blender_ext"],
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Blender's program is a script of the shell")
def test_the_command_finds_blender_has_it_install_and_undoes_it(
    blender: Blender, user_folder: Path, tmp_path: Path
) -> None:
    program = application(blender, tmp_path / "blender" / "blender")
    environment = {
        **blender.environment(user_folder, {}, []),
        "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home/.config"),
    }

    def masklet(*words: str) -> str:
        command = [sys.executable, "-m", "masklet.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    place = BlenderPlace(blender.version, user_folder / "extensions")
    identifier = extension_id()
    noted = tmp_path / "home/.config/masklet/helper.json"

    said = masklet("install", "blender", "--version", blender.version)
    assert f"Blender {blender.version}: installed and enabled" in said
    assert installed_version(place, identifier) == version
    assert sys.executable in noted.read_text(encoding="utf-8")

    said = masklet("uninstall", "blender", "--version", blender.version)
    assert f"Blender {blender.version}: removed" in said
    assert installed_version(place, identifier) is None
    assert not noted.exists()


def application(blender: Blender, program: Path) -> Path:
    """A program that does what Blender's own does with ``--command``, beside the folder of its version."""
    (program.parent / blender.version).mkdir(parents=True)
    words = blender.command(SCRIPTS / "blender_command.py", [], [])
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program
