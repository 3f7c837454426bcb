"""Memories written, read and rebuilt: the engine's dealings with the network's memory parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from masklet_server.engine.accelerate import Layout
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory, PromptedFrame
from masklet_server.engine.policies.appearance import Appearance
from masklet_server.engine.profile import Profile
from masklet_server.engine.recall import Reach, Recall
from masklet_server.model.devices import moved
from masklet_server.model.network import Decoded, ImageFeatures, Network
from masklet_server.tracking import ObjectFrame, ResultReader

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, eq=False)
class _Read:
    """What one object reads, found: maps with slots, pointers with ages."""

    maps: list[Tensor]
    slots: list[int]
    pointers: list[Tensor]
    ages: list[int]


class MemoryBank:
    """Reads and writes memories of all objects; holds nothing itself."""

    def __init__(
        self,
        network: Network,
        features: FeatureCache,
        results: ResultReader,
        profile: Profile,
        reach: Reach,
        layout: Layout,
    ) -> None:
        self._network = network
        self._features = features
        self._results = results
        self._profile = profile
        self._reach = reach
        self._layout = layout
        self._map_type = {
            "network": network.dtype,
            "bfloat16": torch.bfloat16,
            "float32": torch.float32,
        }[profile.memory_type]

    def attend(
        self, features: ImageFeatures, objects: Sequence[ObjectMemory], recalls: Sequence[Recall]
    ) -> Tensor:
        """``(B, C, h, w)``: the picture as each object's memory makes it look.

        Objects that read equally many maps go in one batch. Fewer pointers are padded, as they
        are few; maps are not, unless the layout asks for it: each costs as much as a real one.
        """
        reads = [self._read(memory, recall) for memory, recall in zip(objects, recalls, strict=True)]
        groups: dict[int, list[int]] = {}
        for index, read in enumerate(reads):
            groups.setdefault(self._layout.maps(len(read.maps)) if read.maps else 0, []).append(index)
        if len(groups) == 1:
            return self._attend_group(features, reads)

        parts: dict[int, Tensor] = {}
        for indices in groups.values():
            conditioned = self._attend_group(features, [reads[index] for index in indices])
            parts.update(zip(indices, conditioned.unbind(0), strict=True))
        return torch.stack([parts[index] for index in range(len(reads))])

    def write_tracked(self, features: ImageFeatures, decoded: Decoded, *, count: int) -> list[FrameMemory]:
        """Memories of the first ``count`` objects of a batch, from masks as soft and as dirty as they are."""
        maps = self._encode(features, decoded.best_logits, decoded.presence_logit, binarise=False)
        memories = []
        for index in range(count):
            # Copies, as a view would keep the whole batch alive when other objects are gone.
            memories.append(
                FrameMemory(
                    pointer=decoded.pointer[index].clone(),
                    presence_logit=decoded.presence_logit[index].clone(),
                    map=maps[index].clone() if len(maps) > 1 else maps[index],
                    logits=decoded.best_logits[index].clone() if self._profile.keep_logits else None,
                )
            )
        return memories

    def write_results(self, features: ImageFeatures, results: Sequence[ObjectFrame]) -> list[FrameMemory]:
        """Memories of stored results of one frame."""
        memories: list[FrameMemory] = []
        for count in self._layout.batches(len(results)):
            part = results[len(memories) : len(memories) + count]
            made = [self._without_map(result) for result in part]
            logits = torch.stack([self._grid(result) for result in part])  # (B, 1, s, s)
            presence = torch.stack([memory.presence_logit for memory in made])  # (B, 1)
            maps = self._encode(
                features, self._layout.padded(logits), self._layout.padded(presence), binarise=False
            )
            for index, memory in enumerate(made):
                # Copies, as a view would keep the whole batch alive when other objects are gone.
                memory.map = maps[index].clone() if len(maps) > 1 else maps[index]
            memories += made
        return memories

    def attend_base(self, features: ImageFeatures, base: Tensor, presence_logit: float) -> Tensor:
        """``(1, C, h, w)``: the picture as a memory of itself makes it look, in which ``base`` is the mask.

        Args:
            features: Of the picture.
            base: ``(1, 1, s, s)``.
            presence_logit: Of the object on it.
        """
        presence = torch.tensor([[presence_logit]], device=self._network.device)
        maps = self._encode(features, base, presence, binarise=True)
        return self._attend_group(features, [_Read([maps[0]], [0], [], [])])

    def write_prompted(self, entry: PromptedFrame) -> FrameMemory:
        """The memory of a prompted frame with its map, written now unless it was before."""
        memory = entry.memory
        if memory is not None and memory.map is not None:
            return memory
        if memory is None:
            memory = self._without_map(entry.result)
            entry.memory = memory
        logits = entry.logits
        if logits is None or self._profile.memories == "results":
            logits = self._grid(entry.result)[None]
        features = self._features.features(entry.prompts.frame)
        memory.map = self._encode(
            features,
            logits.to(self._network.device),
            memory.presence_logit[None],
            binarise=self._profile.binarise_prompted,
        )[0]
        return memory

    def appearance(self, entry: PromptedFrame) -> Appearance | None:
        """What the object looks like on a prompted frame; None where its mask is empty."""
        memory = self.write_prompted(entry)
        if memory.appearance is None:
            features = self._features.features(entry.prompts.frame)
            memory.appearance = Appearance.of(features, self._grid(entry.result)[0])
        return memory.appearance

    def presence_before(self, memory: ObjectMemory, recall: Recall) -> list[float | None]:
        """Presence logits of the frames just before that ``recall`` reads pointers of, the oldest first.

        None for a frame with prompts, behind which nothing counts, as behind one that was not tracked.
        """
        found: list[float | None] = []
        for frame, age in sorted(recall.pointers, key=lambda pointer: pointer[1]):
            if age == 0:
                continue
            if age != len(found) + 1:
                break
            if frame in memory.prompted:
                found.append(None)
                break
            found.append(self.presence(memory, frame))
        return found[::-1]

    def result(self, memory: ObjectMemory, frame: int) -> ObjectFrame | None:
        """What an object has on a frame: of its own, or stored."""
        own = memory.own.get(frame)
        return own if own is not None or memory.unseen else self._results.find(memory.object_id, frame)

    def presence(self, memory: ObjectMemory, frame: int) -> float:
        """The presence logit on a tracked frame; 0 where nothing is known of it any more."""
        held = memory.held.get(frame)
        if held is not None and held.score is not None:
            return held.score
        result = self.result(memory, frame)
        return 0.0 if result is None else result.presence_logit

    def _read(self, memory: ObjectMemory, recall: Recall) -> _Read:
        """Find everything that ``recall`` names, rebuilding what is not held."""
        read = _Read([], [], [], [])
        for frame, slot in recall.maps:
            found = self._memory_with_map(memory, frame)
            if found is not None and found.map is not None:
                read.maps.append(found.map)
                read.slots.append(slot)
        for frame, age in recall.pointers:
            pointer = self._pointer(memory, frame)
            if pointer is not None:
                read.pointers.append(pointer)
                read.ages.append(age)
        return read

    def _memory_with_map(self, memory: ObjectMemory, frame: int) -> FrameMemory | None:
        prompted = memory.prompted.get(frame)
        if prompted is not None:
            return self.write_prompted(prompted)
        held = memory.held.get(frame)
        if held is not None and held.map is not None:
            return held
        result = self.result(memory, frame)
        if result is None:
            return None
        (rebuilt,) = self.write_results(self._features.features(frame), (result,))
        if held is not None:
            rebuilt.pointer = held.pointer
        memory.held[frame] = rebuilt
        return rebuilt

    def _pointer(self, memory: ObjectMemory, frame: int) -> Tensor | None:
        prompted = memory.prompted.get(frame)
        if prompted is not None:
            return (
                self._tensor(prompted.result.pointer) if prompted.memory is None else prompted.memory.pointer
            )
        held = memory.held.get(frame)
        if held is None:
            result = self.result(memory, frame)
            if result is None:
                return None
            held = memory.held[frame] = self._without_map(result)
        return held.pointer

    def _without_map(self, result: ObjectFrame) -> FrameMemory:
        scores = torch.tensor([result.presence_logit], device=self._network.device)
        pointer = self._tensor(result.pointer)
        if pointer.shape != (self._network.config.width,):
            # A locked frame of another network: its mask is a memory here, its pointer is not.
            pointer = self._network.no_obj_ptr[0].detach().float()
        return FrameMemory(pointer, scores, None, score=result.presence_logit)

    def _grid(self, result: ObjectFrame) -> Tensor:
        """``(1, s, s)`` logits; those of another network are brought to this one's grid."""
        return to_grid(self._tensor(result.logits)[None, None], self._network.config.image_side_px)[0]

    def _tensor(self, values: NDArray[np.float16]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self._network.device)

    def _encode(
        self, features: ImageFeatures, logits: Tensor, presence_logit: Tensor, *, binarise: bool
    ) -> Tensor:
        """``(B, M, h, w)`` from logits ``(B, 1, s, s)``, in the type in which maps are kept."""
        side_px = 4 * logits.shape[-1]
        full = functional.interpolate(
            logits.float(), size=(side_px, side_px), mode="bilinear"
        )  # (B, 1, S, S)
        maps = self._network.encode_memory(features.embedding, full, presence_logit, binarise=binarise)
        return maps.to(self._map_type)

    def _attend_group(self, features: ImageFeatures, reads: Sequence[_Read]) -> Tensor:
        """``(B, C, h, w)`` for objects whose layouts have equally many maps."""
        batch = len(reads)
        if not reads[0].maps:
            return self._network.without_memory(features.embedding).expand(batch, -1, -1, -1)
        # Rows that pad the batch repeat the first object; they are cut off again.
        reads = [*reads, *([reads[0]] * (self._layout.objects(batch) - batch))]
        map_count = self._layout.maps(max(len(read.maps) for read in reads))
        pointer_count = self._layout.pointers(max(len(read.pointers) for read in reads))
        empty_map = torch.zeros_like(reads[0].maps[0])
        maps = [torch.stack(_padded(read.maps, map_count, empty_map)) for read in reads]
        pointers = empty_map.new_zeros(
            len(reads), pointer_count, self._network.config.width, dtype=torch.float32
        )
        for row, read in zip(pointers, reads, strict=True):
            if read.pointers:
                row[: len(read.pointers)] = torch.stack(read.pointers)
        slots = [_padded(read.slots, map_count, 0) for read in reads]
        ages = [_padded(read.ages, pointer_count, 0) for read in reads]
        conditioned = self._network.attend_memory(
            features.embedding,
            maps=torch.stack(maps).to(self._network.dtype),  # (B, T, M, h, w)
            slots=self._moved(torch.tensor(slots)),
            pointers=pointers,
            pointer_distance=self._moved(torch.tensor(ages, dtype=torch.float32)),
            max_distance=self._reach.pointer_unit_frames,
            map_valid=self._valid([len(read.maps) for read in reads], map_count),
            pointer_valid=self._valid([len(read.pointers) for read in reads], pointer_count),
        )
        return conditioned[:batch]

    def _valid(self, counts: Sequence[int], size: int) -> Tensor | None:
        """``(B, size)`` bool, True for the first of each row; None where all are."""
        if min(counts) == size:
            return None
        return self._moved(torch.arange(size) < torch.tensor(counts)[:, None])

    def _moved(self, tensor: Tensor) -> Tensor:
        """On the device, without waiting for what it is doing."""
        return moved(tensor, self._network.device)


def to_grid(logits: Tensor, side_px: int) -> Tensor:
    """``(1, 1, s, s)`` logits on the grid of a network of this side."""
    side = side_px // 4
    if logits.shape[-2:] == (side, side):
        return logits
    return functional.interpolate(logits.float(), size=(side, side), mode="bilinear")


def _padded(values: list[ValueT], count: int, filler: ValueT) -> list[ValueT]:
    return values + [filler] * (count - len(values))
