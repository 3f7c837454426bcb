"""The server that was chosen last; no Qt is needed for it."""

from __future__ import annotations

from pathlib import Path

from masklet.hosting.work.connection import ConnectionSettings
from masklet_panel.kept_settings import read_settings, write_settings

CHOSEN = ConnectionSettings("render7:50051", "/keys/token", "/keys/ca.pem", weights="sam2.1_hiera_large")


def test_what_was_chosen_is_there_the_next_time(tmp_path: Path) -> None:
    write_settings(tmp_path / "own/settings.json", CHOSEN)
    assert read_settings(tmp_path / "own/settings.json", ConnectionSettings()) == CHOSEN


def test_what_is_named_for_this_once_goes_before_it(tmp_path: Path) -> None:
    write_settings(tmp_path / "settings.json", CHOSEN)
    found = read_settings(tmp_path / "settings.json", ConnectionSettings("here:1", helper_python="/python"))
    assert (found.address, found.helper_python, found.token_file) == ("here:1", "/python", "/keys/token")


def test_a_damaged_file_is_read_past(tmp_path: Path) -> None:
    for text in ("", "[]", '{"address": ', "\x00"):
        (tmp_path / "settings.json").write_text(text, encoding="utf-8")
        assert read_settings(tmp_path / "settings.json", ConnectionSettings()) == ConnectionSettings()
    assert read_settings(tmp_path / "gone.json", CHOSEN) == CHOSEN
