"""What each call of the server belongs to, and what the audit log makes of it: one table for all services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from masklet.scopes import Scope


@dataclass(frozen=True)
class Rule:
    """What a call asks of its caller.

    Attributes:
        scope: What it belongs to; None for what is told to everybody, without a token.
        noted: What the audit log calls it when it is made; empty for what is not worth a line. Refusals
            are noted of all calls.
        opens: It takes room for long: these have a rate of their own.
        counted: It counts against the rate of whoever makes it.
        finishes: Once begun it may end although the time of its token has run out meanwhile: made again, it
            would begin anew. Where the token is taken back, it ends at once as all do.
    """

    scope: Scope | None
    noted: str = ""
    opens: bool = False
    counted: bool = True
    finishes: bool = False


_READ, _PROMPT, _TRACK, _EXPORT = Scope.READ, Scope.PROMPT, Scope.TRACK, Scope.EXPORT

RULES: Mapping[str, Rule] = {
    # Whoever balances or watches servers has no token.
    "/grpc.health.v1.Health/Check": Rule(None),
    "/grpc.health.v1.Health/List": Rule(None),
    "/grpc.health.v1.Health/Watch": Rule(None),
    "/masklet.v1.ServerService/GetServerInfo": Rule(_READ),
    "/masklet.v1.ServerService/OpenSharedMemory": Rule(_READ),
    "/masklet.v1.SessionService/UploadClip": Rule(_PROMPT, "upload", opens=True, finishes=True),
    "/masklet.v1.SessionService/FindContents": Rule(_PROMPT),
    "/masklet.v1.SessionService/OpenSession": Rule(_PROMPT, "open", opens=True),
    "/masklet.v1.SessionService/GetSession": Rule(_READ),
    "/masklet.v1.SessionService/ListSessions": Rule(_READ),
    "/masklet.v1.SessionService/CloseSession": Rule(_PROMPT, "close"),
    "/masklet.v1.SessionService/ShareSession": Rule(_PROMPT, "share"),
    "/masklet.v1.SessionService/UnshareSession": Rule(_PROMPT, "unshare"),
    "/masklet.v1.SessionService/ListShares": Rule(_READ),
    "/masklet.v1.SessionService/AddObject": Rule(_PROMPT, "add-object"),
    "/masklet.v1.SessionService/RenameObject": Rule(_PROMPT, "rename-object"),
    "/masklet.v1.SessionService/RemoveObject": Rule(_PROMPT, "remove-object"),
    "/masklet.v1.SessionService/ListObjects": Rule(_READ),
    "/masklet.v1.PromptService/SetPrompts": Rule(_PROMPT, "prompt"),
    "/masklet.v1.PromptService/AddClick": Rule(_PROMPT, "prompt"),
    "/masklet.v1.PromptService/UndoPrompt": Rule(_PROMPT, "undo"),
    "/masklet.v1.PromptService/RedoPrompt": Rule(_PROMPT, "redo"),
    "/masklet.v1.PromptService/SetMatteSettings": Rule(_PROMPT, "matte-settings"),
    "/masklet.v1.PromptService/SetPolicy": Rule(_PROMPT, "policy"),
    "/masklet.v1.PromptService/GetPromptDocument": Rule(_READ, "read-prompts"),
    "/masklet.v1.PromptService/SetPromptDocument": Rule(_PROMPT, "prompt-document"),
    "/masklet.v1.TrackService/Track": Rule(_TRACK, "track"),
    "/masklet.v1.TrackService/Cancel": Rule(_TRACK, "cancel"),
    "/masklet.v1.TrackService/LookAt": Rule(_READ),
    "/masklet.v1.TrackService/FetchMasks": Rule(_READ),
    "/masklet.v1.ExportService/ExportMattes": Rule(_EXPORT, "export", finishes=True),
    "/masklet.v1.ExportService/ExportOverlay": Rule(_EXPORT, "export-overlay", finishes=True),
    "/masklet.v1.ReviewService/SetLock": Rule(_PROMPT, "lock"),
    "/masklet.v1.ReviewService/NextFrame": Rule(_READ),
    "/masklet.v1.ReviewService/FindCuts": Rule(_TRACK),
    "/masklet.v1.GeometryService/FitShapes": Rule(_EXPORT, "export-shapes", finishes=True),
    "/masklet.v1.GeometryService/TrackAnchor": Rule(_EXPORT, "export-anchor", finishes=True),
    "/masklet.v1.ViewService/FetchPictures": Rule(_READ),
    "/masklet.v1.ViewService/PreviewPrompts": Rule(_PROMPT),
    "/masklet.v1.ViewService/FindAgain": Rule(_PROMPT),
    "/masklet.v1.FindService/Find": Rule(_PROMPT, "find"),
    "/masklet.v1.FindService/GetLook": Rule(_PROMPT),
}
"""By the name of the method on the wire. A call that is missing here is refused."""
