"""Every error that people meet, with the gRPC status it travels as.

Each message is one sentence or two for an artist: the cause, then the repair. Errors carry no
path of the server, no class name and no traceback, so that they may cross the wire as they are.
"""

from __future__ import annotations


class MaskletError(Exception):
    """Base of all errors that masklet raises on purpose."""

    grpc_status = "UNKNOWN"


class BadInputError(MaskletError):
    """Something that was given cannot be used: a value, a file, a picture."""

    grpc_status = "INVALID_ARGUMENT"


class ClipError(BadInputError):
    """A clip cannot be opened or one of its frames cannot be read."""


class FrameMissingError(ClipError):
    """The clip has no picture at this frame number."""

    grpc_status = "OUT_OF_RANGE"


class ObjectNotFoundError(MaskletError):
    """The session has no such object: it was removed, or never added."""

    grpc_status = "NOT_FOUND"


class SessionNotFoundError(MaskletError):
    """The server holds no such session: it was closed, expired, or never existed."""

    grpc_status = "NOT_FOUND"


class NotPromptedError(MaskletError):
    """Tracking needs at least one prompt of the object."""

    grpc_status = "FAILED_PRECONDITION"


class NameTakenError(MaskletError):
    """Another object of the session has this name."""

    grpc_status = "ALREADY_EXISTS"


class BusyError(MaskletError):
    """The server or the session cannot take more work now; trying again later helps."""

    grpc_status = "RESOURCE_EXHAUSTED"


class LimitError(MaskletError):
    """A limit of the server is exceeded; the message names it."""

    grpc_status = "RESOURCE_EXHAUSTED"


class PathNotAllowedError(MaskletError):
    """The server may not open or write this path."""

    grpc_status = "PERMISSION_DENIED"


class AccessDeniedError(MaskletError):
    """The token is missing, wrong or expired."""

    grpc_status = "UNAUTHENTICATED"


class OutputError(MaskletError):
    """A result cannot be written: the folder is missing, read-only or full."""

    grpc_status = "FAILED_PRECONDITION"


class WeightsError(MaskletError):
    """Weights are missing, damaged or of another network."""

    grpc_status = "FAILED_PRECONDITION"


class CancelledError(MaskletError):
    """The work was cancelled; what was finished is kept."""

    grpc_status = "CANCELLED"


class ServerUnreachableError(MaskletError):
    """No server answers, or it went away in mid-work."""

    grpc_status = "UNAVAILABLE"


class VersionError(MaskletError):
    """Client and server are too far apart in version."""

    grpc_status = "UNIMPLEMENTED"


class ServerFaultError(MaskletError):
    """The server failed in a way nobody foresaw; its log knows more under the incident number."""

    grpc_status = "INTERNAL"
