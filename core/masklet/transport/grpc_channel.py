"""A gRPC channel with masklet's settings, its errors as masklet's, its repetitions harmless."""

from __future__ import annotations

import random
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from masklet.errors import (
    BadInputError,
    CancelledError,
    MaskletError,
    MovedError,
    ServerUnreachableError,
    SilentError,
    error_from_wire,
)
from masklet.settings import read_token
from masklet.transport.call_scope import current_scope
from masklet.transport.endpoint import is_loopback
from masklet.transport.pauses import pauses, read_patience_s
from masklet.transport.ways import ENDPOINT_KEY, WaysChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

    from masklet.transport.endpoint import Endpoint

    Metadata = Iterable[tuple[str, str]]

_Response = TypeVar("_Response")
_Value = TypeVar("_Value")

ERROR_KIND_KEY = "masklet-error-kind"
"""Trailing metadata that names the error; see :attr:`masklet.errors.MaskletError.kind`."""

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}")
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024

OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # What waits for the answer to a ping, and 60 s by default: without it the time above is a dead letter.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # gRPC's own limit is two minutes: a restarted server would seem dead for as long.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Shared with other channels of this process, a new one to a server that is back would first wait out the
    # pause of an old one that met it dead.
    ("grpc.use_local_subchannel_pool", 1),
    # A proxy for the internet is never the way to a server of the studio.
    ("grpc.enable_http_proxy", 0),
]
WORKER_OPTIONS = (
    # A server of a cluster that hangs is left for another one: its lease has ended by then.
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.ping_timeout_ms", 2_000),
    # So long gRPC tries to connect, 20 s by default: the system takes connections to a process that hangs.
    ("grpc.min_reconnect_backoff_ms", 2_000),
)
_SOON_S = 0.5
"""The longest pause where the answer is that it is known in a second who answers."""
_MOST_HOPS = 4
"""A call is sent on so often before it is clear that nobody answers it."""


class _Tries:
    """What was tried of one call: the pauses that are left, and how often it was sent on since one."""

    def __init__(self, patience_s: float) -> None:
        self._pauses = pauses(patience_s)
        self.hops = 0

    def next_pause_s(self, error: grpc.RpcError) -> float | None:
        """How long to wait before the next try; None where there was the last one."""
        self.hops = 0
        pause_s = next(self._pauses, None)
        if pause_s is not None and _trailing(error, ERROR_KIND_KEY) == SilentError.kind:
            return min(pause_s, _SOON_S)
        return pause_s


