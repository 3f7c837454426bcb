"""What operators share: when they can run, how errors become sentences, how long work keeps Blender alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import bpy

from masklet.errors import CancelledError, MaskletError
from masklet.hosting.notices import Notice
from masklet.hosting.sentences import progress_text
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase, text_of

from ..plates import PlateBlock, plate_in, props, shown_frame, why_not_usable
from ..runtime import runtime
from ..words import CONTEXT, shown

if TYPE_CHECKING:
    from ..properties import MaskletObject

    Result = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]
    """How an operator ended."""

TIMER_S = 0.1
SLICE_S = 0.02
"""How long writing may hold Blender at a time; a single key may take a few milliseconds longer."""
SLICE_PAUSE_S = 0.01


class Slices(Protocol):
    """Work in the main thread that can stop and go on."""

    done: int
    total: int

    def write(self, budget_s: float = ...) -> bool:
        """Go on for about so long; True once all is done."""


class MaskletOperator:
    """Says what it says in the artist's language."""

    bl_translation_context = CONTEXT

    def tell(self, text: str) -> None:
        """Report how it went."""
        self.report({"INFO"}, shown(text))  # type: ignore[attr-defined]

    def refuse(self, text: str) -> Result:
        """Report why it did nothing; the operator's end."""
        self.report({"ERROR"}, shown(text))  # type: ignore[attr-defined]
        return {"CANCELLED"}


class PlateOperator(MaskletOperator):
    """Runs where there is a plate."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """True where it can run; otherwise Blender shows why not."""
        reason = cls.why_not(context)
        if reason is not None:
            cls.poll_message_set(shown(reason))  # type: ignore[attr-defined]
        return reason is None

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        return why_not_usable(plate_in(context))


class ObjectOperator(PlateOperator):
    """Runs where the plate has an active object."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        if reason is not None:
            return reason
        return None if props(plate_of(context)).active() is not None else phrase("Add an object first")


