"""What a session is made of as records of a journal, and back: JSON, with contents by their digests."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np

from masklet.clip_reading import ClipReading
from masklet.events import EditKind
from masklet.frame_runs import runs_of
from masklet.matte_settings import MatteSettings
from masklet.prompt_json import frame_from_json, frame_to_json, look_to_json, looks_from_json
from masklet.scopes import Scope, in_order, scopes_named
from masklet.types import FrameRange, MaskDepth, MemoryPolicy, Presence
from masklet_server.sessions.approvals import Seen
from masklet_server.sessions.clip_reference import ClipReference, UploadedFiles
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.durability import Answer, SessionHead, Standing, TrackNumber
from masklet_server.sessions.history import Aside, Edit, Trace
from masklet_server.sessions.result_places import ResultEntry
from masklet_server.sessions.said import DrawnMask, Said
from masklet_server.sessions.ways import Way
from masklet_server.tracking import ObjectFrame

Name = Callable[[Said], bytes]
"""Gives the digest of something said, which is held from then on."""
Found = Callable[[int, bytes], Said]
"""Gives back what has a digest, said about an object."""


def to_bytes(content: Any) -> bytes:
    """JSON, the same for the same content."""
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def uses_of(kind: str, value: bytes) -> Sequence[bytes]:
    """The digests of the contents that a record names."""
    if kind == "prompt":
        return (bytes.fromhex(json.loads(value)),)
    if kind == "result":
        return (bytes.fromhex(json.loads(value)[0]),)
    if kind == "edit":
        content = json.loads(value)
        deltas = (content["there"], content["back"])
        return tuple(
            bytes.fromhex(digest) for delta in deltas for *_, digest in delta["prompts"] if digest is not None
        )
    if kind == "trace":
        replaced = json.loads(value)["replaced"]
        return tuple(bytes.fromhex(result[0]) for _, result in replaced if result is not None)
    return ()


def key_of(object_id: int, frame: int) -> str:
    """Of records about one object on one frame."""
    return f"{object_id}:{frame}"


def object_and_frame(key: str) -> tuple[int, int]:
    """What :func:`key_of` was given."""
    object_id, _, frame = key.partition(":")
    return int(object_id), int(frame)


def said_to_bytes(said: Said) -> bytes:
    """What is said on a frame, whoever it is about: a line of JSON, then the drawn mask as it is kept."""
    drawn = said.drawn
    head = {
        "prompts": frame_to_json(said.bare),
        "drawn": None if drawn is None else [drawn.width_px, drawn.height_px, drawn.depth.value],
    }
    return to_bytes(head) + b"\n" + (b"" if drawn is None else drawn.packed)


def said_from_bytes(object_id: int, content: bytes) -> Said:
    """What :func:`said_to_bytes` was given."""
    line, _, packed = content.partition(b"\n")
    head = json.loads(line)
    drawn = None
    if head["drawn"] is not None:
        width_px, height_px, depth = head["drawn"]
        drawn = DrawnMask(width_px, height_px, MaskDepth(depth), packed)
    return Said.of_parts(frame_from_json(object_id, head["prompts"]), drawn)


def head_to_json(head: SessionHead) -> dict[str, Any]:
    """What of a session never changes. Of the clip what tells it from another."""
    clip, info = head.clip, head.clip_info
    upload = clip.upload
    frames = clip.reading.frames
    return {
        "session_id": head.session_id,
        "owner": head.owner,
        "model_sha256": head.model_sha256,
        "request_id": head.request_id,
        "path": None if clip.path is None else str(clip.path),
        "upload": None if upload is None else {**asdict(upload), "folder": str(upload.folder)},
        "reading": {
            **asdict(clip.reading),
            "frames": None if frames is None else [frames.first, frames.last],
        },
        "clip": [info.name, info.width_px, info.height_px, info.first_frame, info.last_frame],
        "overscan": list(astuple(info.overscan)),
    }


def shares_to_json(shares: Mapping[str, frozenset[Scope]]) -> dict[str, list[str]]:
    """Who else gets in, by account."""
    return {account: [scope.value for scope in in_order(rights)] for account, rights in shares.items()}


def shares_from_json(content: Mapping[str, Sequence[str]]) -> dict[str, frozenset[Scope]]:
    """What :func:`shares_to_json` was given."""
    return {str(account): scopes_named(rights) for account, rights in content.items()}


def reference_from_json(content: Mapping[str, Any]) -> ClipReference:
    """The clip in what :func:`head_to_json` made."""
    upload, reading = content["upload"], dict(content["reading"])
    frames = reading["frames"]
    reading["frames"] = None if frames is None else FrameRange(*frames)
    files = None
    if upload is not None:
        pictures = {int(frame): str(name) for frame, name in upload["pictures"].items()}
        files = UploadedFiles(
            Path(upload["folder"]), upload["clip_name"], pictures, upload["movie"], upload["size_bytes"]
        )
    path = None if content["path"] is None else Path(content["path"])
    # Uploads are their session's own; a path is opened under the roots of whose the session is.
    owner = "" if path is None else content["owner"]
    return ClipReference(path, files, ClipReading(**reading), owner)


def standing_to_json(standing: Standing) -> dict[str, Any]:
    """All that is small; prompts, edits and traces have records of their own."""
    contents = standing.contents
    return {
        "names": [[owner, name] for owner, name in contents.names.items()],
        "locks": [[owner, _ranges(own)] for owner, own in contents.locks.items()],
        "mattes": [[owner, asdict(own)] for owner, own in contents.mattes.items()],
        "policies": [[owner, own.value] for owner, own in contents.policies.items()],
        "done": [edit.number for edit in standing.done],
        "undone": [edit.number for edit in standing.undone],
        "given_up": standing.given_up,
        "next": [standing.next_object_id, standing.next_edit, standing.next_aside],
        "cuts": sorted(standing.cuts),
        "track": [standing.track.number, standing.track.request_id],
    }


def contents_from_json(content: Mapping[str, Any], prompts: Mapping[tuple[int, int], Said]) -> Contents:
    """The contents in what :func:`standing_to_json` made."""
    return Contents(
        dict(content["names"]),
        prompts,
        {owner: _from_ranges(own) for owner, own in content["locks"]},
        {owner: MatteSettings(**own) for owner, own in content["mattes"]},
        {owner: MemoryPolicy(own) for owner, own in content.get("policies", ())},
    )


def track_from_json(content: Mapping[str, Any]) -> TrackNumber:
    """The last track in what :func:`standing_to_json` made."""
    return TrackNumber(*content["track"])


def edit_to_json(edit: Edit, name: Name) -> dict[str, Any]:
    """An edit as the way from what was said before to what was said then, and back."""
    return {
        "kind": edit.kind.value,
        "object": edit.object_id,
        "frame": edit.frame,
        "there": _delta(edit.before, edit.after, name),
        "back": _delta(edit.after, edit.before, name),
    }


def gone_back(content: Mapping[str, Any], number: int, after: Contents, found: Found) -> Edit:
    """The edit that led to ``after``."""
    return _edit(content, number, _applied(content["back"], after, found), after)


def gone_on(content: Mapping[str, Any], number: int, before: Contents, found: Found) -> Edit:
    """The edit that leads on from ``before``."""
    return _edit(content, number, before, _applied(content["there"], before, found))


def entry_to_json(digest: bytes, entry: ResultEntry, track: int) -> list[Any]:
    """A result; its logits have the digest."""
    return [
        digest.hex(),
        *entry.shape,
        entry.presence_logit,
        entry.predicted_iou,
        entry.presence.value,
        base64.b64encode(entry.pointer.astype("<f2").tobytes()).decode(),
        entry.prompted,
        track,
        entry.rival,
    ]


def entry_from_json(content: Sequence[Any]) -> tuple[bytes, ResultEntry, int]:
    """What :func:`entry_to_json` was given."""
    digest, rows, columns, presence_logit, predicted_iou, presence, pointer, prompted, track = content[:9]
    # Journals of earlier servers say nothing of rivals.
    rival = content[9] if len(content) > 9 else 0.0
    entry = ResultEntry(
        presence_logit,
        predicted_iou,
        Presence(presence),
        np.frombuffer(base64.b64decode(pointer), "<f2").astype(np.float16),
        prompted,
        (rows, columns),
        rival,
    )
    return bytes.fromhex(digest), entry, track


def trace_to_json(trace: Trace, hold: Callable[[ObjectFrame], bytes]) -> dict[str, Any]:
    """What an edit did to results; ``hold`` keeps logits and gives their digest."""
    aside = trace.aside
    return {
        "marked": _runs(trace.marked_stale),
        "replaced": [
            [frame, None if held is None else entry_to_json(hold(held), ResultEntry.of(held), 0)]
            for frame, held in trace.replaced.items()
        ],
        "replaced_stale": _runs(trace.replaced_stale),
        "aside": None if aside is None else [aside.results_id, _runs(aside.stale)],
    }


def trace_from_json(
    content: Mapping[str, Any], object_id: int, result: Callable[[int, int, Sequence[Any]], ObjectFrame]
) -> Trace:
    """What :func:`trace_to_json` was given; ``result`` makes one of what :func:`entry_to_json` made."""
    aside = content["aside"]
    return Trace(
        _from_runs(content["marked"]),
        {
            frame: None if kept is None else result(object_id, frame, kept)
            for frame, kept in content["replaced"]
        },
        _from_runs(content["replaced_stale"]),
        None if aside is None else Aside(aside[0], _from_runs(aside[1])),
    )


def stale_to_json(frames: Iterable[int]) -> list[list[int]]:
    """Frame numbers as runs."""
    return _runs(frames)


def stale_from_json(content: Sequence[Sequence[int]]) -> frozenset[int]:
    """What :func:`stale_to_json` was given."""
    return _from_runs(content)


def seen_to_json(seen: Seen) -> dict[str, Any]:
    """Second looks at a locked frame and around it."""
    return {
        "own": [look_to_json(look) for look in seen.own],
        "around": [[frame, [look_to_json(look) for look in looks]] for frame, looks in seen.around.items()],
    }


def seen_from_json(content: Mapping[str, Any]) -> Seen:
    """What :func:`seen_to_json` was given."""
    around = {frame: looks_from_json({"looks": looks}) for frame, looks in content["around"]}
    return Seen(looks_from_json({"looks": content["own"]}), around)


def way_to_json(way: Way) -> list[Any]:
    """How a frame was tracked."""
    return [way.backward, way.since, way.policy.value]


def way_from_json(content: Sequence[Any]) -> Way:
    """What :func:`way_to_json` was given."""
    backward, since, *policy = content
    # Earlier servers had one policy.
    return Way(backward, since, MemoryPolicy(policy[0]) if policy else MemoryPolicy.EDITOR)


def answer_to_json(number: int, answer: Answer) -> list[Any]:
    """What a call did; numbers ascend."""
    return [number, answer.object_id, answer.frame, None if answer.kind is None else answer.kind.value]


def answer_from_json(content: Sequence[Any]) -> tuple[int, Answer]:
    """What :func:`answer_to_json` was given."""
    number, object_id, frame, kind = content
    return number, Answer(object_id, frame, None if kind is None else EditKind(kind))


def _edit(content: Mapping[str, Any], number: int, before: Contents, after: Contents) -> Edit:
    return Edit(number, EditKind(content["kind"]), content["object"], before, after, content["frame"])


def _delta(before: Contents, after: Contents, name: Name) -> dict[str, Any]:
    """What of one value is another in the other; ``None`` for what is nothing there."""
    delta: dict[str, Any] = {
        "prompts": [
            [*key, name(after.prompts[key]).hex() if key in after.prompts else None]
            for key in {**before.prompts, **after.prompts}
            if before.prompts.get(key) is not after.prompts.get(key)
        ],
        "locks": [
            [owner, _ranges(after.locks.get(owner, ()))]
            for owner in {**before.locks, **after.locks}
            if before.locks.get(owner) != after.locks.get(owner)
        ],
        "mattes": [
            [owner, asdict(after.mattes[owner]) if owner in after.mattes else None]
            for owner in {**before.mattes, **after.mattes}
            if before.mattes.get(owner) != after.mattes.get(owner)
        ],
        "policies": [
            [owner, after.policy(owner).value]
            for owner in {**before.policies, **after.policies}
            if before.policy(owner) is not after.policy(owner)
        ],
    }
    if list(before.names.items()) != list(after.names.items()):
        delta["names"] = [[owner, own] for owner, own in after.names.items()]
    return delta


def _applied(delta: Mapping[str, Any], contents: Contents, found: Found) -> Contents:
    prompts, locks, mattes = dict(contents.prompts), dict(contents.locks), dict(contents.mattes)
    for object_id, frame, digest in delta["prompts"]:
        prompts.pop((object_id, frame), None)
        if digest is not None:
            prompts[object_id, frame] = found(object_id, bytes.fromhex(digest))
    for owner, ranges in delta["locks"]:
        locks.pop(owner, None)
        if ranges:
            locks[owner] = _from_ranges(ranges)
    for owner, settings in delta["mattes"]:
        mattes.pop(owner, None)
        if settings is not None:
            mattes[owner] = MatteSettings(**settings)
    policies = dict(contents.policies)
    for owner, policy in delta.get("policies", ()):
        policies.pop(owner, None)
        if MemoryPolicy(policy) is not MemoryPolicy.EDITOR:
            policies[owner] = MemoryPolicy(policy)
    names = dict(delta["names"]) if "names" in delta else contents.names
    return Contents(names, prompts, locks, mattes, policies)


def _ranges(ranges: Iterable[FrameRange]) -> list[list[int]]:
    return [[frames.first, frames.last] for frames in ranges]


def _from_ranges(content: Iterable[Sequence[int]]) -> tuple[FrameRange, ...]:
    return tuple(FrameRange(first, last) for first, last in content)


def _runs(frames: Iterable[int]) -> list[list[int]]:
    return _ranges(runs_of(frames))


def _from_runs(content: Iterable[Sequence[int]]) -> frozenset[int]:
    return frozenset(frame for first, last in content for frame in range(first, last + 1))
