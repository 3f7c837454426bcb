from __future__ import annotations

import torch

from masklet_server.model.memory_attention import Memory, MemoryAttention


@torch.inference_mode()
def test_memory_attention_compiles_without_a_break_and_stays_the_same() -> None:
    torch.manual_seed(0)
    attention = MemoryAttention(width=16, memory_width=8, feed_forward=16, layers=1)
    embedding = torch.randn(1, 16, 2, 2)
    memory = Memory(torch.randn(2, 10, 8), torch.randn(2, 10, 8), spatial=8, valid=None)
    eager = attention(embedding, memory)

    # The tracer alone decides whether the code can be compiled; the back end would only cost time.
    attention.compile(backend="eager", fullgraph=True)

    assert torch.allclose(attention(embedding, memory), eager, atol=1e-5)
