"""The masks of many single clicks on one picture, computed together.

The decoder of SAM (Kirillov et al. 2023, appendix A) sees a picture as N tokens and a click as a handful. One
by one, each click has the N tokens projected anew. Here

- what depends on the picture alone is computed once: all of the first layer's projections;
- elsewhere projections of N tokens are moved to the few: ``q (x W)ᵀ = (q Wᵀ) xᵀ``, ``a (x W) = (a x) W``;
- masks are drawn only of the clicks that are asked for once their expected IoUs are known.

The same function as :meth:`masklet_server.model.network.Network.predict`, up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet_server.model.network import ImageFeatures, Network
from masklet_server.model.two_way import TokenAttention, TwoWayBlock

_MASKS = 3
"""Of an ambiguous prompt, as one click is: the part, the thing, and what holds it."""


@dataclass(frozen=True, eq=False)
class ClickAnswers:
    """What the decoder says of B clicks before any mask is drawn.

    Attributes:
        ious: ``(B, 3)`` expected IoU of each mask, float32.
        presence_logit: ``(B, 1)``, float32.
        filters: ``(B, 3, C/8)``.
        image: ``(B, N, C)``: the picture as each click has it.
    """

    ious: Tensor
    presence_logit: Tensor
    filters: Tensor
    image: Tensor


class ManyClicks:
    """One picture, to be clicked on.

    Args:
        network: In evaluation mode.
        features: Of one picture.
    """

    def __init__(self, network: Network, features: ImageFeatures) -> None:
        self._network = network
        self._features = features
        self._decoder = network.sam_mask_decoder
        self._grid = features.embedding.shape[-2:]
        encoder = network.sam_prompt_encoder
        image = network.without_memory(features.embedding) + encoder.no_mask()
        self._code = encoder.pe_layer.grid(*self._grid).to(image.dtype).flatten(2)[0].T  # (N, C)
        self._image = image.flatten(2)[0].T.contiguous()  # (N, C)
        self._first, self._second = (cast(TwoWayBlock, each) for each in self._decoder.transformer.layers)
        placed = self._image + self._code
        looking, back = self._first.cross_attn_token_to_image, self._first.cross_attn_image_to_token
        self._keys = _heads(looking, looking.k_proj(placed))  # (H, N, D)
        self._values = _heads(looking, looking.v_proj(self._image))  # (H, N, D)
        self._queries = _heads(back, back.q_proj(placed))  # (H, N, D)

    @property
    def held_bytes(self) -> int:
        """What is held of the picture beside its features."""
        return sum(each.nbytes for each in (self._image, self._keys, self._values, self._queries))

    def answers(self, points: Tensor) -> ClickAnswers:
        """What is said of clicks at ``points`` ``(B, 2)``: x, y as for :meth:`Network.decode`."""
        network, decoder = self._network, self._decoder
        labels = torch.ones(len(points), 1, dtype=torch.int64, device=points.device)
        side_px = 16 * self._grid[0]
        prompts = network.sam_prompt_encoder.points(points[:, None], labels, side_px=side_px)  # (B, 2, C)
        own = torch.cat(
            (decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight)
        )
        code = torch.cat((own.expand(len(points), -1, -1), prompts), dim=1)  # (B, T, C)

        first, second = self._first, self._second
        tokens = first.norm1(first.self_attn(code, code, code))
        tokens = first.norm2(tokens + self._look_at_picture(tokens + code))
        tokens = first.norm3(tokens + first.mlp(tokens))
        image = first.norm4(self._look_back(tokens + code, tokens))  # (B, N, C)

        query = tokens + code
        tokens = second.norm1(tokens + second.self_attn(query, query, tokens))
        placed = image + self._code
        looking, back = second.cross_attn_token_to_image, second.cross_attn_image_to_token
        tokens = second.norm2(tokens + _few_to_many(looking, tokens + code, placed, image))
        tokens = second.norm3(tokens + second.mlp(tokens))
        image = second.norm4(_many_to_few(back, placed, tokens + code, tokens, image))

        transformer = decoder.transformer
        seen = _few_to_many(transformer.final_attn_token_to_image, tokens + code, image + self._code, image)
        tokens = transformer.norm_final_attn(tokens + seen)
        ious = torch.sigmoid(decoder.iou_prediction_head(tokens[:, 1]))
        filters = decoder.filters(tokens[:, 2 : 3 + _MASKS])
        return ClickAnswers(
            ious[:, 1:].float(), decoder.pred_obj_score_head(tokens[:, 0]).float(), filters[:, 1:], image
        )

    def masks(self, answers: ClickAnswers, rows: Tensor) -> Tensor:
        """``(R, 3, 4h, 4w)`` float32 logits of the clicks at ``rows`` ``(R,)``."""
        image = _split_last(answers.image[rows].transpose(1, 2), *self._grid)
        skips = self._features
        return self._decoder.masks(image, answers.filters[rows], skips.skip8, skips.skip4).float()

    def _look_at_picture(self, query: Tensor) -> Tensor:
        """``(B, T, C)``: what tokens see of the picture as it is for all of them."""
        attention = self._first.cross_attn_token_to_image
        q = _heads(attention, attention.q_proj(query).flatten(0, 1))  # (H, B * T, D)
        seen = F.scaled_dot_product_attention(q[None], self._keys[None], self._values[None])[0]
        y: Tensor = attention.out_proj(seen.transpose(0, 1).flatten(1))
        return y.view(query.shape)

    def _look_back(self, key: Tensor, value: Tensor) -> Tensor:
        """``(B, N, C)``: the picture, the same for all, with what it sees of each click's tokens."""
        attention = self._first.cross_attn_image_to_token
        keys = _split_last(attention.k_proj(key), attention.heads, -1).transpose(1, 2)  # (B, H, T, D)
        scores = (keys * keys.shape[-1] ** -0.5) @ self._queries.transpose(-1, -2)  # (B, H, T, N)
        return _spread(attention, torch.softmax(scores, dim=2), value, self._image)


