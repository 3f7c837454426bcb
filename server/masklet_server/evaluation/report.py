"""The result of an evaluation: figures per sequence and overall, as values and as JSON."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import OutputError
from masklet.version import VERSION
from masklet_server.evaluation.protocols import ClipOutcome
from masklet_server.evaluation.scores import Figures, ObjectScores, figures
from masklet_server.model.store import find_weights

CONVENTION = (
    "J and F as in the DAVIS toolkit, in percent; first and last annotated frame of each object left out; "
    "mean over frames, then over objects"
)
REFINED = "; masks are mattes with refined edges, at half coverage"


@dataclass(frozen=True)
class ClipReport:
    """One sequence.

    Attributes:
        name: Of the sequence.
        outcome: What the tracker did.
        baselines: Scores by object of each baseline, by its name.
        flicker: Percent, ours and that of the truth; None where not measured.
    """

    name: str
    outcome: ClipOutcome
    baselines: Mapping[str, Sequence[ObjectScores]] = field(default_factory=dict)
    flicker: tuple[float, float] | None = None

    @property
    def frames_per_s(self) -> float:
        """Frames tracked per second of tracker time."""
        return self.outcome.frames / self.outcome.seconds if self.outcome.seconds else 0.0


@dataclass(frozen=True)
class Report:
    """All sequences of one evaluation."""

    data: str
    protocol: str
    weights: str
    clips: tuple[ClipReport, ...]
    refined: bool = False

    @property
    def convention(self) -> str:
        """What the figures are, in words."""
        return CONVENTION + (REFINED if self.refined else "")

    @property
    def overall(self) -> Figures:
        """Means over all objects of all sequences."""
        return figures([one for clip in self.clips for one in clip.outcome.objects])

    @property
    def frames_per_s(self) -> float:
        """All frames over all tracker time."""
        seconds = sum(clip.outcome.seconds for clip in self.clips)
        return sum(clip.outcome.frames for clip in self.clips) / seconds if seconds else 0.0

    def baselines(self) -> dict[str, Figures]:
        """Means over all objects of each baseline, by its name."""
        names = dict.fromkeys(name for clip in self.clips for name in clip.baselines)
        return {
            name: figures([one for clip in self.clips for one in clip.baselines.get(name, ())])
            for name in names
        }

    def rounds(self) -> tuple[float, ...]:
        """Mean J&F in percent after 1, 2, … interacted frames; a clip that is done keeps its last."""
        series = [clip.outcome.rounds for clip in self.clips if clip.outcome.rounds]
        longest = max((len(one) for one in series), default=0)
        padded = [(*one, *([one[-1]] * (longest - len(one)))) for one in series]
        return tuple(float(np.mean(step)) for step in zip(*padded, strict=True))

    def annotation_s_per_frame(self) -> float | None:
        """Seconds of an annotator per annotated frame of one object; None if not interactive."""
        timed = [clip for clip in self.clips if clip.outcome.annotation_s is not None]
        frames = sum(clip.outcome.annotated_frames for clip in timed)
        return sum(clip.outcome.annotation_s or 0.0 for clip in timed) / frames if frames else None

    def iou_after_clicks(self) -> dict[int, float]:
        """Mean IoU in percent over sequences by number of clicks; empty but for the image protocol."""
        counts = {clicks for clip in self.clips for clicks in clip.outcome.iou_after_clicks}
        return {
            clicks: float(np.mean([clip.outcome.iou_after_clicks[clicks] for clip in self.clips]))
            for clicks in sorted(counts)
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        overall: dict[str, Any] = {**_plain(self.overall), "fps": round(self.frames_per_s, 3)}
        flickers = [clip.flicker for clip in self.clips if clip.flicker is not None]
        if flickers:
            overall["flicker"], overall["flicker_of_truth"] = (
                round(float(value), 3) for value in np.mean(flickers, axis=0)
            )
        if rounds := self.rounds():
            overall["j_and_f_by_interacted_frames"] = [round(value, 3) for value in rounds]
        if (seconds := self.annotation_s_per_frame()) is not None:
            overall["annotation_s_per_frame"] = round(seconds, 3)
        if ious := self.iou_after_clicks():
            overall["iou_after_clicks"] = {str(clicks): round(value, 3) for clicks, value in ious.items()}
        return {
            "data": self.data,
            "protocol": self.protocol,
            "weights": self.weights,
            "convention": self.convention,
            "overall": overall,
            "baselines": {name: _plain(value) for name, value in self.baselines().items()},
            "sequences": {clip.name: _clip_json(clip) for clip in self.clips},
        }


def measured_with(weights: str | Path) -> dict[str, str]:
    """What a figure has to name so that it can be measured again: weights, day, and version.

    Raises:
        WeightsError: There are no such weights.
    """
    return {
        "weights_sha256": hashlib.sha256(find_weights(weights).read_bytes()).hexdigest(),
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
        "masklet": VERSION,
        "torch": importlib.metadata.version("torch"),
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values, such as those of :meth:`Report.as_json`.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: check that its folder exists and has room."
        ) from error


def _clip_json(clip: ClipReport) -> dict[str, Any]:
    described: dict[str, Any] = {
        **_plain(figures(clip.outcome.objects)),
        "fps": round(clip.frames_per_s, 3),
        "clicks": clip.outcome.clicks,
        "objects": {
            str(one.object_id): {"j": round(100 * one.j, 3), "f": round(100 * one.f, 3)}
            for one in clip.outcome.objects
        },
        "baselines": {
            name: _plain(figures(list(scores))) for name, scores in clip.baselines.items() if scores
        },
    }
    if clip.flicker is not None:
        described["flicker"], described["flicker_of_truth"] = (round(value, 3) for value in clip.flicker)
    return described


def _plain(value: Figures) -> dict[str, float | None]:
    error_px = value.boundary_error_px
    return {
        "j": round(value.j, 3),
        "f": round(value.f, 3),
        "j_and_f": round(value.j_and_f, 3),
        "boundary_error_px": None if error_px is None else round(error_px, 3),
    }
