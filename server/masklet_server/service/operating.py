"""The server as its status page sees and keeps it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

import cv2
import numpy as np

from masklet.errors import AccessDeniedError
from masklet.pictures import Grade
from masklet.scopes import Scope
from masklet.version import VERSION
from masklet_server.mattes.alpha import render_preview
from masklet_server.mattes.overlay import PALETTE, paint
from masklet_server.service.call_watch import CallWatch
from masklet_server.service.door import Door
from masklet_server.sessions.device_call import StandingCall
from masklet_server.sessions.overview import HeldSession
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_tracker import ClosingSource
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.turns import TurnClass
from masklet_server.status.facts import DeviceRow, ErrorRow, ServerFacts, SessionRow, UserRow, WaitRow
from masklet_server.tracking import ObjectFrame

PICTURE_SIDE_PX = 480
MAX_ROWS = 100
"""Of any table: a page is for eyes."""
_DOES_WITHIN_S = 10.0
_WORDS = {
    TurnClass.PROMPT: "a click",
    TurnClass.WATCHED: "a frame that is looked at",
    TurnClass.SHOT: "a frame of a track",
    TurnClass.FARM: "a frame of farm work",
}

_log = logging.getLogger("masklet_server.service")


@dataclass(frozen=True, eq=False)
class Parts:
    """What the page is made of.

    Attributes:
        weight_of: How much of the device a user gets beside others.
        begin_drain: Has the server drain.
        note: Writes what a keeper did into the audit log.
    """

    store: SessionStore
    scheduler: Scheduler
    watch: CallWatch
    weight_of: Callable[[str], float]
    begin_drain: Callable[[], None]
    note: Callable[..., None]
    device: str
    model: str
    address: str
    pictures: bool


class Operating:
    """Facts about a server, and what its keeper may do there. To be used from its event loop.

    Args:
        parts: Of the server.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._begun_s = monotonic()

    @property
    def shows_pictures(self) -> bool:
        """True where the keeper lets the page show what is being tracked."""
        return self._parts.pictures

    def facts(self) -> ServerFacts:
        """What goes on, now."""
        parts = self._parts
        held = parts.store.overview.sessions()
        waits = self._waits(held)
        at_work = {id(each.owner) for each in (*parts.scheduler.line, *parts.scheduler.at_disks)}
        for_memory = {needs.session_id for needs in parts.store.admission.line}
        state = "draining" if parts.store.takes_no_more else "serving"
        if parts.scheduler.hung_in_a_row:
            state = "device hangs"
        return ServerFacts(
            version=VERSION,
            address=parts.address,
            state=state,
            up_s=monotonic() - self._begun_s,
            max_sessions=parts.store.limits.max_sessions,
            device=self._device(),
            sessions=tuple(
                _session_row(each, waits=id(each.session) in at_work or each.session.session_id in for_memory)
                for each in sorted(held, key=lambda each: (each.idle_s, each.session.user))[:MAX_ROWS]
            ),
            users=self._users(held, waits),
            waits=waits[:MAX_ROWS],
            errors=tuple(
                ErrorRow(each.at_s, each.user, each.method.rpartition(".")[2], each.kind, each.message)
                for each in reversed(parts.watch.recent_errors)
            )[:MAX_ROWS],
        )

    async def park(self, session_id: str, *, operator: str) -> bool:
        """Have a session give its memory back; False where it is at work, or gone."""
        # It waits for the device, which may hang.
        parking = asyncio.ensure_future(self._parts.store.overview.park(session_id))
        await asyncio.wait({parking}, timeout=_DOES_WITHIN_S)
        done = parking.done() and parking.result()
        self._note("session-parked", operator, done=done, session_id=session_id)
        return done

    async def remove(self, session_id: str, *, operator: str) -> bool:
        """Delete a session for good; False where it is gone."""
        removing = asyncio.ensure_future(self._parts.store.overview.remove(session_id))
        await asyncio.wait({removing}, timeout=_DOES_WITHIN_S)
        done = not removing.done() or removing.result()
        self._note("session-removed", operator, done=done, session_id=session_id)
        return done

    def drain(self, *, operator: str) -> None:
        """Take no new sessions, and end when nobody works any more."""
        self._parts.begin_drain()
        self._note("drain", operator, done=True)

    async def picture(self, session_id: str) -> bytes | None:
        """The frame that an artist looks at, or one that was tracked, with its masks, as JPEG."""
        for each in self._parts.store.overview.sessions():
            if each.session.session_id == session_id:
                session = each.session
                # Only what is open already: a page that is looked at must not wake parked clips up.
                if each.is_parked:
                    return None
                return await session.viewing.look(partial(_painted, session, _frame_to_show(session)))
        return None

    def _note(self, what: str, operator: str, *, done: bool, **about: str) -> None:
        _log.warning("%s by %s on the status page: %s", what, operator, "done" if done else "nothing to do")
        self._parts.note(
            what, user=operator, result="ok" if done else "nothing", place="status page", **about
        )

    def _device(self) -> DeviceRow:
        parts, ledger = self._parts, self._parts.store.ledger
        at_device = parts.scheduler.at_device
        return DeviceRow(
            name=parts.device,
            model=parts.model,
            held_bytes=ledger.held_bytes,
            budget_bytes=ledger.budget_bytes,
            step_s=parts.scheduler.step_s,
            busy_with="" if at_device is None else _told(at_device),
            busy_s=parts.scheduler.busy_s,
            hung_turns=parts.scheduler.hung_in_a_row,
        )

    def _waits(self, held: list[HeldSession]) -> tuple[WaitRow, ...]:
        """Those in the lines, those who wait longest for others first in each."""
        store, scheduler = self._parts.store, self._parts.scheduler
        rows = []
        holders = Counter(each.session.user for each in held)
        having = ", ".join(f"{user} ({count})" for user, count in holders.most_common(4)) or "nobody"
        for user, waited_s, may_open in store.line.tickets:
            waits_for = "its own client: one is kept free" if may_open else f"those who have one: {having}"
            rows.append(WaitRow(user, "", "a session", waits_for, waited_s))
        by_id = {each.session.session_id: each.session for each in held}
        working = [by_id[each.session_id] for each in store.admission.working if each.session_id in by_id]
        tracking = ", ".join(f"{each.user} on {each.clip.name}" for each in working[:4]) or "nobody"
        for needs in store.admission.line:
            session = by_id.get(needs.session_id)
            if session is not None:
                rows.append(
                    WaitRow(session.user, session.clip.name, "memory", f"tracks at work: {tracking}", None)
                )
        at_device = scheduler.at_device
        has_it = "whoever is next" if at_device is None else _told(at_device)
        for each in scheduler.line:
            wants = f"the device, for {_WORDS[each.turn_class]}"
            rows.append(WaitRow(each.user, _clip_of(each.owner), wants, has_it, each.since_s))
        for each in scheduler.at_disks:
            rows.append(
                WaitRow(each.user, _clip_of(each.owner), "a picture", "the disk of its clip", each.since_s)
            )
        return tuple(rows)

    def _users(self, held: list[HeldSession], waits: tuple[WaitRow, ...]) -> tuple[UserRow, ...]:
        calls = Counter(call.user for call in self._parts.watch.under_way if call.user)
        sessions = Counter(each.session.user for each in held)
        waiting = Counter(row.user for row in waits)
        everybody: Mapping[str, None] = dict.fromkeys((*sessions, *calls, *waiting))
        rows = [
            UserRow(user, sessions[user], calls[user], waiting[user], self._parts.weight_of(user))
            for user in everybody
        ]
        return tuple(sorted(rows, key=lambda row: (-row.sessions - row.calls, row.user)))[:MAX_ROWS]


