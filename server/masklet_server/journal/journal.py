"""The journal of one session: takes what turns changed and writes it, in order, off the event loop."""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from masklet.errors import OutputError
from masklet.scopes import Scope
from masklet_server.journal import records
from masklet_server.journal.database import Database, Writer
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.durability import (
    Answer,
    Record,
    Request,
    ResultGone,
    ResultKeeper,
    ResultMoved,
    ResultPut,
    SessionHead,
    Standing,
    TrackNumber,
    WayNoted,
)
from masklet_server.sessions.history import Trace
from masklet_server.sessions.masks import pack_logits
from masklet_server.sessions.said import Said
from masklet_server.sessions.worker_threads import WorkerThreads
from masklet_server.tracking import ObjectFrame

MAX_ANSWERS = 256
"""Calls that a client may ask about again, the latest."""
_MAX_DIGESTS = 20_000

NOTHING = Standing(Contents(), (), (), 0, {}, 1, 1, -1, {}, frozenset(), {}, TrackNumber())


@dataclass(frozen=True, eq=False)
class JournalPlace:
    """Where a journal keeps packed logits."""

    database: Database
    digest: bytes
    size_bytes: int

    def read(self) -> bytes | None:
        """The bytes; see :class:`masklet_server.sessions.result_places.Place`."""
        return self.database.content(self.digest)