def _split_last(values: Tensor, *sizes: int) -> Tensor:
    """The last dimension as several."""
    return values.reshape(*values.shape[:-1], *sizes)


def _heads(attention: TokenAttention, values: Tensor) -> Tensor:
    """``(N, C')`` as ``(H, N, D)``."""
    return _split_last(values, attention.heads, -1).transpose(0, 1).contiguous()


def _few_to_many(attention: TokenAttention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What ``(B, T, C)`` queries see of ``(B, N, C)``; keys and values are never projected."""
    heads, count = attention.heads, query.shape[1]
    q = _split_last(attention.q_proj(query), heads, -1).transpose(1, 2)  # (B, H, T, D)
    inner = q.shape[-1]
    # What keys share through their bias moves all of a query's scores alike, and is left out.
    moved = q @ attention.k_proj.weight.view(heads, inner, -1)  # (B, H, T, C)
    scores = moved.flatten(1, 2) @ key.transpose(1, 2)  # (B, H * T, N)
    seen = torch.softmax(scores * inner**-0.5, dim=-1) @ value  # (B, H * T, C)
    weight = attention.v_proj.weight.view(heads, inner, -1).transpose(1, 2)  # (H, C, D)
    values = seen.view(len(seen), heads, count, -1) @ weight  # (B, H, T, D)
    y: Tensor = attention.out_proj(values.transpose(1, 2).flatten(2) + attention.v_proj.bias)
    return y


def _many_to_few(
    attention: TokenAttention, query: Tensor, key: Tensor, value: Tensor, image: Tensor
) -> Tensor:
    """``(B, N, C)`` image with what its queries see of ``(B, T, C)``; queries are never projected."""
    heads, count = attention.heads, key.shape[1]
    keys = _split_last(attention.k_proj(key), heads, -1).transpose(1, 2)  # (B, H, T, D)
    inner = keys.shape[-1]
    keys = keys * inner**-0.5
    moved = keys @ attention.q_proj.weight.view(heads, inner, -1)  # (B, H, T, C)
    bias = keys @ attention.q_proj.bias.view(heads, inner, 1)  # (B, H, T, 1)
    scores = torch.baddbmm(bias.flatten(1, 2), moved.flatten(1, 2), query.transpose(1, 2))  # (B, H * T, N)
    share = torch.softmax(scores.view(len(scores), heads, count, -1), dim=2)
    return _spread(attention, share, value, image)


def _spread(attention: TokenAttention, share: Tensor, value: Tensor, image: Tensor) -> Tensor:
    """``(B, N, C)`` image with shares ``(B, H, T, N)`` of ``(B, T, C)``, projected while they are few."""
    heads, batch = attention.heads, len(share)
    values = _split_last(attention.v_proj(value), heads, -1).transpose(1, 2)  # (B, H, T, D)
    weight = attention.out_proj.weight.T.reshape(heads, values.shape[-1], -1)  # (H, D, C)
    # The shares of each head add up to one: a part of the bias with each of its values is all of it.
    moved = values @ weight + attention.out_proj.bias / heads  # (B, H, T, C)
    shares = share.flatten(1, 2).transpose(1, 2)  # (B, N, H * T)
    return torch.baddbmm(image.expand(batch, -1, -1), shares, moved.flatten(1, 2))