class Channel:
    """One connection; makes calls and turns what goes wrong into masklet's errors.

    Attributes:
        raw: For making stubs on; leads to other servers where this one is the front door of a cluster.
        is_local: True where the server is on this machine, or at the near end of a tunnel.

    Args:
        endpoint: The server.
        why_dead: Says why there is no point in trying again, or None while there is one.

    Raises:
        BadInputError: The address or the token is none, the certificate cannot be read, or
            ``MASKLET_PATIENCE_S`` is no number.
    """

    def __init__(self, endpoint: Endpoint, *, why_dead: Callable[[], str | None]) -> None:
        if not _ADDRESS.fullmatch(endpoint.address):
            raise BadInputError(f"{endpoint.address!r} is no address: write host:port, like gpu1:7700")
        self._endpoint = endpoint
        self._why_dead = why_dead
        self._patience_s = read_patience_s()
        self.is_local = is_loopback(endpoint.address)
        self._has_answered = False
        self._token = _checked_token(endpoint.token)
        self._credentials = None
        if not endpoint.plaintext:
            self._credentials = grpc.ssl_channel_credentials(
                _read(endpoint.tls_ca_file),
                private_key=_read(endpoint.tls_key_file),
                certificate_chain=_read(endpoint.tls_cert_file),
            )
        self.raw = WaysChannel(
            self._connected(endpoint.address), lambda address: self._connected(address, WORKER_OPTIONS)
        )

    def call(
        self,
        method: Callable[..., _Response],
        request: object,
        *,
        timeout_s: float,
        retry: bool = True,
        metadata: Metadata = (),
    ) -> _Response:
        """Make one call, again after a lost connection to a server that has answered before.

        Safe for every call that carries a request id or changes nothing. An iterable of messages
        can be read once only, so streams to the server are sent with ``retry=False``.
        """
        tries = _Tries(self._patience_s)
        while True:
            try:
                response = method(request, timeout=timeout_s, metadata=(*self._metadata, *metadata))
            except grpc.RpcError as error:
                if self._is_sent_on(error, request, tries) and retry:
                    continue
                if retry and self._has_fresh_token(error):
                    continue
                pause_s = tries.next_pause_s(error)
                if not (retry and pause_s is not None and self._may_come_back(error, request)):
                    raise self._translated(error) from error
            else:
                self._has_answered = True
                self.raw.answered(request, response)
                return response
            # Spread, so that all artists of a restarted server do not come back at once.
            time.sleep(pause_s * random.uniform(0.7, 1.3))

    def stream(
        self,
        method: Callable[..., Iterable[_Response]],
        request: object,
        decode: Callable[[_Response], _Value],
    ) -> Generator[_Value, None, None]:
        """Yield the answers of a call that takes as long as it takes; closing cancels it.

        One that has begun to answer is not made again: what it brought would come twice.
        """
        tries = _Tries(self._patience_s)
        begun = False
        while True:
            call: Any = method(request, metadata=self._metadata)
            scope = current_scope()
            if scope is not None:
                scope.add(call)
            try:
                for response in call:
                    begun = True
                    yield decode(response)
            except grpc.RpcError as error:
                if not begun and (self._is_sent_on(error, request, tries) or self._has_fresh_token(error)):
                    continue
                pause_s = None if begun else tries.next_pause_s(error)
                # A session of a cluster may have moved while nobody called.
                if pause_s is None or not self._may_come_back(error, request, here=False):
                    raise self._translated(error) from error
            else:
                return
            finally:
                call.cancel()
            time.sleep(pause_s * random.uniform(0.7, 1.3))

    def resumed(
        self,
        method: Callable[..., Iterable[_Response]],
        make_request: Callable[[], object],
        decode: Callable[[_Response], _Value],
        *,
        metadata: Metadata = (),
    ) -> Generator[_Value, None, None]:
        """As :meth:`stream`, and on again after a lost connection, with a request that says from where."""
        tries = _Tries(self._patience_s)
        while True:
            request = make_request()
            call: Any = method(request, metadata=(*self._metadata, *metadata))
            scope = current_scope()
            if scope is not None:
                scope.add(call)
            try:
                for response in call:
                    self._has_answered = True
                    tries = _Tries(self._patience_s)
                    yield decode(response)
            except grpc.RpcError as error:
                if self._is_sent_on(error, request, tries) or self._has_fresh_token(error):
                    continue
                pause_s = tries.next_pause_s(error)
                if pause_s is None or not self._may_come_back(error, request):
                    raise self._translated(error) from error
            else:
                return
            finally:
                call.cancel()
            time.sleep(pause_s * random.uniform(0.7, 1.3))

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._token}"),) if self._token else ()

    def _connected(self, address: str, more: Sequence[tuple[str, int]] = ()) -> grpc.Channel:
        options = [*OPTIONS, *more]
        if self._credentials is None:
            return grpc.insecure_channel(address, options=options)
        return grpc.secure_channel(address, self._credentials, options=options)

    def _is_sent_on(self, error: grpc.RpcError, request: object, tries: _Tries) -> bool:
        """True where the front door of a cluster says who answers this call, which goes there from now on.

        Raises:
            ServerUnreachableError: That one cannot be reached with the token in the clear, or sends it on.
        """
        endpoint = _trailing(error, ENDPOINT_KEY)
        if not endpoint or not _ADDRESS.fullmatch(endpoint):
            return False
        if self._credentials is None and not is_loopback(endpoint):
            raise ServerUnreachableError(
                f"the front door sends this client on to {endpoint}, which is another machine, and the "
                "connection has no TLS: connect to the front door by its name, with its certificate"
            ) from error
        tries.hops += 1
        if tries.hops > _MOST_HOPS:
            raise ServerUnreachableError(
                f"the front door at {self._endpoint.address} sends this client on to {endpoint}, which sends "
                "it on as well: whoever keeps the cluster has given a server the address of a front door "
                "with --advertise"
            ) from error
        self._has_answered = True
        self.raw.sent_on(request, endpoint)
        return True

    def _has_fresh_token(self, error: grpc.RpcError) -> bool:
        """True where the server did not take the token, and its file holds another one since."""
        file = self._endpoint.token_file
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED or file is None:
            return False
        before = self._token
        with suppress(BadInputError):
            # One that is just being written counts the next time.
            self._token = _checked_token(read_token(file))
        return self._token != before

    def _may_come_back(self, error: grpc.RpcError, request: object, *, here: bool = True) -> bool:
        """True where the connection broke and a server may answer in a while: the next call goes there.

        Args:
            error: How the call ended.
            request: Of the call.
            here: The same server counts, or the one after it. Otherwise only another one of its cluster.
        """
        if error.code() is not grpc.StatusCode.UNAVAILABLE or not self._has_answered:
            return False
        if self._why_dead() is not None:
            return False
        kind = _trailing(error, ERROR_KIND_KEY)
        # What has moved away does not come back; whoever was not sent here has to go there anew.
        return self.raw.turned_back(request, by_server=bool(kind)) or (here and kind != MovedError.kind)

    def _translated(self, error: grpc.RpcError) -> MaskletError:
        """The error of masklet that says what this one of gRPC means."""
        status, detail = error.code(), error.details() or ""
        kind = _trailing(error, ERROR_KIND_KEY)
        address = self._endpoint.address
        if kind:
            return error_from_wire(kind, status.name, detail)
        if status is grpc.StatusCode.UNAVAILABLE:
            why_dead = self._why_dead()
            if why_dead is not None:
                return ServerUnreachableError(why_dead)
            if self._has_answered:
                return ServerUnreachableError(
                    f"the connection to {address} was lost: what was finished is kept in the session, "
                    "so try again once the server answers"
                )
            return ServerUnreachableError(
                f"no server answers at {address}: check that it runs, the address, the firewall, and that "
                "both ends use TLS or neither does"
            )
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            return ServerUnreachableError(
                f"the server at {address} did not answer in time: it may be overloaded, try again in a minute"
            )
        if status is grpc.StatusCode.CANCELLED:
            return CancelledError("the call was cancelled; what was finished is kept")
        return error_from_wire(None, status.name, detail)


def _trailing(error: grpc.RpcError, key: str) -> str:
    """What an error's trailing metadata says; empty for nothing."""
    trailing = error.trailing_metadata() or ()
    return next((str(item.value) for item in trailing if item.key == key), "")


def _checked_token(token: str | None) -> str | None:
    if token and not (token.isascii() and token.isprintable()):
        raise BadInputError(
            "the token holds characters that no token can have: copy it again, without line breaks"
        )
    return token


def _read(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"the certificate {file} cannot be read ({error.strerror}): check the path"
        ) from error
