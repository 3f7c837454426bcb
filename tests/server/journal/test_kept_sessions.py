"""``masklet-server sessions``: what servers keep, without a server."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fakes.clips import clip_of
from fakes.engine import FakeClip
from fakes.histories import CLIP, through_json, track
from fakes.journals import store_in
from masklet.errors import MaskletError
from masklet.prompts import Shot, read_shot, to_json
from masklet.types import Click, FrameRange, PromptDocument
from masklet_server.cli import app
from masklet_server.journal.folder import FILE_NAME

REFERENCE = clip_of(lambda: FakeClip(CLIP))


@pytest.fixture
def worked(tmp_path: Path) -> tuple[Path, str, PromptDocument]:
    """A folder of sessions, one of them worked in, and what was said there."""

    async def work() -> tuple[str, PromptDocument]:
        async with store_in(tmp_path / "kept") as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            await session.add_object("ball")
            await session.add_click(hero, 3, Click(5.0, 5.0))
            await track(session)
            await session.set_lock(hero, FrameRange(5, 6), locked=True)
            return session.session_id, through_json(session.whole_document())

    return (tmp_path / "kept", *asyncio.run(work()))


def epoch(file: Path) -> int:
    """How often the session has been taken over."""
    connection = sqlite3.connect(file)
    (found,) = connection.execute("SELECT epoch FROM owner").fetchone()
    connection.close()
    return int(found)


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sessions", *arguments], env={"COLUMNS": "200"})


def test_the_list_says_whose_which_clip_and_how_large(worked: tuple[Path, str, PromptDocument]) -> None:
    folder, session_id, _ = worked
    (folder / ("f" * 32)).mkdir()
    (folder / ("f" * 32) / FILE_NAME).write_bytes(b"torn")

    lines = told("list", "--sessions", str(folder)).output.splitlines()

    (mine,) = [line for line in lines if session_id in line]
    assert "ann" in mine
    assert CLIP.name in mine
    assert " 2 " in mine
    assert any("(damaged)" in line for line in lines)


def test_an_export_is_the_sessions_document_and_takes_nothing_from_its_server(
    worked: tuple[Path, str, PromptDocument], tmp_path: Path
) -> None:
    folder, session_id, document = worked
    before = epoch(folder / session_id / FILE_NAME)

    result = told("export", session_id[:6], str(tmp_path / "out.json"), "--sessions", str(folder))

    assert result.exit_code == 0, result.output
    assert "2 objects" in result.output
    found = read_shot(tmp_path / "out.json").document
    assert to_json(Shot("a", found)) == to_json(Shot("a", document))
    assert epoch(folder / session_id / FILE_NAME) == before
    again = told("export", session_id, str(tmp_path / "out.json"), "--sessions", str(folder))
    assert isinstance(again.exception, MaskletError)
    assert "exists already" in str(again.exception)


def test_of_a_damaged_session_what_can_be_read_is_exported_when_asked_for(
    worked: tuple[Path, str, PromptDocument], tmp_path: Path
) -> None:
    folder, session_id, _ = worked
    connection = sqlite3.connect(folder / session_id / FILE_NAME)
    connection.execute("UPDATE record SET crc = crc + 1 WHERE kind = 'prompt'")
    connection.commit()
    connection.close()
    arguments = ("export", session_id, str(tmp_path / "out.json"), "--sessions", str(folder))

    assert "is damaged" in str(told(*arguments).exception)
    result = told(*arguments, "--salvage")

    assert result.exit_code == 0, result.output
    assert "left out: prompt" in result.output
    objects = json.loads((tmp_path / "out.json").read_text())["objects"]
    assert [each["name"] for each in objects] == ["hero", "ball"]


def test_a_removed_session_is_gone_and_others_are_not(worked: tuple[Path, str, PromptDocument]) -> None:
    folder, session_id, _ = worked

    assert isinstance(told("remove", "0" * 32, "--sessions", str(folder), "--yes").exception, MaskletError)
    assert told("remove", session_id, "--sessions", str(folder)).exit_code == 1
    assert (folder / session_id).is_dir()
    assert told("remove", session_id, "--sessions", str(folder), "--yes").exit_code == 0
    assert not (folder / session_id).exists()
