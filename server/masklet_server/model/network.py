"""The whole network: pictures and prompts in, masks, pointers and memories out.

It holds no state over time: which memories an object attends to is the engine's to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet_server.model.config import NetworkConfig
from masklet_server.model.dense import Dense
from masklet_server.model.devices import Operation, perform
from masklet_server.model.mask_decoder import MaskDecoder, MaskPredictions, stability
from masklet_server.model.memory_attention import Memory, MemoryAttention
from masklet_server.model.memory_encoder import MemoryEncoder
from masklet_server.model.neck import ImageEncoder
from masklet_server.model.perceptron import Perceptron
from masklet_server.model.position import sine_of_distance
from masklet_server.model.prompt_encoder import PADDING, PromptEncoder

ABSENT_LOGIT: Final = -1024.0
"""Stands in every pixel of a mask whose object is absent."""

# A mask enters the memory, and leaves as output, with these logits inside and outside.
_MASK_SCALE, _MASK_BIAS = 20.0, -10.0
_STABILITY_MARGIN, _STABILITY_THRESHOLD = 0.05, 0.98


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What the image encoder makes of B pictures.

    Attributes:
        embedding: ``(B, C, h, w)`` at stride 16, without anything of the memory.
        skip8: ``(B, C/4, 2h, 2w)`` for the decoder.
        skip4: ``(B, C/8, 4h, 4w)`` for the decoder.
    """

    embedding: Tensor
    skip8: Tensor
    skip4: Tensor

    def expand(self, batch: int) -> ImageFeatures:
        """One picture for ``batch`` objects; nothing is copied."""
        return ImageFeatures(
            self.embedding.expand(batch, -1, -1, -1),
            self.skip8.expand(batch, -1, -1, -1),
            self.skip4.expand(batch, -1, -1, -1),
        )

    def select(self, indices: Tensor) -> ImageFeatures:
        """The pictures at ``indices`` ``(B',)``, in that order."""
        return ImageFeatures(self.embedding[indices], self.skip8[indices], self.skip4[indices])


@dataclass(frozen=True, eq=False)
class Decoded:
    """Masks of B objects, in float32.

    Attributes:
        logits: ``(B, K, 4h, 4w)`` all masks that were asked for: 3 with ``multimask``, else 1.
        ious: ``(B, K)`` expected IoU of each.
        best_logits: ``(B, 1, 4h, 4w)`` the one expected to be best.
        best_iou: ``(B,)``.
        pointer: ``(B, C)`` the object's summary on this frame.
        tokens: ``(B, K, C)`` what pointers of all these masks are made of.
        presence_logit: ``(B, 1)`` positive when the object is believed visible.
    """

    logits: Tensor
    ious: Tensor
    best_logits: Tensor
    best_iou: Tensor
    pointer: Tensor
    tokens: Tensor
    presence_logit: Tensor

    def first(self, batch: int) -> Decoded:
        """The first ``batch`` objects; nothing is copied."""
        return Decoded(**{name: values[:batch] for name, values in vars(self).items()})

    @staticmethod
    def joined(parts: Sequence[Decoded]) -> Decoded:
        """Batches one after the other; a single one is not copied."""
        if len(parts) == 1:
            return parts[0]
        return Decoded(**{name: torch.cat([vars(part)[name] for part in parts]) for name in vars(parts[0])})


