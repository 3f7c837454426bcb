"""``masklet-server doctor`` and ``masklet doctor server``: exit codes and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from masklet import device_survey
from masklet_server.cli import app


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        device_survey, "_PROBE", 'print(\'{"torch": "0", "cuda": null, "threads": 2, "cards": []}\')'
    )


def settings(folder: Path, text: str = "") -> str:
    file = folder / "server.toml"
    file.write_text(f'address = "127.0.0.1:1"\nsessions = "{folder / "kept"}"\n{text}', encoding="utf-8")
    return str(file)


def test_a_machine_that_is_well_ends_with_0(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--config", settings(tmp_path), "--json"])

    told = json.loads(done.stdout)
    assert done.exit_code == 0, done.stdout
    assert told["ok"] is True
    assert {"access", "clock", "sessions", "journals", "device", "limits", "listener"} <= {
        finding["subject"] for finding in told["findings"]
    }


def test_one_that_is_not_ends_with_1_and_says_what_helps(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--config", settings(tmp_path, 'root = ["/no/such/show"]\n')])

    assert done.exit_code == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
    assert "/no/such/show is no folder -> mount it" in line


def test_roots_of_tenants_are_looked_at_as_well(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["doctor", "--config", settings(tmp_path, 'tenant-root = ["acme=/no/such/show"]\n')]
    )

    assert done.exit_code == 1
    assert "/no/such/show is no folder" in done.stdout


def test_an_address_that_is_none_is_said_once_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'address = "nowhere"\nsessions = "{tmp_path / "kept"}"\n', encoding="utf-8")

    done = CliRunner().invoke(app, ["doctor", "--config", str(file), "--json"])

    told = json.loads(done.stdout)["findings"]
    assert done.exit_code == 1
    assert [each["subject"] for each in told if each["verdict"] == "bad"] == ["access"]
    assert "device" in {each["subject"] for each in told}


def test_a_settings_file_with_a_mistake_is_a_finding(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--config", settings(tmp_path, "max-sesions = 3\n"), "--json"])

    assert done.exit_code == 1
    assert "did you mean max-sessions?" in json.loads(done.stdout)["findings"][-1]["cause"]


def test_masklets_own_doctor_asks_the_servers(tmp_path: Path) -> None:
    words = ["doctor", "server", "--config", settings(tmp_path, "max-sesions = 3\n"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "masklet", *words], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
