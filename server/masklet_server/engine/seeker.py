"""Looks for things in pictures: many clicks at once, and what they give compared with what is looked for.

Which masks are good enough follows SAM's automatic masks (Kirillov et al. 2023, appendix B): the network must
expect them to be right, and they must hardly change when the threshold is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar
from weakref import WeakMethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from masklet.errors import BadInputError, NotPromptedError
from masklet_server.engine.cleaning import clean_logits
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.picture import normalised, square_of
from masklet_server.engine.policies.appearance import Appearance, normal, peaks
from masklet_server.model.many_clicks import ManyClicks
from masklet_server.model.network import ImageFeatures, Network
from masklet_server.sightings import ObjectLook, Part, Sighting
from masklet_server.tracking import FrameSource, Proposal

ValueT = TypeVar("ValueT")

MOST_CLICKS = 64
"""In one call: a turn of the device."""
_DRAWN_AT_ONCE = 8
_LARGEST_LOGIT = 60000.0
_LARGEST_SHARE = 0.95
_SPECK_AREA_PX = 32


class Run(Protocol):
    """Makes calls of the network where they may run out of memory."""

    def __call__(self, call: Callable[[], ValueT], /) -> ValueT:
        """What the call returns."""
        ...


@dataclass(frozen=True)
class Standard:
    """What a mask has to be to count as one of a thing.

    Attributes:
        least_iou: That the network expects of it.
        least_stability: Area above the higher threshold over area above the lower one.
        margin: How far the thresholds are from 0, in logits.
    """

    least_iou: float = 0.8
    least_stability: float = 0.95
    margin: float = 1.0


STANDARDS = MappingProxyType({"masklet_embedded": Standard(0.4, 0.4, 0.5)})
"""By the name of a network's configuration; SAM's own for others. The embedded network expects little of its
masks: with SAM's own it would find next to nothing (decision 62)."""


