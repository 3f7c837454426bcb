"""Ways through a cluster: which server the next call about a session, or a clip that is sent, goes to.

A front door answers calls by saying where the answer is to be had. What it said is kept here, by what calls
are about. A server that gives a session away, or does not answer, sends calls back to the front door; and
where that does not answer either, they go to and fro until one of both does.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT_KEY = "masklet-endpoint"
"""Trailing metadata of an answer that is to be had elsewhere."""
_MOST_WAYS = 4096


class Way(NamedTuple):
    """Where calls about something go.

    Attributes:
        endpoint: ``host:port``.
        is_used: False while the front door is asked again.
    """

    endpoint: str
    is_used: bool = True


class WaysChannel(grpc.Channel):
    """Stands in for a channel of gRPC: each call goes the way of what it is about.

    Args:
        home: The server that was connected to.
        connect: Opens a channel to another one.
    """

    def __init__(self, home: grpc.Channel, connect: Callable[[str], grpc.Channel]) -> None:
        self._home = home
        self._connect = connect
        self._lock = threading.Lock()
        self._ways: dict[str, Way] = {}
        self._channels: dict[str, grpc.Channel] = {}

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        """As a channel's."""
        return _Method(self, "unary_unary", args, options)

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        """As a channel's."""
        return _Method(self, "unary_stream", args, options)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        """As a channel's."""
        return _Method(self, "stream_unary", args, options)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        """As a channel's."""
        return _Method(self, "stream_stream", args, options)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        """As a channel's: told of the connection to the front door."""
        self._home.subscribe(callback, try_to_connect=try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """As a channel's."""
        self._home.unsubscribe(callback)

    def __enter__(self) -> WaysChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            channels, self._channels = list(self._channels.values()), {}
        for channel in (self._home, *channels):
            channel.close()

    def sent_on(self, request: object, endpoint: str) -> None:
        """Learn where calls like this one belong."""
        with self._lock:
            self._keep(_subject(request), Way(endpoint))

    def turned_back(self, request: object, *, by_server: bool) -> bool:
        """Hear that a call was not answered; True where another way is worth a try at once.

        Args:
            request: Of the call.
            by_server: It was refused by a server that is there, and not by a dead line.
        """
        with self._lock:
            subject = _subject(request)
            way = self._ways.get(subject)
            if way is None or (by_server and not way.is_used):
                return False
            self._ways[subject] = way._replace(is_used=not way.is_used)
            return True

    def answered(self, request: object, response: object) -> None:
        """Learn from an answer what it made: a session where it was opened, a clip where it was sent."""
        made = getattr(getattr(response, "session", None), "session_id", "") or getattr(
            response, "upload_id", ""
        )
        subject = _subject(request)
        with self._lock:
            way = self._ways.get(subject)
            if way is not None and way.is_used and made:
                self._keep(made, way)
            if subject.startswith("opening "):
                self._ways.pop(subject, None)

    def channel_for(self, request: object) -> grpc.Channel:
        """Where a call goes now."""
        with self._lock:
            way = self._ways.get(_subject(request))
            if way is None or not way.is_used:
                return self._home
            channel = self._channels.get(way.endpoint)
            if channel is None:
                channel = self._channels[way.endpoint] = self._connect(way.endpoint)
            return channel

    def _keep(self, subject: str, way: Way) -> None:
        self._ways.pop(subject, None)
        self._ways[subject] = way
        if len(self._ways) > _MOST_WAYS:
            # The front door tells it again.
            del self._ways[next(iter(self._ways))]


class _Method:
    """A call that finds its channel when it is made."""

    def __init__(self, ways: WaysChannel, kind: str, args: Any, options: Any) -> None:
        self._ways = ways
        self._kind, self._args, self._options = kind, args, options
        self._made: dict[int, tuple[Any, Any]] = {}

    def __call__(self, request: object, **options: Any) -> Any:
        channel = self._ways.channel_for(request)
        made = self._made.get(id(channel))
        if made is None or made[0] is not channel:
            made = channel, getattr(channel, self._kind)(*self._args, **self._options)
            self._made[id(channel)] = made
        return made[1](request, **options)


def _subject(request: object) -> str:
    """What a call is about: a session, a clip that was sent, an opening, or what this thread is sending."""
    for name in ("session_id", "upload_id"):
        found = getattr(request, name, "")
        if isinstance(found, str) and found:
            return found
    if hasattr(request, "colour_space"):
        return f"opening {getattr(request, 'request_id', '')}"
    if hasattr(request, "sha256") or not hasattr(request, "DESCRIPTOR"):
        # Contents that are asked for, and the stream of messages that follows in the same thread.
        return f"sending {threading.get_ident()}"
    return ""
