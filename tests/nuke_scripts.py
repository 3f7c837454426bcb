"""What tests of the Nuke adapter build and wait for."""

from __future__ import annotations

import time
from pathlib import Path

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeFormat, FakeNode
from masklet_nuke.runtime import Runtime

WAIT_S = 20.0


def new_read(nuke: FakeNuke, files: Path, first: int = 1001, last: int = 1012) -> FakeNode:
    """A Read of 64 x 36 pixels."""
    node = nuke.nodes.Read(file=str(files), first=first, last=last, colorspace="sRGB")
    node.picture = FakeFormat(64, 36)
    return node


def run(nuke: FakeNuke, loop: Runtime) -> None:
    """Have the main thread idle until nothing is left to do."""
    until_s = time.monotonic() + WAIT_S
    loop.host.keep_ticking()
    while loop._ticking._thread is not None:
        assert time.monotonic() < until_s, "the loop does not come to rest"
        nuke.pump()
        time.sleep(0.002)
