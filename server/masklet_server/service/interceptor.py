"""The outermost layer of every call: who calls, and what a failure may say.

grpc.aio sends the text of any exception to the client. Here every error of ours becomes its one
status, and everything else an incident number whose story stays in the server's log.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from masklet.errors import BadInputError, ElsewhereError, MaskletError, ServerFaultError, StalledError
from masklet_server.identity.caller import Identity
from masklet_server.service.access import current_user
from masklet_server.service.call_watch import FAILED, Call, CallWatch
from masklet_server.service.door import EndedTokenError, place_of
from masklet_server.service.gate import Gate, facts_of
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.rules import RULES, Rule
from masklet_server.service.sentence import for_the_wire
from masklet_server.service.sizes import check_sizes
from masklet_server.service.slots import Slots
from masklet_server.sessions.callers import current_scope

ERROR_KIND_KEY = "masklet-error-kind"
"""Trailing metadata that names the error: several share a status."""
ENDPOINT_KEY = "masklet-endpoint"
"""Trailing metadata that says where the answer is to be had."""
LARGE_BYTES = 256 << 10
"""Requests beyond this are looked at in a thread."""

_log = logging.getLogger("masklet_server.service")

TOKEN_LOOKS_S = 0.5
"""How often a stream that runs is asked for its token again."""
FINISHES_WITHIN_S = 3600.0
"""How long what may finish goes on behind the end of its token: a reader could take its time for ever."""
_NOTHING = object()
"""Stands for the end of a client's messages."""


class _Malformed:
    """Stands for a request that could not be read."""


@dataclass(frozen=True, eq=False)
class _Received:
    """A request, and how long it was on the wire."""

    message: Any
    size_bytes: int


