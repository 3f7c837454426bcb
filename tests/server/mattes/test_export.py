from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from masklet.events import MatteFormat
from masklet.matte_settings import MatteSettings
from masklet.patterns import FramePattern
from masklet.plate_marks import PlateMarks
from masklet.types import ClipInfo, ObjectInfo, Presence
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.export import render_mattes
from masklet_server.mattes.files import write_files
from masklet_server.mattes.picture_file import Provenance, encode_png, exact_rate
from masklet_server.tracking import ObjectFrame

CLIP = ClipInfo("plate.%04d.exr", 320, 180, 1001, 1003, pixel_aspect=2.0, frames_per_s=23.976)
OBJECTS = [ObjectInfo(1, "hero"), ObjectInfo(2, "left arm")]
PROVENANCE = Provenance(
    model="masklet-embedded",
    weights_sha256="ab" * 32,
    settings=json.dumps({"edge": 1.8}),
    prompts_sha256="cd" * 32,
)


class StoredResults:
    """Discs that move by a cell a frame; the second object has no result on frame 1002."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        if frame == 1003 or (object_id, frame) == (2, 1002):
            return None
        y, x = np.mgrid[0:64, 0:64] + 0.5
        logits = (12 - np.hypot(x - 20 * object_id - (frame - 1001), y - 30)) * 2
        pointer = np.zeros(4, np.float16)
        return ObjectFrame(object_id, frame, logits.astype(np.float16), 5.0, 0.9, Presence.PRESENT, pointer)

    def frames_of(self, object_id: int) -> Sequence[int]:
        return (1001, 1002) if object_id == 1 else (1001,)


def export(folder: Path, matte_format: MatteFormat) -> list[str]:
    files = render_mattes(
        CLIP, OBJECTS, StoredResults(), [1001, 1002, 1003], matte_format=matte_format, provenance=PROVENANCE
    )
    return [path.relative_to(folder).as_posix() for path in write_files(folder, files)]


def read_back(path: Path) -> tuple[oiio.ImageSpec, NDArray[np.float32]]:
    reader = oiio.ImageInput.open(str(path))
    assert reader is not None, oiio.geterror()
    spec, pixels = reader.spec(), reader.read_image(0, 0, 0, reader.spec().nchannels, oiio.FLOAT)
    reader.close()
    return spec, pixels


def expected(object_id: int, frame: int) -> NDArray[np.float32]:
    result = StoredResults().find(object_id, frame)
    if result is None:
        return np.zeros((180, 320), np.float32)
    return render_alpha(result.logits, 320, 180)


def test_one_exr_per_frame_holds_a_layer_per_object(tmp_path: Path) -> None:
    assert export(tmp_path, MatteFormat.EXR_LAYERS) == ["plate_mattes.1001.exr", "plate_mattes.1002.exr"]

    for frame in (1001, 1002):
        spec, pixels = read_back(tmp_path / f"plate_mattes.{frame}.exr")
        # Nuke reads NAME.A as the alpha of layer NAME; all frames have the same layers.
        assert spec.channelnames == ("hero.A", "left_arm.A")
        assert str(spec.format) == "half"
        for place, object_id in enumerate((1, 2)):
            assert np.abs(pixels[..., place] - expected(object_id, frame)).max() < 1e-3


def test_an_exr_says_where_it_comes_from(tmp_path: Path) -> None:
    export(tmp_path, MatteFormat.EXR_LAYERS)
    spec, _ = read_back(tmp_path / "plate_mattes.1001.exr")

    assert spec["masklet/model"] == "masklet-embedded"
    assert spec["masklet/weightsSha256"] == "ab" * 32
    assert spec["masklet/settings"] == '{"edge": 1.8}'
    assert spec["masklet/promptsSha256"] == "cd" * 32
    assert spec["compression"] == "zips"
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 320, 180)
    assert (spec.x, spec.y, spec.width, spec.height) == (0, 0, 320, 180)
    assert spec["PixelAspectRatio"] == 2.0
    assert spec["framesPerSecond"] == (24000, 1001)
    assert spec.getattribute("smpte:TimeCode") is None


def header_of(path: Path) -> dict[str, tuple[str, bytes]]:
    """Type and bytes of every attribute of an EXR, read from its own grammar."""
    data, found = path.read_bytes(), {}
    assert data[:4] == b"v/1\x01"
    at = 8
    while data[at]:
        name, kind = data[at:].split(b"\0", 2)[:2]
        at += len(name) + len(kind) + 2
        size = int.from_bytes(data[at : at + 4], "little")
        found[name.decode()] = (kind.decode(), data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


@pytest.mark.parametrize("matte_format", [MatteFormat.EXR_LAYERS, MatteFormat.CRYPTOMATTE])
def test_an_exr_carries_what_the_plate_says_under_the_standard_names(
    tmp_path: Path, matte_format: MatteFormat
) -> None:
    clip = replace(CLIP, display_origin_px=(-16, -9))
    files = render_mattes(
        clip,
        OBJECTS,
        StoredResults(),
        [1001, 1002],
        matte_format=matte_format,
        marks_of=lambda frame: PlateMarks((0x01020300 + frame % 10, 5), "A003C012", "the studio"),
    )
    second = list(write_files(tmp_path, files))[1]

    header = header_of(second)
    assert header["framesPerSecond"] == ("rational", struct.pack("<iI", 24000, 1001))
    assert header["timeCode"] == ("timecode", struct.pack("<II", 0x01020302, 5))
    assert header["reelName"] == ("string", b"A003C012")
    assert header["owner"] == ("string", b"the studio")
    assert header["displayWindow"] == ("box2i", struct.pack("<4i", -16, -9, 303, 170))
    assert header["dataWindow"] == ("box2i", struct.pack("<4i", -16, -9, 303, 170))
    assert header["pixelAspectRatio"] == ("float", struct.pack("<f", 2.0))
    assert "FramesPerSecond" not in header
    assert "capDate" not in header


def test_a_rate_that_varies_or_that_nobody_says_is_not_in_a_header(tmp_path: Path) -> None:
    for clip in (replace(CLIP, frames_per_s=None), replace(CLIP, frame_times_us=(0, 40_000, 120_000))):
        (file,) = write_files(tmp_path, render_mattes(clip, OBJECTS, StoredResults(), [1001]))

        assert "framesPerSecond" not in header_of(file)


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    names = export(first, MatteFormat.EXR_LAYERS)
    export(second, MatteFormat.EXR_LAYERS)

    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_a_cryptomatte_stands_beside_the_layers(tmp_path: Path) -> None:
    assert export(tmp_path, MatteFormat.CRYPTOMATTE) == ["plate_crypto.1001.exr", "plate_crypto.1002.exr"]
    spec, pixels = read_back(tmp_path / "plate_crypto.1001.exr")

    assert json.loads(spec["cryptomatte/3ae39a5/manifest"]).keys() == {"hero", "left arm"}
    assert np.abs(pixels[..., [1, 3]].sum(axis=-1) - expected(1, 1001) - expected(2, 1001)).max() < 1e-5


def test_a_sequence_per_object_serves_alpha_and_colour(tmp_path: Path) -> None:
    assert export(tmp_path, MatteFormat.EXR_PER_OBJECT) == [
        "hero/plate_hero.1001.exr",
        "left_arm/plate_left_arm.1001.exr",
        "hero/plate_hero.1002.exr",
    ]
    spec, pixels = read_back(tmp_path / "hero" / "plate_hero.1002.exr")

    assert spec.channelnames == ("R", "G", "B", "A")
    assert all(np.abs(pixels[..., place] - expected(1, 1002)).max() < 1e-3 for place in range(4))


@pytest.mark.parametrize(
    ("matte_format", "sample", "step"),
    [(MatteFormat.PNG16, "uint16", 65535), (MatteFormat.PNG8, "uint8", 255)],
)
def test_png_carries_the_same_coverage(
    tmp_path: Path, matte_format: MatteFormat, sample: str, step: int
) -> None:
    assert "hero/plate_hero.1001.png" in export(tmp_path, matte_format)
    spec, pixels = read_back(tmp_path / "hero" / "plate_hero.1001.png")

    assert (str(spec.format), spec.nchannels) == (sample, 1)
    assert np.abs(pixels[..., 0] - expected(1, 1001)).max() <= 0.51 / step
    assert spec["masklet/promptsSha256"] == "cd" * 32


def test_a_png_does_not_claim_to_be_srgb() -> None:
    data = encode_png(np.full((4, 4), 0.5, np.float32), CLIP, PROVENANCE)

    assert b"sRGB" not in data
    assert b"gAMA" not in data


def test_an_object_has_its_own_place_for_making_coverage() -> None:
    def half(result: ObjectFrame) -> NDArray[np.float32]:
        return np.full((180, 320), 0.5, np.float32)

    files = list(
        render_mattes(CLIP, OBJECTS[:1], StoredResults(), [1001], matte_format=MatteFormat.PNG8, alpha=half)
    )

    assert [file.frame for file in files] == [1001]


def test_an_object_exported_alone_keeps_the_name_it_has_among_all() -> None:
    clashing = [ObjectInfo(1, "left arm"), ObjectInfo(2, "left.arm")]

    files = list(
        render_mattes(
            CLIP, clashing[1:], StoredResults(), [1001], matte_format=MatteFormat.PNG8, among=clashing
        )
    )

    assert [file.relative_name for file in files] == ["left_arm_2/plate_left_arm_2.1001.png"]


def test_settings_of_the_artist_are_in_the_file(tmp_path: Path) -> None:
    settings = {1: MatteSettings(grow_px=6), 2: MatteSettings(invert=True)}
    files = render_mattes(CLIP, OBJECTS, StoredResults(), [1001, 1002], settings=settings)
    list(write_files(tmp_path, files))

    _, first = read_back(tmp_path / "plate_mattes.1001.exr")
    _, second = read_back(tmp_path / "plate_mattes.1002.exr")

    assert first[..., 0].sum() > 1.2 * expected(1, 1001).sum()
    assert np.abs(first[..., 1] - (1 - expected(2, 1001))).max() < 1e-3
    # There is no result to invert on this frame.
    assert not second[..., 1].any()


def test_an_exclusive_object_exported_alone_still_leaves_room_for_the_others(tmp_path: Path) -> None:
    class Overlapping(StoredResults):
        def find(self, object_id: int, frame: int) -> ObjectFrame | None:
            return super().find(1, 1001 + 4 * (object_id - 1))

    exclusive = dict.fromkeys((1, 2), MatteSettings(exclusive=True))
    both = write_files(
        tmp_path / "both", render_mattes(CLIP, OBJECTS, Overlapping(), [1001], settings=exclusive)
    )
    alone = write_files(
        tmp_path / "alone",
        render_mattes(CLIP, OBJECTS[1:], Overlapping(), [1001], settings=exclusive, among=OBJECTS),
    )

    (_, together), (_, single) = read_back(next(both)), read_back(next(alone))

    assert together.sum(axis=-1).max() <= 1.001
    assert np.array_equal(single[..., 0], together[..., 1])


def test_file_names_are_found_again_by_their_pattern() -> None:
    clip = ClipInfo("plate.%04d.exr", 16, 16, -3, 3)

    class Everywhere(StoredResults):
        def find(self, object_id: int, frame: int) -> ObjectFrame | None:
            return super().find(object_id, 1001)

    files = list(render_mattes(clip, OBJECTS[:1], Everywhere(), [-3, 0, 2]))
    pattern = FramePattern.parse("plate_mattes.%04d.exr")

    assert pattern is not None
    assert [pattern.frame_of(file.relative_name) for file in files] == [-3, 0, 2]


@pytest.mark.parametrize(
    ("rounded", "exact"),
    [
        (23.976, "24000/1001"),
        (29.97, "30000/1001"),
        (24.0, "24"),
        (25.0, "25"),
        (59.94, "60000/1001"),
        (12.5, "25/2"),
    ],
)
def test_rounded_frame_rates_are_made_exact(rounded: float, exact: str) -> None:
    assert str(exact_rate(rounded)) == exact
