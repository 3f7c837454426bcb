"""A toy duck waddles across a table, behind a post and past another duck; the camera is held by hand.

Deterministic: the same numbers on every machine, up to rounding in the image library. What a
tracker finds hard is in it on purpose: a look-alike, an occluder, a turning object with parts of
other colours, a moving camera, a shadow and grain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import Click
from masklet_server.demo.ellipsoids import Part, Pose, cast

WIDTH_PX = 854
HEIGHT_PX = 480
FIRST_FRAME = 1001
FRAME_COUNT = 36

_YELLOW = (0.90, 0.56, 0.05)
_TEAL = (0.06, 0.36, 0.40)
_MARGIN_PX = 90
_TABLE_TOP_PX = 300
_POST_LEFT_PX, _POST_RIGHT_PX = 455, 503


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame of the clip.

    Attributes:
        frame: Its number.
        rgb: ``(height, width, 3)`` uint8, sRGB.
        truth: ``(height, width)`` float32 coverage of the duck, what hides it taken off.
    """

    frame: int
    rgb: NDArray[np.uint8]
    truth: NDArray[np.float32]


def first_clicks() -> tuple[Click, ...]:
    """Where a person would click on the first frame: the belly of the teal duck."""
    pose = _duck_pose(0.0)
    shift = _camera_px(0.0)
    return (Click(round(pose.x_px + shift[0]) + 0.5, round(pose.y_px + shift[1] + 0.2 * pose.size_px) + 0.5),)


def render(frame_count: int = FRAME_COUNT) -> Iterator[Picture]:
    """Yield the clip's first ``frame_count`` frames in order."""
    generator = np.random.default_rng(2026)
    backdrop = _backdrop(generator)
    post = _post(generator)
    for index in range(frame_count):
        yield _frame(index, backdrop, post, generator)


def _frame(
    index: int,
    backdrop: NDArray[np.float32],
    post: tuple[NDArray[np.float32], NDArray[np.float32]],
    generator: np.random.Generator,
) -> Picture:
    time = index / (FRAME_COUNT - 1)
    shift_x_px, shift_y_px = _camera_px(time)
    light = _moved(backdrop, shift_x_px - _MARGIN_PX, shift_y_px - _MARGIN_PX)

    duck = _duck_pose(time)
    duck = Pose(duck.x_px + shift_x_px, duck.y_px + shift_y_px, duck.size_px, duck.yaw_deg, duck.roll_deg)
    light *= 1.0 - 0.6 * _shadow(duck.x_px, _TABLE_TOP_PX + 92 + shift_y_px, duck.size_px)[..., None]
    colour, coverage = cast(_duck_parts(_TEAL), duck, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    light = colour + light * (1 - coverage)[..., None]

    # The post stands nearer to the camera, so it passes faster.
    post_light, post_alpha = (
        _moved(layer, 1.5 * shift_x_px - _MARGIN_PX, 1.5 * shift_y_px - _MARGIN_PX) for layer in post
    )
    light = post_light * post_alpha[..., None] + light * (1 - post_alpha)[..., None]
    truth = coverage * (1 - post_alpha)

    light = _blurred(light, 0.6)
    grain = _blurred(generator.standard_normal(light.shape).astype(np.float32), 0.7)
    encoded = 255 * _srgb(light) + 4.5 * grain
    return Picture(FIRST_FRAME + index, np.clip(np.rint(encoded), 0, 255).astype(np.uint8), truth)


def _duck_parts(colour: tuple[float, float, float]) -> tuple[Part, ...]:
    beak, eye, red = (0.80, 0.20, 0.02), (0.01, 0.01, 0.015), (0.60, 0.03, 0.03)
    return (
        Part((0.00, 0.22, 0.00), (0.74, 0.46, 0.50), colour),
        Part((-0.62, 0.02, 0.00), (0.30, 0.15, 0.22), colour, tilt_deg=38),
        Part((-0.08, 0.16, 0.42), (0.40, 0.22, 0.14), colour, tilt_deg=8),
        Part((-0.08, 0.16, -0.42), (0.40, 0.22, 0.14), colour, tilt_deg=8),
        Part((0.40, -0.17, 0.00), (0.29, 0.12, 0.29), red, gloss=0.1, tilt_deg=-8),
        Part((0.42, -0.48, 0.00), (0.38, 0.36, 0.36), colour),
        Part((0.80, -0.44, 0.00), (0.24, 0.07, 0.19), beak, texture=0.3),
        Part((0.77, -0.36, 0.00), (0.18, 0.05, 0.15), beak, texture=0.3),
        Part((0.64, -0.58, 0.24), (0.07, 0.08, 0.06), eye, gloss=0.9, texture=0.0),
        Part((0.64, -0.58, -0.24), (0.07, 0.08, 0.06), eye, gloss=0.9, texture=0.0),
    )


def _duck_pose(time: float) -> Pose:
    """The teal duck before the camera moves; ``time`` runs from 0 to 1."""
    hop = abs(np.sin(time * np.pi * 5))
    return Pose(
        x_px=175 + 480 * time,
        y_px=_TABLE_TOP_PX + 28 - 16 * hop,
        size_px=96 + 10 * time,
        yaw_deg=-18 + 42 * float(np.sin(time * np.pi * 1.6)),
        roll_deg=7 * float(np.sin(time * np.pi * 10)),
    )


def _camera_px(time: float) -> tuple[float, float]:
    """How far the scene moves in the picture: a slow pan and an unsteady hand."""
    hand_x_px = 2.6 * np.sin(time * 21) + 1.4 * np.sin(time * 47 + 1)
    hand_y_px = 2.2 * np.sin(time * 17 + 2) + 1.2 * np.sin(time * 53)
    return float(20 - 46 * time + hand_x_px), float(-4 + 10 * time + hand_y_px)


def _moved(layer: NDArray[np.float32], x_px: float, y_px: float) -> NDArray[np.float32]:
    matrix = np.array([[1, 0, x_px], [0, 1, y_px]])
    moved = cv2.warpAffine(layer, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _blurred(layer: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma_px), np.float32)


def _shadow(x_px: float, y_px: float, size_px: float) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.arange(WIDTH_PX) + 0.5, np.arange(HEIGHT_PX) + 0.5)
    distance = ((x - x_px - 0.25 * size_px) / (0.95 * size_px)) ** 2 + ((y - y_px) / (0.24 * size_px)) ** 2
    return np.asarray(np.exp(-(distance**1.5)), np.float32)


