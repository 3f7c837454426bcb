"""The session of a plate: gone on with where it still is, else opened; refused where it would mislead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.errors import ClipError, MaskletError, SessionNotFoundError
from masklet.hosting.clip_match import check_match
from masklet.hosting.notices import PlateChangedError
from masklet.hosting.plate_files import fingerprint_of, is_plate_of, is_still_at
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.events import Waiting
    from masklet.hosting.work.plate_events import PlateRequest
    from masklet.session import Session


@dataclass(frozen=True)
class Opening:
    """A session that can be worked with.

    Attributes:
        session: On the server.
        fingerprint: Of the plate.
        resumed: The server still held it.
        replaced: Another one was remembered, which is no more.
    """

    session: Session
    fingerprint: str
    resumed: bool
    replaced: bool


def open_session(
    server: Server,
    request: PlateRequest,
    *,
    last_id: str,
    path: str,
    on_progress: Callable[[int, int], None] | None = None,
    on_waiting: Callable[[Waiting], None] | None = None,
) -> Opening:
    """Go on with the session that is remembered, or open another.

    Args:
        server: Where.
        request: What is wanted.
        last_id: Of the session that is remembered; empty for none.
        path: Of the plate when that one was opened; empty where it is not known.
        on_progress: Told what is done and what there is in all while the plate's files are sent.
        on_waiting: Told the place in the queue of a server that is full; None refuses to wait.

    Raises:
        PlateChangedError: The prompts were made on other pictures.
        MaskletError: The plate cannot be opened, or is read differently than it is shown.
    """
    fingerprint = checked_fingerprint(request)
    session = resumed_session(server, last_id, request, path)
    if session is not None:
        return Opening(session, fingerprint, resumed=True, replaced=False)
    said = request.plate.reading
    session = server.open(
        request.plate.path,
        colour_space=said.colour_space,
        first_frame=said.first_frame,
        frame_rate=said.frame_rate,
        layer=said.layer,
        view=said.view,
        on_progress=on_progress,
        on_waiting=on_waiting,
    )
    _check_match(session, request)
    return Opening(session, fingerprint, resumed=False, replaced=bool(last_id))


def checked_fingerprint(request: PlateRequest) -> str:
    """The plate's fingerprint.

    Raises:
        PlateChangedError: The prompts were made on other pictures.
        ClipError: There are none, or they cannot be read.
    """
    fingerprint = fingerprint_of(request.plate)
    if request.fingerprint and not is_plate_of(request.fingerprint, request.plate):
        raise PlateChangedError(
            phrase(
                "{name} is another plate than the one these prompts were made on: put the old one back, or "
                "choose Use This Plate to keep the prompts",
                name=request.plate.name,
            )
        )
    return fingerprint


def _check_match(session: Session, request: PlateRequest) -> None:
    """Refuse a plate that the server reads differently; its session goes again.

    Raises:
        ClipError: As :func:`.clip_match.check_match`.
    """
    if request.plate.shown is None:
        return
    try:
        check_match(request.plate.shown, session.clip, host_name=request.plate.words.host)
    except ClipError:
        with suppress(MaskletError):
            session.close()
        raise


def resumed_session(server: Server, session_id: str, request: PlateRequest, path: str) -> Session | None:
    """The remembered session, if the server still has it, it is of this plate and it can read on.

    Args:
        server: Where.
        session_id: Remembered; empty for none.
        request: What is wanted.
        path: Of the plate when that session was opened; empty where it is not known.
    """
    if not session_id:
        return None
    try:
        session = server.resume(session_id)
    except SessionNotFoundError:
        return None
    if request.plate.shown is not None:
        try:
            check_match(request.plate.shown, session.clip, host_name=request.plate.words.host)
        except ClipError:
            return None
    if reads_plate(path, request):
        return session
    with suppress(MaskletError):
        session.close()
    return None


def reads_plate(path: str, request: PlateRequest) -> bool:
    """False for a session on a path from which the plate was moved: the server would look for it there."""
    return path in ("", request.plate.path) or is_still_at(path)
