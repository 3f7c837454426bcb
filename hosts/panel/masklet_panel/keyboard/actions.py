"""What is done when an artist asks for it by a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from masklet.hosting import object_edits
from masklet.hosting.reviewing import lock_range, marked_frame
from masklet.hosting.shortcuts import Action
from masklet.hosting.shown.time_map import with_in, with_out
from masklet_panel.listing.object_table import Column

if TYPE_CHECKING:
    from masklet_panel.listing.object_list import ObjectList
    from masklet_panel.working.track_bar import TrackBar
    from masklet_panel.working.tracking import Tracking
    from masklet_panel.workspace import Workspace

_MANY = 10


class Actions:
    """Does what is asked for.

    Args:
        workspace: Whose plate, view and playhead.
        objects: The list.
        tracking: Starts tracks.
        bar: Finds bad frames.
        others: What windows do: sheets, wipes, exports.
    """

    def __init__(
        self,
        workspace: Workspace,
        objects: ObjectList,
        tracking: Tracking,
        bar: TrackBar,
        others: dict[Action, Callable[[], object]],
    ) -> None:
        self._model = model = workspace.model
        self._workspace = workspace
        play, view = workspace.playback, workspace.view
        self._done: dict[Action, Callable[[], object]] = {
            Action.PLAY_BACKWARD: partial(play.play, -1),
            Action.STOP: play.stop,
            Action.PLAY_FORWARD: partial(play.play, 1),
            Action.PLAY_OR_STOP: play.toggle,
            Action.FRAME_BACK: partial(play.step, -1),
            Action.FRAME_ON: partial(play.step, 1),
            Action.TEN_BACK: partial(play.step, -_MANY),
            Action.TEN_ON: partial(play.step, _MANY),
            Action.FIRST_FRAME: lambda: self._go_to((model.span or model.frames).first),
            Action.LAST_FRAME: lambda: self._go_to((model.span or model.frames).last),
            Action.BAD_FRAME_BACK: bar.bad_back,
            Action.BAD_FRAME_ON: bar.bad_on,
            Action.PROMPT_BACK: partial(self._go_to_mark, backward=True),
            Action.PROMPT_ON: partial(self._go_to_mark, backward=False),
            Action.SET_IN: lambda: model.set_span(with_in(model.span, model.frame, model.frames)),
            Action.SET_OUT: lambda: model.set_span(with_out(model.span, model.frame, model.frames)),
            Action.CLEAR_RANGE: lambda: model.set_span(None),
            Action.CLICKS_ADD: lambda: view.change(adds=True),
            Action.CLICKS_TAKE_AWAY: lambda: view.change(adds=False),
            Action.CLEAR_FRAME: workspace.saying.clear_frame,
            Action.UNDO: model.undo,
            Action.REDO: model.redo,
            Action.NEW_OBJECT: objects.add,
            Action.HIDE_OBJECT: partial(objects.toggle, Column.SHOWN),
            Action.SOLO_OBJECT: partial(objects.toggle, Column.SOLO),
            Action.RENAME_OBJECT: objects.rename,
            Action.DUPLICATE_OBJECT: objects.duplicate,
            Action.MERGE_OBJECTS: objects.merge,
            Action.DELETE_OBJECT: objects.delete,
            Action.LOCK_RANGE: partial(self._lock, locks=True),
            Action.UNLOCK_RANGE: partial(self._lock, locks=False),
            Action.TRACK_BOTH: tracking.both,
            Action.TRACK_FORWARD: tracking.forward,
            Action.TRACK_BACKWARD: tracking.backward,
            Action.TRACK_ONE: tracking.one,
            Action.TRACK_STALE: tracking.stale,
            Action.TRY_POLICY: tracking.try_policy,
            Action.CANCEL: self._cancel,
            Action.FIND_THINGS: workspace.finding.find,
            Action.FIND_ALIKE: partial(workspace.finding.find, alike=True),
            Action.FIT: view.fit_asked.emit,
            Action.ONE_TO_ONE: lambda: view.scale_asked.emit(1.0),
            Action.ZOOM_IN: lambda: view.zoom_asked.emit(1.0),
            Action.ZOOM_OUT: lambda: view.zoom_asked.emit(-1.0),
            **others,
        }

    @property
    def known(self) -> frozenset[Action]:
        """What can be asked for."""
        return frozenset({*self._done, Action.CHOOSE_OBJECT})

    def perform(self, action: Action, number: int = 0) -> None:
        """Do it.

        Args:
            action: What is asked for.
            number: Of the key, for :attr:`Action.CHOOSE_OBJECT`.
        """
        if action is Action.CHOOSE_OBJECT:
            document = self._model.document
            if 1 <= number <= len(document):
                self._model.select((document[number - 1].uid,))
        elif self._model.plate is not None or action in (Action.SHORTCUTS,):
            self._done[action]()

    def _cancel(self) -> None:
        """Stop the work in hand; where there is none, what was found is shown no longer."""
        if self._model.job is None:
            self._workspace.finding.clear()
        self._model.cancel()

    def _go_to(self, frame: int) -> None:
        self._workspace.playback.stop()
        self._model.go_to(frame)

    def _go_to_mark(self, *, backward: bool) -> None:
        model = self._model
        uids = model.selected or [said.uid for said in model.document]
        frame = marked_frame(model.document, uids, model.frame, backward=backward)
        if frame is not None:
            self._go_to(frame)

    def _lock(self, *, locks: bool) -> None:
        model = self._model
        if model.selected:
            # A key asks for nothing else: not more than the frame that is seen, where no range is set.
            frames = lock_range(model.frame, None, model.span)
            model.edit(object_edits.locked(model.document, model.selected, frames, locks=locks))
