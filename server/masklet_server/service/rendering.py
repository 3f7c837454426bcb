"""Results as masks for clients, made in threads that are not the loop's and not the device's."""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from masklet.types import ClipInfo, Mask, MaskFormat, MaskUpdate
from masklet_server.mattes.alpha import render_preview
from masklet_server.sessions.tracking import ObjectFrame

ParametersT = ParamSpec("ParametersT")
ValueT = TypeVar("ValueT")

THREADS = 2


class Renderer:
    """Upsampling, compression and encoding for all calls of a server."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="render")

    async def run(
        self, work: Callable[ParametersT, ValueT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
    ) -> ValueT:
        """Do some work in one of the threads."""
        call = functools.partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Let running work end and take no more."""
        self._threads.shutdown()


def mask_size_px(clip: ClipInfo, mask_format: MaskFormat) -> tuple[int, int]:
    """Width and height of masks of this format: never more than the plate has."""
    longest_px = max(clip.width_px, clip.height_px)
    if not 0 < mask_format.max_side_px < longest_px:
        return clip.width_px, clip.height_px
    scale = mask_format.max_side_px / longest_px
    return max(1, round(clip.width_px * scale)), max(1, round(clip.height_px * scale))


def update_of(result: ObjectFrame, object_name: str, size_px: tuple[int, int]) -> MaskUpdate:
    """The mask of a result at ``size_px``, with its scores; too much work for the event loop."""
    width_px, height_px = size_px
    presence_logit = max(-60.0, min(60.0, result.presence_logit))
    return MaskUpdate(
        object_id=result.object_id,
        object_name=object_name,
        frame=result.frame,
        mask=Mask.from_array(render_preview(result.logits, width_px, height_px)),
        presence=result.presence,
        presence_score=1.0 / (1.0 + math.exp(-presence_logit)),
        predicted_iou=max(0.0, min(1.0, result.predicted_iou)),
        prompted=result.prompted,
    )
