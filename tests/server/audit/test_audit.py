"""The audit log holds together over files, crashes and full disks, and whoever changes it is found out."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from masklet.errors import BadInputError
from masklet_server import cli
from masklet_server.audit import log as log_module
from masklet_server.audit.chain import NOTHING, Link, files_of, link_in, linked, verify
from masklet_server.audit.log import AuditLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "audit.jsonl"


def written(path: Path, count: int = 5, *, max_bytes: int = 1 << 20) -> None:
    log = AuditLog(path, max_bytes=max_bytes)
    for number in range(count):
        log.note("prompt", user="ann", session_id="1" * 32, frame=number)
    log.close()


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files_of(path) for line in file.read_text().splitlines()]


def test_records_are_chained_and_for_the_servers_user_alone(path: Path) -> None:
    written(path)
    found = verify(path)

    assert (found.first, found.last.number, found.broken) == (1, 5, None)
    assert [each["frame"] for each in records(path)] == [0, 1, 2, 3, 4]
    assert records(path)[0]["prev"] == NOTHING
    assert records(path)[1]["prev"] == records(path)[0]["hash"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_start_goes_on_with_the_chain_and_no_second_server_writes_it(path: Path) -> None:
    written(path)
    log = AuditLog(path, max_bytes=1 << 20)
    with pytest.raises(BadInputError, match="another server writes the audit log"):
        AuditLog(path, max_bytes=1 << 20)
    log.note("open")
    log.close()
    log.close()

    assert verify(path).last.number == 6


def test_full_files_are_put_aside_and_the_chain_goes_over_them(path: Path) -> None:
    for _ in range(6):
        written(path, 10, max_bytes=1000)
    files = files_of(path)
    found = verify(path)

    assert len(files) == 6
    assert (found.first, found.last.number, found.broken) == (1, 60, None)

    files[0].unlink()
    rest = verify(path)
    assert rest.broken is None
    assert rest.first > 1
    files[2].unlink()
    broken = verify(path).broken
    assert broken is not None
    assert (broken.file, broken.line) == (files[3], 1)
    assert "follows record" in broken.why


def edited(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        lines = change(path.read_text().splitlines(keepends=True))
        path.write_text("".join(lines))

    return edit


@pytest.mark.parametrize(
    ("edit", "line", "why"),
    [
        (
            edited(lambda lines: [*lines[:2], lines[2].replace('"ann"', '"bob"'), *lines[3:]]),
            3,
            "as it was written",
        ),
        (edited(lambda lines: lines[:2] + lines[3:]), 3, "record 4 follows record 2"),
        (edited(lambda lines: [*lines[:2], lines[3], lines[2], lines[4]]), 3, "record 4 follows record 2"),
        (edited(lambda lines: lines[:3] + lines[2:]), 4, "record 3 follows record 3"),
        (edited(lambda lines: [*lines[:2], "{}\n", *lines[2:]]), 3, "no record"),
        (edited(lambda lines: [*lines[:4], lines[4][:40]]), 5, "no record"),
        (edited(lambda lines: [*lines[:4], lines[4].rstrip("\n")]), 5, "torn"),
        (edited(lambda lines: [lines[0].replace(":", ": ", 1), *lines[1:]]), 1, "as it was written"),
        (edited(lambda lines: ["x" * 100_000 + "\n", *lines]), 1, "longer than a record"),
        (edited(lambda lines: ["[" * 9000 + "\n", *lines]), 1, "no record"),
        (edited(lambda lines: lines[1:]), 0, ""),
    ],
)
def test_the_first_broken_link_is_named(
    path: Path, edit: Callable[[Path], None], line: int, why: str
) -> None:
    written(path)
    edit(path)
    broken = verify(path).broken

    if not line:
        assert broken is None, "old records may be put away from the beginning"
        assert verify(path).first == 2
        return
    assert broken is not None
    assert (broken.file, broken.line) == (path, line)
    assert why in broken.why


def test_a_record_that_is_written_anew_with_its_digest_breaks_the_chain_behind_it(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    second = json.loads(lines[1])
    before = Link(1, second.pop("prev"))
    for name in ("n", "hash"):
        second.pop(name)
    lines[1], _ = linked({**second, "user": "bob"}, before)
    path.write_bytes(b"".join(lines))
    broken = verify(path).broken

    assert broken is not None
    assert (broken.line, broken.why) == (3, "record 3 was written behind another record 2")


def test_a_log_that_was_cut_off_is_noticed_by_a_digest_that_was_noted(path: Path) -> None:
    written(path)
    noted = verify(path).last.digest
    assert verify(path, expected=noted).met
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))

    assert verify(path).broken is None
    assert not verify(path, expected=noted).met
    run = CliRunner()
    assert run.invoke(cli.app, ["audit", "verify", str(path)]).exit_code == 0
    refused = run.invoke(cli.app, ["audit", "verify", str(path), "--expect", noted])
    assert refused.exit_code == 1
    assert "cut off" in refused.output


def test_the_command_tells_file_line_and_reason(path: Path) -> None:
    written(path)
    run = CliRunner()
    good = run.invoke(cli.app, ["audit", "verify", str(path)])
    edited(lambda lines: lines[:2] + lines[3:])(path)
    bad = run.invoke(cli.app, ["audit", "verify", str(path)])

    assert good.exit_code == 0
    assert "5 records in 1 files hold" in good.output
    assert bad.exit_code == 1
    assert f"the chain breaks in {path} at line 3: record 4 follows record 2" in bad.output.replace("\n", " ")
    with pytest.raises(BadInputError, match="there is no audit log"):
        verify(path.with_name("other"))


def test_half_a_record_of_a_killed_server_is_put_aside(path: Path) -> None:
    written(path)
    with path.open("ab") as file:
        file.write(b'{"did":"pro')
    log = AuditLog(path, max_bytes=1 << 20)
    log.note("open")
    log.close()

    assert verify(path).broken is None
    assert verify(path).last.number == 6
    (torn,) = path.parent.glob("*.torn-*")
    assert torn.read_bytes() == b'{"did":"pro'


def test_a_log_with_a_damaged_end_is_not_written_on(path: Path) -> None:
    written(path)
    edited(lambda lines: [*lines[:4], lines[4].replace("ann", "bob")])(path)
    with pytest.raises(BadInputError, match="audit verify"):
        AuditLog(path, max_bytes=1 << 20)
    # And the lock is free again.
    edited(lambda lines: lines[:4])(path)
    AuditLog(path, max_bytes=1 << 20).close()


def test_a_full_disk_stops_nobody_is_told_and_how_many_are_missing_is_noted(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = log_module._write_all
    full = True

    def write(file: io.FileIO, content: bytes) -> None:
        if full:
            file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, content)

    monkeypatch.setattr(log_module, "_write_all", write)
    log = AuditLog(path, max_bytes=1 << 20)

    def settled(failing: bool) -> None:
        until_s = time.monotonic() + 10
        while log.is_failing != failing:
            assert time.monotonic() < until_s, "the log does not notice its disk"
            time.sleep(0.01)

    with caplog.at_level(logging.ERROR):
        log.note("open")
        settled(True)
        full = False
        log.note("export")
        settled(False)
    log.close()

    assert [(each["did"], each.get("count")) for each in records(path)] == [
        ("lost-records", 1),
        ("export", None),
    ]
    assert verify(path).broken is None
    said = [record.getMessage() for record in caplog.records]
    assert "takes nothing (No space left on device)" in said[0]
    assert "1 records are missing" in said[1]


def test_what_comes_faster_than_the_disk_takes_it_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "MAX_WAITING", 0)
    log = AuditLog(path, max_bytes=1 << 20)
    for _ in range(7):
        log.note("prompt")
    monkeypatch.setattr(log_module, "MAX_WAITING", 100)
    log.note("prompt")
    log.close()

    assert records(path)[0]["count"] == 7
    assert [each["did"] for each in records(path)] == ["lost-records", "prompt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match=r"cannot be written .*--audit"):
        AuditLog(tmp_path / "file" / "audit.jsonl", max_bytes=1000)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["user", "path", "clip_name"]), st.text() | st.integers() | st.none(), max_size=3
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_text_makes_one_line_that_is_read_as_it_was_written(contents: list[dict[str, Any]]) -> None:
    end = Link()
    for content in contents:
        line, after = linked(content, end)
        assert line.count(b"\n") == 1
        assert link_in(line.rstrip(b"\n")) == (after, end.digest)
        end = after
