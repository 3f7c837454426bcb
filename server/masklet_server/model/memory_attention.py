"""The current frame looks at what is remembered of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masklet_server.model.attention import attend
from masklet_server.model.attention_choice import AttentionChoice, Form, Trial
from masklet_server.model.dense import Dense, feed_forward
from masklet_server.model.position import TableCache, rotary_grid, rotate, sine_grid

_QUERY_POSITION_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Memory:
    """Everything an object's frame attends to, as tokens.

    Attributes:
        values: ``(B, L, M)``: tokens of T maps, then those of the pointers.
        codes: ``(B, L, M)``: where and when each of them is, added to make keys.
        spatial: How many of the L tokens belong to maps; only these turn with their position.
        valid: ``(B, L)`` bool or None: False where a token stands for nothing.
    """

    values: Tensor
    codes: Tensor
    spatial: int
    valid: Tensor | None


class RotaryAttention(nn.Module):
    """Attention with one head and rotary positions.

    Args:
        width: C, of queries and keys.
        memory_width: Of what is attended to: C or M.
    """

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__()
        self.q_proj = Dense(width, width)
        self.k_proj = Dense(memory_width, width)
        self.v_proj = Dense(memory_width, width)
        self.out_proj = Dense(width, width)
        self.choice: AttentionChoice | None = None

    def among(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Self-attention, ``(B, N, C)`` to the same."""
        q, k = rotate(self.q_proj(x), rotation), rotate(self.k_proj(x), rotation)
        y: Tensor = self.out_proj(attend(q, k, self.v_proj(x)))
        return y

    def over(self, x: Tensor, memory: Memory, rotation: Tensor) -> Tensor:
        """Cross-attention of ``(B or 1, N, C)`` over a memory, to ``(B, N, C)``."""
        q = rotate(self.q_proj(x), rotation)
        k = self.k_proj(memory.values + memory.codes)  # (B, L, C)
        maps = k[:, : memory.spatial].unflatten(1, (-1, x.shape[1]))  # (B, T, N, C)
        turned = rotate(maps, rotation)
        if turned is not maps:
            k = torch.cat((turned.flatten(1, 2), k[:, memory.spatial :]), dim=1)
        # The values' projection is linear and the weights sum to one, so it can wait until
        # after the attention, which then carries M instead of C channels.
        seen = attend(q, k, memory.values, valid=memory.valid, choice=self.choice)  # (B, N, M)
        y: Tensor = self.out_proj(self.v_proj(seen))
        return y


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention over the memory, feed-forward; norms before each."""

    def __init__(self, width: int, memory_width: int, feed_forward: int) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(width, width)
        self.cross_attn_image = RotaryAttention(width, memory_width)
        self.linear1 = Dense(width, feed_forward)
        self.linear2 = Dense(feed_forward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Memory, rotation: Tensor) -> Tensor:
        """``(B or 1, N, C)`` to ``(B, N, C)``."""
        x = x + self.self_attn.among(self.norm1(x), rotation)
        x = x + self.cross_attn_image.over(self.norm2(x), memory, rotation)
        result: Tensor = x + feed_forward(self.norm3(x), self.linear1, self.linear2, "relu")
        return result


class MemoryAttention(nn.Module):
    """Layers in a row, and the positions they need.

    Args:
        width: C.
        memory_width: M.
        feed_forward: Inner width of the layers.
        layers: How many.
    """

    def __init__(self, width: int, memory_width: int, feed_forward: int, layers: int) -> None:
        super().__init__()
        self.memory_width = memory_width
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(width, memory_width, feed_forward) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self._tables = TableCache()
        self._choice: AttentionChoice | None = None

    def measure_attention(
        self,
        batch: int,
        *,
        side: int,
        maps: int,
        pointer_tokens: int,
        candidates: Mapping[str, Form] | None = None,
    ) -> list[Trial]:
        """Find the fastest form of attention over full memories on the device of the weights.

        Args:
            batch: B.
            side: Of the grid.
            maps: T.
            pointer_tokens: Of all pointers of an object.
            candidates: Forms beside the plain one; those that this device may have without.
        """
        if self._choice is None:
            self._choice = AttentionChoice()
            for layer in self.layers:
                assert isinstance(layer, MemoryAttentionLayer)
                layer.cross_attn_image.choice = self._choice
        weight, tokens = self.norm.weight, side * side
        query = torch.randn(batch, tokens, weight.shape[0], device=weight.device, dtype=weight.dtype)
        key = query.new_empty(batch, maps * tokens + pointer_tokens, weight.shape[0]).normal_()
        return self._choice.measure(query, key, key[..., : self.memory_width].contiguous(), candidates)

    def forward(self, embedding: Tensor, memory: Memory) -> Tensor:
        """Condition an embedding on memories.

        Args:
            embedding: ``(B or 1, C, h, w)``. A batch of 1 serves all B objects of the memory, and
                is computed once for them as far as the memory does not enter.
            memory: Of B objects.

        Returns:
            ``(B, C, h, w)``.
        """
        rows, columns = embedding.shape[-2:]
        place, rotation = self.frame_place(rows, columns, embedding.device)
        x = embedding + _QUERY_POSITION_SHARE * place.to(embedding.dtype)
        x = x.flatten(2).transpose(1, 2)  # (B or 1, N, C)
        for layer in self.layers:
            x = layer(x, memory, rotation)
        x = self.norm(x)
        result: Tensor = x.transpose(1, 2).unflatten(-1, (rows, columns))
        return result  # (B, C, h, w)

    def frame_place(self, rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Where each token of a frame is: sine code ``(C, h, w)``, rotations ``(2, N, C / 2)``."""
        width = self.norm.normalized_shape[0]
        return (
            self._tables.get(
                ("sine", rows, columns, device), lambda: sine_grid(rows, columns, width, device=device)
            ),
            self._tables.get(
                ("rotary", rows, columns, device), lambda: rotary_grid(rows, columns, width, device=device)
            ),
        )

    def map_place(self, rows: int, columns: int, device: torch.device) -> Tensor:
        """Where each token of a memory map is, ``(N, M)``."""

        def build() -> Tensor:
            grid = sine_grid(rows, columns, self.memory_width, device=device)
            return grid.flatten(1).T.contiguous()

        return self._tables.get(("map", rows, columns, device), build)
