"""All of a session but its pictures as a value, and back."""

from __future__ import annotations

from masklet_server.sessions.approvals import Approvals
from masklet_server.sessions.durability import Restored, Standing
from masklet_server.sessions.edited_masks import EditedMasks
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import SessionTracker
from masklet_server.sessions.tracks import Tracks


def standing_of(
    book: PromptBook, tracker: SessionTracker, masks: EditedMasks, approvals: Approvals, tracks: Tracks
) -> Standing:
    """How everything is now; to be called inside a turn of the device."""
    history = book.history
    next_object_id, next_edit = book.next_ids
    return Standing(
        book.contents,
        history.done,
        history.undone,
        history.given_up,
        history.traces,
        next_object_id,
        next_edit,
        masks.next_aside,
        tracker.stale.all,
        tracker.shots.met,
        approvals.seen,
        tracks.number,
    )


def put_back(
    restored: Restored,
    book: PromptBook,
    tracker: SessionTracker,
    masks: EditedMasks,
    approvals: Approvals,
    results: ResultStore,
) -> None:
    """Make a fresh session what a journal knows."""
    standing = restored.standing
    book.restore(standing.contents, (standing.next_object_id, standing.next_edit))
    book.history.restore(standing.done, standing.undone, standing.traces, standing.given_up)
    masks.next_aside = standing.next_aside
    tracker.stale.restore(standing.stale)
    tracker.shots.restore(standing.cuts)
    tracker.ways.restore(restored.ways)
    approvals.restore(standing.seen)
    for kept in restored.results:
        results.restore(kept.object_id, kept.frame, kept.entry, kept.place)
