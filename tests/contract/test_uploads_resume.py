"""A clip on its way over a line that breaks: both transports go on where it broke."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.line import BreakingLine
from masklet.errors import BadInputError
from masklet.transport.bridge import BridgeTransport
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import ClipFile, Transport
from masklet.transport.local_server import LocalServer
from masklet.transport.opening import open_transport

MIB = 1 << 20


@pytest.fixture
def line(process: LocalServer) -> Iterator[BreakingLine]:
    """A line that breaks three times."""
    made = BreakingLine(process.address, (12 * MIB, 24 * MIB, 36 * MIB))
    yield made
    made.close()


@pytest.fixture(params=("grpc", "bridge"))
def over_line(
    request: pytest.FixtureRequest,
    line: BreakingLine,
    process: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Transport]:
    """A transport whose connection goes over the line, and whose files go no other way."""
    monkeypatch.setenv("MASKLET_SHARED_MEMORY", "0")
    choice = ServerChoice(line.address, process.token)
    way: Transport = (
        open_transport(choice)[0]
        if request.param == "grpc"
        else BridgeTransport(choice, Path(sys.executable))
    )
    yield way
    way.close()


def test_what_has_arrived_is_not_sent_again(
    over_line: Transport, line: BreakingLine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Other bytes for each transport: the server they share would have them already.
    noise = random.Random(request.node.name)
    small, large = tmp_path / "plate.0001.exr", tmp_path / "plate.0002.exr"
    small.write_bytes(noise.randbytes(4 * MIB))
    large.write_bytes(noise.randbytes(36 * MIB))
    files = [ClipFile(small, 1), ClipFile(large, 2)]
    over_line.server_info()

    first = over_line.upload("plate.%04d.exr", files)
    once_bytes = line.carried_bytes
    second = over_line.upload("plate.%04d.exr", files)

    assert not line.breaks_after_bytes
    assert first != second
    # What was under way when the line broke is lost; without going on it would be 12 + 12 + 12 + 40 MiB.
    assert once_bytes < 64 * MIB, f"{once_bytes / MIB:.1f} MiB"
    assert line.carried_bytes - once_bytes < MIB


def test_a_file_that_cannot_be_sent_at_all_ends_in_a_sentence(over_line: Transport, tmp_path: Path) -> None:
    # An empty picture of a sequence is a missing one; of an empty movie there is nothing.
    empty = tmp_path / "plate.mov"
    empty.touch()
    with pytest.raises(BadInputError, match="is empty: render it again"):
        over_line.upload("plate.mov", [ClipFile(empty, None)])
