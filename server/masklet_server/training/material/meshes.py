"""Wavefront OBJ models with materials, as triangles in arrays.

Letters: F triangles, M materials.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.training.material.pictures import Pixels

Floats = NDArray[np.float32]
Read = Callable[[str], bytes]


@dataclass
class Surface:
    """How a material looks: its colour (BGR, 0 to 1), opacity and perhaps a texture."""

    colour: tuple[float, float, float] = (0.7, 0.7, 0.7)
    opacity: float = 1.0
    texture: Pixels | None = None


@dataclass(frozen=True)
class Mesh:
    """A model.

    Attributes:
        corners: (F, 3, 3), y upwards, centred, within the unit sphere.
        coordinates: (F, 3, 2), of the texture; zeros where there are none.
        material: (F,), index into ``surfaces``.
        surfaces: M of them.
    """

    corners: Floats
    coordinates: Floats
    material: NDArray[np.int64]
    surfaces: tuple[Surface, ...]


def read_mesh(name: str, read: Read) -> Mesh:
    """Parse an OBJ file and what it refers to.

    Args:
        name: Of the OBJ file.
        read: Gives the bytes of a file by name; raises KeyError where there is none.

    Raises:
        BadInputError: There are no triangles in it.
    """
    parser = _Parser(posixpath.dirname(name), read)
    for line in read(name).decode("latin-1").splitlines():
        parser.take(line.split())
    return parser.mesh()


@dataclass
class _Parser:
    folder: str
    read: Read
    points: list[tuple[float, float, float]] = field(default_factory=list)
    coordinates: list[tuple[float, float]] = field(default_factory=list)
    corners: list[tuple[int, int, int]] = field(default_factory=list)
    texture_corners: list[tuple[int, int, int]] = field(default_factory=list)
    material: list[int] = field(default_factory=list)
    surfaces: dict[str, Surface] = field(default_factory=lambda: {"": Surface()})
    current: int = 0

    def take(self, words: list[str]) -> None:
        if not words:
            return
        match words[0]:
            case "v":
                self.points.append((float(words[1]), float(words[2]), float(words[3])))
            case "vt":
                self.coordinates.append((float(words[1]), float(words[2])))
            case "f":
                self._face(words[1:])
            case "usemtl":
                name = " ".join(words[1:])
                self.surfaces.setdefault(name, Surface())
                self.current = list(self.surfaces).index(name)
            case "mtllib":
                self._materials(" ".join(words[1:]))

    def _face(self, words: list[str]) -> None:
        point: list[int] = []
        texture: list[int] = []
        for word in words:
            parts = word.split("/")
            point.append(self._index(parts[0], len(self.points)))
            has_texture = len(parts) > 1 and parts[1] != ""
            texture.append(self._index(parts[1], len(self.coordinates)) if has_texture else -1)
        for last in range(2, len(point)):
            self.corners.append((point[0], point[last - 1], point[last]))
            self.texture_corners.append((texture[0], texture[last - 1], texture[last]))
            self.material.append(self.current)

    @staticmethod
    def _index(word: str, count: int) -> int:
        number = int(word)
        return number - 1 if number > 0 else count + number

    def _materials(self, name: str) -> None:
        try:
            text = self.read(posixpath.join(self.folder, name)).decode("latin-1")
        except KeyError:
            return
        surface = Surface()
        for words in (line.split() for line in text.splitlines()):
            if not words:
                continue
            match words[0]:
                case "newmtl":
                    surface = self.surfaces.setdefault(" ".join(words[1:]), Surface())
                case "Kd":
                    red, green, blue = (float(word) for word in words[1:4])
                    surface.colour = (blue, green, red)
                case "d":
                    surface.opacity = float(words[-1])
                case "map_Kd":
                    surface.texture = self._texture(words[-1])

    def _texture(self, name: str) -> Pixels | None:
        try:
            data = self.read(posixpath.join(self.folder, name.replace("\\", "/")))
        except KeyError:
            return None
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            return None
        scale = min(1.0, 512 / max(picture.shape[:2]))
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)

    def mesh(self) -> Mesh:
        if not self.corners:
            raise BadInputError("A model has no faces. Leave it out.")
        corners = np.array(self.points, np.float32)[np.array(self.corners)]
        flat = np.array([*self.coordinates, (0.0, 0.0)], np.float32)
        low, high = corners.reshape(-1, 3).min(0), corners.reshape(-1, 3).max(0)
        corners = (corners - (low + high) / 2) / max(float(np.linalg.norm(high - low)) / 2, 1e-6)
        return Mesh(
            corners.astype(np.float32),
            flat[np.array(self.texture_corners)],
            np.array(self.material),
            tuple(self.surfaces.values()),
        )
