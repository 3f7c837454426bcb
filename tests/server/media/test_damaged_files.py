"""Whatever is wrong with a file, the outcome is a picture or a sentence: no error of a library, no crash."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from generated_media import numbered_picture, scene, write_movie, write_parts, write_picture
from masklet import codec
from masklet.errors import BadInputError, MaskletError
from masklet_server.media.source import open_clip

PICTURE = scene(48, 32)
TRIES = 40
OCIO = """ocio_profile_version: 1
search_path: luts
roles: {default: raw, scene_linear: linear}
displays:
  default:
    - !<View> {name: sRGB, colorspace: sRGB}
colorspaces:
  - !<ColorSpace>
    name: linear
  - !<ColorSpace>
    name: raw
    isdata: true
  - !<ColorSpace>
    name: sRGB
    to_reference: !<ExponentTransform> {value: [2.2, 2.2, 2.2, 1]}
  - !<ColorSpace>
    name: Cineon
    to_reference: !<FileTransform> {src: missing.spi1d}
"""


def _whole(kind: str, folder: Path) -> Path:
    if kind == "parts":
        parts = [("depth", ["Z"], PICTURE[..., :1]), ("rgba", [*"RGB"], PICTURE)]
        return write_parts(folder / "whole.exr", parts)
    if kind == "mov":
        return write_movie(folder / "whole.mov", [numbered_picture(number) for number in range(4)])
    sample = {"exr": "half", "hdr": "float", "dpx": "uint16", "tif": "uint16"}.get(kind, "uint8")
    return write_picture(folder / f"whole.{kind}", PICTURE, sample)


def _damaged(data: bytes, seed: int) -> bytes:
    """The same with its end cut off, or some bytes changed, more often in the header."""
    draw = random.Random(seed)
    content = bytearray(data)
    if draw.random() < 0.3:
        del content[draw.randrange(len(content)) :]
    for _ in range(draw.choice((0, 1, 1, 3, 10, 60)) if content else 0):
        near = draw.random() < 0.6
        place = draw.randrange(min(len(content), 400) if near else len(content))
        content[place] = draw.choice((0, 255, draw.randrange(256), content[place] ^ (1 << draw.randrange(8))))
    return bytes(content)


@pytest.mark.parametrize("kind", ["exr", "parts", "dpx", "tif", "png", "jpg", "hdr", "mov"])
def test_a_damaged_file_gives_its_picture_or_a_sentence(tmp_path: Path, kind: str) -> None:
    whole = _whole(kind, tmp_path)
    data = whole.read_bytes()
    path = tmp_path / f"damaged{whole.suffix}"
    refused = 0
    for seed in range(TRIES if kind != "mov" else TRIES // 2):
        path.write_bytes(_damaged(data, seed))
        try:
            with open_clip(path) as clip:
                info = clip.info
                for frame in range(info.first_frame, min(info.last_frame, info.first_frame + 8) + 1):
                    if frame not in info.missing_frames:
                        assert clip.read(frame).shape == (info.height_px, info.width_px, 3)
        except MaskletError as error:
            refused += 1
            _check_sentence(str(error), tmp_path)
    assert refused > 0


def test_a_layer_named_in_an_older_encoding_can_be_told_and_asked_for(tmp_path: Path) -> None:
    channels = [f"{layer}.{base}" for layer in ("k?y", "fill") for base in "RGB"]
    path = write_picture(tmp_path / "plate.exr", np.dstack([PICTURE, PICTURE]), "half", channels=channels)
    path.write_bytes(path.read_bytes().replace(b"k?y.", b"k\xe9y."))

    with open_clip(path) as clip:
        assert clip.info.notices == ("took the layer fill; others: kéy",)
        codec.clip_to_wire(clip.info)
    with open_clip(path, layer="kéy") as clip:
        assert clip.read(0).shape == (32, 48, 3)


def test_a_comment_in_an_older_encoding_harms_nobody(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.exr", PICTURE, "half", owner="J?rgen")
    path.write_bytes(path.read_bytes().replace(b"J?rgen", b"J\xfcrgen"))

    with open_clip(path) as clip:
        assert clip.read(0).shape == (32, 48, 3)


def test_a_damaged_colour_config_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plate = write_picture(tmp_path / "plate.exr", PICTURE, "half")
    for seed in range(2 * TRIES):
        # Configs are kept by their names.
        config = tmp_path / f"studio{seed}.ocio"
        config.write_bytes(_damaged(OCIO.encode(), seed))
        monkeypatch.setenv("OCIO", str(config))
        try:
            with open_clip(
                plate, colour=random.Random(seed).choice((None, "linear", "sRGB", "Cineon"))
            ) as clip:
                clip.read(0)
        except MaskletError as error:
            _check_sentence(str(error), tmp_path)


def test_a_config_that_misses_a_file_says_which_and_works_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate = write_picture(tmp_path / "plate.exr", PICTURE, "half")
    (tmp_path / "nuke.ocio").write_text(OCIO)
    monkeypatch.setenv("OCIO", str(tmp_path / "nuke.ocio"))

    said = r"'Cineon' of the OCIO config 'nuke.ocio' needs the file missing.spi1d, which is not there"
    with pytest.raises(BadInputError, match=said):
        open_clip(plate, colour="Cineon")
    for space in (None, "linear", "sRGB", "ACEScg"):
        with open_clip(plate, colour=space) as clip:
            assert clip.read(0).shape == (32, 48, 3)


def _check_sentence(told: str, folder: Path) -> None:
    """For an artist: the cause and a repair, and nothing of the server's folders."""
    assert ":" in told
    assert str(folder) not in told
    assert "\n" not in told
    assert "Traceback" not in told
