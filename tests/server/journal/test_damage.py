"""Journals that are torn, flipped, full, read-only, older or newer: they open, or say why not."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes.clips import clip_of
from fakes.engine import FakeClip
from fakes.histories import CLIP, masks, through_json
from fakes.journals import store_in
from masklet.errors import BadInputError, MaskletError, OutputError
from masklet.prompts import from_json
from masklet.types import Click
from masklet_server.journal import database
from masklet_server.journal.database import FORMAT, Database
from masklet_server.journal.failures import DamagedJournalError
from masklet_server.journal.folder import FILE_NAME
from masklet_server.journal.journal import JournalPlace
from masklet_server.journal.records import uses_of
from masklet_server.journal.recovery import Recovered, recover
from masklet_server.sessions.masks import unpack_logits
from platforms import needs_rights

OLD = Path(__file__).parents[2] / "data" / "journals"
OLD_JOURNAL = OLD / "format-1.sqlite"
KNOWN = json.loads((OLD / "format-1.json").read_text(encoding="utf-8"))
DOCUMENT = from_json(json.dumps(KNOWN["document"])).document
REFERENCE = clip_of(lambda: FakeClip(CLIP))


def opened(file: Path) -> Recovered:
    database = Database(file, uses_of)
    try:
        return recover(database)
    finally:
        database.rest()


def mask_digests(found: Recovered) -> dict[str, str]:
    """Digests of all masks that are given back, by object's name and frame."""
    digests = {}
    names = found.restored.standing.contents.names
    for kept in found.restored.results:
        if kept.object_id not in names:
            continue
        try:
            packed = kept.place.read()
        except OutputError:
            continue
        if packed is not None:
            result = kept.entry.result(kept.object_id, kept.frame, unpack_logits(packed, kept.entry.shape))
            content = result.logits.tobytes() + result.pointer.tobytes()
            digests[f"{names[kept.object_id]}:{kept.frame}"] = hashlib.sha256(content).hexdigest()
    return digests


def said_in(found: Recovered) -> Any:
    contents = found.restored.standing.contents
    prompts = sorted((said.prompts.frame, said.prompts.clicks) for said in contents.prompts.values())
    return dict(contents.names), prompts, dict(contents.locks), dict(contents.mattes)


def test_a_journal_of_the_format_before_opens_with_all_that_it_holds(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    shutil.copy(OLD_JOURNAL, file)

    found = opened(file)

    standing = found.restored.standing
    assert [len(standing.done), len(standing.undone)] == KNOWN["left"]
    assert mask_digests(found) == KNOWN["masks"]
    assert found.restored.notices == ()
    names = {info.object_id: info.name for info in DOCUMENT.objects}
    expected = {(names[item.object_id], item.frame): item for item in DOCUMENT.prompts}
    kept = {
        (standing.contents.names[owner], frame): said.prompts
        for (owner, frame), said in standing.contents.prompts.items()
    }
    assert kept.keys() == expected.keys()
    assert all(
        kept[key].clicks == expected[key].clicks and kept[key].base == expected[key].base for key in kept
    )
    # It has been counted, and is of this format now.
    assert mask_digests(opened(file)) == KNOWN["masks"]
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    connection.close()


def test_a_journal_of_a_later_masklet_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    shutil.copy(OLD_JOURNAL, file)
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()

    with pytest.raises(
        OutputError, match=r"a later masklet wrote this session's journal .*update the server"
    ):
        opened(file)


CURRENT: list[bytes] = []


def current() -> bytes:
    """A journal of this format."""
    if not CURRENT:
        with TemporaryDirectory() as folder:
            file = Path(folder) / FILE_NAME
            shutil.copy(OLD_JOURNAL, file)
            opened(file)
            CURRENT.append(file.read_bytes())
    return CURRENT[0]


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_flipped_bytes_are_noticed_what_was_said_is_whole_or_refused_and_no_wrong_mask_is_given(
    flips: list[tuple[float, int]],
) -> None:
    content = bytearray(current())
    for place, flip in flips:
        content[int(place * len(content))] ^= flip
    assert_whole_or_refused(bytes(content))


@example(0.5)
@given(st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_torn_journal_is_noticed(share: float) -> None:
    content = current()
    assert_whole_or_refused(content[: int(share * len(content))])


def assert_whole_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        whole, file = Path(folder) / "whole", Path(folder) / FILE_NAME
        whole.write_bytes(current())
        file.write_bytes(content)
        expected = opened(whole)
        try:
            found = opened(file)
        except MaskletError:
            return
        assert said_in(found) == said_in(expected)
        given_back = mask_digests(found)
        assert given_back.items() <= KNOWN["masks"].items()
        done = [edit.kind for edit in found.restored.standing.done]
        whole_way = [edit.kind for edit in expected.restored.standing.done]
        assert whole_way[len(whole_way) - len(done) :] == done


def edited(change: str) -> Callable[[Path], None]:
    def edit(file: Path) -> None:
        connection = sqlite3.connect(file)
        connection.execute(change)
        connection.commit()
        connection.close()

    return edit


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        (
            "DELETE FROM record WHERE kind = 'result' AND key LIKE '%:7'",
            "masks",
        ),
        (
            "DELETE FROM content WHERE digest = (SELECT max(digest) FROM content WHERE length(bytes) < 60)",
            None,
        ),
        ("UPDATE record SET value = CAST('[]' AS BLOB) WHERE kind = 'edit'", "undo ends"),
        ("DELETE FROM record WHERE kind = 'edit'", "undo ends"),
        ("UPDATE record SET value = CAST('[[1,14]]' AS BLOB) WHERE kind = 'stale'", None),
    ],
)
def test_what_is_left_out_is_told(tmp_path: Path, change: str, notice: str | None) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(current())
    edited(change)(file)
    try:
        found = opened(file)
    except DamagedJournalError:
        assert notice is None
        return
    if notice is not None:
        assert any(notice in each for each in found.restored.notices)


