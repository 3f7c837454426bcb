"""Every error that people meet, with the gRPC status it travels as.

Each message is one sentence or two for an artist: the cause, then the repair. Errors carry no
path of the server, no class name and no traceback, so that they may cross the wire as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class MaskletError(Exception):
    """Base of all errors that masklet raises on purpose.

    Attributes:
        kind: The name of the error on the wire; it outlives renamed classes.
        grpc_status: The status under which the error travels. Several kinds share one.
    """

    kind = "masklet"
    grpc_status = "UNKNOWN"


class BadInputError(MaskletError):
    """Something that was given cannot be used: a value, a file, a picture."""

    kind = "bad-input"
    grpc_status = "INVALID_ARGUMENT"


class ClipError(BadInputError):
    """A clip cannot be opened or one of its frames cannot be read."""

    kind = "clip"


class FrameMissingError(ClipError):
    """The clip has no picture at this frame number."""

    kind = "frame-missing"
    grpc_status = "OUT_OF_RANGE"


class ClipWaitsError(ClipError):
    """The clip's disk does not answer now; later it may, and nothing is wrong with the frame."""

    kind = "clip-waits"


class ObjectNotFoundError(MaskletError):
    """The session has no such object: it was removed, or never added."""

    kind = "object-not-found"
    grpc_status = "NOT_FOUND"


class SessionNotFoundError(MaskletError):
    """The server holds no such session: it was closed, expired, or never existed."""

    kind = "session-not-found"
    grpc_status = "NOT_FOUND"


class NotPromptedError(MaskletError):
    """Tracking needs at least one prompt of the object."""

    kind = "not-prompted"
    grpc_status = "FAILED_PRECONDITION"


class NameTakenError(MaskletError):
    """Another object of the session has this name."""

    kind = "name-taken"
    grpc_status = "ALREADY_EXISTS"


class BusyError(MaskletError):
    """The server or the session cannot take more work now; trying again later helps."""

    kind = "busy"
    grpc_status = "RESOURCE_EXHAUSTED"


class LimitError(MaskletError):
    """A limit of the server is exceeded; the message names it."""

    kind = "limit"
    grpc_status = "RESOURCE_EXHAUSTED"


class StalledError(MaskletError):
    """What a server sent was not read for too long; what was finished is kept in the session."""

    kind = "stalled"
    grpc_status = "DEADLINE_EXCEEDED"


class DeviceError(MaskletError):
    """The device could not do this one thing: its memory is full, or it does not answer. Sessions stay."""

    kind = "device"
    grpc_status = "ABORTED"


class PathNotAllowedError(MaskletError):
    """The server may not open or write this path."""

    kind = "path-not-allowed"
    grpc_status = "PERMISSION_DENIED"


class AccessDeniedError(MaskletError):
    """The token is missing, wrong or expired."""

    kind = "access-denied"
    grpc_status = "UNAUTHENTICATED"


class NotPermittedError(MaskletError):
    """Whoever calls is known, and may not do this: the token, or whoever shared the session, does not let."""

    kind = "not-permitted"
    grpc_status = "PERMISSION_DENIED"


class OutputError(MaskletError):
    """A result cannot be written: the folder is missing, read-only or full."""

    kind = "output"
    grpc_status = "FAILED_PRECONDITION"


class ExistingFilesError(OutputError):
    """Files are there that an export may not write over; it stopped before its first file.

    Attributes:
        problems: What is in the way, without the ways out, which are a command line's; empty where nobody
            has told them apart.
    """

    kind = "existing-files"

    def __init__(self, message: str = "", problems: str = "") -> None:
        super().__init__(message)
        self.problems = problems


class WeightsError(MaskletError):
    """Weights are missing, damaged or of another network."""

    kind = "weights"
    grpc_status = "FAILED_PRECONDITION"


class CancelledError(MaskletError):
    """The work was cancelled; what was finished is kept."""

    kind = "cancelled"
    grpc_status = "CANCELLED"


class ServerUnreachableError(MaskletError):
    """No server answers, or it went away in mid-work."""

    kind = "server-unreachable"
    grpc_status = "UNAVAILABLE"


class RestartingError(ServerUnreachableError):
    """The server stops, and keeps sessions for the next one: the same call succeeds once that answers."""

    kind = "restarting"


class MovedError(RestartingError):
    """The server has given the session to another one of its cluster: the front door knows which."""

    kind = "moved"


class SilentError(RestartingError):
    """A server of a cluster has not been heard of for a moment: the front door knows more in a second."""

    kind = "silent"


class ElsewhereError(MaskletError):
    """What is asked for lives on another server of a cluster; clients go there by themselves.

    Attributes:
        endpoint: ``host:port`` of that server; empty where it came over a helper.
    """

    kind = "elsewhere"
    grpc_status = "FAILED_PRECONDITION"

    def __init__(self, message: str = "", endpoint: str = "") -> None:
        super().__init__(message)
        self.endpoint = endpoint


class HelperError(ServerUnreachableError):
    """masklet's helper process, which stands between a host application and the server, fails or is gone."""

    kind = "helper"


class VersionError(MaskletError):
    """Client and server are too far apart in version."""

    kind = "version"
    grpc_status = "UNIMPLEMENTED"


class ServerFaultError(MaskletError):
    """The server failed in a way nobody foresaw; its log knows more under the incident number."""

    kind = "server-fault"
    grpc_status = "INTERNAL"


def error_from_wire(kind: str | None, grpc_status: str, message: str) -> MaskletError:
    """The error that a server sent: by its kind, or by its status where the kind is not known.

    Args:
        kind: As :attr:`MaskletError.kind`; None where the answer came from gRPC itself.
        grpc_status: The name of the status: ``NOT_FOUND``.
        message: For people.
    """
    classes = list(_descendants(MaskletError))
    for candidate in classes:
        if candidate.kind == kind:
            return candidate(message)
    for candidate in classes:
        if candidate.grpc_status == grpc_status:
            return candidate(message)
    return (
        ServerUnreachableError(message) if grpc_status == "DEADLINE_EXCEEDED" else ServerFaultError(message)
    )


def _descendants(base: type[MaskletError]) -> Iterator[type[MaskletError]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)
