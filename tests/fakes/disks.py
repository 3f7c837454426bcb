"""Disks that do not answer: stand-ins for a network share that is gone, which blocks whoever reads it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fakes.engine import FakeClip
from fakes.service import FakeOpener
from masklet_server.aside import waiting_for_disk


@dataclass
class HangingClip(FakeClip):
    """Its pictures come when the test lets them; it waits as the server's own clips do."""

    answers: threading.Event = field(default_factory=threading.Event)

    def read(self, frame: int) -> NDArray[np.uint8]:
        with waiting_for_disk():
            self.answers.wait()
            return super().read(frame)


@dataclass
class HangingOpener(FakeOpener):
    """Clips called ``hung`` give no picture until the test says so, those called ``gone`` do not open."""

    answers: threading.Event = field(default_factory=threading.Event)

    def path(self, path: Path, **given: Any) -> FakeClip:
        if path.name == "gone":
            self.answers.wait()
        clip = super().path(path, **given)
        if path.name != "hung":
            return clip
        return HangingClip(replace(clip.info), answers=self.answers)