class PictureSeeker:
    """Implements :class:`masklet_server.tracking.Seeker`; holds what the picture looked at last needs.

    Args:
        network: In evaluation mode.
        features: Of whole frames.
        source: The clip.
        appearance_of: What an object looks like on its prompted frame nearest to a frame; None where it shows
            nothing there.
        run: Makes calls of the network.

    Both methods are held weakly: they belong to the tracker that holds this, and it goes once it is dropped.
    """

    def __init__(
        self,
        network: Network,
        features: FeatureCache,
        source: FrameSource,
        appearance_of: Callable[[int, int | None], Appearance | None],
        run: Run,
    ) -> None:
        self._network = network
        self._features = features
        self._source = source
        self._appearance_of = WeakMethod(appearance_of)
        self._runner = WeakMethod(run)
        self._standard = STANDARDS.get(network.config.name, Standard())
        self._at: tuple[int, Part] | None = None
        self._clicks: ManyClicks | None = None
        self._seen: ImageFeatures | None = None

    def forget(self) -> None:
        """Give the device's memory back."""
        self._at = self._clicks = self._seen = None

    @property
    def held_bytes(self) -> int:
        """What the last picture takes; features of whole frames are counted by their cache."""
        return 0 if self._clicks is None else self._clicks.held_bytes

    def propose(self, object_id: int, frame: int, limit: int) -> Sequence[Proposal]:
        """Places on ``frame`` that look like the object on its nearest prompted frame, the likeliest first.

        Raises:
            NotPromptedError: The object has no prompts, or shows nothing where it has.
            ClipError: The picture cannot be read.
        """
        return self._run(lambda: self._propose(object_id, frame, limit))

    def sight(
        self,
        frame: int,
        part: Part,
        places_px: Sequence[tuple[float, float]],
        like: ObjectLook | None = None,
    ) -> Sequence[Sighting]:
        """Masks that clicks at some places give, as far as they are good enough.

        Args:
            frame: The plate's own number.
            part: What the network looks at.
            places_px: In pixels of the plate, inside the part.
            like: Says what likeness is measured to.

        Raises:
            BadInputError: There are too many places, or the look is another network's.
            ClipError: The picture cannot be read.
        """
        if len(places_px) > MOST_CLICKS:
            raise BadInputError(f"at most {MOST_CLICKS} clicks at once, got {len(places_px)}")
        appearance = None if like is None else self._appearance(like)
        return self._run(lambda: self._sight(frame, part, places_px, appearance))

    def alike(self, frame: int, look: ObjectLook) -> NDArray[np.float32]:
        """``(h, w)``: how much each cell of a whole frame looks like an object, up to 1. Errors as there."""
        appearance = self._appearance(look)

        def compare() -> NDArray[np.float32]:
            alike = appearance.alike(self._features.features(frame))
            cells: NDArray[np.float32] = alike.cpu().numpy()
            return cells

        return self._run(compare)

    def look_of(self, object_id: int, frame: int | None = None) -> ObjectLook:
        """What an object looks like on its prompted frame nearest to ``frame``. Errors: :meth:`propose`."""
        appearance = self._run(lambda: self._known(object_id, frame))
        cells = appearance.cells.float().cpu().numpy()
        config = self._network.config
        return ObjectLook(config.name, cells, appearance.side_cells / config.grid_side)

    def _run(self, call: Callable[[], ValueT]) -> ValueT:
        run = self._runner()
        assert run is not None
        return run(call)

    def _known(self, object_id: int, frame: int | None) -> Appearance:
        appearance_of = self._appearance_of()
        assert appearance_of is not None
        appearance = appearance_of(object_id, frame)
        if appearance is None:
            raise NotPromptedError(
                "the object's mask is empty where it was prompted: correct it there, then look for it again"
            )
        return appearance

    def _propose(self, object_id: int, frame: int, limit: int) -> Sequence[Proposal]:
        appearance = self._known(object_id, frame)
        alike = appearance.alike(self._features.features(frame))
        rows, columns = alike.shape
        clip = self._source.info
        return [
            Proposal((column + 0.5) * clip.width_px / columns, (row + 0.5) * clip.height_px / rows, likeness)
            for row, column, likeness in peaks(alike, appearance.side_cells, limit=limit)
        ]

    def _sight(
        self,
        frame: int,
        part: Part,
        places_px: Sequence[tuple[float, float]],
        appearance: Appearance | None,
    ) -> list[Sighting]:
        clicks, features = self._look_at(frame, part)
        side_px = self._network.config.image_side_px
        scale = torch.tensor([side_px / part.width_px, side_px / part.height_px], dtype=torch.float64)
        origin = torch.tensor([part.left_px, part.top_px], dtype=torch.float64)
        points = ((torch.tensor(places_px, dtype=torch.float64) - origin) * scale - 0.5).float()
        answers = clicks.answers(points.to(self._network.device))
        promising = (answers.ious.amax(-1) >= self._standard.least_iou).nonzero()[:, 0]
        found: list[Sighting] = []
        for start in range(0, len(promising), _DRAWN_AT_ONCE):
            rows = promising[start : start + _DRAWN_AT_ONCE]
            logits = clicks.masks(answers, rows)  # (R, 3, s, s)
            places = [places_px[int(row)] for row in rows]
            found += self._good(logits, answers.ious[rows], part, places, features, appearance)
        return found

    def _appearance(self, look: ObjectLook) -> Appearance:
        config = self._network.config
        if look.model != config.name or look.cells.shape[1] != config.width:
            raise BadInputError(
                f"what to look for was seen by the model {look.model}, and this server has {config.name}: "
                "take it from a session of this server"
            )
        cells = torch.from_numpy(look.cells).to(self._network.device)
        return Appearance(cells, look.side_share * config.grid_side)

    def _look_at(self, frame: int, part: Part) -> tuple[ManyClicks, ImageFeatures]:
        if self._at != (frame, part) or self._clicks is None or self._seen is None:
            self.forget()
            seen = self._encoded(frame, part)
            self._clicks, self._seen, self._at = ManyClicks(self._network, seen), seen, (frame, part)
        return self._clicks, self._seen

    def _encoded(self, frame: int, part: Part) -> ImageFeatures:
        info = self._source.info
        if part == Part(0, 0, info.width_px, info.height_px):
            return self._features.features(frame)
        picture = self._source.read(frame)[
            part.top_px : part.top_px + part.height_px, part.left_px : part.left_px + part.width_px
        ]
        square = square_of(picture, self._network.config.image_side_px)
        image = normalised(square, device=self._network.device, dtype=self._network.dtype)
        return self._network.encode_image(image)

    def _good(
        self,
        logits: Tensor,
        ious: Tensor,
        part: Part,
        places_px: Sequence[tuple[float, float]],
        features: ImageFeatures,
        appearance: Appearance | None,
    ) -> list[Sighting]:
        """Those of ``(R, 3, s, s)`` masks that come up to the standard."""
        standard = self._standard
        inner = (logits > standard.margin).float().mean((-2, -1))  # (R, 3)
        outer = (logits > -standard.margin).float().mean((-2, -1))
        stability = inner / outer.clamp(min=1e-9)
        good = (
            (ious >= standard.least_iou)
            & (stability >= standard.least_stability)
            & (inner > 0)
            & (outer <= _LARGEST_SHARE)
        )
        row, kind = good.nonzero(as_tuple=True)
        if not len(row):
            return []
        chosen = logits[row, kind]  # (G, s, s)
        alike = torch.zeros(len(row)) if appearance is None else likeness(appearance, features, chosen).cpu()
        masks = chosen.clamp(-_LARGEST_LOGIT, _LARGEST_LOGIT).cpu().numpy()
        clean = [
            clean_logits(each, hole_area_px=_SPECK_AREA_PX, speck_area_px=_SPECK_AREA_PX) for each in masks
        ]
        scores = (ious[row, kind].tolist(), stability[row, kind].tolist(), alike.tolist())
        return [
            Sighting(
                places_px[place][0], places_px[place][1], part, mask.astype(np.float16), iou, steady, like
            )
            for place, mask, iou, steady, like in zip(row.tolist(), clean, *scores, strict=True)
        ]


def likeness(appearance: Appearance, features: ImageFeatures, logits: Tensor) -> Tensor:
    """``(G,)``: how much what masks ``(G, s, s)`` show looks like an object, up to 1.

    The mean of three: their masked averages compared; how near the mask's cells are to the object's; and
    how near the object's are to the mask's, which those of a part are not.
    """
    values = normal(features).flatten(1)  # (C, N)
    rows, columns = features.embedding.shape[-2:]
    covered = functional.adaptive_avg_pool2d((logits > 0).float()[:, None], (rows, columns)).flatten(
        1
    )  # (G, N)
    most = covered.amax(-1, keepdim=True)
    inside = (covered >= most.clamp(max=0.5)) & (covered > 0)
    share = inside.float() / inside.sum(-1, keepdim=True).clamp(min=1)
    mean = functional.normalize(share @ values.T, dim=-1)  # (G, C)
    own = functional.normalize(appearance.cells.mean(0), dim=-1)
    scores = appearance.cells @ values  # (K, N)
    there = share @ scores.amax(0)  # (G,)
    back = torch.stack(
        [scores[:, each].amax(-1).mean() if each.any() else scores.new_zeros(()) for each in inside]
    )
    return (mean @ own + there + back) / 3
