"""A session out of its journal."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError
from masklet.types import ClipInfo, Overscan
from masklet_server.journal import records
from masklet_server.journal.database import Database, small_rows
from masklet_server.journal.failures import DamagedJournalError
from masklet_server.journal.journal import JournalPlace, answer_of, request_of
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.durability import (
    KeptResult,
    Request,
    Restored,
    SessionHead,
    Standing,
)
from masklet_server.sessions.history import Edit, Trace
from masklet_server.sessions.masks import unpack_logits
from masklet_server.sessions.said import Said
from masklet_server.sessions.sharing import Access
from masklet_server.sessions.ways import Way
from masklet_server.tracking import ObjectFrame

_NOT_SAID = ("edit", "trace", "result", "way", "answer", "stale", "seen", "shares")
"""Kinds of records that a session can do without."""

_log = logging.getLogger("masklet_server.journal")


@dataclass(frozen=True, eq=False)
class Recovered:
    """What a journal holds.

    Attributes:
        head: What never changes.
        restored: The session.
        answer_numbers: Of the calls that it answers.
        lost: What was damaged and left out, a sentence each: nothing that was said.
    """

    head: SessionHead
    restored: Restored
    answer_numbers: dict[Request, int]
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Headline:
    """What a list of sessions tells of one, and who gets in.

    Attributes:
        head: What never changes.
        objects: How many it has.
        access: Whose it is; damaged shares let nobody in.
    """

    head: SessionHead
    objects: int
    access: Access


def headline_of(file: Path) -> Headline:
    """The headline of a session; nothing is written or taken over.

    Raises:
        OutputError: It cannot be read, or is damaged.
    """
    rows = {row.kind: json.loads(row.value) for row in small_rows(file, ("head", "said", "shares"))}
    try:
        head = _head(rows["head"])
        shares = records.shares_from_json(rows.get("shares", {}))
        return Headline(head, len(rows["said"]["names"]), Access(head.owner, shares))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged("it does not say which clip it is about") from error


def recover(database: Database, *, salvage: bool = False) -> Recovered:
    """All that a journal holds.

    What is damaged of the way back, of masks and of what can be made anew is left out and told; what was
    said is there, or the journal is refused.

    Args:
        database: The journal.
        salvage: Leave out prompts that are damaged as well: for people, never to go on with.

    Raises:
        OutputError: It cannot be read, or what was said is damaged.
    """
    try:
        return _Recovery(database, salvage=salvage).all()
    except (KeyError, TypeError, ValueError, IndexError, BadInputError) as error:
        raise damaged("what it says contradicts itself") from error


def damaged(how: str) -> DamagedJournalError:
    """The refusal of a journal."""
    return DamagedJournalError(
        f"the journal of this session is damaged ({how}), and the server does not guess: have its disk "
        "checked, then see what masklet-server sessions export can still read"
    )


class _Recovery:
    def __init__(self, database: Database, *, salvage: bool) -> None:
        self._database = database
        self._salvage = salvage
        self._rows: dict[str, dict[str, Any]] = {}
        for row in database.rows():
            self._rows.setdefault(row.kind, {})[row.key] = row.value
        self._said: dict[tuple[int, bytes], Said] = {}
        self._lost: list[str] = []

    def all(self) -> Recovered:
        for kind, key in self._database.damaged:
            if kind not in _NOT_SAID and not (self._salvage and kind == "prompt"):
                raise damaged(f"its record of {kind} {key}".rstrip())
            self._lost.append(f"{kind} {key or 'records that are missing'}")
        head = self._json("head", "")
        small = self._json("said", "")
        contents = records.contents_from_json(small, self._prompts())
        done, undone, given_up = self._edits(small, contents)
        answers = {request_of(key): answer_of(value) for key, value in self._of("answer").items()}
        next_object_id, next_edit, next_aside = small["next"]
        stale = {
            int(key): records.stale_from_json(json.loads(value)) for key, value in self._of("stale").items()
        }
        if any(kind == "stale" for kind, _ in self._database.damaged):
            # Nobody knows which frames were overtaken: better all than none.
            stale = {owner: self._frames_of(owner) for owner in contents.names}
        standing = Standing(
            contents,
            done,
            undone,
            given_up,
            self._traces((*done, *undone)),
            next_object_id,
            next_edit,
            next_aside,
            stale,
            frozenset((before, after) for before, after in small["cuts"]),
            {
                records.object_and_frame(key): records.seen_from_json(json.loads(value))
                for key, value in self._of("seen").items()
            },
            records.track_from_json(small),
        )
        results = self._results()
        if self._lost:
            _log.warning("a journal was damaged, and some of it was left out: %s", "; ".join(self._lost))
        return Recovered(
            _head(head),
            Restored(
                standing,
                results,
                self._ways(),
                {key: answer for key, (_, answer) in answers.items()},
                tuple(self._notices()),
            ),
            {key: number for key, (number, _) in answers.items()},
            tuple(self._lost),
        )

    def _prompts(self) -> dict[tuple[int, int], Said]:
        prompts = {}
        for key, value in self._of("prompt").items():
            object_id, frame = records.object_and_frame(key)
            try:
                prompts[object_id, frame] = self._found(object_id, bytes.fromhex(json.loads(value)))
            except DamagedJournalError:
                if not self._salvage:
                    raise
                self._lost.append(f"prompts of object {object_id} on frame {frame}")
        return prompts

    def _notices(self) -> Iterator[str]:
        """What an artist has to know of what was left out."""
        kinds = {kind for kind, _ in self._database.damaged}
        if "result" in kinds or any("mask" in each for each in self._lost):
            yield (
                "the server's disk had damaged some finished masks of this session: frames that have none "
                "now have to be tracked again. What you said is whole"
            )
        if kinds & {"edit", "trace"} or any("edit" in each for each in self._lost):
            yield (
                "the server's disk had damaged a part of what can be taken back in this session: undo ends "
                "earlier than before. What you said is whole"
            )

    def _of(self, kind: str) -> dict[str, Any]:
        return self._rows.get(kind, {})

    def _json(self, kind: str, key: str) -> Any:
        if key not in self._of(kind):
            raise damaged(f"its record of {kind}")
        return json.loads(self._rows[kind][key])

    def _found(self, object_id: int, digest: bytes) -> Said:
        said = self._said.get((object_id, digest))
        if said is None:
            try:
                content = self._database.content(digest)
            except DamagedJournalError as error:
                raise damaged("some of its prompts") from error
            if content is None:
                raise damaged("some of its prompts are missing")
            said = self._said[object_id, digest] = records.said_from_bytes(object_id, content)
        return said

    def _edits(self, small: Any, contents: Contents) -> tuple[Sequence[Edit], Sequence[Edit], int]:
        """Edits there and back, as far as they are whole: the way ends at the first that is not."""
        given_up = int(small["given_up"])
        done: list[Edit] = []
        after = contents
        for place, number in enumerate(reversed(small["done"])):
            edit = self._edit(number, after, back=True)
            if edit is None:
                given_up += len(small["done"]) - place
                break
            done.append(edit)
            after = edit.before
        undone: list[Edit] = []
        before = contents
        for number in reversed(small["undone"]):
            edit = self._edit(number, before, back=False)
            if edit is None:
                break
            undone.append(edit)
            before = edit.after
        return done[::-1], undone[::-1], given_up

    def _edit(self, number: int, start: Contents, *, back: bool) -> Edit | None:
        content = self._of("edit").get(str(number))
        if content is None:
            return None
        step = records.gone_back if back else records.gone_on
        try:
            return step(json.loads(content), number, start, self._found)
        except DamagedJournalError:
            self._lost.append(f"what edit {number} said")
            return None

    def _traces(self, edits: Sequence[Edit]) -> dict[int, Trace]:
        traces = {}
        for edit in edits:
            content = self._of("trace").get(str(edit.number))
            if content is None:
                continue
            try:
                traces[edit.number] = records.trace_from_json(
                    json.loads(content), edit.object_id, self._result
                )
            except DamagedJournalError:
                self._lost.append(f"masks of edit {edit.number}")
        return traces

    def _result(self, object_id: int, frame: int, content: Sequence[Any]) -> ObjectFrame:
        digest, entry, _ = records.entry_from_json(content)
        packed = self._database.content(digest)
        if packed is None:
            raise damaged("a mask is missing")
        return entry.result(object_id, frame, unpack_logits(packed, entry.shape))

    def _results(self) -> list[KeptResult]:
        sizes = self._database.sizes()
        found = []
        for key, value in self._of("result").items():
            object_id, frame = records.object_and_frame(key)
            digest, entry, track = records.entry_from_json(json.loads(value))
            if digest not in sizes:
                self._lost.append(f"the mask of frame {frame}")
                continue
            place = JournalPlace(self._database, digest, sizes[digest])
            found.append(KeptResult(object_id, frame, entry, place, track))
        return found

    def _frames_of(self, object_id: int) -> frozenset[int]:
        keys = map(records.object_and_frame, self._of("result"))
        return frozenset(frame for owner, frame in keys if owner == object_id)

    def _ways(self) -> dict[tuple[int, int], Way]:
        return {
            records.object_and_frame(key): records.way_from_json(json.loads(value))
            for key, value in self._of("way").items()
        }


def _head(content: Any) -> SessionHead:
    name, width_px, height_px, first, last = content["clip"]
    return SessionHead(
        content["session_id"],
        content["owner"],
        records.reference_from_json(content),
        # Journals of format 1 do not say it.
        ClipInfo(name, width_px, height_px, first, last, overscan=Overscan(*content.get("overscan", ()))),
        content["model_sha256"],
        content["request_id"],
    )
