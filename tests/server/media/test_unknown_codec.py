from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generated_media import write_movie
from masklet.errors import ClipError, LimitError
from masklet_server.media.source import open_clip

PICTURES = [np.full((64, 64, 3), 200, np.uint8)] * 3
# Nobody's, without a decoder, of sounds, encrypted ones, and old ones that other data is no picture of.
CODES = ("zzzz", "\0\0\0\0", "ÿÿÿÿ", "BRAW", "r3d ", "Hap5", "vvc1", "mp4a", "text", "encv", "qdrw", "rpza")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "mark"),
    [
        ("plate.mov", "prores_ks", "yuv422p10le", b"apch"),
        ("plate.mp4", "libx264", "yuv420p", b"avc1"),
        ("plate.avi", "mjpeg", "yuvj420p", b"MJPG"),
    ],
)
def test_a_movie_of_an_unknown_codec_is_refused_with_a_sentence(
    tmp_path: Path, name: str, codec: str, pixel_format: str, mark: bytes, code: str
) -> None:
    path = write_movie(tmp_path / name, PICTURES, codec=codec, pixel_format=pixel_format)
    path.write_bytes(path.read_bytes().replace(mark, code.encode("latin-1")))

    with pytest.raises((ClipError, LimitError), match=f"^{name} "):
        open_clip(path)
