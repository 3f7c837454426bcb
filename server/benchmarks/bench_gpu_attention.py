"""The forms of cross-attention over full memories, each timed and checked against float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench_gpu_speed import Setup
from bench_official import MEMORIES, POINTERS

from masklet_server.model.memory_attention import MemoryAttention

_WIDTH, _MEMORY_WIDTH = 256, 64


def attention_lines(setup: Setup) -> Iterator[dict[str, Any]]:
    """One line per number of objects and form, with its error and what it makes of the device."""
    attention = MemoryAttention(_WIDTH, _MEMORY_WIDTH, 2048, 4).eval().requires_grad_(False)
    attention.to(setup.device, setup.dtype)
    side = setup.side_px // 16
    pointer_tokens = POINTERS * _WIDTH // _MEMORY_WIDTH
    for objects in (1, 4, 16) if setup.cuda else (1, 2):
        # The products of scores and of values, two operations each.
        keys = MEMORIES * side**2 + pointer_tokens
        operations = 2 * objects * side**2 * keys * (_WIDTH + _MEMORY_WIDTH)
        trials = attention.measure_attention(
            objects,
            side=side,
            maps=MEMORIES,
            pointer_tokens=pointer_tokens,
            candidates=None if setup.cuda else {},
        )
        for trial in trials:
            yield {
                "case": "attention",
                "objects": objects,
                "form": trial.name,
                "ms": None if trial.ms is None else round(trial.ms, 4),
                "tflops": None if trial.ms is None else round(operations / trial.ms / 1e9, 1),
                "largest_error": trial.error,
                "left_out": trial.reason,
            }
