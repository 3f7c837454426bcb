"""The pack: one zip file with all pictures, encoded, and an index in JSON.

Letters: N pictures, G groups, M photographs, K labelled ones, C and P sides.
"""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import cv2
import numpy as np
import torch

from masklet.errors import BadInputError
from masklet_server.training.material import procedural
from masklet_server.training.material.atlas import Material
from masklet_server.training.material.pictures import Pixels, Source, fitted, resized, squared

if TYPE_CHECKING:
    from collections.abc import Sequence

_INDEX = "index.json"
_BARE_SHARE = 0.12
_BARE_SHAPES = 60
_NOISE_TEXTURES = 48
_NOISE_SHARE = 0.12


class GroupEntry(TypedDict):
    """One object: the names of its views' files."""

    source: str
    name: str
    weight: float
    views: list[str]


class PhotoEntry(TypedDict):
    """One photograph; ``labels`` is empty where nothing is labelled."""

    source: str
    name: str
    weight: float
    picture: str
    labels: str
    objects: int


class Index(TypedDict):
    """The whole index."""

    groups: list[GroupEntry]
    photos: list[PhotoEntry]
    licences: list[dict[str, str]]


@dataclass(frozen=True)
class PackReport:
    """What a pack holds: per source objects, views and photographs; bytes in all."""

    counts: dict[str, tuple[int, int, int]]
    size_bytes: int


def write_pack(
    path: Path, sources: Sequence[Source], *, cutout_side_px: int = 224, photo_longest_px: int = 640
) -> PackReport:
    """Encode everything that the sources yield.

    Weights are scaled so that each source has its share, however many objects it yields.
    """
    index: Index = {"groups": [], "photos": [], "licences": []}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for source in sources:
            groups = _write_groups(archive, source, cutout_side_px)
            photos = _write_photos(archive, source, photo_longest_px)
            index["groups"] += groups
            index["photos"] += photos
            index["licences"].append(asdict(source.licence))
        archive.writestr(_INDEX, json.dumps(index))
    names = [source.licence.source for source in sources]
    return PackReport({name: _count(index, name) for name in names}, path.stat().st_size)


