"""masklet's helper: a process that speaks gRPC for a host application whose interpreter must not.

Started by :mod:`masklet.transport.bridge_link`, which tells port and token by standard input. It ends
when its connection does, so it never outlives its host, and takes a server that it started with it.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from masklet.errors import BadInputError, BusyError, HelperError, MaskletError, ServerFaultError
from masklet.matte_files import write_chunks
from masklet.transport.bridge_values import decode, encode
from masklet.transport.bridge_wire import PROTOCOL, ClosedError, MalformedError, Message, Wire
from masklet.transport.call_scope import CallScope
from masklet.transport.helper_upload import upload_events
from masklet.transport.interface import ExportRequest
from masklet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from masklet.deliveries import Existing
    from masklet.events import ExportEvent
    from masklet.transport.endpoint import ServerChoice
    from masklet.transport.interface import Transport

_CALLS = frozenset(
    {
        "server_info",
        "open_session",
        "get_session",
        "list_sessions",
        "share_session",
        "unshare_session",
        "list_shares",
        "close_session",
        "add_object",
        "rename_object",
        "remove_object",
        "set_prompts",
        "add_click",
        "undo_prompt",
        "redo_prompt",
        "set_matte",
        "set_policy",
        "set_lock",
        "next_frame",
        "get_prompts",
        "set_prompts_of_session",
        "cancel",
        "look_at",
        "preview_prompts",
        "find_again",
        "get_look",
    }
)
_STREAMS = frozenset(
    {
        "upload",
        "find",
        "find_cuts",
        "fit_shapes",
        "track_anchor",
        "track",
        "fetch_masks",
        "fetch_pictures",
        "export_mattes",
        "export_overlay",
    }
)
_MAX_AT_ONCE = 64
_CONNECT_TIMEOUT_S = 10.0
_OPENING_TIMEOUT_S = 30.0

_log = logging.getLogger("masklet.helper")


class ServerLink(Protocol):
    """What the helper holds of a server."""

    def transport(self) -> Transport:
        """The connection to use now."""
        ...

    def close(self) -> None:
        """Let it go, and stop a server that was started for it."""
        ...


def open_server(choice: ServerChoice) -> ServerLink:
    """The server itself, over gRPC, which is imported only now: the host has its helper sooner."""
    try:
        from masklet.transport.helper_server import HelperServer
    except ImportError as error:
        raise HelperError(
            f"the Python at {sys.executable} has no gRPC ({error}): pip install 'masklet[server]' there, or "
            "set MASKLET_PYTHON to the Python that has it"
        ) from error

    return HelperServer(choice)


def main(connect: Callable[[ServerChoice], ServerLink] = open_server) -> None:
    """Connect to the host application and serve it until it is gone.

    Args:
        connect: An argument for tests.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    told = json.loads(sys.stdin.readline())
    connection = socket.create_connection(("127.0.0.1", told["port"]), timeout=_CONNECT_TIMEOUT_S)
    connection.settimeout(None)
    wire = Wire(connection)
    wire.send({"is": "hello", "token": told["token"], "protocol": PROTOCOL, "version": VERSION})
    helper = Helper(wire, connect)
    helper.serve()
    helper.close()
    # Threads may still wait for a server that does not answer; nobody is left to hear it.
    sys.stderr.flush()
    os._exit(0)


@dataclass(eq=False)
class _Running:
    """A stream that runs: how to stop it, and how many more values its reader would take."""

    scope: CallScope
    credits: threading.Semaphore
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        self.cancelled.set()
        self.scope.cancel()
        self.credits.release()


