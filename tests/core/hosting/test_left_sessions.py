from __future__ import annotations

from pathlib import Path

from masklet.hosting.left_sessions import KEPT, LeftSessions


def test_the_sessions_of_the_last_few_files_are_left_and_older_ones_are_given_back(tmp_path: Path) -> None:
    file = tmp_path / "masklet/sessions.json"
    given_back = [LeftSessions(file).leave("gpu:1", [f"s{number}"]) for number in range(KEPT + 2)]
    assert given_back == [(), (), (), ("s0",), ("s1",)]


def test_a_file_that_is_opened_again_keeps_its_session(tmp_path: Path) -> None:
    left = LeftSessions(tmp_path / "sessions.json")
    left.leave("gpu:1", ["s0", "s1", "s2"])
    left.came_back("s0")
    assert left.leave("gpu:1", ["s3"]) == ()
    assert left.leave("gpu:1", ["s4"]) == ("s1",)


def test_sessions_of_another_server_are_counted_apart(tmp_path: Path) -> None:
    left = LeftSessions(tmp_path / "sessions.json")
    left.leave("gpu:1", ["a", "b", "c"])
    assert left.leave("gpu:2", ["d"]) == ()
    assert left.leave("gpu:1", ["e"]) == ("a",)


def test_a_list_that_is_damaged_or_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    file.write_text('{"no": "list"}')
    assert LeftSessions(file).leave("gpu:1", ["a"]) == ()
    assert LeftSessions(file / "beneath a file").leave("gpu:1", ["a"]) == ()
