"""Every way in which torch says that memory is full becomes one error, which holds nothing."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.workspace import Workspace
from masklet_server.tracking import DeviceMemoryError

CPU = torch.device("cpu")


def test_a_processor_without_memory_says_so() -> None:
    with pytest.raises(DeviceMemoryError):
        Workspace(CPU).run(lambda: torch.empty(1 << 50, dtype=torch.uint8))


def test_a_gpu_without_memory_says_so_and_nothing_of_the_call_is_held() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def call() -> None:
        large = torch.zeros(1000)
        held.append(weakref.ref(large))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceMemoryError) as raised:
        Workspace(CPU).run(call)

    assert raised.value.__context__ is None
    gc.collect()
    assert held[0]() is None


def test_other_faults_stay_what_they_are() -> None:
    def call() -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        Workspace(CPU).run(call)


def test_memories_move_as_a_whole() -> None:
    def memory() -> FrameMemory:
        return FrameMemory(torch.zeros(4), torch.zeros(1), torch.zeros(2, 3, 3), torch.zeros(1, 8, 8))

    owner = ObjectMemory(1)
    owner.held = {1: memory(), 2: FrameMemory(torch.zeros(4), torch.zeros(1), None)}
    size_bytes = owner.held_bytes

    owner.move(torch.device("meta"))

    for each in owner.held.values():
        tensors = (each.pointer, each.presence_logit, each.map, each.logits)
        assert {tensor.device.type for tensor in tensors if tensor is not None} == {"meta"}
    assert owner.held_bytes == size_bytes
