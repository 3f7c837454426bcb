"""The part of a walk over all calls that makes masks, and that only asks; see :mod:`fakes.studio_model`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fakes.engine import FAKE_INFO
from fakes.service import SMALL, new_id
from fakes.studio_model import Model, StudioMachine, callers, first_of, frames, picks
from masklet.scopes import Scope
from masklet.v1 import (
    review_pb2,
    review_pb2_grpc,
    server_pb2,
    session_pb2,
    track_pb2,
    values_pb2,
    view_pb2,
    view_pb2_grpc,
)

FRAMES = range(FAKE_INFO.first_frame, FAKE_INFO.last_frame + 1)
NOT_PROMPTED = (grpc.StatusCode.FAILED_PRECONDITION, "not-prompted")


class Tracking(StudioMachine):
    """What makes masks, and what only asks."""

    @rule(
        user=callers,
        pick=picks,
        stale_only=st.booleans(),
        broken=st.sampled_from(("no", "no", "left", "restart")),
        after=st.integers(1, 8),
    )
    @precondition(lambda self: self.models)
    def track(self, user: str, pick: int, stale_only: bool, broken: str, after: int) -> None:
        model, user = self.chosen(pick, user)
        numbers = {number for number, _ in model.said.clicks}
        refused = model.refusal_of(user, Scope.TRACK)
        if refused is None and not numbers:
            refused = NOT_PROMPTED
        request = track_pb2.TrackRequest(
            session_id=model.session_id, request_id=new_id(), mask_format=SMALL, stale_only=stale_only
        )
        if refused is not None:
            self.called(refused, self.tracked(user, request))
            return
        model.tracks += 1
        model.masks = None
        came: Counter[tuple[int, int]] = Counter()
        masks: dict[tuple[int, int], bytes] = {}
        if broken != "no":
            self.note(self.run(first_of(self.tracked(user, request), after)), came, masks)
            self.wait_until_idle(model)
            if broken == "restart":
                self.restarted()
            for number, frame in came:
                request.received.add(object_id=number).frames.add(first=frame, last=frame)
        events = self.called(None, self.tracked(user, request))
        self.note(events, came, masks)

        assert set(came.values()) <= {1}
        assert [event.WhichOneof("event") for event in (events[0], events[-1])] == ["started", "finished"]
        assert events[0].started.updates == events[-1].finished.updates == len(came)
        found = self.masks_of(model)
        assert masks.items() <= found.items()
        if not stale_only:
            every = {(number, frame) for number in numbers for frame in FRAMES}
            assert every - model.said.locked <= set(found)
            assert every - model.said.locked <= set(came)

    def note(self, events: list[Any], came: Counter[Any], masks: dict[Any, bytes]) -> None:
        for event in events:
            if event.HasField("update"):
                place = event.update.object_id, event.update.frame
                came[place] += 1
                masks[place] = event.update.mask.data

    def wait_until_idle(self, model: Model) -> None:
        while True:
            listing = self.clients[model.owner].sessions.ListSessions(session_pb2.ListSessionsRequest())
            listed = self.called(None, listing).sessions
            if not any(each.is_busy for each in listed if each.session_id == model.session_id):
                return

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def cancel_what_does_not_run(self, user: str, pick: int) -> None:
        model, user = self.chosen(pick, user)
        request = track_pb2.CancelRequest(session_id=model.session_id, request_id=new_id())
        answer = self.called(model.refusal_of(user, Scope.TRACK), self.clients[user].tracks.Cancel(request))
        assert answer is None or not answer.was_tracking

    @rule(user=callers, pick=picks, frame=frames)
    @precondition(lambda self: self.models)
    def ask_what_changes_nothing(self, user: str, pick: int, frame: int) -> None:
        model, user = self.chosen(pick, user)
        client, own = self.clients[user], {"session_id": model.session_id}
        may_read = model.refusal_of(user, Scope.READ)
        may_prompt = model.refusal_of(user, Scope.PROMPT)
        self.called(may_read, client.tracks.LookAt(track_pb2.LookAtRequest(**own, frame=frame)))
        objects = self.called(may_read, client.sessions.ListObjects(session_pb2.ListObjectsRequest(**own)))
        assert objects is None or {each.object_id: each.name for each in objects.objects} == model.said.names
        review = review_pb2_grpc.ReviewServiceStub(client.channel)
        self.called(may_read, review.NextFrame(review_pb2.NextFrameRequest(**own, after=frame)))
        views = view_pb2_grpc.ViewServiceStub(client.channel)
        click = values_pb2.Click(x_px=5.0, y_px=5.0, positive=True)
        said = values_pb2.FramePrompts(object_id=0, frame=frame, clicks=[click])
        preview = view_pb2.PreviewPromptsRequest(**own, prompts=said, mask_format=SMALL)
        self.called(may_prompt, views.PreviewPrompts(preview))
        contents = session_pb2.FindContentsRequest(sha256=[bytes(32)])
        self.called(None, client.sessions.FindContents(contents))
        self.called(None, client.server.GetServerInfo(server_pb2.GetServerInfoRequest()))
