"""Calls of several artists in any order, through restarts, beside a model of what the server should hold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import grpc
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet import sharing_codec
from masklet.scopes import Scope
from masklet.v1 import prompt_pb2, review_pb2, review_pb2_grpc, session_pb2, values_pb2
from masklet_server.service.settings import ServerSettings

USERS = ("ann", "bob", "acme/bob")
"""Two of one tenant, and a namesake in another."""
TOKENS = {user: f"{user.replace('/', '-')}-has-a-long-token" for user in USERS}
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "session-not-found")
NOT_PERMITTED = (grpc.StatusCode.PERMISSION_DENIED, "not-permitted")

Answer = TypeVar("Answer")
users = st.sampled_from(USERS)
# Mostly whoever may: what is refused teaches little.
callers = st.sampled_from(("owner", "owner", "owner", "owner", *USERS))
picks = st.integers(0, 5)
frames = st.integers(1, 4)


@dataclass(frozen=True)
class Said:
    """What a session holds: names by number, places of clicks by number and frame, what is locked."""

    names: dict[int, str] = field(default_factory=dict)
    clicks: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    locked: frozenset[tuple[int, int]] = frozenset()


@dataclass
class Model:
    """A session as its artists should find it."""

    session_id: str
    owner: str
    said: Said = field(default_factory=Said)
    undo: list[Said] = field(default_factory=list)
    redo: list[Said] = field(default_factory=list)
    rights: dict[str, Scope] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)

    def edit(self, said: Said) -> None:
        if said != self.said:
            self.undo.append(self.said)
            self.redo.clear()
            self.said = said

    def refusal_of(self, user: str, needs: Scope) -> tuple[grpc.StatusCode, str] | None:
        """What the user is told of a call of this scope; None where it is made."""
        if user == self.owner:
            return None
        if user not in self.rights:
            return NOT_FOUND
        return None if needs in (Scope.READ, self.rights[user]) else NOT_PERMITTED


class AnyOrder(RuleBasedStateMachine):
    """One server at a time, its folder, and what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name)
        tokens = path / "tokens"
        tokens.write_text("".join(f"{user}:{token}\n" for user, token in TOKENS.items()))
        tokens.chmod(0o600)
        self.settings = ServerSettings(token_file=tokens, sessions_folder=path / "sessions")
        self.models: list[Model] = []
        self.last: tuple[str, prompt_pb2.AddClickRequest] | None = None
        self.touched: Model | None = None
        self.begin()

    def begin(self) -> None:
        self.stack = AsyncExitStack()
        self.server: Running = self.run(
            self.stack.enter_async_context(running(Path(self.folder.name), settings=self.settings))
        )
        self.clients: dict[str, FakeClient] = {
            user: self.run(self.stack.enter_async_context(self.server.client(token=token)))
            for user, token in TOKENS.items()
        }

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()
        self.folder.cleanup()

    def called(self, refused: tuple[grpc.StatusCode, str] | None, call: Any) -> Any:
        """The answer, or None where the call was refused as it should be."""

        async def wait() -> Any:
            if refused is None:
                return await call
            assert (await refusal(call))[:2] == refused
            return None

        return self.run(wait())

    def chosen(self, pick: int) -> Model:
        self.touched = self.models[pick % len(self.models)]
        return self.touched

    def number(self, model: Model, pick: int) -> int:
        """Of an object that is there, or, now and then, of one that is not."""
        numbers = [*model.said.names, *model.said.names, 77]
        return numbers[pick % len(numbers)]

    @initialize()
    def begin_with_a_click(self) -> None:
        self.open("ann")
        self.add("ann", 0, "hero")
        self.click("ann", 0, 0, 1, 5)

    @rule(user=users)
    @precondition(lambda self: len(self.models) < 3)
    def open(self, user: str) -> None:
        info = self.run(self.clients[user].open(self.server.root / "clip"))
        self.touched = Model(info.session_id, user)
        self.models.append(self.touched)

    @rule(user=callers, pick=picks, name=st.sampled_from(("hero", "ball", "dog")))
    @precondition(lambda self: self.models)
    def add(self, user: str, pick: int, name: str) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and name in model.said.names.values():
            refused = (grpc.StatusCode.ALREADY_EXISTS, "name-taken")
        request = session_pb2.AddObjectRequest(session_id=model.session_id, request_id=new_id(), name=name)
        answer = self.called(refused, self.clients[user].sessions.AddObject(request))
        if answer is not None:
            number = answer.object.object_id
            assert number not in model.given
            model.given.add(number)
            model.edit(replace(model.said, names={**model.said.names, number: name}))

    @rule(user=callers, pick=picks, which=picks, frame=frames, place=st.integers(1, 40))
    @precondition(lambda self: self.models)
    def click(self, user: str, pick: int, which: int, frame: int, place: int) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        number = self.number(model, which)
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and number not in model.said.names:
            refused = (grpc.StatusCode.NOT_FOUND, "object-not-found")
        if refused is None and (number, frame) in model.said.locked:
            refused = (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        request = prompt_pb2.AddClickRequest(
            session_id=model.session_id,
            request_id=new_id(),
            object_id=number,
            frame=frame,
            click=values_pb2.Click(x_px=float(place), y_px=10.0, positive=True),
            mask_format=SMALL,
        )
        answer = self.called(refused, self.clients[user].prompts.AddClick(request))
        if answer is not None:
            before = model.said.clicks.get((number, frame), ())
            clicks = {**model.said.clicks, (number, frame): (*before, float(place))}
            model.edit(replace(model.said, clicks=clicks))
            self.last = user, request

    @rule()
    @precondition(lambda self: self.last is not None)
    def click_again_under_the_same_id(self) -> None:
        assert self.last is not None
        user, request = self.last
        model = next(each for each in self.models if each.session_id == request.session_id)
        refused = model.refusal_of(user, Scope.PROMPT)
        # After a restart the answer tells what is there now. That nothing is said twice shows below.
        self.called(refused, self.clients[user].prompts.AddClick(request))
        self.touched = model

    @rule(user=callers, pick=picks, which=picks, first=frames, more=st.integers(0, 2), locked=st.booleans())
    @precondition(lambda self: self.models)
    def lock(self, user: str, pick: int, which: int, first: int, more: int, locked: bool) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        number = self.number(model, which)
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and number not in model.said.names:
            refused = (grpc.StatusCode.NOT_FOUND, "object-not-found")
        request = review_pb2.SetLockRequest(
            session_id=model.session_id,
            request_id=new_id(),
            object_id=number,
            frames=values_pb2.FrameRange(first=first, last=first + more),
            locked=locked,
        )
        stub = review_pb2_grpc.ReviewServiceStub(self.clients[user].channel)
        if self.called(refused, stub.SetLock(request)) is not None:
            range_ = {(number, frame) for frame in range(first, first + more + 1)}
            held = model.said.locked
            model.edit(replace(model.said, locked=held | range_ if locked else held - range_))

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def undo(self, user: str, pick: int) -> None:
        self.step(user, pick, back=True)

    @rule(user=callers, pick=picks)
    @precondition(lambda self: any(each.redo for each in self.models))
    def redo(self, user: str, pick: int) -> None:
        self.step(user, pick, back=False)

    def step(self, user: str, pick: int, *, back: bool) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        taken, kept = (model.undo, model.redo) if back else (model.redo, model.undo)
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and not taken:
            refused = (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        prompts = self.clients[user].prompts
        kind = prompt_pb2.UndoPromptRequest if back else prompt_pb2.RedoPromptRequest
        request = kind(session_id=model.session_id, request_id=new_id(), mask_format=SMALL)
        made = prompts.UndoPrompt if back else prompts.RedoPrompt
        answer = self.called(refused, made(request))
        if answer is not None:
            kept.append(model.said)
            model.said = taken.pop()
            assert (answer.left, answer.redo_left) == (len(model.undo), len(model.redo))

    @rule(user=callers, pick=picks, right=st.sampled_from((Scope.READ, Scope.PROMPT)), given=st.booleans())
    @precondition(lambda self: self.models)
    def share_or_take_back(self, user: str, pick: int, right: Scope, given: bool) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        # Names are those of the owner's tenant: Bob of another is never meant.
        guest = {"ann": "bob", "bob": "ann"}.get(model.owner, "acme/ann").rpartition("/")[2]
        refused = model.refusal_of(user, Scope.READ)
        if refused is None and user != model.owner:
            refused = NOT_PERMITTED
        sessions = self.clients[user].sessions
        same = {"session_id": model.session_id, "request_id": new_id(), "user": guest}
        rights = sharing_codec.scopes_to_wire([right])
        call = (
            sessions.ShareSession(session_pb2.ShareSessionRequest(**same, rights=rights))
            if given
            else sessions.UnshareSession(session_pb2.UnshareSessionRequest(**same))
        )
        if self.called(refused, call) is None or "/" in model.owner:
            return
        if given:
            model.rights[guest] = right
        else:
            model.rights.pop(guest, None)

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def close(self, user: str, pick: int) -> None:
        model = self.chosen(pick)
        user = model.owner if user == "owner" else user
        request = session_pb2.CloseSessionRequest(session_id=model.session_id, request_id=new_id())
        self.run(_awaited(self.clients[user].sessions.CloseSession(request)))
        # Of others it is as if there were none, and closing none is fine.
        if user == model.owner:
            self.models.remove(model)
            self.touched = None
            if self.last is not None and self.last[1].session_id == model.session_id:
                self.last = None

    @rule()
    @precondition(lambda self: self.models)
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.begin()

    @invariant()
    def everybody_lists_what_is_theirs(self) -> None:
        for user, client in self.clients.items():
            answer = self.run(_awaited(client.sessions.ListSessions(session_pb2.ListSessionsRequest())))
            theirs = {each.session_id for each in self.models if user == each.owner or user in each.rights}
            assert {each.session_id for each in answer.sessions} == theirs

    @invariant()
    def the_session_is_what_was_said(self) -> None:
        model = self.touched
        if model is None:
            return
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
            } == {each for each in said.locked if each[0] in said.names}
            request = prompt_pb2.GetPromptDocumentRequest(session_id=model.session_id)
            document = self.run(_awaited(client.prompts.GetPromptDocument(request))).document
            assert {
                (each.object_id, each.frame): tuple(click.x_px for click in each.clicks)
                for each in document.prompts
            } == said.clicks


async def _awaited(call: Any) -> Any:
    return await call


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=15,
    stateful_step_count=16,
    deadline=None,
    # Making a failure smaller takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
