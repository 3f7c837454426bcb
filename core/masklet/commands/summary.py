"""What a run ends with: sentences that a person can act on, and the same as JSON for a script."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.bad_frames import WORTH_A_LOOK, is_worth_a_look
from masklet.commands.exits import ExitCode
from masklet.frame_runs import counted, part_in, runs_joined, runs_of, shown
from masklet.holes import hole_sentences
from masklet.outputs.files import Files
from masklet.patterns import group_sequences
from masklet.suggestions import Sign, Suggestion, suggestions
from masklet.types import FrameState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from masklet.commands.tracking import Tracked
    from masklet.holes import Hole
    from masklet.types import ClipInfo, FrameRange, SessionInfo

_NOT_LISTED = frozenset({FrameState.PRESENT, FrameState.UNTRACKED})
"""Nobody needs to know of the first, and holes tell the second with its reason."""
_VERSION = 1


@dataclass(frozen=True)
class RunSummary:
    """How a run ended.

    Attributes:
        session: As it was after tracking.
        frames: What was asked for.
        tracked: How the track went.
        holes: Frames without a matte.
        told: What was assumed or converted on the way.
        files: None for a run that writes none.
    """

    session: SessionInfo
    frames: FrameRange
    tracked: Tracked
    holes: tuple[Hole, ...] = ()
    told: tuple[str, ...] = ()
    files: Files | None = None

    @property
    def exit_code(self) -> ExitCode:
        """How the process should end."""
        if self.tracked.interrupted:
            return ExitCode.INTERRUPTED
        nothing = self.files is not None and not self.files.mattes
        return ExitCode.FAILED if nothing else ExitCode.DONE

    def sentences(self) -> list[str]:
        """For a person: what was done, then what is to be done."""
        session, tracked = self.session, self.tracked
        lines = [
            f"tracked {counted(tracked.frames)} in {tracked.seconds:.1f} s ({tracked.speed_fps:.1f} fps), "
            f"{self.frames.shown} of {session.clip.name}"
        ]
        for item in session.objects:
            lines.append(
                f"{item.name}: mattes on {self._count(item.object_id)} of {counted(len(self.frames))}"
            )
        if session.cuts:
            lines.append(f"cuts at {', '.join(map(str, session.cuts))}")
        if self.files is not None:
            lines += [f"wrote {line}" for line in listed_files(self.files.mattes)]
            lines += [f"wrote {file}" for file in self.files.exports]
            lines += [f"look at {file}" for file in self.files.overlays]
            if self.files.removed:
                lines.append(f"{len(self.files.removed)} files of an earlier run were deleted")
            if self.files.prompts is not None:
                lines.append(f"prompts are in {self.files.prompts}")
        return lines + [f"next: {step}" for step in self.next_steps()]

    def next_steps(self) -> list[str]:
        """What a person should do now, if anything."""
        steps = []
        if self.tracked.interrupted:
            steps.append("run the same command again to track the rest")
        if self.files is not None and not self.files.mattes:
            steps.append("no matte was written: look at the clicks and at the range")
        parts = ((state, part_in(state.frames, self.frames)) for state in self.session.states)
        inside = [replace(state, frames=part) for state, part in parts if part is not None]
        suggested = suggestions(inside, self.session.policies)
        for item in self.session.objects:
            runs = self._runs(item.object_id, FrameState.UNCERTAIN)
            if runs:
                name = shlex.quote(item.name)
                steps.append(
                    f"look at {item.name} on {shown(runs)}, it may be lost there; correct it with "
                    f"--object {name} --click {runs[0].first}:X,Y"
                )
            steps += [_worded(each, item.name) for each in suggested if each.object_id == item.object_id]
        steps += hole_sentences(self.holes)
        if steps and self.files is not None and self.files.prompts is None:
            steps.append("add --prompts shot.json, so that corrections build on what was clicked")
        return steps

    def as_json(self) -> dict[str, Any]:
        """For a script; the guide lists the fields."""
        content: dict[str, Any] = {
            "masklet_run": _VERSION,
            "ok": self.exit_code is ExitCode.DONE,
            "exit_code": int(self.exit_code),
            "interrupted": self.tracked.interrupted,
            "clip": _clip_to_json(self.session.clip),
            "frames": _ends(self.frames),
            "tracked": {"frames": self.tracked.frames, "seconds": round(self.tracked.seconds, 3)},
            "objects": [self._object_to_json(item.object_id, item.name) for item in self.session.objects],
            "cuts": list(self.session.cuts),
            "holes": [hole.as_json() for hole in self.holes],
            "told": list(self.told),
            "next": self.next_steps(),
        }
        if self.files is not None:
            content["files"] = self.files.as_json()
        return content

    def _object_to_json(self, object_id: int, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "frames_with_matte": self._count(object_id),
            **{
                state.value: [_ends(run) for run in self._runs(object_id, state)]
                for state in FrameState
                if state not in _NOT_LISTED
            },
        }

    def _runs(self, object_id: int, state: FrameState) -> tuple[FrameRange, ...]:
        """Frames of the range in a state; those that are locked are nobody's worry any more."""
        worry = state in WORTH_A_LOOK
        parts = (
            part_in(one.frames, self.frames)
            for one in self.session.states
            if one.object_id == object_id and state in one.states and (not worry or is_worth_a_look(one))
        )
        return runs_joined(part for part in parts if part is not None)

    def _count(self, object_id: int) -> int:
        asked = self.frames
        own = (state.frames for state in self.session.states if state.object_id == object_id)
        return sum(max(0, min(run.last, asked.last) - max(run.first, asked.first) + 1) for run in own)


