"""A Nuke that is written by hand, with a plate and a Masklet node in its script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeNode
from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.hosting.work.connection import Connection
from masklet_nuke.masklet_node import make_node
from masklet_nuke.runtime import Runtime, set_runtime
from nuke_scripts import new_read

# In a Python of Nuke: see test_in_nukes_pythons.py.
collect_ignore = ["inside"]


@pytest.fixture
def nuke() -> FakeNuke:
    return FakeNuke()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A plate of 64 x 36 pixels, frames 1001 to 1012."""
    for frame in range(1001, 1013):
        (tmp_path / f"plate.{frame}.png").write_bytes(b"picture %d" % frame)
    return tmp_path / "plate.%04d.png"


@pytest.fixture
def read(nuke: FakeNuke, files: Path) -> FakeNode:
    return new_read(nuke, files)


@pytest.fixture
def node(nuke: FakeNuke, read: FakeNode) -> FakeNode:
    made = make_node(nuke)
    made.setInput(0, read)
    nuke.current_frame = 1001
    nuke.Undo.steps.clear()
    return made  # type: ignore[return-value]


@pytest.fixture
def server() -> PromptedServer:
    return PromptedServer()


@pytest.fixture
def loop(nuke: FakeNuke, server: PromptedServer) -> Iterator[Runtime]:
    """The runtime of this Nuke, on a server of its own."""
    made = Runtime(nuke, Connection(lambda settings: Server(server)), rotopaint)
    set_runtime(made)
    yield made
    made.close()
    set_runtime(None)