@pytest.mark.parametrize("kind", ["prompt", "said", "head"])
def test_words_that_are_gone_are_missed(tmp_path: Path, kind: str) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(current())
    edited(f"DELETE FROM record WHERE kind = '{kind}'")(file)

    with pytest.raises(DamagedJournalError, match=r"damaged .*masklet-server sessions export"):
        opened(file)


def test_a_mask_that_the_disk_changed_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    async def work() -> None:
        async with store_in(tmp_path) as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            await session.add_click(hero, 3, Click(1.0, 1.0))
            before = masks(session)
        (file,) = tmp_path.glob(f"*/{FILE_NAME}")
        (kept,) = opened(file).restored.results
        assert isinstance(kept.place, JournalPlace)
        edited(f"UPDATE content SET bytes = zeroblob(9) WHERE digest = x'{kept.place.digest.hex()}'")(file)
        async with store_in(tmp_path) as store:
            back = await store.get(session.session_id, "ann")
            with pytest.raises(OutputError, match="does not give the finished mask of frame 3 back"):
                back.results.find(hero, 3)
            assert back.results.find(hero, 3) is None
            # Saying it again makes it again.
            await back.undo()
            await back.redo()
            assert masks(back) == before

    asyncio.run(work())


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Lets journals have so many pages of 4 KiB, as a full disk does; None for as many as they like."""
    limit = [1 << 30]

    def limited(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")
        return connection

    connect = database.connected
    monkeypatch.setattr(database, "connected", limited)

    def fill(pages: int | None) -> None:
        limit[0] = 1 << 30 if pages is None else pages

    return fill


def test_a_full_disk_takes_no_word_that_it_cannot_keep_and_goes_on_when_there_is_room(
    tmp_path: Path, full: Callable[[int | None], None]
) -> None:
    async def work() -> None:
        async with store_in(tmp_path) as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            full(9)
            await session._journal.rest()
            kept = 0

            async def fill() -> None:
                nonlocal kept
                for place in range(200):
                    await session.add_click(hero, 3 + place % 6, Click(float(place % 60), 1.0))
                    kept += 1

            with pytest.raises(OutputError, match="disk that keeps the server's sessions is full"):
                await fill()
            seen = session.undo_left
            # Nothing is changed any more while that one click is not kept.
            with pytest.raises(OutputError, match="full"):
                await session.add_click(hero, 3, Click(2.0, 2.0))
            assert session.undo_left == seen
            shutil.copytree(tmp_path, tmp_path.with_name("killed"))
            full(None)
            await session._journal.rest()
            await session.add_click(hero, 12, Click(2.0, 2.0))
            document = session.whole_document()
        async with store_in(tmp_path.with_name("killed")) as killed:
            back = await killed.get(session.session_id, "ann")
            assert back.undo_left == kept + 1
        async with store_in(tmp_path) as again:
            assert (await again.get(session.session_id, "ann")).whole_document() == document

    asyncio.run(work())


def test_a_retry_of_what_could_not_be_kept_keeps_it_and_does_it_once(
    tmp_path: Path, full: Callable[[int | None], None]
) -> None:
    async def work() -> None:
        async with store_in(tmp_path) as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            full(9)
            await session._journal.rest()

            async def click() -> int:
                await session.add_click(hero, 3, Click(1.0, 1.0))
                return 1

            async def fill() -> None:
                for number in range(200):
                    await session.replies.once("AddClick", f"{number}", click)

            with pytest.raises(OutputError, match="full"):
                await fill()
            made = len(session.document().prompts[0].clicks)
            full(None)
            await session._journal.rest()
            await session.replies.once("AddClick", f"{made - 1}", click)

            assert len(session.document().prompts[0].clicks) == made
        async with store_in(tmp_path) as again:
            back = await again.get(session.session_id, "ann")
            assert len(back.document().prompts[0].clicks) == made

    asyncio.run(work())


@needs_rights
def test_a_read_only_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BadInputError, match="read-only"):
            asyncio.run(_open(tmp_path))
    finally:
        tmp_path.chmod(0o700)


async def _open(folder: Path) -> None:
    async with store_in(folder):
        pass


def test_the_way_back_of_a_session_that_came_from_a_document_is_kept(tmp_path: Path) -> None:
    async def work() -> None:
        async with store_in(tmp_path) as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            await session.add_click(hero, 3, Click(1.0, 1.0))
            await session.set_document(through_json(session.whole_document()))
            document = session.whole_document()
        async with store_in(tmp_path) as store:
            back = await store.get(session.session_id, "ann")
            await back.undo()
            await back.redo()
            assert back.whole_document() == document

    asyncio.run(work())