def _backdrop(generator: np.random.Generator) -> NDArray[np.float32]:
    """Wall with shelf and books out of focus, table, and the other duck: linear RGB, with margins."""
    width_px, height_px = WIDTH_PX + 2 * _MARGIN_PX, HEIGHT_PX + 2 * _MARGIN_PX
    table_px = _TABLE_TOP_PX + _MARGIN_PX - 40
    x, y = np.meshgrid(np.arange(width_px, dtype=np.float32), np.arange(height_px, dtype=np.float32))

    wall = np.stack([0.30 + 0.10 * np.cos(x / 260), 0.33 + 0.08 * np.cos(x / 300), 0.30 + 0.0 * x], axis=-1)
    left_px = 10
    while left_px < width_px:
        book_width_px = int(generator.integers(16, 44))
        top_px = table_px - int(generator.integers(130, 240))
        book = generator.uniform(0.03, 0.55, 3)
        wall[top_px:table_px, left_px : left_px + book_width_px] = book
        wall[top_px + 18 : top_px + 26, left_px : left_px + book_width_px] = 0.7 * book + 0.2
        left_px += book_width_px + int(generator.integers(2, 26))
    picture = _blurred(wall.astype(np.float32), 5.0)

    nearness = 0.35 + np.maximum(y - table_px, 0) / 260
    planks = 0.5 + 0.5 * np.sin((x - width_px / 2) / nearness / 9.0)
    fibre = _blurred(generator.standard_normal((height_px, width_px)).astype(np.float32), 1.2)
    wood = 0.26 - 0.05 * planks**8 + 0.45 * cv2.blur(fibre, (31, 1))
    table = np.stack([wood, 0.62 * wood, 0.36 * wood], axis=-1)
    picture[table_px:] = np.clip(table, 0.02, 1)[table_px:]

    other = Pose(690 + _MARGIN_PX, 236 + _MARGIN_PX, 62, yaw_deg=205)
    dim = 1.0 - 0.5 * np.exp(-((((x - other.x_px) / 66) ** 2 + ((y - other.y_px - 46) / 13) ** 2) ** 1.5))
    colour, coverage = cast(_duck_parts(_YELLOW), other, width_px=width_px, height_px=height_px)
    picture = np.asarray(colour + picture * dim[..., None] * (1 - coverage)[..., None], np.float32)
    picture[:table_px] = _blurred(picture, 1.6)[:table_px]
    return picture


def _post(generator: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A turned wooden post in the foreground, slightly out of focus: linear RGB and its alpha."""
    width_px, height_px = WIDTH_PX + 2 * _MARGIN_PX, HEIGHT_PX + 2 * _MARGIN_PX
    x = np.arange(width_px, dtype=np.float32) + 0.5 - _MARGIN_PX
    y = np.arange(height_px, dtype=np.float32)[:, None]
    half_px = (_POST_RIGHT_PX - _POST_LEFT_PX) / 2 + 3 * np.sin(y / 34)
    across = (x - (_POST_LEFT_PX + _POST_RIGHT_PX) / 2) / half_px  # (height, width), -1 to 1 on the post
    alpha = (np.abs(across) < 1).astype(np.float32)
    roundness = np.sqrt(np.clip(1 - np.square(across), 0, 1)) * (0.75 - 0.25 * across)
    fibre = cv2.blur(generator.standard_normal((height_px, width_px)).astype(np.float32), (2, 41))
    wood = roundness * (0.20 + 0.5 * fibre)
    light = np.stack([0.85 * wood, 0.55 * wood, 0.40 * wood], axis=-1).astype(np.float32)
    return _blurred(np.clip(light, 0, 1), 1.0), _blurred(alpha, 1.5)


def _srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encode linear light with the sRGB curve (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.asarray(
        np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055), np.float32
    )
