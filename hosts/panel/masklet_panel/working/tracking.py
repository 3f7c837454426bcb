"""Tracks as the panel's buttons and keys ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import CancelledError, MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.reviewing import (
    Extent,
    advised,
    inside,
    policy_taken_sentence,
    prompted,
    suggestion_sentence,
    track_request,
    track_sentence,
    with_advised_policy,
)
from masklet.hosting.shortcuts import Action, keys_of
from masklet.hosting.work import plate_work
from masklet.phrases import phrase
from masklet.types import Direction
from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_events import TrackRequest
    from masklet_panel.panel_model import PanelModel


class Tracking(QtCore.QObject):
    """Starts tracks, and says how they went.

    Args:
        model: Whose plate.
    """

    changed = Signal()

    def __init__(self, model: PanelModel) -> None:
        super().__init__(model)
        self._model = model
        self._all = True

    @property
    def all_objects(self) -> bool:
        """True where every object with prompts is tracked, False for those that are chosen."""
        return self._all

    def set_all_objects(self, *, on: bool) -> None:
        """Track all, or those that are chosen."""
        if on != self._all:
            self._all = on
            self.changed.emit()

    def both(self) -> None:
        """From every prompt, both ways; between in and out where a range is set."""
        self._start(Extent.CLIP, Direction.BOTH)

    def forward(self) -> None:
        """From the playhead to later frames."""
        self._start(Extent.CLIP, Direction.FORWARD)

    def backward(self) -> None:
        """From the playhead to earlier frames."""
        self._start(Extent.CLIP, Direction.BACKWARD)

    def one(self, *, backward: bool = False) -> None:
        """One frame further, and the playhead with it."""
        self._start(Extent.ONE, Direction.BACKWARD if backward else Direction.FORWARD)

    def stale(self) -> None:
        """Only frames that prompts have overtaken."""
        self._start(Extent.CLIP, Direction.BOTH, stale_only=True)

    @property
    def advice(self) -> str:
        """What was seen of the active object that another policy may help with; empty for nothing."""
        model = self._model
        said, memory = model.said(model.active), model.memory
        seen = None if said is None or memory is None else advised(said, memory.book)
        if said is None or seen is None:
            return ""
        return suggestion_sentence(said.name, seen, key=keys_of(Action.TRY_POLICY)[0])

    def try_policy(self) -> None:
        """Say that the active object is tracked with the policy that may help it; nothing runs by it."""
        model = self._model
        said, memory = model.said(model.active), model.memory
        if said is None or memory is None:
            model.tell(Notice(phrase("Choose the object first that went wrong"), is_alarm=False))
            return
        try:
            changed = with_advised_policy(said, memory.book)
        except MaskletError as error:
            model.tell(notice_of(error))
            return
        model.edit(tuple(changed if each.uid == said.uid else each for each in model.document))
        model.tell(Notice(policy_taken_sentence(changed), is_alarm=False))

    def _start(self, extent: Extent, direction: Direction, *, stale_only: bool = False) -> None:
        model = self._model
        memory = model.memory
        if memory is None or model.job is not None:
            return
        try:
            uids = prompted(model.document, () if self._all else model.selected)
            request = track_request(extent, direction, model.frame, uids=uids, stale_only=stale_only)
            if extent is not Extent.ONE:
                request = inside(request, model.span)
        except MaskletError as error:
            model.tell(notice_of(error))
            return
        memory.left_out = ()
        model.tell(None)
        model.start(
            phrase("Tracking"),
            lambda session, job, server: plate_work.track(session, job, server, request),
            on_end=lambda error, job: self._ended(error, job, extent, request),
        )

    def _ended(self, error: MaskletError | None, job: Job, extent: Extent, request: TrackRequest) -> None:
        model = self._model
        memory = model.memory
        if memory is None or (error is not None and not isinstance(error, CancelledError)):
            return
        if job.is_cancelled:
            model.tell(
                Notice(
                    phrase("Stopped after {count} masks: what is done is kept", count=job.done),
                    is_alarm=False,
                )
            )
        elif extent is Extent.ONE:
            step = -1 if request.direction is Direction.BACKWARD else 1
            model.go_to(model.frame + step)
        else:
            sentence = track_sentence(memory, done=job.done, cuts=memory.cuts)
            if self.advice:
                sentence = phrase("{sentence}. {advice}", sentence=sentence, advice=self.advice)
            model.tell(Notice(sentence, is_alarm=False))
