"""Where the helper's Python is written down, and what the helper sees of the host's environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from masklet.errors import HelperError, OutputError
from masklet.transport.helper_environment import (
    clean_environment,
    config_file,
    find_helper_python,
    forget_helper_python,
    remember_helper_python,
)
from platforms import make_link


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose configuration folder is empty."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "APPDATA": str(tmp_path / "roaming")}


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("linux", "config/masklet/helper.json"),
        ("win32", "roaming/masklet/helper.json"),
        ("darwin", "Library/Application Support/masklet/helper.json"),
    ],
)
def test_each_system_has_its_place(
    home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)

    assert config_file(home) == tmp_path / expected


def test_what_was_remembered_is_found_until_it_is_forgotten(home: dict[str, str], tmp_path: Path) -> None:
    linked = tmp_path / "python"
    make_link(linked, sys.executable)

    remember_helper_python(linked, home)

    # Not what the link leads to: the link is what makes a virtual environment.
    assert find_helper_python(home) == linked
    assert forget_helper_python(home)
    assert not forget_helper_python(home)
    with pytest.raises(HelperError, match="masklet install"):
        find_helper_python(home)


def test_the_environment_goes_before_what_was_remembered(home: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    remember_helper_python(other, home)

    assert find_helper_python({**home, "MASKLET_PYTHON": sys.executable}) == Path(sys.executable)


def test_an_interpreter_that_is_gone_is_named_with_its_source(home: dict[str, str], tmp_path: Path) -> None:
    remember_helper_python(tmp_path / "gone", home)

    with pytest.raises(HelperError, match=r"helper\.json names .*gone, which is not there"):
        find_helper_python(home)
    with pytest.raises(HelperError, match="MASKLET_PYTHON names"):
        find_helper_python({**home, "MASKLET_PYTHON": str(tmp_path / "gone")})


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"python": 5}', "\xff"])
def test_a_damaged_file_is_a_sentence(home: dict[str, str], text: str) -> None:
    file = config_file(home)
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="latin-1")

    with pytest.raises(HelperError, match="cannot be read"):
        find_helper_python(home)


def test_a_configuration_folder_that_is_none_is_a_sentence(home: dict[str, str], tmp_path: Path) -> None:
    Path(home["XDG_CONFIG_HOME"]).touch()

    with pytest.raises(OutputError, match="cannot be written"):
        remember_helper_python(Path(sys.executable), home)


def test_the_helper_sees_nothing_that_a_host_sets_for_itself() -> None:
    foreign = {"PYTHONHOME": "x", "pythonPath": "x", "LD_LIBRARY_PATH": "x", "DYLD_LIBRARY_PATH": "x"}
    foreign |= {"QT_PLUGIN_PATH": "x", "NUKE_PATH": "x", "BLENDER_USER_SCRIPTS": "x", "VIRTUAL_ENV": "x"}
    kept = {"PATH": "/bin", "HOME": "/home/ann", "OCIO": "/config.ocio", "MASKLET_MODEL": "small"}

    assert clean_environment({**foreign, **kept}) == kept
