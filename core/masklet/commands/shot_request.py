"""What shall be tracked: a prompt document with what was typed, brought to the clip that is there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Union

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.commands.typed import Typed
from masklet.commands.typed_over import merged
from masklet.conversion import check_fits, plate_of, scaled, shifted
from masklet.errors import BadInputError, NotPromptedError, OutputError
from masklet.frame_runs import counted
from masklet.prompts import Shot, read_shot, write_shot
from masklet.types import Direction, FrameRange, PromptDocument

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.prompts import PlateShape
    from masklet.session import Session
    from masklet.types import ClipInfo, FramePrompts


class Fit(Enum):
    """A conversion that follows from the document's plate and the clip."""

    FIT = "fit"


Offset = Union[int, Fit]
Scale = Union[float, Fit]


@dataclass(frozen=True)
class ShotRequest:
    """What was asked for, before the clip is known.

    Attributes:
        clip: As it was typed.
        typed: Prompts, locks and matte settings.
        saved: The prompt document as it was; None where there is none.
        only: What was typed takes the place of what the document says of the same frames.
        frames: Typed over the document's range.
        direction: Typed over the document's.
        reading: How the clip is read.
        offset: By how many frames the document's numbers move.
        scale: By how much the document's pixels grow.
    """

    clip: str
    typed: Typed
    saved: Shot | None = None
    only: bool = False
    frames: FrameRange | None = None
    direction: Direction | None = None
    reading: ClipReading = AS_FILES_SAY
    offset: Offset = 0
    scale: Scale = field(default=1.0)

    def draft(self) -> Shot:
        """The shot as far as it is known before the clip is, so that what cannot be right is said at once.

        Raises:
            BadInputError: What was typed and what is saved do not go together.
            NotPromptedError: Nothing says what to cut out.
        """
        before = self.saved or Shot(self.clip, PromptDocument())
        if isinstance(self.offset, int) and self.offset:
            before = shifted(before, self.offset)
        shot = self._with_typed(before)
        if not shot.document.prompts:
            raise NotPromptedError(
                "nothing says what to cut out: add --object NAME --click FRAME:X,Y, or --prompts with a "
                "document"
            )
        return shot

    def on(self, clip: ClipInfo) -> tuple[Shot, tuple[str, ...]]:
        """The shot for this clip, and what was converted or is different, a sentence each.

        Raises:
            BadInputError: The document was made on another size or other frames, and nothing says to convert
                it; or the conversion is not possible.
        """
        told: list[str] = []
        shot = self.saved
        if shot is None:
            return replace(self._with_typed(Shot(self.clip, PromptDocument())), plate=plate_of(clip)), ()
        by = self._frames_to_move(shot, clip)
        if by:
            shot = shifted(shot, by)
            told.append(f"the prompts were moved by {counted(by)}")
        factor = None if isinstance(self.scale, Fit) else self.scale
        if factor != 1.0:
            made_on = shot.plate
            shot = scaled(shot, clip, factor=factor)
            if made_on is None or (made_on.width_px, made_on.height_px) != (
                clip.display_width_px,
                clip.display_height_px,
            ):
                told.append(_scaling(made_on, factor, clip, shot))
        told += check_fits(shot, clip)
        return replace(self._with_typed(shot), plate=plate_of(clip)), tuple(told)

    def corrections(self, document: PromptDocument, clip: ClipInfo) -> tuple[FramePrompts, ...]:
        """Clicks of the document that correct what other prompts of their object make of their frames.

        That is those typed now on frames that the saved document says nothing of. They are to be said in this
        order, each after tracking up to it; then they give what they give when an artist clicks on what was
        tracked. The others say what they correct, or start from nothing.
        """
        names = {info.object_id: info.name for info in document.objects}
        said = {(names[item.object_id], item.frame): item for item in document.prompts}
        saved = self._saved_frames(clip)
        fresh = [key for key in self.typed.order if key in said and key not in saved]
        begun = {name for name, frame in said if (name, frame) not in fresh}
        found: list[FramePrompts] = []
        for name, frame in fresh:
            item = said[name, frame]
            locked = any(lock.object_id == item.object_id and frame in lock.frames for lock in document.locks)
            if name in begun and item.only_corrects and not locked:
                found.append(item)
            begun.add(name)
        return tuple(found)

    def _saved_frames(self, clip: ClipInfo) -> set[tuple[str, int]]:
        """Names and frames of the saved prompts; frames as the clip numbers them."""
        if self.saved is None:
            return set()
        by, saved = self._frames_to_move(self.saved, clip), self.saved.document
        names = {info.object_id: info.name for info in saved.objects}
        return {(names[item.object_id], item.frame + by) for item in saved.prompts}

    def _frames_to_move(self, shot: Shot, clip: ClipInfo) -> int:
        if isinstance(self.offset, int):
            return self.offset
        if shot.plate is None:
            raise BadInputError(
                "the prompt document does not say the frames that its prompts were made on: give a number, "
                "such as --offset 1001"
            )
        return clip.first_frame - shot.plate.frames.first

    def _with_typed(self, shot: Shot) -> Shot:
        return replace(
            shot,
            clip=self.clip,
            document=merged(shot.document, self.typed, only=self.only),
            frames=self.frames or shot.frames,
            direction=self.direction or shot.direction,
            reading=self.reading,
        )


def parse_offset(text: str) -> Offset:
    """Frames in ``900`` or ``-1001``, or ``fit``.

    Raises:
        BadInputError: It is neither.
    """
    if text == Fit.FIT.value:
        return Fit.FIT
    try:
        return int(text)
    except ValueError:
        raise BadInputError(
            f"--offset {text!r} is no number of frames: write it like 1000, -1001 or fit"
        ) from None


def parse_scale(text: str) -> Scale:
    """A factor in ``2`` or ``0.5``, or ``fit``.

    Raises:
        BadInputError: It is neither.
    """
    if text == Fit.FIT.value:
        return Fit.FIT
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1e-3 <= factor <= 1e3:
        raise BadInputError(f"--scale {text!r} is no factor: write it like 2, 0.5 or fit")
    return factor


def read_saved(file: Path | None) -> Shot | None:
    """The shot in a prompt document; None where there is no such file yet.

    Raises:
        BadInputError: The file is no prompt document.
        OutputError: There is none, and none can be made there.
    """
    if file is None:
        return None
    if file.exists():
        return read_shot(file)
    if not file.parent.is_dir():
        raise OutputError(
            f"there is no folder {file.parent} for the prompt document: make it, or name another"
        )
    return None


def save(file: Path | None, shot: Shot, session: Session) -> None:
    """Keep what the session holds: only what it took, with what belongs to it.

    Raises:
        OutputError: The file cannot be written.
    """
    if file is not None:
        write_shot(file, replace(shot, document=session.prompts()))


def _scaling(made_on: PlateShape | None, factor: float | None, clip: ClipInfo, shot: Shot) -> str:
    there = f"{clip.display_width_px} x {clip.display_height_px}"
    sentence = (
        f"the prompts were converted from {made_on.width_px} x {made_on.height_px} to {there} pixels"
        if made_on is not None
        else f"the prompts were scaled by {factor:g} to {there} pixels"
    )
    drawn = sorted({item.frame for item in shot.document.prompts if item.mask is not None})
    if drawn:
        sentence += f"; masks drawn by hand were resampled (frame {', '.join(map(str, drawn))})"
    return sentence
