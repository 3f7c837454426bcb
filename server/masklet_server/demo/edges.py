"""Short clips with true alpha for judging edges: hard ones, hair, motion blur, a thin wire.

Each clip is one object that moves rigidly over a textured ground under a drifting camera, with grain.
Coverage is drawn four times finer than the plate and mixed with the ground in linear light, as a lens
does. Since the motion is known to the last digit, so is what a matte would do if it did not flicker.
Deterministic: the same numbers on every machine, up to rounding in the image library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.demo.edge_sprites import Sprite, sprite_of

Plane = NDArray[np.float32]

FIRST_FRAME = 1001
# All lengths below are in pixels of a plate this wide; others scale them.
_REFERENCE_WIDTH_PX = 3840
_GRAIN = 3.5 / 255
# Of the frame's duration that a shutter is open, and how many instants stand for that.
_SHUTTER, _SHUTTER_SAMPLES = 0.5, 16


@dataclass(frozen=True)
class EdgeCase:
    """What moves, how large, and how.

    Attributes:
        name: For reports.
        sprite: Which object, see :func:`masklet_server.demo.edge_sprites.sprite_of`.
        size_px: Side of the square that holds the object.
        start: Its centre on the first frame, in parts of the plate's width and height.
        step_px: How far it moves per frame.
        turn_deg: How far it turns per frame.
        shutter: True for motion blur.
    """

    name: str
    sprite: str
    size_px: float
    start: tuple[float, float]
    step_px: tuple[float, float]
    turn_deg: float = 0.0
    shutter: bool = False


CASES = (
    EdgeCase("hard", "gear", 1250, (0.40, 0.48), (13.3, 4.7), turn_deg=0.9),
    EdgeCase("hair", "hair", 1300, (0.52, 0.50), (8.6, -3.4), turn_deg=0.5),
    EdgeCase("blur", "gear", 900, (0.25, 0.46), (104.0, 18.0), turn_deg=1.5, shutter=True),
    EdgeCase("wire", "wire", 1200, (0.55, 0.47), (7.4, 5.2), turn_deg=-0.7),
    EdgeCase("small", "hair", 260, (0.62, 0.40), (9.7, 6.1), turn_deg=1.2),
    EdgeCase("border", "gear", 1250, (0.06, 0.90), (-6.3, 5.9), turn_deg=0.6),
    EdgeCase("large", "gear", 2500, (0.47, 0.52), (9.1, 4.3), turn_deg=0.5),
)


@dataclass(frozen=True, eq=False)
class EdgePicture:
    """One frame of a clip.

    Attributes:
        frame: Its number.
        rgb: ``(H, W, 3)`` uint8, sRGB.
        truth: ``(H, W)`` float32, the object's coverage.
        back: ``(2, 3)``: takes pixel positions (centres at whole numbers) of this frame to where the
            same points of the object were on the frame before.
    """

    frame: int
    rgb: NDArray[np.uint8]
    truth: Plane
    back: NDArray[np.float64]


def render(
    case: EdgeCase, *, width_px: int = 3840, height_px: int = 2160, frame_count: int = 8
) -> Iterator[EdgePicture]:
    """Yield the frames of a case in order; a 4K frame takes about a second.

    Args:
        case: One of :data:`CASES`, or one's own.
        width_px: W; everything scales with it.
        height_px: H.
        frame_count: How many.
    """
    scale = width_px / _REFERENCE_WIDTH_PX
    generator = np.random.default_rng(2026)
    ground = _ground(generator, width_px, height_px, scale)
    grain = _grain(generator, width_px, height_px)
    sprite = sprite_of(case.sprite, side_px=max(8, math.ceil(2 * case.size_px * scale)))
    for index in range(frame_count):
        shift_px = (
            -scale * (16 + 10 * math.sin(0.9 * index)),
            -scale * (16 + 3.1 * index % 14),
        )
        matrix = np.array([[1.0, 0.0, shift_px[0]], [0.0, 1.0, shift_px[1]]])
        behind = np.asarray(cv2.warpAffine(ground, matrix, (width_px, height_px)), np.float32)
        colour, truth = _object(case, sprite, index, width_px, height_px, scale)
        light = colour + behind * (1.0 - truth)[..., None]
        # Another stretch of the grain on every frame.
        row, column = (int(place) for place in generator.integers(0, 64, 2))
        noise = grain[row : row + height_px, column : column + width_px]
        encoded = _srgb(light) + noise
        pose, before = (_placement(case, at, width_px, height_px, scale) for at in (index, index - 1))
        yield EdgePicture(
            frame=FIRST_FRAME + index,
            rgb=np.clip(np.rint(255 * encoded), 0, 255).astype(np.uint8),
            truth=truth,
            back=(before @ np.linalg.inv(pose))[:2],
        )


def coarse_logits(
    truth: Plane, *, cells: int = 256, wander_cells: float = 0.3, seed: int = 0
) -> NDArray[np.float16]:
    """What a network that is right on its grid makes of an object: ``(cells, cells)`` logits.

    The true mask (half coverage and more, as networks are trained), averaged over cells that stretch
    over the whole plate, with an outline that wanders smoothly and differently on each frame.

    Args:
        truth: ``(H, W)`` coverage.
        cells: Side of the grid.
        wander_cells: Standard deviation of the outline's error, in cells.
        seed: Of the wandering; to be another one on every frame.
    """
    generator = np.random.default_rng(seed)
    mask = (truth >= 0.5).astype(np.float32)
    low = np.asarray(cv2.resize(mask, (cells, cells), interpolation=cv2.INTER_AREA), np.float32)
    wander = generator.standard_normal((cells, cells, 2), np.float32)
    wander = np.asarray(cv2.GaussianBlur(wander, (0, 0), cells / 40), np.float32)
    wander *= wander_cells / max(1e-9, float(wander.std()))
    y, x = np.mgrid[0:cells, 0:cells].astype(np.float32)
    low = np.asarray(
        cv2.remap(
            low, x + wander[..., 0], y + wander[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )
    low = np.asarray(cv2.GaussianBlur(low, (0, 0), 0.7), np.float32)
    return np.clip(1.5 * np.log((low + 1e-4) / (1 - low + 1e-4)), -12, 12).astype(np.float16)


def _placement(
    case: EdgeCase, time: float, width_px: int, height_px: int, scale: float
) -> NDArray[np.float64]:
    """``(3, 3)`` from the object's own coordinates, -1 to 1, to pixel centres; ``time`` in frames."""
    half_px = case.size_px * scale / 2
    angle = math.radians(case.turn_deg * time)
    cosine, sine = half_px * math.cos(angle), half_px * math.sin(angle)
    x_px = case.start[0] * width_px + scale * case.step_px[0] * time - 0.5
    y_px = case.start[1] * height_px + scale * case.step_px[1] * time - 0.5
    return np.array([[cosine, -sine, x_px], [sine, cosine, y_px], [0.0, 0.0, 1.0]])


