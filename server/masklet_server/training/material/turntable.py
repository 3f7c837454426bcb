"""Turning views of a model: points scattered over its surface, a depth buffer, one light.

Splatting points needs no loop over triangles, which is what makes it fast enough in NumPy. Letters: N points,
F triangles, S side of the picture while it is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.training.material.meshes import Floats, Mesh
from masklet_server.training.material.pictures import Pixels

_DISTANCE = 3.2
_FOCAL = 2.9


@dataclass(frozen=True)
class Cloud:
    """Points on a surface: positions (N, 3), normals (N, 3), colours (N, 3) as BGR from 0 to 1."""

    positions: Floats
    normals: Floats
    colours: Floats


def scatter(mesh: Mesh, count: int, generator: np.random.Generator) -> Cloud:
    """Points spread evenly by area over what is not transparent."""
    first, second, third = (mesh.corners[:, corner] for corner in range(3))
    crossed = np.cross(second - first, third - first)
    doubled = np.linalg.norm(crossed, axis=1)
    opacity = np.array([surface.opacity for surface in mesh.surfaces])[mesh.material]
    weight = np.where(opacity > 0.35, doubled, 0.0).astype(np.float64)
    if weight.sum() <= 0.0:
        empty = np.zeros((0, 3), np.float32)
        return Cloud(empty, empty, empty)
    places = (np.arange(count) + generator.random(count)) * (weight.sum() / count)
    face = np.minimum(np.searchsorted(weight.cumsum(), places), len(weight) - 1)
    root, along = np.sqrt(generator.random(count)), generator.random(count)
    shares = np.stack((1 - root, root * (1 - along), root * along), 1).astype(np.float32)
    positions = (mesh.corners[face] * shares[..., None]).sum(1)
    normals = crossed[face] / np.maximum(doubled[face], 1e-12)[:, None]
    coordinates = (mesh.coordinates[face] * shares[..., None]).sum(1)
    return Cloud(positions, normals.astype(np.float32), _colours(mesh, mesh.material[face], coordinates))


def _colours(mesh: Mesh, material: NDArray[np.int64], coordinates: Floats) -> Floats:
    colours = np.array([surface.colour for surface in mesh.surfaces], np.float32)[material]
    for number, surface in enumerate(mesh.surfaces):
        if surface.texture is None:
            continue
        chosen = material == number
        height, width = surface.texture.shape[:2]
        place = coordinates[chosen] % 1.0
        column = np.minimum((place[:, 0] * width).astype(np.int64), width - 1)
        row = np.minimum(((1.0 - place[:, 1]) * height).astype(np.int64), height - 1)
        colours[chosen] = surface.texture[row, column].astype(np.float32) / 255.0
    return colours


def view(cloud: Cloud, *, yaw: float, elevation: float, light: Floats, side_px: int) -> Pixels:
    """The model from one side, (side_px, side_px, 4) BGR and alpha.

    Args:
        cloud: The model.
        yaw: Radians around the upright axis.
        elevation: Radians above the horizon.
        light: (3,), direction towards the light, as seen by the camera.
        side_px: It is drawn at twice this side and averaged.
    """
    side = 2 * side_px
    turn = _rotation(yaw, elevation)
    seen, normals = cloud.positions @ turn.T, cloud.normals @ turn.T
    depth = _DISTANCE - seen[:, 2]
    scale = _FOCAL * side / 2 / depth
    column = np.clip((seen[:, 0] * scale + side / 2).astype(np.int64), 0, side - 1)
    row = np.clip((-seen[:, 1] * scale + side / 2).astype(np.int64), 0, side - 1)
    place = row * side + column
    nearest = np.full(side * side, np.inf, np.float32)
    np.minimum.at(nearest, place, depth)
    front = depth <= nearest[place] + 0.01
    # Models are not always wound one way: turn every normal towards the camera.
    facing = normals * np.where(normals[:, 2:] < 0.0, -1.0, 1.0)
    diffuse = np.clip(facing @ light, 0.0, 1.0)
    glint = np.clip(facing @ _halfway(light), 0.0, 1.0) ** 24
    shade = 0.38 + 0.12 * facing[:, 1] + 0.62 * diffuse
    lit = np.clip(cloud.colours * shade[:, None] + 0.12 * glint[:, None], 0.0, 1.0)
    return _resolved(place[front], lit[front], side)


def _resolved(place: NDArray[np.int64], colours: Floats, side: int) -> Pixels:
    """Average the points of each pixel, close pinholes, halve."""
    count = np.bincount(place, minlength=side * side).astype(np.float32)
    total = np.stack([np.bincount(place, colours[:, band], side * side) for band in range(3)], 1)
    picture = (total / np.maximum(count, 1.0)[:, None]).reshape(side, side, 3).astype(np.float32)
    solid = (count > 0).astype(np.uint8).reshape(side, side)
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    weight = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.9)
    spread = cv2.GaussianBlur(picture * solid[..., None], (0, 0), 0.9) / np.maximum(weight, 1e-3)[..., None]
    painted = np.where((solid > 0)[..., None], picture, spread) * closed[..., None]
    whole = np.concatenate((painted, closed[..., None]), 2).astype(np.float32)
    half: Floats = np.asarray(
        cv2.resize(whole, (side // 2, side // 2), interpolation=cv2.INTER_AREA), np.float32
    )
    colour = half[..., :3] / np.maximum(half[..., 3:], 1e-3)
    straight: Floats = 255.0 * np.concatenate((colour, half[..., 3:]), 2).astype(np.float32)
    return np.clip(np.rint(straight), 0, 255).astype(np.uint8)


def _rotation(yaw: float, elevation: float) -> Floats:
    around = np.array(
        [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]], np.float32
    )
    tipped = np.array(
        [
            [1, 0, 0],
            [0, math.cos(elevation), -math.sin(elevation)],
            [0, math.sin(elevation), math.cos(elevation)],
        ],
        np.float32,
    )
    return tipped @ around


def _halfway(light: Floats) -> Floats:
    middle = light + np.array([0.0, 0.0, 1.0], np.float32)
    return (middle / np.linalg.norm(middle)).astype(np.float32)