class Helper:
    """Serves one host application.

    Args:
        wire: The connection to it.
        connect: Makes the connection to the server that the host chooses.
    """

    def __init__(self, wire: Wire, connect: Callable[[ServerChoice], ServerLink]) -> None:
        self._wire = wire
        self._open_server = connect
        self._opening = threading.Lock()
        self._closed = False
        self._server: ServerLink | None = None
        self._streams: dict[int, _Running] = {}
        self._slots = threading.BoundedSemaphore(_MAX_AT_ONCE)

    def serve(self) -> None:
        """Answer until the host application says goodbye or is gone."""
        with suppress(ClosedError):
            while True:
                try:
                    message = self._wire.receive()
                    kind, number = message.header["is"], message.header.get("of", 0)
                except (MalformedError, KeyError) as error:
                    _log.warning("the host application sent something unreadable: %s", error)
                    return
                if kind == "bye":
                    return
                if kind == "ping":
                    self._answer(number, {"is": "result", "value": {"b": 0}}, message.blobs or [b""])
                elif kind == "more":
                    self._with_stream(number, lambda running: running.credits.release())
                elif kind == "cancel":
                    self._with_stream(number, _Running.cancel)
                elif self._slots.acquire(blocking=False):
                    self._begin(kind, number, message)
                else:
                    self._refuse(number, BusyError("too many calls run at once: wait for one of them to end"))

    def close(self) -> None:
        """Stop all that runs, and the server if it was started here."""
        self._wire.close()
        for running in list(self._streams.values()):
            running.cancel()
        self._closed = True
        # A server that is just starting is waited for: it must not be left behind.
        if self._opening.acquire(timeout=_OPENING_TIMEOUT_S) and self._server is not None:
            self._server.close()

    def _with_stream(self, number: int, act: Callable[[_Running], None]) -> None:
        # One that has just ended is no mistake: its reader did not know yet.
        running = self._streams.get(number)
        if running is not None:
            act(running)

    def _begin(self, kind: str, number: int, message: Message) -> None:
        if kind == "stream":
            window = message.header.get("window", 1)
            # Known before its thread runs: the reader's first words about it may follow at once.
            self._streams[number] = _Running(CallScope(), threading.Semaphore(int(window)))
        threading.Thread(
            target=self._work, args=(kind, number, message), name=f"masklet-{kind}", daemon=True
        ).start()

    def _work(self, kind: str, number: int, message: Message) -> None:
        try:
            method = str(message.header.get("method"))
            arguments = _arguments(message)
            if kind == "stream" and method in _STREAMS:
                self._stream(number, method, arguments)
            elif kind == "call" and method == "connect":
                self._connect(**arguments)
                self._answer(number, {"is": "result", "value": None})
            elif kind == "call" and method in _CALLS:
                value = getattr(self._transport(), method)(**arguments)
                blobs: list[bytes] = []
                self._answer(number, {"is": "result", "value": encode(value, blobs)}, blobs)
            else:
                self._refuse(number, BadInputError(f"masklet's helper knows no {method!r}: update it"))
        except MaskletError as error:
            self._refuse(number, error)
        except ClosedError:
            _log.debug("nobody waits for the answer any more")
        except Exception as error:  # noqa: BLE001  (the host must get an answer whatever happens)
            _log.exception("unforeseen")
            self._refuse(
                number,
                ServerFaultError(f"masklet's helper failed ({type(error).__name__}): try again"),
            )
        finally:
            self._streams.pop(number, None)
            self._slots.release()

    def _stream(self, number: int, method: str, arguments: dict[str, Any]) -> None:
        running = self._streams[number]
        with running.scope:
            values = _values(self._transport(), method, arguments)
            try:
                for value in values:
                    running.credits.acquire()
                    if running.cancelled.is_set():
                        return
                    blobs: list[bytes] = []
                    self._answer(number, {"is": "item", "value": encode(value, blobs)}, blobs)
            finally:
                values.close()
        self._answer(number, {"is": "end"})

    def _connect(self, choice: ServerChoice) -> None:
        with self._opening:
            if not self._closed:
                self._server = self._open_server(choice)

    def _transport(self) -> Transport:
        if self._server is None:
            raise BadInputError("masklet's helper was not told which server to use: connect first")
        return self._server.transport()

    def _refuse(self, number: int, error: MaskletError) -> None:
        header = {"is": "error", "kind": error.kind, "status": error.grpc_status, "message": str(error)}
        with suppress(ClosedError):
            self._answer(number, header)

    def _answer(self, number: int, header: dict[str, Any], blobs: Any = ()) -> None:
        self._wire.send({**header, "of": number}, blobs)


def _values(transport: Transport, method: str, arguments: dict[str, Any]) -> Generator[object, None, None]:
    """What a stream sends: what the method yields, with files written and read on this side."""
    if method == "upload":
        return upload_events(transport, **arguments)
    values: Generator[Any, None, None] = getattr(transport, method)(**arguments)
    request = arguments.get("request")
    if isinstance(request, ExportRequest) and request.client_folder is not None:
        return _written(values, request.client_folder, request.existing)
    return values


def _written(
    events: Generator[ExportEvent, None, None], folder: Path, existing: Existing
) -> Generator[ExportEvent, None, None]:
    """An export whose files are written here: the host's interpreter, and its interface, stay free."""
    with closing(events):
        yield from write_chunks(events, folder, existing)


def _arguments(message: Message) -> dict[str, Any]:
    try:
        given = message.header["arguments"]
        return {str(name): decode(value, message.blobs) for name, value in given.items()}
    except (KeyError, AttributeError, ValueError) as error:
        raise BadInputError(
            "masklet's helper was asked in a way that it does not know: update the older of the two"
        ) from error


if __name__ == "__main__":
    main()