def _object(
    case: EdgeCase, sprite: Sprite, index: int, width_px: int, height_px: int, scale: float
) -> tuple[Plane, Plane]:
    """Colour times coverage ``(H, W, 3)``, and coverage ``(H, W)``, of the object on one frame."""
    times = [float(index)]
    if case.shutter:
        middle = np.arange(_SHUTTER_SAMPLES) + 0.5
        times = (index + _SHUTTER * (middle / _SHUTTER_SAMPLES - 0.5)).tolist()
    # Only the square that the object can reach is drawn, twice as fine as the plate.
    places = [_placement(case, time, width_px, height_px, scale) for time in times]
    reach_px = math.ceil(case.size_px * scale * 0.75) + 2
    x_px = np.array([place[0, 2] for place in places])
    y_px = np.array([place[1, 2] for place in places])
    left, right = (int(x_px.min()) - reach_px, int(x_px.max()) + reach_px)
    top, bottom = (int(y_px.min()) - reach_px, int(y_px.max()) + reach_px)
    size = (2 * (right - left), 2 * (bottom - top))
    drawn = np.zeros((size[1], size[0], 4), np.float32)
    own = np.array(
        [[2 / sprite.side_px, 0, 1 / sprite.side_px - 1], [0, 2 / sprite.side_px, 1 / sprite.side_px - 1]]
    )
    finer = np.array([[2.0, 0.0, 0.5 - 2 * left], [0.0, 2.0, 0.5 - 2 * top], [0.0, 0.0, 1.0]])
    for place in places:
        matrix = (finer @ place @ np.vstack([own, [0, 0, 1]]))[:2]
        drawn += cv2.warpAffine(sprite.layers, matrix, size, flags=cv2.INTER_LINEAR) / len(places)
    drawn = np.asarray(cv2.resize(drawn, (right - left, bottom - top), interpolation=cv2.INTER_AREA))
    whole = np.zeros((height_px, width_px, 4), np.float32)
    rows = slice(max(0, top), min(height_px, bottom))
    columns = slice(max(0, left), min(width_px, right))
    if rows.start < rows.stop and columns.start < columns.stop:
        whole[rows, columns] = drawn[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
    return np.ascontiguousarray(whole[..., :3]), np.ascontiguousarray(whole[..., 3])


def _ground(generator: np.random.Generator, width_px: int, height_px: int, scale: float) -> Plane:
    """A wall of patches, stripes and stains in linear light, with a margin for the camera."""
    margin_px = math.ceil(48 * scale)
    rows, columns = height_px + margin_px, width_px + margin_px
    light = np.zeros((rows, columns, 3), np.float32)
    light += np.array((0.20, 0.26, 0.30), np.float32)
    for cell_px, depth in ((640, 0.10), (150, 0.05), (36, 0.03), (8, 0.02)):
        size = (max(2, round(rows / (cell_px * scale))), max(2, round(columns / (cell_px * scale))), 3)
        coarse = generator.normal(0, depth, size).astype(np.float32)
        # Mostly light and dark, a little colour.
        coarse = 0.75 * coarse[..., :1] + 0.35 * coarse
        light += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    for _ in range(40):
        left, top = generator.uniform(-0.05, 1, 2) * (columns, rows)
        across, down = generator.uniform(0.01, 0.12, 2) * columns
        corners = np.array(
            [[left, top], [left + across, top], [left + across, top + down], [left, top + down]]
        )
        patch = (generator.uniform(0.04, 0.40) * generator.uniform(0.6, 1.4, 3)).tolist()
        cv2.fillPoly(light, [corners.astype(np.int32)], patch, lineType=cv2.LINE_AA)
    # Out of focus, a little: the object is what the lens was set to.
    return np.clip(cv2.GaussianBlur(light, (0, 0), max(0.3, 2.2 * scale)), 0.01, 1.0).astype(np.float32)


def _grain(generator: np.random.Generator, width_px: int, height_px: int) -> Plane:
    noise = generator.standard_normal((height_px + 64, width_px + 64, 3), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6), np.float32)
    return np.asarray(noise * (_GRAIN / float(noise[:256, :256].std())), np.float32)


def _srgb(light: Plane) -> Plane:
    """Encode linear light with the sRGB curve (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    curve = 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, curve), np.float32)