def listed_files(files: Sequence[Path]) -> list[str]:
    """Files for people, sequences as one line: ``mattes/plate_mattes.%04d.exr 1001-1100``."""
    by_folder: dict[Path, list[str]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file.name)
    lines = []
    for folder, names in by_folder.items():
        sequences, loose = group_sequences(names)
        for pattern, frames in sequences.items():
            lines.append(f"{folder / pattern} {_shown(frames)}")
        lines += [str(folder / name) for name in loose]
    return lines


def print_json(content: object) -> None:
    """One document on standard output, in ASCII: some consoles and pipes write nothing else."""
    print(json.dumps(content, indent=2))  # noqa: T201  (this is the output)


def failure(code: ExitCode, kind: str, message: str) -> dict[str, Any]:
    """What ``--json`` prints where a command fails."""
    return {
        "masklet_run": _VERSION,
        "ok": False,
        "exit_code": int(code),
        "error": {"kind": kind, "message": message},
    }


def _shown(frames: Iterable[int]) -> str:
    return shown(runs_of(frames))


def _ends(run: FrameRange) -> list[int]:
    return [run.first, run.last]


def _clip_to_json(clip: ClipInfo) -> dict[str, Any]:
    return {
        "name": clip.name,
        "width_px": clip.width_px,
        "height_px": clip.height_px,
        "first_frame": clip.first_frame,
        "last_frame": clip.last_frame,
        "frames_per_s": clip.frames_per_s,
        "colour_space": clip.colour_space,
        "missing_frames": list(clip.missing_frames),
        "unreadable": [{"frame": one.frame, "reason": one.reason} for one in clip.unreadable],
        "notices": list(clip.notices),
    }


def _worded(seen: Suggestion, name: str) -> str:
    """What to look at, and what to try; an object that was given a policy is not told another."""
    where = shown(seen.frames)
    sentence = {
        Sign.LOOK_ALIKE: f"look at {name} on {where}, something that looks like it came near there",
        Sign.CROWD: f"look at {name} on {where}, things that look like it were near most of the time",
        Sign.LONG_ABSENCE: f"{name} was gone for long on {where}: see that it was found again behind",
    }[seen.sign]
    if seen.policy is None:
        return sentence
    return f"{sentence}; if it went wrong, try --object {shlex.quote(name)} --policy {seen.policy.value}"
