"""Models for Sweet Home 3D: furniture, vehicles, plants, people; rendered as turning views."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from masklet.errors import BadInputError
from masklet_server.training.material.meshes import read_mesh
from masklet_server.training.material.pictures import CutOut, Licence, Photo, order_of
from masklet_server.training.material.turntable import scatter, view

_PROPERTY = re.compile(r"^(model|name|creator|doorOrWindow|category)#(\d+)=(.*)$", re.MULTILINE)
_LARGEST_BYTES = 9_000_000
_STEP_RAD = 0.16


@dataclass(frozen=True)
class Model:
    """One entry of a catalogue."""

    archive: Path
    file: str
    name: str
    creator: str
    weight: float


def catalogue(archive: Path) -> list[Model]:
    """What a catalogue offers, without doors and windows, which are flat, and without giants."""
    with zipfile.ZipFile(archive) as opened:
        text = opened.read("PluginFurnitureCatalog.properties").decode("latin-1")
        sizes = {info.filename: info.file_size for info in opened.infolist()}
    entries: dict[str, dict[str, str]] = {}
    for key, number, value in _PROPERTY.findall(text):
        entries.setdefault(number, {})[key] = value.strip()
    models: list[Model] = []
    for entry in entries.values():
        file = entry.get("model", "").lstrip("/")
        if entry.get("doorOrWindow") == "true" or not 0 < sizes.get(file, 0) <= _LARGEST_BYTES:
            continue
        lively = entry.get("category", "") in {"Characters", "Animals", "Vehicles", "Exterior"}
        models.append(
            Model(archive, file, entry.get("name", ""), entry.get("creator", ""), 3.0 if lively else 1.0)
        )
    return models


def render(model: Model, views: int, side_px: int) -> CutOut | None:
    """Turning views from one random height; None for a model that cannot be drawn."""
    seed = order_of(model.file)
    generator = np.random.default_rng(seed)
    with zipfile.ZipFile(model.archive) as opened:
        try:
            mesh = read_mesh(model.file, opened.read)
        except (BadInputError, ValueError, IndexError):
            return None
    cloud = scatter(mesh, 600_000, generator)
    if not len(cloud.positions):
        return None
    direction = generator.normal(size=3) * (0.8, 0.3, 0.3) + (0.0, 0.7, 0.5)
    light = (direction / np.linalg.norm(direction)).astype(np.float32)
    start, elevation = generator.uniform(0.0, 6.28), generator.uniform(0.05, 0.5)
    pictures = tuple(
        view(cloud, yaw=start + _STEP_RAD * number, elevation=elevation, light=light, side_px=side_px)
        for number in range(views)
    )
    if (pictures[0][..., 3] > 128).mean() < 0.02:
        return None
    return CutOut(f"{model.file} by {model.creator}", pictures, model.weight)


class Furniture:
    """Every model turns by about nine degrees from view to view."""

    licence = Licence(
        "sweethome3d-furniture",
        "Debian sweethome3d-furniture",
        "CC0-1.0 and CC-BY-3.0, by catalogue",
        "Andrew Kator & Jennifer Legaz; Reallusion; Scopia Visual Interfaces Systems; Blend Swap contributors"
        " (the pack's index names the creator of each model)",
    )
    share = 0.26

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 240,
        views: int = 8,
        side_px: int = 288,
        processes: int | None = None,
    ) -> None:
        """Read the unpacked package below ``folder``, at most ``limit`` models.

        ``processes`` is how many draw at once; one per core if not given.
        """
        self._folder = folder
        self._limit = limit
        self._views = views
        self._side_px = side_px
        self._processes = processes

    def cutouts(self) -> Iterator[CutOut]:
        """Turning views."""
        models = [model for archive in sorted(self._folder.rglob("*.sh3f")) for model in catalogue(archive)]
        models.sort(key=lambda model: (-model.weight, order_of(model.file)))
        chosen = models[: self._limit]
        draw = partial(render, views=self._views, side_px=self._side_px)
        if self._processes == 1:
            yield from (cutout for cutout in map(draw, chosen) if cutout is not None)
            return
        with ProcessPoolExecutor(self._processes) as pool:
            yield from (cutout for cutout in pool.map(draw, chosen) if cutout is not None)

    def photos(self) -> Iterator[Photo]:
        """None."""
        return iter(())
