"""Calls of several artists in any order, through restarts, beside a model of what the server should hold."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from fakes.service import new_id
from fakes.studio_edits import Editing
from fakes.studio_model import NOT_PERMITTED, callers, picks
from fakes.studio_tracks import Tracking
from masklet import sharing_codec
from masklet.scopes import Scope
from masklet.v1 import session_pb2
from masklet_server.service.rules import RULES


class AnyOrder(Editing, Tracking):
    """All of it, with sharing, closing and restarts in between."""

    @rule(user=callers, pick=picks, right=st.sampled_from((Scope.READ, Scope.PROMPT)), given=st.booleans())
    @precondition(lambda self: self.models)
    def share_or_take_back(self, user: str, pick: int, right: Scope, given: bool) -> None:
        model, user = self.chosen(pick, user)
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
        if self.called(refused, call) is None:
            return
        if "/" not in model.owner:
            if given:
                model.rights[guest] = right
            else:
                model.rights.pop(guest, None)
        listed = self.called(
            None, sessions.ListShares(session_pb2.ListSharesRequest(session_id=model.session_id))
        )
        assert "/" in model.owner or {each.user for each in listed.shares} == set(model.rights)

    @rule(user=callers, pick=picks)
    @precondition(lambda self: self.models)
    def close(self, user: str, pick: int) -> None:
        model, user = self.chosen(pick, user)
        request = session_pb2.CloseSessionRequest(session_id=model.session_id, request_id=new_id())
        # Of others it is as if there were none, and closing none is fine.
        self.called(None, self.clients[user].sessions.CloseSession(request))
        if user == model.owner:
            self.models.remove(model)
            self.touched = None
            if self.last is not None and self.last[1].session_id == model.session_id:
                self.last = None

    @rule()
    @precondition(lambda self: self.models)
    def restart(self) -> None:
        self.restarted()
        for model in self.models:
            self.check_masks(model)

    @invariant()
    def everybody_lists_what_is_theirs(self) -> None:
        for user, client in self.clients.items():
            answer = self.called(None, client.sessions.ListSessions(session_pb2.ListSessionsRequest()))
            theirs = {each.session_id for each in self.models if user == each.owner or user in each.rights}
            assert {each.session_id for each in answer.sessions} == theirs

    @invariant()
    def the_session_is_what_was_said(self) -> None:
        if self.touched is not None:
            self.check_said(self.touched)
            self.check_masks(self.touched)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    # Making a failure smaller takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

WALKED = frozenset(
    [
        "OpenSession",
        "GetSession",
        "ListSessions",
        "CloseSession",
        "ShareSession",
        "UnshareSession",
        "ListShares",
        "AddObject",
        "RenameObject",
        "RemoveObject",
        "ListObjects",
        "FindContents",
        "SetPrompts",
        "AddClick",
        "UndoPrompt",
        "RedoPrompt",
        "SetMatteSettings",
        "SetPolicy",
        "GetPromptDocument",
        "SetPromptDocument",
        "Track",
        "Cancel",
        "LookAt",
        "FetchMasks",
        "SetLock",
        "NextFrame",
        "PreviewPrompts",
        "GetServerInfo",
    ]
)
ELSEWHERE = {
    "ExportMattes": "test_exports.py",
    "ExportOverlay": "test_exports.py",
    "Find": "test_find_service.py",
    "GetLook": "test_studio_finder.py",
    "FitShapes": "test_review_service.py",
    "TrackAnchor": "test_review_service.py",
    "FindCuts": "test_review_service.py",
    "FetchPictures": "test_view_service.py",
    "FindAgain": "test_find_service.py",
    "OpenSharedMemory": "test_shared_memory.py",
    "UploadClip": "test_uploads.py",
}
"""They change nothing that a session holds; and where they are tested."""


def test_every_call_is_on_the_walk_or_tested_elsewhere() -> None:
    calls = {name.rpartition("/")[2] for name in RULES if name.startswith("/masklet.")}

    assert calls == WALKED.union(ELSEWHERE)
    assert WALKED.isdisjoint(ELSEWHERE)
    assert all((Path(__file__).parent / file).is_file() for file in ELSEWHERE.values())
