"""A server as its status page sees it, with rows of a test's own; and keys of two users."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from masklet.errors import AccessDeniedError
from masklet_server.status.facts import DeviceRow, ErrorRow, ServerFacts, SessionRow, UserRow, WaitRow

KEEPER, ARTIST = "keeper-token-0123456789", "artist-token-0123456789"
FREE = DeviceRow("cpu", "masklet_embedded", 0, 4 << 30, 0.0, "", 0.0, 0)
BUSY = DeviceRow(
    "NVIDIA L40S",
    "masklet_large",
    3_100_000_000,
    16 << 30,
    0.034,
    "ann on sh010, a frame of a track",
    0.02,
    0,
)


def session_row(number: int, user: str, clip: str, state: str, **changed: object) -> SessionRow:
    row = SessionRow(f"{number:032x}", user, clip, 2, state, 0, 12.0, 210_000_000, is_kept=True)
    return replace(row, **changed)  # type: ignore[arg-type]


def busy_facts() -> ServerFacts:
    """A studio in the afternoon."""
    return ServerFacts(
        version="0.1.0",
        address="10.1.2.3:7700",
        state="serving",
        up_s=3 * 86400.0,
        max_sessions=4,
        device=BUSY,
        sessions=(
            session_row(
                1, "ann", "sh010_comp_v012.####.exr", "tracking", frames_left=184, idle_s=0.0, objects=3
            ),
            session_row(2, "bob", "sh020.mov", "waiting", idle_s=0.0),
            session_row(3, "ann", "sh030_plate.####.dpx", "idle", idle_s=512.0),
            session_row(4, "chloé", "Müller & Söhne <final>.mov", "parked", held_bytes=0, idle_s=4000.0),
        ),
        users=(
            UserRow("ann", 2, 1, 0, 2.0),
            UserRow("bob", 1, 1, 1, 1.0),
            UserRow("chloé", 1, 0, 0, 1.0),
            UserRow("dan", 0, 0, 1, 1.0),
        ),
        waits=(
            WaitRow("dan", "", "a session", "those who have one: ann (2), bob (1), chloé (1)", 43.0),
            WaitRow("bob", "sh020.mov", "the device, for a click", "ann on sh010, a frame of a track", 0.03),
        ),
        errors=(
            ErrorRow(
                1_796_000_000.0, "bob", "PromptService/AddClick", "limit", "a session has at most 64 objects"
            ),
            ErrorRow(
                1_795_999_000.0,
                "",
                "SessionService/OpenSession",
                "access-denied",
                "this server asks for a token",
            ),
        ),
    )


@dataclass
class FakeOperated:
    """Does what it is told, and remembers it."""

    shown: ServerFacts = field(default_factory=busy_facts)
    shows_pictures: bool = False
    done: list[tuple[str, ...]] = field(default_factory=list)
    jpeg: bytes | None = b"\xff\xd8\xff\xe0 a picture"

    def facts(self) -> ServerFacts:
        return self.shown

    async def picture(self, session_id: str) -> bytes | None:
        return self.jpeg if any(row.session_id == session_id for row in self.shown.sessions) else None

    async def park(self, session_id: str, *, operator: str) -> bool:
        self.done.append(("park", session_id, operator))
        return any(row.session_id == session_id and row.state != "tracking" for row in self.shown.sessions)

    async def remove(self, session_id: str, *, operator: str) -> bool:
        self.done.append(("remove", session_id, operator))
        return True

    def drain(self, *, operator: str) -> None:
        self.done.append(("drain", operator))
        self.shown = replace(self.shown, state="draining")


@dataclass
class FakeKeys:
    """Lets one token in where it asks at all."""

    asks: bool = False
    revoked: bool = False
    peers: list[str] = field(default_factory=list)

    def operator_of(self, token: str, host: str, port: int) -> str:
        self.peers.append(host)
        if token == KEEPER and not self.revoked:
            return "ann"
        if token == ARTIST:
            raise AccessDeniedError("this token may not keep the server: bring one that may")
        raise AccessDeniedError("the server does not know this token: ask its keeper for a new one")
