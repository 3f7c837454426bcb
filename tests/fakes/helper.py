"""Helper processes for the bridge: with a fake server behind them, strange ones, silent ones.

A host application starts its helper as an executable, so each of these is a file that can be executed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from fakes.transport import FakeTransport, update
from masklet.errors import ServerUnreachableError
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import TrackRequest
from masklet.types import Mask, MaskUpdate, ObjectInfo, PromptDocument

TESTS = Path(__file__).parent.parent
BIG = Mask(1000, 1000, bytes(1_000_000))

WITH_A_FAKE_SERVER = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from fakes.helper import FakeServer
from masklet.transport.bridge_process import main
main(FakeServer)
"""

_START = """
import json, os, socket, sys, time
from masklet.transport.bridge_wire import PROTOCOL, Wire
told = json.loads(sys.stdin.readline())
def connect():
    return socket.create_connection(("127.0.0.1", told["port"]))
def hello(**other):
    wire = Wire(connect())
    wire.send({"is": "hello", "token": told["token"], "protocol": PROTOCOL, "version": "0.1.0", **other})
    return wire
"""

OF_ANOTHER_VERSION = f"{_START}\nhello(protocol=PROTOCOL + 1, version='9.0.0')\ntime.sleep(30)\n"
TALKING_NONSENSE = (
    f"{_START}\nwire = hello()\nwire.receive()\nwire._connection.sendall(b'x' * 64)\ntime.sleep(30)\n"
)
ANSWERING_STRANGELY = f"""{_START}
wire = hello()
while True:
    asked = wire.receive().header
    wire.send({{"is": "result", "of": asked["of"], "value": {{"d": "Weather", "v": {{}}}}}})
"""
AFTER_STRANGERS = f"""{_START}
connect().sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
Wire(connect()).send({{"is": "hello", "token": "a guess", "protocol": PROTOCOL}})
connect().close()
wire = hello()
asked = wire.receive().header
try:
    connect()
except OSError:
    late = "refused"
else:
    late = "let in"
wire.send({{"is": "result", "of": asked["of"], "value": {{"b": 0}}}}, [late.encode()])
wire.receive()
"""


def write_helper(folder: Path, code: str) -> Path:
    """An executable that runs ``code``, whatever arguments it is given."""
    file = folder / "helper"
    file.write_text(f"#!{sys.executable}\n{code}")
    file.chmod(0o755)
    return file


@dataclass(eq=False)
class ReportingTransport(FakeTransport):
    """A fake server that writes what happens to it into a file.

    Attributes:
        report: The file.
    """

    report: Path = Path()

    def fetch_masks(self, session_id: str, request: TrackRequest) -> Generator[MaskUpdate, None, None]:
        """Masks of a megabyte without end."""
        made = 0
        try:
            while True:
                made += 1
                self.report.write_text(str(made))
                yield replace(update(1, made), mask=BIG)
        finally:
            self.report.write_text(f"closed after {made}")

    def get_prompts(self, session_id: str) -> PromptDocument:
        """Never answers."""
        self.report.with_name("asked").touch()
        time.sleep(60)
        raise AssertionError("nobody waits so long")

    def add_object(self, session_id: str, name: str) -> ObjectInfo:
        """Answers late, and not at all to some."""
        if name == "broken":
            raise RuntimeError("a secret of the helper")
        time.sleep(0.3)
        return super().add_object(session_id, name)


class FakeServer:
    """What a helper holds of a server; the choice's weights name the file to report into."""

    def __init__(self, choice: ServerChoice) -> None:
        if choice.weights is None:
            raise ServerUnreachableError("no server answers there")
        self._fake = ReportingTransport(report=Path(choice.weights))

    def transport(self) -> ReportingTransport:
        return self._fake

    def close(self) -> None:
        self._fake.report.write_text("server closed")
