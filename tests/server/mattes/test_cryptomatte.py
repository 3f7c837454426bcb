from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from masklet.types import ClipInfo
from masklet_server.mattes.cryptomatte import LAYER, id_bits, id_float, murmur3, ranked_channels
from masklet_server.mattes.picture_file import Provenance, encode_cryptomatte_exr


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", 0),
        (b"hello", 0x248BFA47),
        (b"hello, world", 0x149BBB7F),
        (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
    ],
)
def test_the_hash_is_murmur3(data: bytes, digest: int) -> None:
    assert murmur3(data) == digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hello", 6.0705627102400005616e-17),
        ("cube", -4.08461912519e15),
        ("sphere", 2.79018604383e15),
        ("plane", 3.66557617593e-11),
    ],
)
def test_ids_are_those_of_the_published_implementation(name: str, value: float) -> None:
    assert id_float(name) == pytest.approx(value, rel=1e-10)


@given(name=st.text(max_size=30))
def test_an_id_is_an_ordinary_float_with_the_hashs_bits(name: str) -> None:
    value = id_float(name)

    assert np.isfinite(value)
    assert abs(value) >= np.finfo(np.float32).tiny
    assert struct.unpack("<I", struct.pack("<f", value)) == (id_bits(name),)
    assert (id_bits(name) ^ murmur3(name.encode())) in (0, 1 << 23)


def coverage(seed: int, count: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    names = ["hero", "Müller", "left arm", "猫", "5", "a.b", "last", "eighth"][:count]
    return {name: generator.choice([0, 0.25, 0.5, 1], (9, 12)).astype(np.float32) for name in names}


def picked(name: str, channels: list[str], planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matte that an eyedropper pulls: coverage of all ranks that hold the name's id."""
    total = np.zeros(planes.shape[:2], np.float32)
    for layer in range(len(channels) // 4):
        for id_channel, coverage_channel in (("R", "G"), ("B", "A")):
            ids = planes[..., channels.index(f"{LAYER}{layer:02d}.{id_channel}")]
            covered = planes[..., channels.index(f"{LAYER}{layer:02d}.{coverage_channel}")]
            total += np.where(ids.view(np.uint32) == id_bits(name), covered, 0)
    return total


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_every_matte_can_be_picked_by_its_name(count: int) -> None:
    alphas = coverage(count, count)

    channels, planes = ranked_channels(alphas)

    assert len(channels) == planes.shape[-1] == 4 * -(-count // 2)
    for name, alpha in alphas.items():
        assert np.array_equal(picked(name, channels, planes), alpha)


def test_ranks_run_from_most_to_least_coverage() -> None:
    channels, planes = ranked_channels(coverage(3, 8))

    covered = planes[..., 1::2]
    assert len(channels) == 12
    assert (np.diff(covered, axis=-1) <= 0).all()
    assert (planes[..., 0::2][covered == 0] == 0).all()


def test_the_file_holds_ids_bit_for_bit_and_the_names(tmp_path: Path) -> None:
    alphas = coverage(7, 3)
    path = tmp_path / "crypto.exr"
    clip = ClipInfo("plate.%04d.exr", 12, 9, 1001, 1001)
    path.write_bytes(encode_cryptomatte_exr(alphas, clip, Provenance(model="m")))

    reader = oiio.ImageInput.open(str(path))
    spec = reader.spec()
    planes = np.asarray(reader.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT))
    reader.close()

    # 3ae39a5 is what every renderer writes for the layer CryptoObject.
    assert spec["cryptomatte/3ae39a5/name"] == "CryptoObject"
    assert spec["cryptomatte/3ae39a5/hash"] == "MurmurHash3_32"
    assert spec["cryptomatte/3ae39a5/conversion"] == "uint32_to_float32"
    manifest = json.loads(spec["cryptomatte/3ae39a5/manifest"])
    assert manifest == {name: f"{id_bits(name):08x}" for name in alphas}
    assert str(spec.format) == "float"
    for name, alpha in alphas.items():
        assert np.array_equal(picked(name, list(spec.channelnames), planes), alpha)
