"""The command line as a program: help, version, exit codes, and what it says before any server runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from masklet import __version__, cli
from masklet.commands import roto
from masklet.commands.exits import ExitCode

GUIDE = Path(__file__).parents[2] / "docs" / "command-line.md"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, and no server: starting one fails the test."""

    def start(*_: object) -> None:
        pytest.fail("a server was started")

    monkeypatch.delenv("MASKLET_SERVER", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(roto, "connect_as_asked", start)
    return tmp_path


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(cli.make_app(), ["--version"]).output == f"masklet {__version__}\n"


@pytest.mark.parametrize("command", [[], ["roto"], ["review"], ["click"], ["doctor"], ["ping"]])
def test_a_short_flag_asks_for_help(command: list[str]) -> None:
    result = CliRunner().invoke(cli.make_app(), [*command, "-h"])

    assert result.exit_code == 0
    assert "Usage" in result.output


def test_shells_can_complete_commands_and_options() -> None:
    output = CliRunner().invoke(cli.make_app(), ["--help"]).output

    assert "--install-completion" in output


def test_exit_codes_are_documented_as_they_are() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)

    assert [(int(code), meaning) for code, meaning in rows] == [
        (code.value, code.meaning) for code in ExitCode
    ]
    shown = " ".join(CliRunner().invoke(cli.make_app(), ["--help"], terminal_width=2000).output.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in shown


def test_a_clip_that_is_not_there_needs_no_server(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, "roto", "gone.mov", "--click", "0:1,1", "--out", "out")

    assert code == ExitCode.FAILED
    assert "gone.mov" in capsys.readouterr().err
    assert not (alone / "out").exists()


def test_a_failure_is_json_where_json_was_asked_for(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, "roto", "gone.mov", "--click", "0:1,1", "--out", "out", "--json")

    told = capsys.readouterr()
    content = json.loads(told.out)
    assert content["exit_code"] == code == ExitCode.FAILED
    assert content["error"]["kind"] == "clip"
    assert content["error"]["message"] in told.err


def test_a_command_line_that_is_not_understood_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "roto", "--no-such-option") == ExitCode.USAGE


@pytest.mark.parametrize(
    "words",
    [("roto", "--no-such-option"), ("roto",), ("roto", "x", "--out", "y", "--format", "tiff"), ("no",)],
)
def test_what_is_not_understood_is_json_where_json_was_asked_for(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, *words, "--json")

    content = json.loads(capsys.readouterr().out)
    assert (content["ok"], content["exit_code"], code) == (False, 2, 2)
    assert content["error"]["kind"] == "usage"
    assert content["error"]["message"]


def test_ctrl_c_has_a_code_of_its_own(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    (alone / "a.mov").touch()
    monkeypatch.setattr(roto, "connect_as_asked", interrupt)

    words = ("roto", "a.mov", "--click", "0:1,1", "--out", "out", "--json")
    assert run(monkeypatch, *words) == ExitCode.INTERRUPTED
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert "stopped" in told.err
    assert json.loads(told.out)["exit_code"] == ExitCode.INTERRUPTED


def test_a_document_in_a_folder_that_is_not_there_is_told_at_once(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (alone / "a.mov").touch()

    code = run(
        monkeypatch, "roto", "a.mov", "--click", "0:1,1", "--out", "out", "--prompts", "no/such/shot.json"
    )

    assert code == ExitCode.FAILED
    assert "there is no folder no/such" in capsys.readouterr().err
