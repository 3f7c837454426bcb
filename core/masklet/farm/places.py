"""Where things of a job lie. What is made is named after all that it is made of, so that nothing mixes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.version import VERSION

if TYPE_CHECKING:
    from masklet.farm.job import FarmJob, FarmShot
    from masklet.farm.model_mark import ModelMark

_KEY_DIGITS = 12


@dataclass(frozen=True)
class JobPlaces:
    """Folders and files below the output folder of a job.

    Attributes:
        out: Seen by all workers.
    """

    out: Path

    @property
    def states(self) -> Path:
        """What tasks tell of themselves."""
        return self.out / "work" / "states"

    @property
    def cancelled(self) -> Path:
        """Is there while the job is to stop."""
        return self.out / "work" / "cancel"

    @property
    def weights(self) -> Path:
        """Says with which weights and settings the job was begun."""
        return self.out / "work" / "weights.json"

    @property
    def run(self) -> Path:
        """Held by ``masklet farm run`` while it is at work."""
        return self.out / "work" / "run.lock"

    @property
    def report(self) -> Path:
        """The page of the job."""
        return self.out / "report.html"

    def chunks(self, shot: FarmShot, key: str) -> Path:
        """Tracked masks of a shot."""
        return self.out / "work" / "tracks" / f"{shot.name}.{key}"

    def mattes(self, shot: FarmShot, key: str) -> Path:
        """Mattes of a shot: there whole or not at all."""
        return self.out / "mattes" / f"{shot.name}.{key}"

    def result(self, shot: str) -> Path:
        """What became of a shot of this name: findings, and where its version lies."""
        return self.out / "work" / "results" / f"{shot}.json"

    def accepted(self, shot: str) -> Path:
        """What was accepted of a shot of this name after its check."""
        return self.out / "work" / "accepted" / f"{shot}.json"


def result_key(job: FarmJob, shot: FarmShot, mark: ModelMark) -> str:
    """Names all that a shot's masks follow from: document, plate, range, weights, settings and program."""
    request = job.request
    content = [
        VERSION,
        shot.document_sha256,
        sorted(shot.plate.items()),
        [shot.frames.first, shot.frames.last],
        [mark.sha256, mark.settings],
        [request.at_cuts.value, request.matte_format.value, request.raw_edges],
        [
            [piece.objects, [[way.frames.first, way.frames.last] for way in piece.ways]]
            for piece in shot.pieces
        ],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_KEY_DIGITS]
