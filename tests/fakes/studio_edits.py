"""The part of a walk over all calls that changes what sessions hold; see :mod:`fakes.studio_model`."""

from __future__ import annotations

from dataclasses import replace

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fakes.service import SMALL, new_id
from fakes.studio_model import Model, Refusal, Said, StudioMachine, callers, frames, picks, users
from masklet.scopes import Scope
from masklet.v1 import prompt_pb2, review_pb2, review_pb2_grpc, session_pb2, values_pb2

BAD_INPUT = (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
NAME_TAKEN = (grpc.StatusCode.ALREADY_EXISTS, "name-taken")


class Editing(StudioMachine):
    """What changes what is said."""

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
        model, user = self.chosen(pick, user)
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and name in model.said.names.values():
            refused = NAME_TAKEN
        request = session_pb2.AddObjectRequest(session_id=model.session_id, request_id=new_id(), name=name)
        answer = self.called(refused, self.clients[user].sessions.AddObject(request))
        if answer is not None:
            number = answer.object.object_id
            assert number not in model.given
            model.given.add(number)
            said = replace(model.said, names={**model.said.names, number: name})
            model.edit(said, masks_stay=True)

    @rule(user=callers, pick=picks, which=picks, name=st.sampled_from(("hero", "cat")))
    @precondition(lambda self: self.models)
    def rename(self, user: str, pick: int, which: int, name: str) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        refused = self.refused_without(model, user, Scope.PROMPT, number)
        others = {each: other for each, other in model.said.names.items() if each != number}
        if refused is None and name in others.values():
            refused = NAME_TAKEN
        request = session_pb2.RenameObjectRequest(
            session_id=model.session_id, request_id=new_id(), object_id=number, name=name
        )
        if self.called(refused, self.clients[user].sessions.RenameObject(request)) is not None:
            said = replace(model.said, names={**model.said.names, number: name})
            model.edit(said, masks_stay=True)

    @rule(user=callers, pick=picks, which=picks)
    @precondition(lambda self: self.models)
    def remove(self, user: str, pick: int, which: int) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        refused = self.refused_without(model, user, Scope.PROMPT, number)
        request = session_pb2.RemoveObjectRequest(
            session_id=model.session_id, request_id=new_id(), object_id=number
        )
        if self.called(refused, self.clients[user].sessions.RemoveObject(request)) is not None:
            model.edit(model.said.without(number))

    @rule(user=callers, pick=picks, which=picks, frame=frames, place=st.integers(1, 40))
    @precondition(lambda self: self.models)
    def click(self, user: str, pick: int, which: int, frame: int, place: int) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        refused = self.refused_at(model, user, number, frame)
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

    @rule(
        user=callers, pick=picks, which=picks, frame=frames, places=st.lists(st.integers(41, 60), max_size=2)
    )
    @precondition(lambda self: self.models)
    def say_anew(self, user: str, pick: int, which: int, frame: int, places: list[int]) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        refused = self.refused_at(model, user, number, frame)
        before = model.said.clicks.get((number, frame), ())
        said = tuple(map(float, places)) if before else (50.0,)
        if said == before:
            return
        clicks = [values_pb2.Click(x_px=x_px, y_px=10.0, positive=True) for x_px in said]
        request = prompt_pb2.SetPromptsRequest(
            session_id=model.session_id,
            request_id=new_id(),
            prompts=values_pb2.FramePrompts(object_id=number, frame=frame, clicks=clicks),
            mask_format=SMALL,
        )
        if self.called(refused, self.clients[user].prompts.SetPrompts(request)) is not None:
            kept = {key: places for key, places in model.said.clicks.items() if key != (number, frame)}
            model.edit(replace(model.said, clicks={**kept, (number, frame): said} if said else kept))

    @rule(user=callers, pick=picks, which=picks, first=frames, more=st.integers(0, 2), locked=st.booleans())
    @precondition(lambda self: self.models)
    def lock(self, user: str, pick: int, which: int, first: int, more: int, locked: bool) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        refused = self.refused_without(model, user, Scope.PROMPT, number)
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

    @rule(user=callers, pick=picks, which=picks, inverted=st.booleans())
    @precondition(lambda self: self.models)
    def turn_inside_out(self, user: str, pick: int, which: int, inverted: bool) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        request = prompt_pb2.SetMatteSettingsRequest(
            session_id=model.session_id,
            request_id=new_id(),
            object_id=number,
            settings=values_pb2.MatteSettings(invert=inverted),
        )
        refused = self.refused_without(model, user, Scope.PROMPT, number)
        if self.called(refused, self.clients[user].prompts.SetMatteSettings(request)) is not None:
            before = model.said.inverted
            model.edit(replace(model.said, inverted=before | {number} if inverted else before - {number}))

    @rule(user=callers, pick=picks, which=picks, policy=st.sampled_from(("editor", "gated", "motion")))
    @precondition(lambda self: self.models)
    def choose_a_policy(self, user: str, pick: int, which: int, policy: str) -> None:
        model, user = self.chosen(pick, user)
        number = self.number(model, which)
        request = prompt_pb2.SetPolicyRequest(
            session_id=model.session_id, request_id=new_id(), object_id=number, policy=policy
        )
        refused = self.refused_without(model, user, Scope.PROMPT, number)
        if self.called(refused, self.clients[user].prompts.SetPolicy(request)) is not None:
            others = {each: other for each, other in model.said.policies.items() if each != number}
            model.edit(
                replace(model.said, policies=others if policy == "editor" else {**others, number: policy})
            )

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def begin_anew_from_its_document(self, user: str, pick: int) -> None:
        model, user = self.chosen(pick, user)
        asked = prompt_pb2.GetPromptDocumentRequest(session_id=model.session_id)
        read = self.called(
            model.refusal_of(user, Scope.READ), self.clients[user].prompts.GetPromptDocument(asked)
        )
        request = prompt_pb2.SetPromptDocumentRequest(
            session_id=model.session_id,
            request_id=new_id(),
            document=None if read is None else read.document,
        )
        refused = model.refusal_of(user, Scope.PROMPT)
        answer = self.called(refused, self.clients[user].prompts.SetPromptDocument(request))
        if answer is None or read is None:
            return
        fresh = {
            old.object_id: new.object_id
            for old, new in zip(read.document.objects, answer.objects, strict=True)
        }
        assert model.given.isdisjoint(fresh.values())
        model.given.update(fresh.values())
        said = model.said
        model.edit(
            Said(
                {fresh[number]: name for number, name in said.names.items()},
                {(fresh[number], frame): places for (number, frame), places in said.clicks.items()},
                frozenset((fresh[number], frame) for number, frame in said.locked),
                frozenset(fresh[number] for number in said.inverted),
                {fresh[number]: policy for number, policy in said.policies.items()},
            ),
            # An empty one as well, in a session in which nothing was said.
            is_always_one=True,
        )

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def undo(self, user: str, pick: int) -> None:
        self.step(user, pick, back=True)

    @rule(user=callers, pick=picks)
    @precondition(lambda self: any(each.redo for each in self.models))
    def redo(self, user: str, pick: int) -> None:
        self.step(user, pick, back=False)

    def step(self, user: str, pick: int, *, back: bool) -> None:
        model, user = self.chosen(pick, user)
        taken, kept = (model.undo, model.redo) if back else (model.redo, model.undo)
        refused = model.refusal_of(user, Scope.PROMPT)
        if refused is None and not taken:
            refused = BAD_INPUT
        prompts = self.clients[user].prompts
        kind = prompt_pb2.UndoPromptRequest if back else prompt_pb2.RedoPromptRequest
        request = kind(session_id=model.session_id, request_id=new_id(), mask_format=SMALL)
        made = prompts.UndoPrompt if back else prompts.RedoPrompt
        answer = self.called(refused, made(request))
        if answer is not None:
            kept.append(model.now)
            model.go(taken.pop())
            assert (answer.left, answer.redo_left) == (len(model.undo), len(model.redo))

    def refused_at(self, model: Model, user: str, number: int, frame: int) -> Refusal | None:
        refused = self.refused_without(model, user, Scope.PROMPT, number)
        return BAD_INPUT if refused is None and (number, frame) in model.said.locked else refused
