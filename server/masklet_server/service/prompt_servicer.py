"""``masklet.v1.PromptService``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from masklet import codec, event_codec, mask_codec, state_codec
from masklet.errors import BadInputError
from masklet.types import MaskFormat
from masklet.v1 import prompt_pb2, prompt_pb2_grpc, values_pb2
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.drawn_masks import Unpacking, check_drawn
from masklet_server.service.overscan import (
    click_inside,
    document_inside,
    document_outside,
    prompts_inside,
    prompts_outside,
)
from masklet_server.service.rendering import Renderer, mask_size_px, update_of
from masklet_server.sessions.durability import Answer
from masklet_server.sessions.editor import Prompted
from masklet_server.sessions.reversals import Reverted
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore


class PromptServicer(prompt_pb2_grpc.PromptServiceServicer):
    """Takes prompts and answers with masks.

    Args:
        store: All sessions.
        renderer: Makes masks of results.
        unpacking: Unpacks drawn masks of documents.
    """

    def __init__(self, store: SessionStore, renderer: Renderer, unpacking: Unpacking) -> None:
        self._store = store
        self._renderer = renderer
        self._unpacking = unpacking

    async def SetPrompts(  # noqa: N802  (gRPC names methods)
        self, request: prompt_pb2.SetPromptsRequest, context: Context
    ) -> prompt_pb2.SetPromptsResponse:
        """Replace all prompts of one object on one frame."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.SetPromptsResponse:
            if not request.HasField("prompts"):
                raise BadInputError("the prompts are missing: name the object and the frame")
            check_drawn((request.prompts,), session.clip)
            # A mask in the prompts may be large.
            prompts = await self._renderer.run(lambda: codec.prompts_from_wire(request.prompts))
            prompts = prompts_inside(prompts, session.clip)
            return await answered(await session.set_prompts(prompts, replace_mask=request.replace_mask))

        async def answered(made: Prompted) -> prompt_pb2.SetPromptsResponse:
            return prompt_pb2.SetPromptsResponse(
                update=await self._update(session, made, request.mask_format)
            )

        async def again(answer: Answer) -> prompt_pb2.SetPromptsResponse:
            return await answered(await self._standing(session, answer))

        return await session.replies.once("SetPrompts", request.request_id, change, again=again)

    async def AddClick(  # noqa: N802
        self, request: prompt_pb2.AddClickRequest, context: Context
    ) -> prompt_pb2.AddClickResponse:
        """Add one click."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.AddClickResponse:
            click = click_inside(codec.click_from_wire(request.click), session.clip)
            return await answered(await session.add_click(request.object_id, request.frame, click))

        async def answered(made: Prompted) -> prompt_pb2.AddClickResponse:
            return prompt_pb2.AddClickResponse(
                update=await self._update(session, made, request.mask_format),
                prompts=codec.prompts_to_wire(prompts_outside(made.prompts, session.clip)),
            )

        async def again(answer: Answer) -> prompt_pb2.AddClickResponse:
            return await answered(await self._standing(session, answer))

        return await session.replies.once("AddClick", request.request_id, change, again=again)

    async def UndoPrompt(  # noqa: N802
        self, request: prompt_pb2.UndoPromptRequest, context: Context
    ) -> prompt_pb2.UndoPromptResponse:
        """Take back the last edit."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.UndoPromptResponse:
            return await answered(await session.undo())

        async def answered(made: Reverted) -> prompt_pb2.UndoPromptResponse:
            return prompt_pb2.UndoPromptResponse(**await self._reverted(session, made, request.mask_format))

        async def again(answer: Answer) -> prompt_pb2.UndoPromptResponse:
            return await answered(await self._reverted_before(session, answer))

        return await session.replies.once("UndoPrompt", request.request_id, change, again=again)

    async def RedoPrompt(  # noqa: N802
        self, request: prompt_pb2.RedoPromptRequest, context: Context
    ) -> prompt_pb2.RedoPromptResponse:
        """Make the last edit that was taken back again."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.RedoPromptResponse:
            return await answered(await session.redo())

        async def answered(made: Reverted) -> prompt_pb2.RedoPromptResponse:
            return prompt_pb2.RedoPromptResponse(**await self._reverted(session, made, request.mask_format))

        async def again(answer: Answer) -> prompt_pb2.RedoPromptResponse:
            return await answered(await self._reverted_before(session, answer))

        return await session.replies.once("RedoPrompt", request.request_id, change, again=again)

    async def SetPolicy(  # noqa: N802
        self, request: prompt_pb2.SetPolicyRequest, context: Context
    ) -> prompt_pb2.SetPolicyResponse:
        """Choose how an object's memory is used."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.SetPolicyResponse:
            await session.set_policy(request.object_id, state_codec.memory_policy(request.policy))
            return prompt_pb2.SetPolicyResponse()

        return await session.replies.once("SetPolicy", request.request_id, change)

    async def SetMatteSettings(  # noqa: N802
        self, request: prompt_pb2.SetMatteSettingsRequest, context: Context
    ) -> prompt_pb2.SetMatteSettingsResponse:
        """Choose how an object's matte is finished."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.SetMatteSettingsResponse:
            settings = state_codec.matte_settings_from_wire(request.settings)
            await session.set_matte(request.object_id, settings)
            return prompt_pb2.SetMatteSettingsResponse()

        async def again(answer: Answer) -> prompt_pb2.SetMatteSettingsResponse:
            return prompt_pb2.SetMatteSettingsResponse()

        return await session.replies.once("SetMatteSettings", request.request_id, change, again=again)

    async def GetPromptDocument(  # noqa: N802
        self, request: prompt_pb2.GetPromptDocumentRequest, context: Context
    ) -> prompt_pb2.GetPromptDocumentResponse:
        """All objects and prompts."""
        session = await self._store.get(request.session_id, current_user.get())
        document = await self._unpacking.run(
            session.user,
            session.drawn_bytes,
            lambda: codec.document_to_wire(document_outside(session.whole_document(), session.clip)),
        )
        return prompt_pb2.GetPromptDocumentResponse(document=document)

    async def SetPromptDocument(  # noqa: N802
        self, request: prompt_pb2.SetPromptDocumentRequest, context: Context
    ) -> prompt_pb2.SetPromptDocumentResponse:
        """Begin anew from a document."""
        session = await self._store.get(request.session_id, current_user.get())

        async def change() -> prompt_pb2.SetPromptDocumentResponse:
            size_bytes = check_drawn(request.document.prompts, session.clip)
            async with self._unpacking.setting(session.user, size_bytes):
                document = await self._unpacking.run(
                    session.user,
                    size_bytes,
                    lambda: document_inside(codec.document_from_wire(request.document), session.clip),
                )
                await session.set_document(document)
            return answered()

        def answered() -> prompt_pb2.SetPromptDocumentResponse:
            return prompt_pb2.SetPromptDocumentResponse(
                objects=[codec.object_to_wire(info) for info in session.objects()]
            )

        async def again(answer: Answer) -> prompt_pb2.SetPromptDocumentResponse:
            return answered()

        return await session.replies.once("SetPromptDocument", request.request_id, change, again=again)

    async def _standing(self, session: Session, answer: Answer) -> Prompted:
        """What a call gave that an earlier process made: what stands there."""
        assert answer.frame is not None
        return await self._renderer.run(session.prompted, answer.object_id, answer.frame)

    async def _reverted_before(self, session: Session, answer: Answer) -> Reverted:
        assert answer.kind is not None
        prompted = None if answer.frame is None else await self._standing(session, answer)
        return Reverted(answer.kind, answer.object_id, prompted)

    async def _reverted(
        self, session: Session, made: Reverted, wire_format: values_pb2.MaskFormat
    ) -> dict[str, Any]:
        """The fields that the answers to undo and redo share."""
        fields: dict[str, Any] = {
            "left": session.undo_left,
            "redo_left": session.redo_left,
            "kind": event_codec.edit_kind_to_wire(made.kind),
            "object_id": made.object_id,
        }
        if made.prompted is not None:
            fields["prompts"] = codec.prompts_to_wire(prompts_outside(made.prompted.prompts, session.clip))
            fields["update"] = await self._update(session, made.prompted, wire_format)
        return fields

    async def _update(
        self, session: Session, made: Prompted, wire_format: values_pb2.MaskFormat
    ) -> values_pb2.MaskUpdate | None:
        result = made.result
        if result is None:
            return None
        mask_format: MaskFormat = codec.mask_format_from_wire(wire_format)
        size_px = mask_size_px(session.clip, mask_format)
        name = session.object(result.object_id).name
        base = made.prompts.base
        return await self._renderer.run(
            lambda: mask_codec.update_to_wire(
                replace(update_of(session, result, name, size_px), base=base), bits=mask_format.bits
            )
        )
