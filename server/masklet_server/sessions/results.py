"""Masks of one session, compressed: in memory up to a limit, beyond it in a journal or a temporary file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any

from masklet.errors import OutputError
from masklet.types import StateRange, TrackedMask
from masklet_server.sessions.masks import unpack_logits
from masklet_server.sessions.result_places import LostResultError, Packing, Place, ResultEntry, ResultWitness
from masklet_server.sessions.spilled_results import Key, SpilledResults
from masklet_server.sessions.state_runs import runs_of
from masklet_server.tracking import ObjectFrame


class ResultStore:
    """Keeps every result of a session and finds it again, bit for bit. Safe to use from any thread.

    A fresh result is kept as it is, which costs nothing where the device waits; :meth:`pack` compresses
    it later, in a thread that has the time.

    Args:
        memory_bytes: How much packed logits may stay in memory; what was written longest ago moves
            to a temporary file, which has no name and vanishes with the process. Before it grows
            beyond twice what counts and this, results that were replaced are left out of it.
        spill_folder: Where that file is made; None for the system's own place.
        full_disk_bytes: How much more stays in memory while the disk takes nothing.
        most_spilled_bytes: How large the temporary file may get.
        witness: Told of every change.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = 64 << 20,
        spill_folder: Path | None = None,
        full_disk_bytes: int = 64 << 20,
        most_spilled_bytes: int = 8 << 30,
        witness: ResultWitness | None = None,
    ) -> None:
        self._witness = witness
        self._memory_limit_bytes = memory_bytes
        self._most_bytes = memory_bytes + full_disk_bytes
        self._most_spilled_bytes = most_spilled_bytes
        self._lock = threading.Lock()
        self._spilled = SpilledResults(
            self._lock, spill_folder, most_bytes=most_spilled_bytes, slack_bytes=memory_bytes
        )
        self._spilling = threading.Lock()
        self._entries: dict[Key, ResultEntry] = {}
        self._frames: dict[int, set[int]] = {}
        self._fresh: dict[Key, Packing] = {}
        self._packed: OrderedDict[Key, bytes] = OrderedDict()
        # Where a journal keeps them: what is there need not stay in memory, nor go to the file.
        self._kept: dict[Key, Place] = {}
        self._packed_bytes = 0
        self._fresh_bytes = 0

    @property
    def memory_bytes(self) -> int:
        """Packed logits in memory."""
        return self._packed_bytes

    @property
    def spilled_bytes(self) -> int:
        """Size of the temporary file."""
        return self._spilled.size_bytes

    @property
    def is_full(self) -> bool:
        """True where :meth:`make_room` has to be called before there is more."""
        return self._packed_bytes + self._fresh_bytes > self._most_bytes

    def put(self, result: ObjectFrame) -> None:
        """Keep a result in place of an earlier one of the same object and frame."""
        key = (result.object_id, result.frame)
        entry, packing = ResultEntry.of(result), Packing(result.logits)
        with self._lock:
            self._drop(key)
            self._enter(key, entry)
            self._fresh[key] = packing
            self._fresh_bytes += result.logits.nbytes
            if self._witness is not None:
                self._witness.put(*key, entry, packing)

    def restore(self, object_id: int, frame: int, entry: ResultEntry, place: Place) -> None:
        """Know a result again that a journal keeps."""
        with self._lock:
            self._enter((object_id, frame), entry)
            self._kept[object_id, frame] = place

    def keep_at(self, object_id: int, frame: int, entry: ResultEntry, place: Place) -> None:
        """A journal keeps this result; nothing happens where it has been replaced meanwhile."""
        key = (object_id, frame)
        with self._lock:
            if self._entries.get(key) is entry:
                self._kept[key] = place

    def make_room(self) -> None:
        """Compress what is fresh, and see that there may be more.

        Raises:
            OutputError: The disk for temporary files takes nothing, and memory is full. All that there is can
                be read on.
        """
        self.pack()
        if self.is_full:
            # Whoever is at it may have begun before there was room: only an attempt of one's own tells.
            with self._spilling:
                self._spill()
        if self.is_full and self._spilled.reached_limit:
            raise OutputError(
                f"the session's finished masks fill the {self._most_spilled_bytes / 1e9:.1f} GB of temporary "
                "disk that each session has: export what is done, then remove objects or track a shorter "
                "range. All finished masks are kept"
            )
        if self.is_full:
            raise OutputError(
                "the server's disk for temporary files is full or read-only, and no more masks fit in its "
                "memory: free some space and track on, all finished masks are kept"
            )

    def pack(self) -> None:
        """Compress what is fresh. What the disk does not take stays in memory."""
        with self._lock:
            fresh = list(self._fresh.items())
        for key, packing in fresh:
            packed = packing.packed()
            with self._lock:
                # Replaced or removed meanwhile: the newer one is packed by the next call.
                if self._fresh.get(key) is not packing:
                    continue
                del self._fresh[key]
                self._fresh_bytes -= packing.logits.nbytes
                self._packed[key] = packed
                self._packed_bytes += len(packed)
        # One at a time; and whoever finds another at it has nothing to wait for.
        if self._spilling.acquire(blocking=False):
            try:
                self._spill()
            finally:
                self._spilling.release()

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The stored result, or None where the object has none on this frame.

        Raises:
            OutputError: A disk does not give it back.
        """
        found = self._found((object_id, frame))
        if found is None:
            return None
        entry, content = found
        logits = unpack_logits(content, entry.shape) if isinstance(content, bytes) else content.logits
        return entry.result(object_id, frame, logits)

    def packed(self, object_id: int, frame: int) -> TrackedMask | None:
        """The stored result as a prompt document holds it, or None where there is none."""
        found = self._found((object_id, frame))
        if found is None:
            return None
        entry, content = found
        return entry.tracked(content if isinstance(content, bytes) else content.packed())

    def size_of(self, object_id: int, frame: int) -> int:
        """About how many bytes a result takes, packed; 0 where there is none."""
        key = (object_id, frame)
        with self._lock:
            if key in self._packed:
                return len(self._packed[key])
            spilled = self._spilled.find(key)
            if spilled is not None:
                return spilled.size_bytes
            if key in self._fresh:
                return self._fresh[key].logits.nbytes
            return self._kept[key].size_bytes if key in self._kept else 0

    def has(self, object_id: int, frame: int) -> bool:
        """True where there is a result."""
        with self._lock:
            return (object_id, frame) in self._entries

    def frames_of(self, object_id: int) -> tuple[int, ...]:
        """Frame numbers with a result, ascending."""
        with self._lock:
            return tuple(sorted(self._frames.get(object_id, ())))

    def remove(self, object_id: int, frame: int) -> None:
        """Forget one result; fine when there is none."""
        with self._lock:
            self._remove((object_id, frame))

    def remove_object(self, object_id: int) -> None:
        """Forget all results of one object."""
        with self._lock:
            for frame in list(self._frames.get(object_id, ())):
                self._remove((object_id, frame))

    def move(self, object_id: int, frames: Collection[int], to_id: int) -> None:
        """Give results of one object to another; those that the other has on these frames go."""
        with self._lock:
            for frame in frames:
                old, new = (object_id, frame), (to_id, frame)
                if old not in self._entries:
                    continue
                self._drop(new)
                self._enter(new, self._leave(old))
                for held in (self._fresh, self._packed, self._kept):
                    _rename(held, old, new)
                self._spilled.rename(old, new)
                if self._witness is not None:
                    self._witness.moved(*old, to_id)

    def close(self) -> None:
        """Forget everything and give the temporary file back."""
        with self._lock:
            self._entries.clear()
            self._frames.clear()
            self._fresh.clear()
            self._packed.clear()
            self._spilled.clear()
            self._kept.clear()
            self._packed_bytes = self._fresh_bytes = 0

    def object_ids(self) -> frozenset[int]:
        """All objects with results."""
        with self._lock:
            return frozenset(self._frames)

    def states(
        self,
        object_id: int,
        prompted_frames: Collection[int],
        *,
        is_locked: Callable[[int], bool] = lambda frame: False,
        stale: Collection[int] = (),
    ) -> tuple[StateRange, ...]:
        """Runs of consecutive frames in the same state, in order; frames without a result are in none.

        Args:
            object_id: Whose.
            prompted_frames: Frames with prompts of its own.
            is_locked: Tells whether tracking leaves a frame as it is.
            stale: Frames whose masks prompts have overtaken.
        """
        with self._lock:
            entries = {frame: self._entries[object_id, frame] for frame in self._frames.get(object_id, ())}
        return runs_of(entries, object_id, prompted_frames, is_locked=is_locked, stale=stale)

    def _found(self, key: Key) -> tuple[ResultEntry, bytes | Packing] | None:
        while True:
            with self._lock:
                entry = self._entries.get(key)
                if entry is None:
                    return None
                if key in self._fresh:
                    return entry, self._fresh[key]
                if key in self._packed:
                    return entry, self._packed[key]
                spilled = self._spilled.find(key)
                place = None if spilled is not None else self._kept[key]
            if spilled is not None:
                # Without the lock, as a disk may take its time.
                try:
                    return entry, spilled.read()
                except OutputError:
                    with self._lock:
                        if self._spilled.find(key) is spilled:
                            raise
                # It lies elsewhere now.
                continue
            assert place is not None
            # Without the lock: a journal that is being written would hold up whoever only asks for states.
            try:
                packed = place.read()
            except LostResultError:
                packed = None
            if packed is not None:
                return entry, packed
            with self._lock:
                if self._kept.get(key) is place:
                    # Told once; from then on the frame has no mask, and can be tracked or said again.
                    self._remove(key)
                    raise LostResultError(
                        f"the server's disk does not give the finished mask of frame {key[1]} back as it "
                        "was: have the disk checked, and track this frame again"
                    )

    def _enter(self, key: Key, entry: ResultEntry) -> None:
        self._entries[key] = entry
        self._frames.setdefault(key[0], set()).add(key[1])

    def _leave(self, key: Key) -> ResultEntry:
        frames = self._frames[key[0]]
        frames.remove(key[1])
        if not frames:
            del self._frames[key[0]]
        return self._entries.pop(key)

    def _remove(self, key: Key) -> None:
        if key in self._entries and self._witness is not None:
            self._witness.gone(*key)
        self._drop(key)

    def _drop(self, key: Key) -> None:
        if key not in self._entries:
            return
        self._leave(key)
        self._kept.pop(key, None)
        fresh = self._fresh.pop(key, None)
        if fresh is not None:
            self._fresh_bytes -= fresh.logits.nbytes
        packed = self._packed.pop(key, None)
        if packed is not None:
            self._packed_bytes -= len(packed)
        self._spilled.drop(key)

    def rest(self) -> None:
        """Leave as little in memory as the disk allows: nobody looks at these results for a while."""
        self.pack()
        with self._spilling:
            self._spill(keep_bytes=0)

    def _spill(self, keep_bytes: int | None = None) -> None:
        """Move results to the file, those written longest ago first, as far as the disk takes them.

        Nothing is locked while the disk is at it: whoever only asks for states does not wait for it.
        """
        keep_bytes = self._memory_limit_bytes if keep_bytes is None else keep_bytes
        while (found := self._next_to_spill(keep_bytes)) is not None:
            key, packed = found
            place = self._spilled.write(packed)
            if place is None:
                return
            with self._lock:
                # Replaced or removed meanwhile, or all of it closed.
                if self._packed.get(key) is packed and self._spilled.enter(key, place):
                    del self._packed[key]
                    self._packed_bytes -= len(packed)

    def _next_to_spill(self, keep_bytes: int) -> tuple[Key, bytes] | None:
        with self._lock:
            while self._packed_bytes > keep_bytes and len(self._packed) > 1:
                key, packed = next(iter(self._packed.items()))
                if key not in self._kept:
                    return key, packed
                del self._packed[key]
                self._packed_bytes -= len(packed)
        return None


def _rename(held: MutableMapping[Key, Any], old: Key, new: Key) -> None:
    if old in held:
        held[new] = held.pop(old)