class Network(nn.Module):
    """A member of the SAM 2 family. Parameter names are those of the published weights.

    Args:
        config: Which member.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width, memory_width = config.width, config.memory_width
        self.image_encoder = ImageEncoder(config.trunk, width)
        self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        self.memory_attention = MemoryAttention(
            width, memory_width, config.memory_feed_forward, config.memory_layers
        )
        self.memory_encoder = MemoryEncoder(width, memory_width, config.memory_mask_channels)
        self.sam_prompt_encoder = PromptEncoder(width)
        self.sam_mask_decoder = MaskDecoder(width, config.decoder_heads, config.decoder_feed_forward)
        self.obj_ptr_proj = Perceptron(width, width, width, width)

        self.maskmem_tpos_enc = _embedding(config.memory_frames, 1, 1, memory_width)
        self.no_mem_embed = _embedding(1, 1, width)
        # Published weights carry it, and nothing reads it.
        self.no_mem_pos_enc = _embedding(1, 1, width)
        self.no_obj_ptr = _embedding(1, width)
        if config.pointer_time == "signed":
            self.no_obj_embed_spatial = _embedding(1, memory_width)
            self.obj_ptr_tpos_proj = Dense(width, memory_width)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.no_mem_embed.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are stored in."""
        return self.no_mem_embed.dtype

    def encode_image(self, images: Tensor) -> ImageFeatures:
        """Features of ``(B, 3, S, S)`` normalised pictures; S may be any multiple of 32."""
        encoder, decoder = self.image_encoder, self.sam_mask_decoder
        maps = encoder.trunk(images.to(self.dtype))
        return ImageFeatures(
            embedding=encoder.neck(maps),
            skip8=encoder.neck.level(8).followed_by(decoder.conv_s1, maps[1]),
            skip4=encoder.neck.level(4).followed_by(decoder.conv_s0, maps[0]),
        )

    def without_memory(self, embedding: Tensor) -> Tensor:
        """The conditioned embedding of a prompted frame that has no memory to look at."""
        return embedding + self.no_mem_embed[0, :, :, None, None]

    def decode(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        *,
        points: Tensor | None,
        labels: Tensor | None,
        mask_logits: Tensor | None,
        multimask: bool,
        stability_fallback: bool,
    ) -> Decoded:
        """Segment B objects.

        Args:
            features: Of the picture, batch B or 1; only its skips are read.
            embedding: ``(B or 1, C, h, w)``, conditioned.
            points: ``(B, N, 2)`` x, y in pixels of the S-square, as clicked (the half pixel to the
                centre is added here), or None.
            labels: ``(B, N)``: 1 positive, 0 negative, 2 and 3 a box's corners, -1 padding. Box
                corners come first.
            mask_logits: ``(B, 1, 4h, 4w)`` an earlier mask to refine, or None.
            multimask: Return the three masks for an ambiguous prompt, not the one for a clear one.
            stability_fallback: Where the clear prompt's mask hangs on its threshold, take the best
                of the other three instead. Without effect with ``multimask`` and in training.
        """
        predictions = self.predict(features, embedding, points, labels, mask_logits)

        logits, ious = predictions.logits.float(), predictions.ious.float()
        presence_logit = predictions.presence_logit.float()
        present = presence_logit > 0  # (B, 1)
        best = 1 + ious[:, 1:].argmax(-1)  # (B,)
        if multimask:
            chosen, pointer_source = best, best
            logits, ious, first = logits[:, 1:], ious[:, 1:], 1
            tokens = predictions.tokens[:, 1:]
        else:
            chosen = torch.zeros_like(best)
            # Later frames were trained on the single mask's token, whichever mask is shown.
            pointer_source = chosen
            if stability_fallback and not self.training:
                stable = stability(logits[:, 0], margin=_STABILITY_MARGIN) >= _STABILITY_THRESHOLD
                chosen = torch.where(stable, chosen, best)
            logits, ious, first = _pick(logits, chosen), _pick(ious, chosen), None
            tokens = _pick(predictions.tokens, pointer_source)
        if not self.training:
            logits = torch.where(present[:, :, None, None], logits, ABSENT_LOGIT)

        pointer = self.obj_ptr_proj(_pick(predictions.tokens, pointer_source)[:, 0])
        pointer = torch.where(present, pointer, self.no_obj_ptr).float()
        return Decoded(
            logits=logits,
            ious=ious,
            best_logits=logits if first is None else _pick(logits, chosen - first),
            best_iou=ious[:, 0] if first is None else _pick(ious, chosen - first)[:, 0],
            pointer=pointer,
            tokens=tokens,
            presence_logit=presence_logit,
        )

    def pointers(self, tokens: Tensor, presence_logit: Tensor) -> Tensor:
        """``(B, C)`` pointers of masks from their tokens ``(B, C)``; nobody's where the object is absent."""
        pointer = self.obj_ptr_proj(tokens.to(self.dtype))
        return torch.where(presence_logit > 0, pointer, self.no_obj_ptr).float()

    def predict(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        points: Tensor | None,
        labels: Tensor | None,
        mask_logits: Tensor | None,
    ) -> MaskPredictions:
        """Everything the decoder says of B objects; arguments as for :meth:`decode`."""
        batch = max(x.shape[0] for x in (embedding, points, mask_logits) if x is not None)
        grid = embedding.shape[-2:]
        encoder = self.sam_prompt_encoder
        if points is None or labels is None:
            points = embedding.new_zeros(batch, 1, 2)
            labels = torch.full((batch, 1), PADDING, device=embedding.device)
        prompts = encoder.points(points, labels, side_px=16 * grid[0])  # (B, N + 1, C)
        dense = encoder.no_mask() if mask_logits is None else encoder.mask(mask_logits)
        image = (embedding + dense).expand(batch, -1, -1, -1)  # (B, C, h, w)
        code = encoder.pe_layer.grid(*grid).to(image.dtype)
        predictions: MaskPredictions = self.sam_mask_decoder(
            image, code, prompts, features.skip8, features.skip4
        )
        return predictions

    def decode_mask(self, features: ImageFeatures, mask: Tensor) -> Decoded:
        """Take a mask that was given as what it is, and make the object's pointer from it.

        Args:
            features: Of the picture, batch B or 1.
            mask: ``(B, 1, S, S)``, 0 or 1.
        """
        mask = mask.float()
        side = mask.shape[-1] // 4
        smooth = partial(F.interpolate, size=(side, side), mode="bilinear", antialias=True)
        logits = perform(Operation.SMOOTH_RESIZE, smooth, _MASK_SCALE * mask + _MASK_BIAS)
        decoded = self.decode(
            features,
            features.embedding,
            points=None,
            labels=None,
            mask_logits=self.mask_downsample(mask.to(self.dtype)),
            multimask=False,
            stability_fallback=False,
        )
        present = (mask.flatten(1) > 0).any(1, keepdim=True)  # (B, 1)
        certain = torch.ones_like(mask[:, 0, 0, :1])  # (B, 1)
        return Decoded(
            logits=logits,
            ious=certain,
            best_logits=logits,
            best_iou=certain[:, 0],
            pointer=torch.where(present, decoded.pointer, self.no_obj_ptr.float()),
            tokens=decoded.tokens,
            presence_logit=_MASK_SCALE * present.float() + _MASK_BIAS,
        )

    def encode_memory(
        self, embedding: Tensor, mask_logits: Tensor, presence_logit: Tensor, *, binarise: bool
    ) -> Tensor:
        """What to remember of a frame for B objects.

        Args:
            embedding: ``(B or 1, C, h, w)``, raw.
            mask_logits: ``(B, 1, S, S)``.
            presence_logit: ``(B, 1)``.
            binarise: Remember the mask's hard form: for frames whose mask the artist shaped.

        Returns:
            ``(B, M, h, w)``.
        """
        mask = (mask_logits > 0).to(self.dtype) if binarise else torch.sigmoid(mask_logits).to(self.dtype)
        memory = self.fuse(embedding, _MASK_SCALE * mask + _MASK_BIAS)
        if self.config.pointer_time == "signed":
            absent = (presence_logit <= 0).to(memory.dtype)  # (B, 1)
            memory = memory + (absent * self.no_obj_embed_spatial)[:, :, None, None]
        return memory

    def fuse(self, embedding: Tensor, mask: Tensor) -> Tensor:
        """``(B, M, h, w)`` from a raw embedding ``(B or 1, C, h, w)`` and scaled masks ``(B, 1, S, S)``."""
        memory: Tensor = self.memory_encoder(embedding, mask)
        return memory

    def attend_memory(
        self,
        embedding: Tensor,
        *,
        maps: Tensor,
        slots: Tensor,
        pointers: Tensor,
        pointer_distance: Tensor,
        max_distance: float,
        map_valid: Tensor | None = None,
        pointer_valid: Tensor | None = None,
    ) -> Tensor:
        """Condition a frame on the memories of B objects.

        Args:
            embedding: ``(B or 1, C, h, w)``, raw. Give a batch of 1 when all objects are in one
                picture: what does not depend on the object is then computed once.
            maps: ``(B, T, M, h, w)``.
            slots: ``(B, T)`` integers, indices into the temporal codes: the last one for prompted
                frames, 0 for the frame just before.
            pointers: ``(B, P, C)``; P may be 0.
            pointer_distance: ``(B, P)`` frames between the pointer's frame and this one.
            max_distance: Distance that counts as 1: pointers attended at most, or frames of the
                clip if fewer, less one.
            map_valid: ``(B, T)`` bool, False for empty slots; None when all are filled.
            pointer_valid: ``(B, P)`` bool likewise.

        Returns:
            ``(B, C, h, w)``.
        """
        batch, count, memory_width, rows, columns = maps.shape
        maps = maps.to(self.dtype).flatten(3).transpose(2, 3)  # (B, T, N, M)
        place = self.memory_attention.map_place(rows, columns, maps.device).to(maps.dtype)  # (N, M)
        when = self.maskmem_tpos_enc.flatten(1)[slots]  # (B, T, M)
        map_codes = place + when[:, :, None]  # (B, T, N, M)

        pointer_tokens = pointers.to(self.dtype).reshape(batch, -1, memory_width)  # (B, P * C/M, M)
        per_pointer = self.config.width // memory_width
        if self.config.pointer_time == "signed":
            distance = pointer_distance.float() / max(max_distance, 1.0)
            code = sine_of_distance(distance, self.config.width).to(self.dtype)  # (B, P, C)
            pointer_codes = self.obj_ptr_tpos_proj(code).repeat_interleave(per_pointer, dim=1)
        else:
            pointer_codes = torch.zeros_like(pointer_tokens)

        valid = None
        if map_valid is not None or pointer_valid is not None:
            if map_valid is None:
                map_valid = torch.ones(batch, count, dtype=torch.bool, device=maps.device)
            if pointer_valid is None:
                pointer_valid = torch.ones(pointers.shape[:2], dtype=torch.bool, device=maps.device)
            valid = torch.cat(
                (
                    map_valid.repeat_interleave(rows * columns, dim=1),
                    pointer_valid.repeat_interleave(per_pointer, dim=1),
                ),
                dim=1,
            )  # (B, L)
        memory = Memory(
            values=torch.cat((maps.flatten(1, 2), pointer_tokens), dim=1),
            codes=torch.cat((map_codes.flatten(1, 2), pointer_codes), dim=1),
            spatial=count * rows * columns,
            valid=valid,
        )
        conditioned: Tensor = self.memory_attention(embedding, memory)
        return conditioned


def build_network(config: NetworkConfig) -> Network:
    """A network with fresh random weights, in float32 on the CPU, in training mode."""
    return Network(config)


def _embedding(*shape: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=0.02))


def _pick(x: Tensor, index: Tensor) -> Tensor:
    """``(B, K, ...)`` at ``index`` ``(B,)`` of its second dimension, ``(B, 1, ...)``."""
    return x[torch.arange(x.shape[0], device=x.device), index][:, None]
