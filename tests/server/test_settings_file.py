"""A server's settings in a file: the same names as options and environment, checked before they count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from masklet.errors import BadInputError
from masklet_server.cli import app
from masklet_server.serve_settings import settings_of
from masklet_server.service.settings import ServerSettings
from masklet_server.serving import serve_command


def settings_in(file: Path, *words: str) -> ServerSettings:
    return settings_of(serve_command().make_context("serve", ["--config", str(file), *words]).params)


def written(folder: Path, text: str) -> Path:
    file = folder / "server.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_command_line_goes_before_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "max-sessions = 7\nidle-s = 20\nmemory-gib = 2\nquality = 'fast'\n")
    monkeypatch.setenv("MASKLET_SERVE_IDLE_S", "30")
    monkeypatch.setenv("MASKLET_SERVE_MEMORY_GIB", "3")

    settings = settings_in(file, "--memory-gib", "4")

    assert settings.store.max_sessions == 7
    assert settings.store.idle_s == 30.0
    assert settings.store.memory_bytes == 4 << 30
    assert settings.quality == "fast"


def test_lists_tables_and_flags_are_understood(tmp_path: Path) -> None:
    file = written(
        tmp_path, 'root = ["/shows", "/plates"]\nno-sessions = true\nuser-weight = { ann = 2, bob = 0.5 }\n'
    )

    settings = settings_in(file)

    assert settings.roots == (Path("/shows"), Path("/plates"))
    assert settings.sessions_folder is None
    assert settings.user_weights == {"ann": 2.0, "bob": 0.5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max-sesions = 3", "did you mean max-sessions?"),
        ("max-sessions = ", "is no TOML"),
        ("max-sessions = [3]", "has to be one value"),
        ("compile = 1", "has to be true or false"),
        ("root = { a = 1 }\nuser-weight = ['ann']", "write one like ann=2"),
        ('profile = "director"', "there is no profile"),
        ('config = "other.toml"', "is no setting"),
        ('traces = "http://127.0.0.1:4318"\nno-egress = true', "say one"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInputError) as refused:
        settings_in(written(tmp_path, text))

    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="No such file"):
        settings_in(tmp_path / "none.toml")


def test_what_is_shown_is_a_file_that_says_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, 'max-sessions = 7\nroot = ["/shows"]\nuser-weight = { ann = 2 }\n')

    shown = CliRunner().invoke(app, ["config", "show", str(file)])

    assert shown.exit_code == 0
    assert "max-sessions = 7  # file" in shown.output
    assert "idle-s = 600.0  # default" in shown.output
    again = written(tmp_path, shown.output)
    before, after = settings_in(file), settings_in(again)
    assert before == after


def test_a_check_says_what_a_server_would_say(tmp_path: Path) -> None:
    right = CliRunner().invoke(app, ["config", "check", str(written(tmp_path, 'address = "127.0.0.1:0"'))])
    assert right.exit_code == 0
    assert "is right" in right.output

    wrong = CliRunner().invoke(app, ["config", "check", str(written(tmp_path, 'address = "0.0.0.0:7700"'))])
    assert isinstance(wrong.exception, BadInputError)
    assert "token" in str(wrong.exception)


def test_a_value_that_cannot_be_ends_with_the_exit_code_of_a_wrong_command_line(tmp_path: Path) -> None:
    file = written(tmp_path, 'max-sessions = "many"')
    command = [sys.executable, "-m", "masklet_server.cli", "config", "check", str(file)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "max-sessions" in done.stderr
