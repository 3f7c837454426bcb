"""The unit for systemd: one that systemd takes, closed as far as a server with a card can be."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from command_words import check_command, group
from masklet_server.cli import app
from masklet_server.serve_settings import settings_of
from masklet_server.service.running import DEVICE_FAILED_CODE
from masklet_server.serving import serve_command

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "systemd/masklet-server.service"
MOST_EXPOSED = 20
"""Tenths of what systemd counts from 0 to 10, ten being a service that is not closed at all."""

analysed = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def values(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def analyse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )


@analysed
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    # With a program that is there: where masklet is installed is each studio's own.
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/masklet/bin/masklet-server", sys.executable), encoding="utf-8")

    done = analyse("verify", "--man=no", str(unit))

    mine = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert mine == []
    assert done.returncode == 0, done.stderr


@analysed
def test_a_mistake_in_the_unit_would_be_found(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("ProtectSystem=strict", "ProtectSystem=very")
    unit.write_text(text.replace("/opt/masklet/bin/masklet-server", sys.executable), encoding="utf-8")

    assert "protect system" in analyse("verify", "--man=no", str(unit)).stderr.lower()


@analysed
def test_the_unit_is_closed_as_far_as_it_can_be() -> None:
    done = analyse("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(UNIT))

    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd cannot judge a unit without a running one")
    assert done.returncode == 0, done.stdout[-600:] + done.stderr


def test_its_command_lines_are_ones_that_are_taken() -> None:
    (line,) = values("ExecStart")
    program, *words = shlex.split(line)

    assert program.endswith("/masklet-server")
    check_command(group(app), words)


def test_it_leaves_the_server_the_time_it_needs() -> None:
    # The server itself ends within ten seconds.
    assert int(values("TimeoutStopSec")[0]) > 10
    assert values("Type") == ["notify"]
    assert values("Restart") == ["on-failure"]
    # Any code but 0 is a failure, a device that is gone among them.
    assert DEVICE_FAILED_CODE != 0
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, encoding="utf-8")
    assert set(parser) == {"DEFAULT", "Unit", "Service", "Install"}


def test_its_settings_file_is_one_that_is_taken() -> None:
    file = DEPLOY / "server.toml"
    settings = settings_of(serve_command().make_context("serve", ["--config", str(file)]).params)

    assert settings.signed_tokens == Path("/etc/masklet/tokens.json")
    # What may be written: the folders that systemd makes for it.
    state, cache = (
        Path("/var/lib") / values("StateDirectory")[0],
        Path("/var/cache") / values("CacheDirectory")[0],
    )
    assert settings.sessions_folder is not None
    assert settings.sessions_folder.is_relative_to(state)
    assert settings.upload_folder == cache
    assert settings.audit is not None
    assert settings.audit.is_relative_to(state)
