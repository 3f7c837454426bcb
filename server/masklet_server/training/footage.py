"""Annotated footage as a source of training clips: windows in time, crops, mirror images, exposures.

Shape letters as in ``clips``; K is the side of kept pictures.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import torch

from masklet.errors import BadInputError
from masklet_server.training.clips import ClipBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from masklet_server.training.clips import ClipSource


class Shot(Protocol):
    """One annotated shot."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def frames(self) -> Sequence[int]:
        """Annotated frames, ascending."""

    def picture(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """``(h, w, 3)`` display-referred sRGB: uint8, or float32 from 0 to 1."""

    def masks(self, frame: int) -> Mapping[int, NDArray[np.bool_]]:
        """``(h, w)`` by object id; objects without an entry are not annotated on this frame."""


@dataclass(frozen=True)
class FootageConfig:
    """How clips are taken from footage.

    Attributes:
        kept_side_px: K; pictures are kept as squares of this side.
        kept_bytes: Pictures and masks kept at most; others are read again.
        largest_step: Annotated frames from one frame of a clip to the next, 1 to this.
        smallest_crop: Smallest share of width and height that a crop shows.
        exposure: Standard deviation of a clip's gain, as a logarithm.
        smallest_area: Share of the frame that an object must show on frame 0 to count as valid.
    """

    kept_side_px: int = 512
    kept_bytes: int = 1 << 30
    largest_step: int = 2
    smallest_crop: float = 0.6
    exposure: float = 0.15
    smallest_area: float = 0.0008


@dataclass(frozen=True, eq=False)
class _Plate:
    """A frame as it is kept."""

    picture: NDArray[np.uint8]  # (K, K, 3)
    coverage: Mapping[int, NDArray[np.uint8]]  # (K, K) by object id

    @property
    def kept_bytes(self) -> int:
        return self.picture.nbytes + sum(one.nbytes for one in self.coverage.values())


class FootageClips:
    """An endless source of clips cut from annotated shots.

    Args:
        shots: At least one.
        device: Where clips are wanted.
        seed: The same seed gives the same clips.
        config: How they are cut.

    Raises:
        BadInputError: No shot has an annotated frame.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        *,
        device: torch.device | str = "cpu",
        seed: int,
        config: FootageConfig | None = None,
    ) -> None:
        self._shots = [shot for shot in shots if len(shot.frames)]
        if not self._shots:
            raise BadInputError("There is no annotated footage to train on: add finished shots first.")
        self._device = torch.device(device)
        self._config = config or FootageConfig()
        self._generator = torch.Generator().manual_seed(seed)
        self._kept: OrderedDict[tuple[int, int], _Plate] = OrderedDict()
        self._used_bytes = 0

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """New clips: see :class:`masklet_server.training.clips.ClipSource`.

        Raises:
            BadInputError: An annotation is broken.
            ClipError: A picture cannot be read.
        """
        images = np.empty((batch, frames, side_px, side_px, 3), np.float32)
        alphas = np.zeros((batch, frames, objects, side_px, side_px), np.uint8)
        for clip in range(batch):
            self._cut(images[clip], alphas[clip])
        coverage = torch.from_numpy(alphas).to(self._device)
        masks = coverage > 127
        area = masks[:, 0].flatten(2).float().mean(dim=2)  # (B, O)
        pictures = torch.from_numpy(images).permute(0, 1, 4, 2, 3).contiguous()  # (B, T, 3, S, S)
        return ClipBatch(pictures.to(self._device), masks, coverage, area >= self._config.smallest_area)

    def state(self) -> Tensor:
        """Where its random numbers stand, for an exact resume; a CPU uint8 tensor."""
        return self._generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        self._generator.set_state(state)

    def _cut(self, images: NDArray[np.float32], alphas: NDArray[np.uint8]) -> None:
        """Fill one clip, ``(T, S, S, 3)`` and ``(T, O, S, S)``."""
        count, slots, side_px = alphas.shape[:3]
        number = self._index(len(self._shots))
        window = self._window(len(self._shots[number].frames), count)
        plates = [self._plate(number, self._shots[number].frames[at]) for at in window]
        chosen = self._cast(plates, slots)
        left, top, width, height = self._crop(plates[0].coverage[chosen[0]] if chosen else None)
        mirrored = self._chance() < 0.5
        gain = float(np.exp(self._config.exposure * float(torch.randn((), generator=self._generator))))
        size = (side_px, side_px)
        region = (slice(top, top + height), slice(left, left + width))
        for at, plate in enumerate(plates):
            picture = cv2.resize(plate.picture[region], size, interpolation=cv2.INTER_AREA)
            images[at] = np.clip(picture.astype(np.float32) * (gain / 255.0), 0.0, 1.0)
            for slot, object_id in enumerate(chosen):
                alphas[at, slot] = cv2.resize(
                    plate.coverage[object_id][region], size, interpolation=cv2.INTER_AREA
                )
        if mirrored:
            images[:] = images[:, :, ::-1].copy()
            alphas[:] = alphas[..., ::-1].copy()

    def _window(self, available: int, count: int) -> list[int]:
        """Indices of ``count`` annotated frames, in either direction; short shots swing back and forth."""
        step = 1 + self._index(self._config.largest_step)
        step = max(1, min(step, (available - 1) // max(count - 1, 1)))
        span = (count - 1) * step
        start = self._index(max(1, available - span))
        window = [start + step * at for at in range(count)]
        if available == 1:
            window = [0] * count
        else:
            period = 2 * (available - 1)
            window = [min(at % period, period - at % period) for at in window]
        return window[::-1] if self._chance() < 0.5 else window

    def _cast(self, plates: Sequence[_Plate], slots: int) -> list[int]:
        """Objects visible on the first frame and annotated on all, at most ``slots``, in drawn order."""
        known = set.intersection(*(set(plate.coverage) for plate in plates))
        visible = sorted(one for one in known if (plates[0].coverage[one] > 127).any())
        order = torch.randperm(len(visible), generator=self._generator).tolist()
        return [visible[at] for at in order[:slots]]

    def _crop(self, around: NDArray[np.uint8] | None) -> tuple[int, int, int, int]:
        """Left, top, width and height of a crop that holds the middle of an object."""
        side = self._config.kept_side_px
        low = self._config.smallest_crop
        width, height = (round(side * (low + (1 - low) * self._chance())) for _ in range(2))
        middle = (side / 2, side / 2)
        if around is not None:
            rows, columns = np.nonzero(around > 127)
            middle = (float(columns.mean()), float(rows.mean()))
        corner = []
        for centre, extent in zip(middle, (width, height), strict=True):
            lowest, highest = max(0.0, centre - extent + 1), min(centre, side - extent)
            lowest = min(lowest, highest)
            corner.append(int(lowest + (highest - lowest) * self._chance()))
        return corner[0], corner[1], width, height

    def _plate(self, number: int, frame: int) -> _Plate:
        found = self._kept.get((number, frame))
        if found is None:
            found = self._read(self._shots[number], frame)
            self._kept[number, frame] = found
            self._used_bytes += found.kept_bytes
            while self._used_bytes > self._config.kept_bytes and len(self._kept) > 1:
                self._used_bytes -= self._kept.popitem(last=False)[1].kept_bytes
        else:
            self._kept.move_to_end((number, frame))
        return found

    def _read(self, shot: Shot, frame: int) -> _Plate:
        side = self._config.kept_side_px
        picture = shot.picture(frame)
        if picture.dtype != np.uint8:
            picture = np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        coverage = {
            object_id: cv2.resize(mask.astype(np.uint8) * 255, (side, side), interpolation=cv2.INTER_AREA)
            for object_id, mask in shot.masks(frame).items()
        }
        return _Plate(
            small.astype(np.uint8, copy=False),
            {object_id: mask.astype(np.uint8, copy=False) for object_id, mask in coverage.items()},
        )

    def _chance(self) -> float:
        return float(torch.rand((), generator=self._generator))

    def _index(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self._generator))


class MixedClips:
    """Batches now of one source, now of another: what is to be learnt, and what is not to be forgotten.

    Args:
        new: What is to be learnt.
        known: What the network was trained on before.
        known_share: Share of batches of the latter.
        seed: The same seed gives the same order.
    """

    def __init__(self, new: ClipSource, known: ClipSource, *, known_share: float, seed: int) -> None:
        self._new, self._known = new, known
        self._known_share = known_share
        self._generator = torch.Generator().manual_seed(seed)

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """New clips, all of one source."""
        chance = float(torch.rand((), generator=self._generator))
        source: ClipSource = self._known if chance < self._known_share else self._new
        return source.compose(batch, frames, side_px, objects)

    def state(self) -> Tensor:
        """The states of the draw and of both sources in a row, each of fixed length."""
        return torch.cat((self._generator.get_state(), self._new.state(), self._known.state()))

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        sizes = [self._generator.get_state().numel(), self._new.state().numel(), self._known.state().numel()]
        # Copies, as a generator reads the whole storage of a view.
        own, new, known = (part.clone() for part in torch.split(state, sizes))
        self._generator.set_state(own)
        self._new.restore(new)
        self._known.restore(known)