class LongOperator(ObjectOperator):
    """Works on the server while Blender stays free; Esc cancels and keeps what is done.

    Called without an interface, or by a script with ``EXEC_DEFAULT``, it returns when the work is done.
    """

    _job: Job | None = None
    _timer: Any = None
    _value: Any = None
    _slices: Slices | None = None
    _plate_uid = ""
    _told = ""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        if reason is None and runtime().job_of(plate_in(context)) is not None:
            return phrase("Something is still running for this plate: wait for it, or cancel it with Esc")
        return reason

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Start the work; raises classes of :mod:`masklet.errors`."""
        raise NotImplementedError

    def slices(self, context: bpy.types.Context, value: object) -> Slices | None:
        """What takes long to make of it in the main thread: done slice by slice, before :meth:`finish`."""
        return None

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Make something of what the work brought, in the main thread; return what to tell."""
        return ""

    def execute(self, context: bpy.types.Context) -> Result:
        """Work, and return when it is done."""
        block = plate_of(context)
        try:
            self._job = self.begin(context, block, wait=True)
            slices = self.slices(context, self._value)
            while slices is not None and not slices.write():
                pass
            return self._finished(context, block)
        except MaskletError as error:
            return failed(self, error)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Work while Blender stays free."""
        return self.run_on(context)

    def run_on(self, context: bpy.types.Context) -> Result:
        """Work while Blender stays free; without an interface, return when it is done."""
        if bpy.app.background:
            return LongOperator.execute(self, context)
        block = plate_of(context)
        try:
            self._job = self.begin(context, block, wait=False)
        except MaskletError as error:
            return failed(self, error)
        self._plate_uid = props(block).uid
        self._timer = context.window_manager.event_timer_add(TIMER_S, window=context.window)
        context.window_manager.modal_handler_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Show progress, watch for Esc and for the end."""
        job = self._job
        if job is None:
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            if is_playing(context):
                # Blender's own Esc stops the playback; the next one is for the work.
                return {"PASS_THROUGH"}
            job.cancel()
            self._tell(context, phrase("{job}: stopping after this frame", job=job.name))
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if not job.has_ended and job in runtime().board.jobs:
            self._tell(context, progress_text(job))
            return {"PASS_THROUGH"}
        try:
            if job.error is None and self._is_still_writing(context):
                return {"PASS_THROUGH"}
        except MaskletError as error:
            self._leave(context)
            return failed(self, error)
        self._leave(context)
        from ..plates import find_plate

        block = find_plate(self._plate_uid)
        if block is None:
            return {"CANCELLED"}
        if job.error is not None and not isinstance(job.error, CancelledError):
            return failed(self, job.error)
        try:
            return self._finished(context, block)
        except MaskletError as error:
            return failed(self, error)

    def _is_still_writing(self, context: bpy.types.Context) -> bool:
        """Write the next slice; False once all is there."""
        if self._slices is None:
            self._slices = self.slices(context, self._value)
            if self._slices is None:
                return False
            # Slices follow each other faster than progress is looked at.
            context.window_manager.event_timer_remove(self._timer)
            self._timer = context.window_manager.event_timer_add(SLICE_PAUSE_S, window=context.window)
        if self._slices.write(SLICE_S):
            return False
        done, total = self._slices.done, self._slices.total
        self._tell(context, phrase("Writing into Blender: {done} of {total}", done=done, total=total))
        return True

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator: its window or file goes away."""
        if self._job is not None:
            self._job.cancel()
        self._leave(context)

    def keep(self, block: PlateBlock, value: object) -> None:
        """Hold what the work brought until the operator takes it up in its own context."""
        self._value = value

    def _finished(self, context: bpy.types.Context, block: PlateBlock) -> Result:
        job = self._job
        if job is not None and job.is_cancelled and self._value is None:
            self.tell(phrase("{job}: cancelled, what was done is kept", job=job.name))
            # Nothing was made, so there is nothing that Ctrl Z could take back.
            return {"CANCELLED"}
        sentence = self.finish(context, block, self._value)
        if sentence:
            self.tell(sentence)
            runtime().tell(block, Notice(sentence, is_alarm=False))
        return {"FINISHED"}

    def _tell(self, context: bpy.types.Context, text: str) -> None:
        # A text that is set is drawn, even if it is the same.
        if text != self._told:
            self._told = text
            context.workspace.status_text_set(shown(text))

    def _leave(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if context.workspace is not None:
            context.workspace.status_text_set(None)


class AskingOperator(LongOperator):
    """Works for long, and asks how first; called by a script, it takes what it is given.

    It is no ``REGISTER`` operator: to adjust it afterwards would be to wait for all of it again.
    """

    _is_asked = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask; Blender calls :meth:`execute` when it was confirmed."""
        if bpy.app.background:
            return self.run_on(context)
        self._is_asked = True
        return context.window_manager.invoke_props_dialog(self)  # type: ignore[arg-type]

    def execute(self, context: bpy.types.Context) -> Result:
        """Begin once the dialog was confirmed; without one, return when it is done."""
        return self.run_on(context) if self._is_asked else LongOperator.execute(self, context)


def is_playing(context: bpy.types.Context) -> bool:
    """True while any window plays the animation."""
    manager = context.window_manager
    return manager is not None and any(window.screen.is_animation_playing for window in manager.windows)


def plate_of(context: bpy.types.Context) -> PlateBlock:
    """The plate; where :meth:`PlateOperator.poll` said that there is one."""
    block = plate_in(context)
    assert block is not None
    return block


def scene_of(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene, which every operator has."""
    scene = context.scene
    assert scene is not None
    return scene


def active_of(block: PlateBlock) -> MaskletObject:
    """The active object; where :meth:`ObjectOperator.poll` said that there is one."""
    item = props(block).active()
    assert item is not None
    return item


def frame_of(context: bpy.types.Context, block: PlateBlock) -> int:
    """The plate's own number of the picture that shows now."""
    return shown_frame(block, context)


def failed(operator: Any, error: MaskletError) -> Result:
    """Tell the artist, and change nothing."""
    operator.report({"ERROR"}, shown(text_of(error)))
    return {"CANCELLED"}


def synchronised(operator: Any, block: PlateBlock) -> Result:
    """Send what was said; the operator's end."""
    try:
        runtime().synchronise(block, wait=bpy.app.background)
    except MaskletError as error:
        return failed(operator, error)
    return {"FINISHED"}
