"""The server: test it, reach it anew, give its memory back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.notices import notice_of
from masklet.hosting.work.connection import describe
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase, text_of

from ..plates import plate_in, props
from ..preferences import connection_settings
from ..runtime import runtime
from .running import MaskletOperator, PlateOperator, failed, plate_of

if TYPE_CHECKING:
    from .running import Result


class MASKLET_OT_test_connection(MaskletOperator, bpy.types.Operator):
    """Reach the server that the preferences name, and say in a sentence whether it answers"""

    bl_idname = "masklet.test_connection"
    bl_label = "Test Connection"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Ask the server."""
        settings, current = connection_settings(), runtime()

        def work(job: Job):  # type: ignore[no-untyped-def]
            yield describe(current.connection.server(settings), settings.words)

        def told(sentence: object) -> None:
            current.server_sentence = sentence if isinstance(sentence, str) else str(sentence)

        def ended(error: MaskletError | None) -> None:
            if error is not None:
                current.server_sentence = text_of(error)
            current.redraw(everything=True)

        current.server_sentence = phrase("Asking the server …")
        try:
            current.run(Job(phrase("Testing the connection"), work, on_event=told, on_end=ended))
        except MaskletError as error:
            return failed(self, error)
        if bpy.app.background:
            self.tell(current.server_sentence)
        return {"FINISHED"}


class MASKLET_OT_reconnect(MaskletOperator, bpy.types.Operator):
    """Reach the server anew if it does not answer; prompts are sent again where it has lost them"""

    bl_idname = "masklet.reconnect"
    bl_label = "Reconnect"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Ask whether it answers; if not, let go and reach it anew. Then send the plate that is looked at."""
        current = runtime()
        settings = connection_settings()
        block = plate_in(context)

        def work(job: Job):  # type: ignore[no-untyped-def]
            # A server of Blender's own would end with its connection, and all masks with it.
            yield describe(current.connection.healthy_server(settings), settings.words)

        def told(sentence: object) -> None:
            current.server_sentence = sentence if isinstance(sentence, str) else str(sentence)

        def ended(error: MaskletError | None) -> None:
            if error is not None:
                current.server_sentence = text_of(error)
                current.tell(block, notice_of(error))
            elif block is not None and props(block).objects:
                try:
                    current.synchronise(block, wait=bpy.app.background)
                except MaskletError as refusal:
                    current.tell(block, notice_of(refusal))
            current.redraw(everything=True)

        try:
            current.run(Job(phrase("Reconnecting"), work, on_event=told, on_end=ended))
        except MaskletError as error:
            return failed(self, error)
        return {"FINISHED"}


class MASKLET_OT_close_session(PlateOperator, bpy.types.Operator):
    """Give back the memory that this plate takes on the server; prompts stay here"""

    bl_idname = "masklet.close_session"
    bl_label = "Free Server Memory"
    bl_options = {"REGISTER"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        memory = runtime().glimpse(plate_in(context))
        if reason is None and (memory is None or memory.session is None):
            return phrase("This plate takes no memory on the server")
        return reason

    def execute(self, context: bpy.types.Context) -> Result:
        """Close the session."""
        block = plate_of(context)
        memory = runtime().memory(block)
        session = memory.session
        if session is None:
            return {"CANCELLED"}

        def work(job: Job):  # type: ignore[no-untyped-def]
            session.close()
            yield from ()

        try:
            runtime().run(Job(phrase("Closing the session"), work, on_event=lambda event: None))
        except MaskletError as error:
            return failed(self, error)
        runtime().forget_plate(block)
        props(block).session_id = ""
        return {"FINISHED"}


class MASKLET_OT_accept_loss(PlateOperator, bpy.types.Operator):
    """Forget the masks that the server has lost; results are made of those that are left"""

    bl_idname = "masklet.accept_loss"
    bl_label = "Go On Without"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Forget them."""
        block = plate_of(context)
        runtime().memory(block).forget_lost(block)
        runtime().redraw()
        return {"FINISHED"}


class MASKLET_OT_accept_plate(PlateOperator, bpy.types.Operator):
    """Keep the prompts although the plate's pictures are others than before"""

    bl_idname = "masklet.accept_plate"
    bl_label = "Use This Plate"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Forget what the plate was and open a session on what it is."""
        block = plate_of(context)
        own = props(block)
        own.fingerprint, own.session_id = "", ""
        runtime().forget_plate(block)
        try:
            runtime().synchronise(block, wait=bpy.app.background)
        except MaskletError as error:
            return failed(self, error)
        return {"FINISHED"}


CLASSES = (
    MASKLET_OT_test_connection,
    MASKLET_OT_reconnect,
    MASKLET_OT_close_session,
    MASKLET_OT_accept_loss,
    MASKLET_OT_accept_plate,
)
