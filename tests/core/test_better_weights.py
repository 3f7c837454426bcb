"""The way to better weights is told once, and to nobody who has them."""

from __future__ import annotations

from pathlib import Path

from masklet.better_weights import EMBEDDED, RECOMMENDED, better_sentence, is_told, tell_of_better


def test_the_command_and_the_size_are_in_one_line() -> None:
    sentence = better_sentence(EMBEDDED)

    assert sentence is not None
    assert f"masklet-server weights pull {RECOMMENDED} (156 MB)" in sentence
    assert "\n" not in sentence
    assert better_sentence(RECOMMENDED) is None


def test_it_is_told_once(tmp_path: Path) -> None:
    assert [is_told(tmp_path / "state") for _ in range(3)] == [False, True, True]


def test_a_folder_that_cannot_be_written_makes_it_no_refrain(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    assert is_told(tmp_path / "state")


def test_who_works_with_other_weights_is_told_nothing() -> None:
    said: list[str] = []

    tell_of_better("studio_model", said.append)

    assert said == []