class DoorKeys:
    """Knows keepers by their tokens.

    Args:
        door: Of the server.
        asks: False where the page is this machine's alone and the server has no tokens.
    """

    def __init__(self, door: Door, *, asks: bool) -> None:
        self._door = door
        self.asks = asks

    def operator_of(self, token: str, host: str, port: int) -> str:
        """Whose token this is, who may keep the server.

        Raises:
            AccessDeniedError: It is nobody's, or not a keeper's.
        """
        identity = self._door.identity_of((("authorization", f"Bearer {token}"),), _peer(host, port))
        if Scope.ADMIN not in identity.scopes:
            raise AccessDeniedError("this token may not keep the server: bring one with the scope admin")
        return identity.account


def _peer(host: str, port: int) -> str:
    """A browser's address as gRPC would say it, so that wrong tokens count wherever they are brought."""
    try:
        is_v6 = ipaddress.ip_address(host).version == 6
    except ValueError:
        return host
    return f"ipv6:[{host}]:{port}" if is_v6 else f"ipv4:{host}:{port}"


def _session_row(each: HeldSession, *, waits: bool) -> SessionRow:
    session = each.session
    if each.is_parked:
        state = "parked"
    elif waits:
        state = "waiting"
    elif session.tracks.is_running:
        state = "tracking"
    else:
        state = "working" if session.is_busy else "idle"
    return SessionRow(
        session_id=session.session_id,
        user=session.user,
        clip=session.clip.name,
        objects=len(session.objects()),
        state=state,
        frames_left=session.tracks.steps_left,
        idle_s=each.idle_s,
        held_bytes=session.memory_bytes,
        is_kept=each.is_kept,
    )


def _told(call: StandingCall) -> str:
    clip = _clip_of(call.owner)
    return f"{call.user or 'the server'}{f' on {clip}' if clip else ''}, {_WORDS[call.turn_class]}"


def _clip_of(owner: Hashable) -> str:
    return owner.clip.name if isinstance(owner, Session) else ""


def _frame_to_show(session: Session) -> int:
    looked_at = session.tracks.looked_at
    if looked_at is not None and looked_at in session.clip.frames:
        return looked_at
    known = [frame for info in session.objects() for frame in session.results.frames_of(info.object_id)]
    return max(known, default=session.clip.first_frame)


def _painted(session: Session, frame: int, source: ClosingSource) -> bytes:
    picture = source.read_shown(frame, Grade(0.0, 1.0))  # (H, W, 3)
    height, width = picture.shape[:2]
    scale = min(1.0, PICTURE_SIDE_PX / max(height, width))
    size_px = max(1, round(width * scale)), max(1, round(height * scale))
    shown = np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    masks = []
    for place, info in enumerate(session.objects()):
        found: ObjectFrame | None = session.results.find(info.object_id, frame)
        if found is not None:
            masks.append((PALETTE[place % len(PALETTE)], render_preview(found.logits, *size_px)))
    painted = paint(shown, masks)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(painted[..., ::-1]), (cv2.IMWRITE_JPEG_QUALITY, 85))
    return data.tobytes()
