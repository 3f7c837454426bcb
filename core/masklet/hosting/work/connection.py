"""The one server of a host: reached when it is first needed, and again when the settings change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    CancelledError,
    HelperError,
    MaskletError,
    ServerUnreachableError,
)
from masklet.hosting.repair_words import IN_ANY_HOST, RepairWords
from masklet.phrases import Phrase, phrase, text_of
from masklet.transport.endpoint import is_loopback

if TYPE_CHECKING:
    from masklet.client import Server


@dataclass(frozen=True)
class ConnectionSettings:
    """What the preferences say about the server.

    Attributes:
        address: ``host:port``; empty to have a server started on this machine.
        token_file: Empty where the server asks for no token.
        tls_ca_file: Empty for the system's certificates.
        helper_python: Empty for the one that ``masklet install`` wrote down.
        weights: For a server of one's own; empty for the embedded model.
        device: For a server of one's own; empty lets it choose.
        quality: ``fast``, ``balanced`` or ``best``, for a server of one's own; empty as trained.
        may_go_online: What the host allows of the network beyond this machine.
        words: What repairs are called in this host.
    """

    address: str = ""
    token_file: str = ""
    tls_ca_file: str = ""
    helper_python: str = ""
    weights: str = ""
    device: str = ""
    quality: str = ""
    # Leave to go online names no other server: to give or to take it must not end one of the host's own.
    may_go_online: bool = field(default=True, compare=False)
    words: RepairWords = field(default=IN_ANY_HOST, compare=False)

    def check(self) -> None:
        """Refuse what the host's user has not allowed.

        Raises:
            ServerUnreachableError: The server is elsewhere and the host may not go online.
        """
        if self.address and not self.may_go_online and not is_loopback(self.address):
            raise ServerUnreachableError(
                phrase(
                    "{host} may not go online, and {address} is another machine: {repair}",
                    host=self.words.host,
                    address=self.address,
                    repair=self.words.go_online,
                )
            )


def connect(settings: ConnectionSettings) -> Server:
    """A server that answers, through a helper process outside of the host.

    Raises:
        MaskletError: As :func:`masklet.client.connect_through_helper`, naming the setting that helps.
    """
    from masklet.client import connect_through_helper

    try:
        return connect_through_helper(
            settings.address or None,
            token_file=_path(settings.token_file),
            tls_ca_file=_path(settings.tls_ca_file),
            weights=settings.weights or None,
            device=settings.device or None,
            quality=settings.quality or None,
            python=_path(settings.helper_python),
        )
    except MaskletError as error:
        raise naming_setting(error, settings.words) from error


def naming_setting(error: MaskletError, words: RepairWords) -> MaskletError:
    """The same error with the setting that helps; as it is where there is none."""
    for kind, repair in (
        (AccessDeniedError, words.token_file),
        (HelperError, words.helper_python),
        (BadInputError, words.server),
    ):
        if isinstance(error, kind):
            return kind(phrase("{problem} ({repair})", problem=text_of(error), repair=repair))
    return error


class Connection:
    """Keeps at most one server; safe to use from several threads.

    Args:
        connector: Makes a server from settings.
    """

    def __init__(self, connector: Callable[[ConnectionSettings], Server] = connect) -> None:
        self._connector = connector
        self._connecting = threading.Lock()
        # Held for moments only: nobody who lets go waits for a server that starts.
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._settings: ConnectionSettings | None = None
        self._closings = 0

    @property
    def is_open(self) -> bool:
        """True once a server was reached and until the connection is closed."""
        return self._server is not None

    def server(self, settings: ConnectionSettings) -> Server:
        """The server that these settings name; the same one as long as they stay the same.

        Raises:
            MaskletError: It cannot be reached or does not let in.
            CancelledError: The connection was closed meanwhile.
        """
        settings.check()
        with self._connecting:
            with self._lock:
                if self._server is not None and settings == self._settings:
                    return self._server
                old, self._server = self._server, None
                closings = self._closings
            _close(old)
            made = self._connector(settings)
            with self._lock:
                if closings == self._closings:
                    self._server, self._settings = made, settings
                    return made
        _close(made)
        raise CancelledError(phrase("The server was let go while it started: do the same again to reach it"))

    def healthy_server(self, settings: ConnectionSettings) -> Server:
        """The server that these settings name, reached anew only where it does not answer.

        Raises:
            MaskletError: As :meth:`server`.
        """
        server = self.server(settings)
        try:
            server.info()
        except MaskletError:
            self.drop(server)
            return self.server(settings)
        return server

    def drop(self, server: Server) -> bool:
        """Let this server go, if it is still the one that is kept; False where another was reached since."""
        with self._lock:
            if self._server is not server:
                return self._server is None
            self._server = None
        _close(server)
        return True

    def close(self) -> None:
        """Let the server go; the next call reaches it anew. Twice is fine.

        A server that is just being reached is not waited for: it is let go as soon as it answers.
        """
        with self._lock:
            old, self._server = self._server, None
            self._closings += 1
        _close(old)


def _close(server: Server | None) -> None:
    if server is not None:
        with suppress(MaskletError):
            server.close()


def describe(server: Server, words: RepairWords) -> Phrase:
    """What a successful test of the connection tells, in a sentence."""
    info = server.info()
    what = {"version": info.version, "model": info.model.name, "device": info.device}
    if server.is_own:
        return phrase(
            "A server of {host}'s own answers: masklet {version}, {model} on {device}.",
            host=words.host,
            **what,
        )
    return phrase("The server answers: masklet {version}, {model} on {device}.", **what)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
