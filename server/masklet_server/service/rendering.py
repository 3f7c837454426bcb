"""Results as masks for clients, made in threads that are not the loop's and not the device's."""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from masklet.types import ClipInfo, Mask, MaskFormat, MaskUpdate
from masklet_server.mattes.adjust import adjust_all
from masklet_server.mattes.alpha import render_alpha, render_inside, render_preview
from masklet_server.mattes.drawn import drawn_at, drawn_codes
from masklet_server.mattes.strokes import obeyed, obeyed_codes
from masklet_server.sessions.session import Session
from masklet_server.tracking import ObjectFrame

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


def update_of(
    session: Session,
    result: ObjectFrame,
    object_name: str,
    size_px: tuple[int, int],
    *,
    is_preview: bool = False,
    bits: bool = False,
) -> MaskUpdate:
    """The mask of a result at ``size_px``, finished as its object wants it, with its scores.

    Too much work for the event loop.

    Args:
        session: Whose it is.
        result: As the network gave it.
        object_name: As it is now.
        size_px: Width and height of the mask.
        is_preview: Nothing of it is said: drawn masks and matte settings are left out.
        bits: Only what is inside is wanted: coverage may be 0 or 255 everywhere.
    """
    presence_logit = max(-60.0, min(60.0, result.presence_logit))
    return MaskUpdate(
        object_id=result.object_id,
        object_name=object_name,
        frame=result.frame,
        mask=Mask.from_array(
            render_preview(result.logits, *size_px)
            if is_preview
            else _finished(session, result, size_px, bits=bits)
        ),
        presence=result.presence,
        presence_score=1.0 / (1.0 + math.exp(-presence_logit)),
        predicted_iou=max(0.0, min(1.0, result.predicted_iou)),
        prompted=result.prompted,
    )


def _finished(
    session: Session, result: ObjectFrame, size_px: tuple[int, int], *, bits: bool
) -> NDArray[np.uint8]:
    """Coverage ``(height, width)``, 0 to 255."""
    object_id, settings = result.object_id, session.mattes()
    if object_id not in settings:
        return _plain(session, result, size_px, bits=bits)
    shown = {object_id: result}
    if settings[object_id].exclusive:
        # The others take their share of each pixel, as far as they have a mask on this frame yet.
        for info in session.objects():
            other = info.object_id
            if other != object_id and other in settings and settings[other].exclusive:
                found = session.results.find(other, result.frame)
                if found is not None:
                    shown[other] = found
    order = [info.object_id for info in session.objects() if info.object_id in shown]
    if object_id not in order:
        # Removed while its mask was on the way.
        return _plain(session, result, size_px, bits=bits)
    drawn = {id_: mask for id_ in order if (mask := session.drawn_on(shown[id_])) is not None}
    alphas = {
        id_: drawn_at(drawn[id_], *size_px)
        if id_ in drawn
        else obeyed(
            render_alpha(shown[id_].logits, *size_px), session.strokes_on(shown[id_]), _plate_px(session)
        )
        for id_ in order
    }
    scale = size_px[0] / session.clip.width_px
    finished = adjust_all(alphas, settings, scale=scale, drawn=drawn)[object_id]
    codes: NDArray[np.uint8] = np.rint(finished * np.float32(255.0)).astype(np.uint8)
    return codes


def _plain(
    session: Session, result: ObjectFrame, size_px: tuple[int, int], *, bits: bool
) -> NDArray[np.uint8]:
    """Coverage without any settings."""
    mask = session.drawn_on(result)
    if mask is not None:
        return drawn_codes(mask, *size_px)
    strokes = session.strokes_on(result)
    if bits and not strokes:
        return render_inside(result.logits, *size_px)
    return obeyed_codes(render_preview(result.logits, *size_px), strokes, _plate_px(session))


def _plate_px(session: Session) -> tuple[int, int]:
    return session.clip.width_px, session.clip.height_px
