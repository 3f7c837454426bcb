"""The outermost layer of every call: who calls, and what a failure may say.

grpc.aio sends the text of any exception to the client. Here every error of ours becomes its one
status, and everything else an incident number whose story stays in the server's log.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from masklet.errors import BadInputError, MaskletError, ServerFaultError
from masklet_server.service.access import current_user
from masklet_server.service.door import Door
from masklet_server.service.sentence import for_the_wire

ERROR_KIND_KEY = "masklet-error-kind"
"""Trailing metadata that names the error: several share a status."""
HEALTH_PREFIX = "/grpc.health.v1."

_log = logging.getLogger("masklet_server.service")


class _Malformed:
    """Stands for a request that could not be read."""


class Guard(grpc.aio.ServerInterceptor):
    """Checks the token, names the user, translates errors.

    Args:
        door: Knows who may call.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler with this layer around it."""
        handler = await continuation(handler_call_details)
        # Health is told to everybody: whoever balances or watches servers has no token.
        if handler is None or str(handler_call_details.method).startswith(HEALTH_PREFIX):
            return handler
        call = _Guarded(handler, handler_call_details, self._door)
        read = handler.request_deserializer
        make: Callable[..., Any]
        behaviour: Callable[..., Any]
        if handler.request_streaming and handler.response_streaming:
            make, behaviour = grpc.stream_stream_rpc_method_handler, call.stream
        elif handler.request_streaming:
            make, behaviour = grpc.stream_unary_rpc_method_handler, call.unary
        elif handler.response_streaming:
            make, behaviour = grpc.unary_stream_rpc_method_handler, call.stream
        else:
            make, behaviour = grpc.unary_unary_rpc_method_handler, call.unary
        return make(behaviour, _lenient(read), handler.response_serializer)


class _Guarded:
    """One call of one method."""

    def __init__(self, handler: Any, details: grpc.HandlerCallDetails, door: Door) -> None:
        self._handler = handler
        self._method = str(details.method)
        self._metadata = details.invocation_metadata or ()
        self._door = door

    async def unary(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        handler = self._handler
        try:
            self._enter(context)
            inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
            return await inner(self._checked(request), context)
        except Exception as error:  # noqa: BLE001  (the border of the process)
            await self._refuse(error, context)

    async def stream(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        handler = self._handler
        try:
            self._enter(context)
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            # Closed at once when the client leaves: left to the garbage collector, a generator would
            # keep the device busy for nobody.
            async with aclosing(inner(self._checked(request), context)) as responses:
                async for response in responses:
                    yield response
        except Exception as error:  # noqa: BLE001  (the border of the process)
            await self._refuse(error, context)

    def _enter(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        current_user.set(self._door.user_of(self._metadata, context.peer()))

    def _checked(self, request: Any) -> Any:
        if self._handler.request_streaming:
            return _each_checked(request)
        return _well_formed(request)

    async def _refuse(self, error: Exception, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if not isinstance(error, MaskletError):
            incident = secrets.token_hex(4)
            _log.error("incident %s in %s", incident, self._method, exc_info=error)
            error = ServerFaultError(
                f"the server failed in a way nobody foresaw: give the number {incident} to whoever keeps it"
            )
        await context.abort(
            grpc.StatusCode[error.grpc_status],
            for_the_wire(str(error)),
            trailing_metadata=((ERROR_KIND_KEY, error.kind),),
        )


def _lenient(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    if read is None:
        return None

    def read_or_mark(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError:
            return _Malformed()

    return read_or_mark


async def _each_checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _well_formed(request)


def _well_formed(request: Any) -> Any:
    if isinstance(request, _Malformed):
        raise BadInputError("the request is not a message of masklet.v1: update the client")
    return request