def join_packs(parts: Sequence[Path], path: Path) -> PackReport:
    """One pack from several that hold different sources; nothing is encoded again.

    Raises:
        BadInputError: A part is missing or is no pack, or two hold the same source.
    """
    opened = [_read_pack(part) for part in parts]
    names = [licence["source"] for index, _ in opened for licence in index["licences"]]
    if len(set(names)) < len(names):
        raise BadInputError("Two of the packs hold the same source. Name each only once.")
    joined: Index = {
        "groups": [group for index, _ in opened for group in index["groups"]],
        "photos": [photo for index, _ in opened for photo in index["photos"]],
        "licences": [licence for index, _ in opened for licence in index["licences"]],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for _, files in opened:
            for name, data in files.items():
                archive.writestr(name, data)
        archive.writestr(_INDEX, json.dumps(joined))
    return PackReport({name: _count(joined, name) for name in names}, path.stat().st_size)


def _count(index: Index, source: str) -> tuple[int, int, int]:
    groups = [group for group in index["groups"] if group["source"] == source]
    photos = [photo for photo in index["photos"] if photo["source"] == source]
    return len(groups), sum(len(group["views"]) for group in groups), len(photos)


def _write_groups(archive: zipfile.ZipFile, source: Source, side_px: int) -> list[GroupEntry]:
    groups: list[GroupEntry] = []
    for cutout in source.cutouts():
        views = squared(cutout.views, side_px)
        if not views:
            continue
        names = [
            f"{source.licence.source}/{len(groups):05d}-{number:02d}.webp" for number in range(len(views))
        ]
        for name, view in zip(names, views, strict=True):
            archive.writestr(name, _encoded(".webp", view, [cv2.IMWRITE_WEBP_QUALITY, 80]))
        groups.append(
            {"source": source.licence.source, "name": cutout.name, "weight": cutout.weight, "views": names}
        )
    total = sum(group["weight"] for group in groups)
    for group in groups:
        group["weight"] *= source.share / total
    return groups


def _write_photos(archive: zipfile.ZipFile, source: Source, longest_px: int) -> list[PhotoEntry]:
    photos: list[PhotoEntry] = []
    for photo in (fitted(photo, longest_px) for photo in source.photos()):
        stem = f"{source.licence.source}/photo-{len(photos):05d}"
        archive.writestr(f"{stem}.jpg", _encoded(".jpg", photo.picture, [cv2.IMWRITE_JPEG_QUALITY, 88]))
        labels = ""
        if photo.labels is not None:
            labels = f"{stem}.png"
            archive.writestr(labels, _encoded(".png", photo.labels, []))
        photos.append(
            {
                "source": source.licence.source,
                "name": photo.name,
                "weight": photo.weight,
                "picture": f"{stem}.jpg",
                "labels": labels,
                "objects": 0 if photo.labels is None else int(photo.labels.max()),
            }
        )
    return photos


def _encoded(suffix: str, picture: Pixels, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, picture, options)
    if not done:
        raise BadInputError(
            f"A picture could not be encoded as {suffix[1:]}. Is OpenCV built with that format?"
        )
    return data.tobytes()


def _read_pack(path: Path) -> tuple[Index, dict[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            index: Index = json.loads(archive.read(_INDEX))
            files = {name: archive.read(name) for name in archive.namelist() if name != _INDEX}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadInputError(
            f"{path.name} is missing or is no pack of training material. Make one with"
            " `masklet-server material fetch` and `masklet-server material pack`."
        ) from error
    return index, files


def load_material(
    path: Path,
    *,
    device: torch.device | str,
    cutout_side_px: int | None = None,
    photo_side_px: int | None = None,
) -> Material:
    """Decode a pack on all cores; procedural shapes and textures are added to every pack.

    Args:
        path: What :func:`write_pack` wrote.
        device: Where the tensors go.
        cutout_side_px: C, a multiple of 8; 224 on a GPU and 128 elsewhere if not given.
        photo_side_px: P; 512 on a GPU and 320 elsewhere if not given.

    Raises:
        BadInputError: The file is missing or is no pack.
    """
    is_large = torch.device(device).type == "cuda"
    cutout_side_px = cutout_side_px or (224 if is_large else 128)
    photo_side_px = photo_side_px or (512 if is_large else 320)
    index, files = _read_pack(path)
    photos = sorted(index["photos"], key=lambda photo: not photo["labels"])
    labelled = [photo for photo in photos if photo["labels"]]
    views = [name for group in index["groups"] for name in group["views"]]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the pool below already uses every core
    with ThreadPoolExecutor() as pool:
        cutouts = list(pool.map(lambda name: _cutout(files[name], cutout_side_px), views))
        pictures = list(pool.map(lambda photo: _photo(files[photo["picture"]], photo_side_px), photos))
        labels = list(pool.map(lambda photo: _labels(files[photo["labels"]], photo_side_px), labelled))
    cv2.setNumThreads(threads)
    return _assembled(index, photos, cutouts, pictures, labels, cutout_side_px, photo_side_px, device)


def _assembled(
    index: Index,
    photos: list[PhotoEntry],
    cutouts: list[Pixels],
    pictures: list[tuple[Pixels, float]],
    labels: list[Pixels],
    cutout_side_px: int,
    photo_side_px: int,
    device: torch.device | str,
) -> Material:
    made = procedural.procedural_material(
        device="cpu", seed=7, cutout_side_px=cutout_side_px, photo_side_px=photo_side_px,
        shape_count=_BARE_SHAPES, texture_count=_NOISE_TEXTURES,
    )  # fmt: skip
    counts = torch.tensor([len(group["views"]) for group in index["groups"]] + [1] * _BARE_SHAPES)
    weights = torch.tensor([group["weight"] for group in index["groups"]])
    bare_weight = _BARE_SHARE * float(weights.sum()) / (1.0 - _BARE_SHARE) / _BARE_SHAPES
    sharp = torch.tensor([photo["weight"] for photo in photos])
    noise_weight = _NOISE_SHARE * float(sharp.sum()) / (1.0 - _NOISE_SHARE) / _NOISE_TEXTURES
    atlas = torch.cat((torch.from_numpy(np.stack(cutouts)), made.cutouts))
    first = counts.cumsum(0) - counts
    solid = torch.zeros(len(counts), dtype=torch.bool)
    solid[-_BARE_SHAPES:] = True
    label_planes = np.stack(labels) if labels else np.zeros((0, photo_side_px, photo_side_px), np.uint8)
    objects = [photo["objects"] for photo in photos if photo["labels"]]
    return Material(
        cutouts=atlas.to(device),
        group_first=first.to(device),
        group_views=counts.to(device),
        group_weight=torch.cat((weights, torch.full((_BARE_SHAPES,), bare_weight))).to(device),
        group_bare=solid.to(device),
        group_extent=procedural.extents(atlas[first, 3].float() / 255.0).to(device),
        photos=torch.cat((torch.from_numpy(np.stack([picture for picture, _ in pictures])), made.photos)).to(
            device
        ),
        photo_weight=torch.cat((sharp, torch.full((_NOISE_TEXTURES,), noise_weight))).to(device),
        photo_aspect=torch.cat((torch.tensor([aspect for _, aspect in pictures]), made.photo_aspect)).to(
            device
        ),
        photo_labels=torch.from_numpy(label_planes).to(device),
        photo_objects=torch.tensor(objects, dtype=torch.int64).to(device),
    )


def _decoded(data: bytes, flags: int) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise BadInputError("A picture in the pack is damaged. Make the pack again.")
    return picture.astype(np.uint8)


def _cutout(data: bytes, side_px: int) -> Pixels:
    """(4, C, C), RGB and alpha."""
    picture = _decoded(data, cv2.IMREAD_UNCHANGED)
    if picture.shape[0] != side_px:
        picture = resized(picture, side_px)
    return np.ascontiguousarray(picture[..., [2, 1, 0, 3]].transpose(2, 0, 1))


def _photo(data: bytes, side_px: int) -> tuple[Pixels, float]:
    """(3, P, P), RGB, and the aspect before it was stretched."""
    picture = _decoded(data, cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    shrinks = side_px < max(height, width)
    scaled = cv2.resize(
        picture, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(scaled[..., ::-1].transpose(2, 0, 1).astype(np.uint8)), width / height


def _labels(data: bytes, side_px: int) -> Pixels:
    labels = _decoded(data, cv2.IMREAD_UNCHANGED)
    return cv2.resize(labels, (side_px, side_px), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