class Guard(grpc.aio.ServerInterceptor):
    """Finds out who calls and whether that one may, gives a place, waits for the message, translates errors.

    In this order: whoever has no token takes nobody's place, and whoever says nothing keeps none.

    Args:
        gate: Knows who may call what, and notes it.
        slots: How many calls there may be at a time. Health has as many of its own.
        limits: How long messages may take.
        watch: Sees every call come and end.
        check_session: Asked before each response of a stream whether its user is still let into its session,
            by their names; raises what the client is told.
        rules: What each call belongs to.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        slots: int,
        limits: ServiceLimits,
        watch: CallWatch | None = None,
        check_session: Callable[[str, str], None] = lambda session_id, user: None,
        rules: Mapping[str, Rule] = RULES,
    ) -> None:
        self._gate = gate
        self._check_session = check_session
        self._rules = rules
        self._watch = watch or CallWatch()
        self._slots = Slots(slots)
        self._health_slots = Slots(slots)
        self._limits = limits

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler with this layer around it."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        rule = self._rules.get(str(handler_call_details.method))
        if rule is None:
            # Nobody has said who may call it: nobody.
            return None
        is_open = rule.scope is None
        call = _Guarded(
            handler,
            handler_call_details,
            rule,
            self._gate,
            self._health_slots if is_open else self._slots,
            self._limits,
            self._watch,
            self._check_session,
        )
        # All methods take a stream of messages here, as gRPC would wait for a single one for ever before
        # it asked anybody.
        make: Callable[..., Any] = grpc.stream_unary_rpc_method_handler
        behaviour: Callable[..., Any] = call.unary
        if handler.response_streaming:
            make = grpc.stream_stream_rpc_method_handler
            # Who watches health is sent nothing for hours, which is nobody's fault.
            behaviour = call.written if is_open else call.stream
        return make(behaviour, _lenient(handler.request_deserializer), handler.response_serializer)


class _Guarded:
    """One call of one method."""

    def __init__(
        self,
        handler: Any,
        details: grpc.HandlerCallDetails,
        rule: Rule,
        gate: Gate,
        slots: Slots,
        limits: ServiceLimits,
        watch: CallWatch,
        check_session: Callable[[str, str], None],
    ) -> None:
        self._watch = watch
        self._check_session = check_session
        self._checked_s = monotonic()
        self._ended_s: float | None = None
        self._handler = handler
        self._method = str(details.method)
        self._metadata = details.invocation_metadata or ()
        self._rule = rule
        self._gate = gate
        self._slots = slots
        self._limits = limits
        self._identity: Identity | None = None
        self._facts: dict[str, Any] = {}

    async def unary(self, requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        handler = self._handler
        with self._watch.watched(self._method, self._metadata) as call:
            try:
                with self._noted(context), self._let_in(context, call):
                    inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
                    answer = await inner(await self._request(requests, call), context)
                    self._learn(answer)
                    call.send(answer)
                    return answer
            except Exception as error:  # noqa: BLE001  (the border of the process)
                await self._refuse(error, context, call)

    async def stream(self, requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """A stream of responses, to a client that reads them."""
        handler = self._handler
        with self._watch.watched(self._method, self._metadata) as call:
            try:
                with self._noted(context), self._let_in(context, call):
                    inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
                    request = await self._request(requests, call)
                    # Closed at once when the client leaves: left to the garbage collector, a generator would
                    # keep the device busy for nobody.
                    async with aclosing(inner(request, context)) as responses:
                        async for response in responses:
                            self._check_still(call)
                            await self._send(response, context)
                            call.send(response)
            except Exception as error:  # noqa: BLE001  (the border of the process)
                await self._refuse(error, context, call)

    def _check_still(self, call: Call) -> None:
        """See that whoever was let in still may be told."""
        if self._identity is None:
            return
        if call.session_id:
            self._check_session(call.session_id, call.user)
        now_s = monotonic()
        if now_s - self._checked_s < TOKEN_LOOKS_S:
            return
        self._checked_s = now_s
        try:
            self._gate.check_still(self._metadata, self._identity)
        except EndedTokenError:
            self._ended_s = now_s if self._ended_s is None else self._ended_s
            if not self._rule.finishes or now_s - self._ended_s > FINISHES_WITHIN_S:
                raise

    async def _send(self, response: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        try:
            async with asyncio.timeout(self._limits.stalled_s):
                await context.write(response)
        except TimeoutError as error:
            raise StalledError(
                f"what the server sent was not read for {self._limits.stalled_s:g} seconds, and the call was "
                "ended: what was finished is kept in the session, so go on from there"
            ) from error
        except grpc.aio.InternalError as error:
            # The client went in the middle of it, as is noticed a moment later anyway.
            raise asyncio.CancelledError from error

    async def written(self, requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """A stream whose method writes its responses itself."""
        with self._watch.watched(self._method, self._metadata) as call:
            try:
                with self._let_in(context, call):
                    await self._handler.unary_stream(await self._request(requests, call), context)
            except Exception as error:  # noqa: BLE001  (the border of the process)
                await self._refuse(error, context, call)

    @contextmanager
    def _noted(self, context: grpc.aio.ServicerContext[Any, Any]) -> Iterator[None]:
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            place = place_of(context.peer())
            self._gate.note(self._method, self._rule, self._identity, place, self._facts, error)

    def _learn(self, message: object) -> None:
        if self._rule.noted:
            self._facts.update(facts_of(message))

    def _let_in(
        self, context: grpc.aio.ServicerContext[Any, Any], call: Call
    ) -> AbstractContextManager[None]:
        peer = context.peer()
        if self._rule.scope is None:
            return self._slots.taken(place_of(peer))
        shown = b"".join(list(context.auth_context().get("x509_common_name") or ())[:1])
        self._identity = self._gate.identity_of(self._metadata, peer, shown.decode(errors="replace"))
        account = call.user = self._identity.account
        current_user.set(account)
        current_scope.set(self._rule.scope)
        self._gate.check(self._identity, self._rule)
        return self._slots.taken(account)

    async def _request(self, requests: AsyncIterator[Any], call: Call) -> Any:
        """The call's one message, or all of them as they come.

        Raises:
            BadInputError: It does not come, or is not a message.
        """
        if self._handler.request_streaming:
            return self._each(requests, call)
        received = await self._next(requests, self._limits.first_message_s)
        if received is None:
            raise BadInputError("the call has no message: update the client")
        self._facts.update(facts_of(received.message))
        call.receive(received.message, received.size_bytes)
        return received.message

    async def _each(self, requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
        within_s = self._limits.first_message_s
        while (received := await self._next(requests, within_s)) is not None:
            if not self._facts:
                # Of a clip that is sent: its header.
                self._learn(received.message)
            self._check_still(call)
            call.receive(received.message, received.size_bytes)
            yield received.message
            within_s = self._limits.silence_s

    async def _next(self, requests: AsyncIterator[Any], within_s: float) -> _Received | None:
        try:
            # Not wait_for: in Python 3.11 it forgets that the client left where a message came just then.
            async with asyncio.timeout(within_s):
                message = await anext(requests.__aiter__(), _NOTHING)
        except TimeoutError as error:
            raise BadInputError(
                f"nothing came from the client for {within_s:g} seconds, and the call was ended: check the "
                "connection and try again"
            ) from error
        if message is _NOTHING:
            return None
        received = _well_formed(message)
        if not isinstance(received.message, Message):
            # A chunk of an upload comes as its bytes alone.
            return received
        if received.size_bytes <= LARGE_BYTES or self._handler.request_streaming:
            check_sizes(received.message)
        else:
            # In a thread: a long document has hundreds of thousands of entries.
            await asyncio.to_thread(check_sizes, received.message)
        return received

    async def _refuse(
        self, error: Exception, context: grpc.aio.ServicerContext[Any, Any], call: Call
    ) -> NoReturn:
        if isinstance(error, grpc.aio.AbortError):
            call.outcome = FAILED
            raise error
        if not isinstance(error, MaskletError):
            incident = secrets.token_hex(4)
            _log.error("incident %s in %s", incident, self._method, exc_info=error)
            error = ServerFaultError(
                f"the server failed in a way nobody foresaw: give the number {incident} to whoever keeps it"
            )
        told = for_the_wire(str(error))
        self._watch.refused(call, error.kind, told)
        await context.abort(
            grpc.StatusCode[error.grpc_status],
            told,
            trailing_metadata=((ERROR_KIND_KEY, error.kind), *_way_of(error)),
        )


def _way_of(error: MaskletError) -> tuple[tuple[str, str], ...]:
    """Where a client is sent on to."""
    return ((ENDPOINT_KEY, error.endpoint),) if isinstance(error, ElsewhereError) else ()


def _lenient(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    if read is None:
        return None

    def read_or_mark(data: bytes) -> Any:
        try:
            return _Received(read(data), len(data))
        except DecodeError:
            return _Malformed()

    return read_or_mark


def _well_formed(request: Any) -> _Received:
    if isinstance(request, _Malformed):
        raise BadInputError("the request is not a message of masklet.v1: update the client")
    assert isinstance(request, _Received)
    return request