class FileJournal:
    """See :class:`masklet_server.sessions.durability.SessionJournal`.

    Args:
        database: The session's file.
        workers: Threads that write.
        whose: The session's user.
        on_share: Told who else gets in, once that is written.
        written: What the file holds.
        answers: Of earlier calls that it holds, in their order.
    """

    def __init__(
        self,
        database: Database,
        workers: WorkerThreads,
        whose: str,
        *,
        on_share: Callable[[Mapping[str, frozenset[Scope]]], None] = lambda _: None,
        written: Standing = NOTHING,
        answers: Mapping[Request, int] | None = None,
    ) -> None:
        self._database = database
        self._workers = workers
        self._whose = whose
        self._on_share = on_share
        self._written = written
        self._pending: deque[Record] = deque()
        self._added = self._kept = 0
        self._counting = threading.Lock()
        self._writing = asyncio.Lock()
        self._digests: dict[int, tuple[Said, bytes]] = {}
        self._answers: deque[str] = deque(_answer_key(request) for request in answers or ())
        self._next_answer = max((answers or {}).values(), default=0) + 1
        self._results: Callable[[], ResultKeeper | None] = lambda: None

    def attach(self, results: ResultKeeper) -> None:  # noqa: D102
        # Without a circle: a closed session is gone at once.
        self._results = weakref.ref(results)

    def add(self, record: Record) -> None:  # noqa: D102
        with self._counting:
            self._pending.append(record)
            self._added += 1

    async def settle(self) -> None:  # noqa: D102
        upto = self._added
        if self._kept >= upto:
            return
        async with self._writing:
            if self._kept < upto:
                await self._workers.run(
                    self._write, whose=self._whose, at_disk=True, refusal=_hanging(self._workers.disk_s)
                )

    async def rest(self) -> None:  # noqa: D102
        async with self._writing:
            await self._workers.run(self._database.rest, whose=self._whose, at_disk=True)

    async def share(self, shares: Mapping[str, frozenset[Scope]]) -> None:  # noqa: D102
        def write() -> None:
            with self._database.writing(durably=True) as writer:
                writer.put("shares", "", records.to_bytes(records.shares_to_json(shares)))
            self._on_share(shares)

        async with self._writing:
            await self._workers.run(
                write, whose=self._whose, at_disk=True, refusal=_hanging(self._workers.disk_s)
            )

    def write_head(self, head: SessionHead) -> None:
        """Write what never changes; in a thread."""
        with self._database.writing(durably=True) as writer:
            writer.put("head", "", records.to_bytes(records.head_to_json(head)))
            self._write_said(writer, NOTHING, first=True)

    def _write(self) -> None:
        """Write all that waits in one transaction; what waits stays where that fails."""
        with self._counting:
            batch = list(self._pending)
        if not batch:
            return
        standing = batch[-1].standing
        # What an artist says is on the disk before it is acknowledged; masks could be made again.
        durably = any(record.request is not None for record in batch) or (
            standing.contents is not self._written.contents
        )
        placed: list[tuple[ResultPut, JournalPlace]] = []
        answers, next_answer = deque(self._answers), self._next_answer
        with self._database.writing(durably=durably) as writer:
            for record in batch:
                self._write_notes(writer, record, placed)
                if record.request is not None and record.answer is not None:
                    key = _answer_key(record.request)
                    content = records.answer_to_json(next_answer, record.answer)
                    writer.put("answer", key, records.to_bytes(content))
                    answers.append(key)
                    next_answer += 1
            while len(answers) > MAX_ANSWERS:
                writer.delete("answer", answers.popleft())
            self._write_said(writer, standing)
        self._written = standing
        self._answers, self._next_answer = answers, next_answer
        with self._counting:
            for _ in batch:
                self._pending.popleft()
            self._kept += len(batch)
        results = self._results()
        if results is not None:
            for put, place in placed:
                results.keep_at(put.object_id, put.frame, put.entry, place)

    def _write_notes(
        self, writer: Writer, record: Record, placed: list[tuple[ResultPut, JournalPlace]]
    ) -> None:
        for note in record.notes:
            if isinstance(note, ResultPut):
                packed = note.packing.packed()
                digest = writer.hold(packed)
                content = records.entry_to_json(digest, note.entry, note.track)
                writer.put("result", records.key_of(note.object_id, note.frame), records.to_bytes(content))
                placed.append((note, JournalPlace(self._database, digest, len(packed))))
            elif isinstance(note, ResultGone):
                writer.delete("result", records.key_of(note.object_id, note.frame))
            elif isinstance(note, ResultMoved):
                writer.rename(
                    "result",
                    records.key_of(note.object_id, note.frame),
                    records.key_of(note.to_id, note.frame),
                )
            elif isinstance(note, WayNoted):
                key = records.key_of(note.object_id, note.frame)
                writer.put("way", key, records.to_bytes(records.way_to_json(note.way)))
            else:
                for key in writer.keys("way"):
                    if records.object_and_frame(key)[0] == note.object_id:
                        writer.delete("way", key)

    def _write_said(self, writer: Writer, standing: Standing, *, first: bool = False) -> None:
        before = self._written

        def name(said: Said) -> bytes:
            known = self._digests.get(id(said))
            if known is not None and known[0] is said and writer.holds(known[1]):
                return known[1]
            digest = writer.hold(records.said_to_bytes(said))
            if len(self._digests) >= _MAX_DIGESTS:
                self._digests.clear()
            self._digests[id(said)] = (said, digest)
            return digest

        def hold(result: ObjectFrame) -> bytes:
            return writer.hold(pack_logits(result.logits))

        if standing.contents is not before.contents:
            then, now = before.contents.prompts, standing.contents.prompts
            for key in {**then, **now}:
                if key not in now:
                    writer.delete("prompt", records.key_of(*key))
                elif now[key] is not then.get(key):
                    content = records.to_bytes(name(now[key]).hex())
                    writer.put("prompt", records.key_of(*key), content)
        old = {edit.number for edit in (*before.done, *before.undone)}
        new = {edit.number: edit for edit in (*standing.done, *standing.undone)}
        for number in old - new.keys():
            writer.delete("edit", str(number))
        for number in new.keys() - old:
            writer.put("edit", str(number), records.to_bytes(records.edit_to_json(new[number], name)))
        self._write_traces(writer, before.traces, standing.traces, hold)
        for object_id in {**before.stale, **standing.stale}:
            frames = standing.stale.get(object_id, frozenset())
            if frames is not before.stale.get(object_id):
                content = records.to_bytes(records.stale_to_json(frames))
                writer.put("stale", str(object_id), content) if frames else writer.delete(
                    "stale", str(object_id)
                )
        for place in {**before.seen, **standing.seen}:
            seen = standing.seen.get(place)
            if seen is None:
                writer.delete("seen", records.key_of(*place))
            elif seen is not before.seen.get(place):
                writer.put("seen", records.key_of(*place), records.to_bytes(records.seen_to_json(seen)))
        small = records.to_bytes(records.standing_to_json(standing))
        if first or small != records.to_bytes(records.standing_to_json(before)):
            writer.put("said", "", small)

    def _write_traces(
        self,
        writer: Writer,
        before: Mapping[int, Trace],
        after: Mapping[int, Trace],
        hold: Callable[[ObjectFrame], bytes],
    ) -> None:
        for number in before.keys() - after.keys():
            writer.delete("trace", str(number))
        for number, trace in after.items():
            if before.get(number) is not trace:
                writer.put("trace", str(number), records.to_bytes(records.trace_to_json(trace, hold)))


def _answer_key(request: Request) -> str:
    return json.dumps([request.method, request.request_id])


def request_of(key: str) -> Request:
    """The call that an answer's record belongs to."""
    return Request(*json.loads(key))


def answer_of(value: bytes) -> tuple[int, Answer]:
    """Number and answer in a record."""
    return records.answer_from_json(json.loads(value))


def _hanging(disk_s: float) -> OutputError:
    return OutputError(
        f"the disk that keeps the server's sessions has not answered for {disk_s:.0f} seconds: have it "
        "checked and do the same again; what was kept before is safe"
    )
