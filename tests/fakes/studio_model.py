"""A model of what several artists' sessions hold, and one server at a time that is held against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from fakes.engine import FakeEngine
from fakes.remembering import RememberingTracker
from fakes.service import SMALL, FakeClient, Running, refusal, running
from masklet.scopes import Scope
from masklet.v1 import prompt_pb2, session_pb2, track_pb2
from masklet_server.service.rates import RateSettings
from masklet_server.service.settings import ServerSettings
from masklet_server.tracking import FrameSource, ResultReader

USERS = ("ann", "bob", "acme/bob")
"""Two of one tenant, and a namesake in another."""
TOKENS = {user: f"{user.replace('/', '-')}-has-a-long-token" for user in USERS}
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "session-not-found")
NOT_PERMITTED = (grpc.StatusCode.PERMISSION_DENIED, "not-permitted")

users = st.sampled_from(USERS)
# Mostly whoever may: what is refused teaches little.
callers = st.sampled_from(("owner", "owner", "owner", "owner", *USERS))
picks = st.integers(0, 5)
frames = st.integers(1, 4)

Answer = TypeVar("Answer")
Refusal = tuple[grpc.StatusCode, str]
Masks = dict[tuple[int, int], bytes]
"""By object and frame, as they travel."""


@dataclass(frozen=True)
class Said:
    """What a session holds: names by number, places of clicks by number and frame, what is locked.

    Attributes:
        inverted: Objects whose mattes are turned inside out.
        policies: Of objects whose memory is used in another way than usual.
    """

    names: dict[int, str] = field(default_factory=dict)
    clicks: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    locked: frozenset[tuple[int, int]] = frozenset()
    inverted: frozenset[int] = frozenset()
    policies: dict[int, str] = field(default_factory=dict)

    def without(self, number: int) -> Said:
        """The same without an object."""
        return Said(
            {each: name for each, name in self.names.items() if each != number},
            {key: places for key, places in self.clicks.items() if key[0] != number},
            frozenset(key for key in self.locked if key[0] != number),
            self.inverted - {number},
            {each: policy for each, policy in self.policies.items() if each != number},
        )


@dataclass(frozen=True)
class Past:
    """What an undo, or a redo, brings back.

    Attributes:
        tracks: How many there had been: masks that came later are not taken back.
    """

    said: Said
    masks: Masks | None
    tracks: int


@dataclass
class Model:
    """A session as its artists should find it.

    Attributes:
        masks: As they were seen last; None where something has changed them since.
    """

    session_id: str
    owner: str
    said: Said = field(default_factory=Said)
    undo: list[Past] = field(default_factory=list)
    redo: list[Past] = field(default_factory=list)
    rights: dict[str, Scope] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)
    masks: Masks | None = field(default_factory=dict)
    tracks: int = 0

    @property
    def now(self) -> Past:
        return Past(self.said, self.masks, self.tracks)

    def edit(self, said: Said, *, masks_stay: bool = False, is_always_one: bool = False) -> None:
        if is_always_one or said != self.said:
            self.undo.append(self.now)
            self.redo.clear()
            self.said = said
            if not masks_stay:
                self.masks = None

    def go(self, past: Past) -> None:
        """What an undo, or a redo, leaves."""
        self.said = past.said
        self.masks = past.masks if past.tracks == self.tracks else None

    def refusal_of(self, user: str, needs: Scope) -> Refusal | None:
        """What the user is told of a call of this scope; None where it is made."""
        if user == self.owner:
            return None
        if user not in self.rights:
            return NOT_FOUND
        return None if needs in (Scope.READ, self.rights[user]) else NOT_PERMITTED


class RememberingEngine(FakeEngine):
    """Whose masks follow from all that was said: one wrong bit shows on every frame behind."""

    def __call__(self, source: FrameSource, results: ResultReader) -> Any:
        return RememberingTracker(source, results)


class StudioMachine(RuleBasedStateMachine):
    """One server at a time, its folder, and what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        # A stream is asked for outside of it: its client looks for the thread's own.
        asyncio.set_event_loop(self.loop)
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name)
        tokens = path / "tokens"
        tokens.write_text("".join(f"{user}:{token}\n" for user, token in TOKENS.items()))
        tokens.chmod(0o600)
        # Nobody walks as fast as this.
        rates = RateSettings(user_calls_per_s=0.0, user_opens_per_min=0.0)
        self.settings = ServerSettings(token_file=tokens, sessions_folder=path / "sessions", rates=rates)
        self.models: list[Model] = []
        self.last: tuple[str, prompt_pb2.AddClickRequest] | None = None
        self.touched: Model | None = None
        self.begin()

    def begin(self) -> None:
        self.stack = AsyncExitStack()
        serving = running(Path(self.folder.name), settings=self.settings, engine=RememberingEngine())
        self.server: Running = self.run(self.stack.enter_async_context(serving))
        self.clients: dict[str, FakeClient] = {
            user: self.run(self.stack.enter_async_context(self.server.client(token=token)))
            for user, token in TOKENS.items()
        }

    def restarted(self) -> None:
        """The server ends, and another is there on the same folder."""
        self.run(self.stack.aclose())
        self.begin()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        asyncio.set_event_loop(None)
        self.loop.close()
        self.folder.cleanup()

    def called(self, refused: Refusal | None, call: Any) -> Any:
        """The answer, or None where the call was refused as it should be; a list of a stream's."""

        async def wait() -> Any:
            if refused is not None:
                found = await refusal(call)
                assert found[:2] == refused, found
                return None
            return [each async for each in call] if hasattr(call, "__aiter__") else await call

        return self.run(wait())

    def chosen(self, pick: int, user: str) -> tuple[Model, str]:
        """A session, and who calls."""
        self.touched = model = self.models[pick % len(self.models)]
        return model, model.owner if user == "owner" else user

    def number(self, model: Model, pick: int) -> int:
        """Of an object that is there, or, now and then, of one that is not."""
        numbers = [*model.said.names, *model.said.names, 77]
        return numbers[pick % len(numbers)]

    def refused_without(self, model: Model, user: str, needs: Scope, number: int) -> Refusal | None:
        """As :meth:`Model.refusal_of`, for a call about an object."""
        refused = model.refusal_of(user, needs)
        if refused is None and number not in model.said.names:
            return grpc.StatusCode.NOT_FOUND, "object-not-found"
        return refused

    def tracked(self, user: str, request: track_pb2.TrackRequest) -> Any:
        """A track's stream; interceptors of these clients give no tokens to streams."""
        return self.clients[user].tracks.Track(request, metadata=_shown(user))

    def masks_of(self, model: Model) -> Masks:
        """All that a session gives out."""
        request = track_pb2.FetchMasksRequest(session_id=model.session_id, mask_format=SMALL)
        fetched = self.clients[model.owner].tracks.FetchMasks(request, metadata=_shown(model.owner))
        answers = self.called(None, fetched)
        masks = {(each.update.object_id, each.update.frame): each.update.mask.data for each in answers}
        assert len(masks) == len(answers)
        return masks

    def check_masks(self, model: Model) -> None:
        """What there is belongs to what is said; where nothing has changed masks they are what they were."""
        found = self.masks_of(model)
        assert {number for number, _ in found} <= set(model.said.names)
        assert set(model.said.clicks) <= set(found)
        if model.masks is not None:
            assert found == model.masks
        model.masks = found

    def check_said(self, model: Model) -> None:
        """Everybody who may look finds what was said; everybody else finds nothing."""
        for user, client in self.clients.items():
            refused = model.refusal_of(user, Scope.READ)
            asked = session_pb2.GetSessionRequest(session_id=model.session_id)
            answer = self.called(refused, client.sessions.GetSession(asked))
            if answer is None:
                continue
            said = model.said
            assert {each.object_id: each.name for each in answer.session.objects} == said.names
            assert {
                (each.object_id, frame)
                for each in answer.session.locks
                for frame in range(each.frames.first, each.frames.last + 1)
            } == said.locked
            request = prompt_pb2.GetPromptDocumentRequest(session_id=model.session_id)
            document = self.called(None, client.prompts.GetPromptDocument(request)).document
            assert {
                (each.object_id, each.frame): tuple(click.x_px for click in each.clicks)
                for each in document.prompts
            } == said.clicks
            assert {each.object_id for each in document.mattes if each.settings.invert} == said.inverted


def _shown(user: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {TOKENS[user]}"),)


async def first_of(call: AsyncIterator[Answer], count: int) -> list[Answer]:
    """The first answers of a stream, which is then left."""
    found: list[Answer] = []
    async for each in call:
        found.append(each)
        if len(found) == count:
            break
    return found
