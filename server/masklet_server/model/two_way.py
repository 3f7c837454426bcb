"""The decoder's transformer: tokens attend to the picture, and the picture to the tokens."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.dense import Dense
from masklet_server.model.perceptron import Perceptron

_DEPTH = 2


class TokenAttention(nn.Module):
    """Multi-head attention that may work at a smaller inner width.

    Args:
        width: C.
        heads: H.
        shrink: C divided by the inner width.
    """

    def __init__(self, width: int, heads: int, *, shrink: int = 1) -> None:
        super().__init__()
        inner = width // shrink
        self.heads = heads
        self.q_proj = Dense(width, inner)
        self.k_proj = Dense(width, inner)
        self.v_proj = Dense(width, inner)
        self.out_proj = Dense(inner, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """``(B, N, C)`` queries over ``(B, N', C)`` keys and values, to ``(B, N, C)``."""
        q, k, v = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection, x in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        )  # (B, H, N, D) each
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        y: Tensor = self.out_proj(attended)
        return y


class TwoWayBlock(nn.Module):
    """Tokens among themselves, tokens over the picture, a perceptron, the picture over the tokens."""

    def __init__(self, width: int, heads: int, feed_forward: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = TokenAttention(width, heads)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = TokenAttention(width, heads, shrink=2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Perceptron(width, feed_forward, width)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = TokenAttention(width, heads, shrink=2)

    def forward(
        self, tokens: Tensor, image: Tensor, token_code: Tensor, image_code: Tensor
    ) -> tuple[Tensor, Tensor]:
        """New ``(B, N', C)`` tokens and ``(B, N, C)`` image, positions given beside both."""
        if self.first:
            # The first tokens are their own positions: nothing to add them to.
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            query = tokens + token_code
            tokens = tokens + self.self_attn(query, query, tokens)
        tokens = self.norm1(tokens)

        placed_image = image + image_code
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_code, placed_image, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(placed_image, tokens + token_code, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """Two blocks and a last look of the tokens at the picture.

    Args:
        width: C.
        heads: H.
        feed_forward: Inner width of the perceptrons.
    """

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayBlock(width, heads, feed_forward, first=index == 0) for index in range(_DEPTH)
        )
        self.final_attn_token_to_image = TokenAttention(width, heads, shrink=2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_code: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens ``(B, N', C)`` and image ``(B, N, C)`` after they have seen each other.

        Args:
            image: ``(B, N, C)``.
            image_code: ``(1, N, C)`` positions of the image's tokens.
            tokens: ``(B, N', C)``.
        """
        token_code = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, token_code, image_code)
        seen = self.final_attn_token_to_image(tokens + token_code, image + image_code, image)
        tokens = self.norm_final_attn(tokens + seen)
        return tokens, image
