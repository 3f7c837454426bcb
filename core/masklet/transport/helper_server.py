"""The server as masklet's helper holds it: a connection, and perhaps a server of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from masklet.transport.opening import open_transport

if TYPE_CHECKING:
    from masklet.transport.endpoint import ServerChoice
    from masklet.transport.grpc import GrpcTransport


class HelperServer:
    """A connection to the server that was chosen.

    Args:
        choice: The server.

    Raises:
        MaskletError: As :func:`masklet.transport.opening.open_transport`.
    """

    def __init__(self, choice: ServerChoice) -> None:
        self._choice = choice
        self._opening = threading.Lock()
        self._transport, self._local = open_transport(choice)

    def transport(self) -> GrpcTransport:
        """The connection; to a new server if one of one's own has ended."""
        with self._opening:
            if self._local is not None and not self._local.is_running:
                self.close()
                self._transport, self._local = open_transport(self._choice)
            return self._transport

    def close(self) -> None:
        """Let the connection go and stop a server of one's own."""
        self._transport.close()
        if self._local is not None:
            self._local.stop()
