from __future__ import annotations

from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest
from numpy.typing import NDArray

from generated_media import scene, write_picture
from masklet.errors import BadInputError
from masklet.pictures import Grade
from masklet_server.media.colour import conversion_from, guess_space
from masklet_server.media.source import open_clip

GRADED = np.concatenate(
    [scene(), np.linspace(0.02, 0.98, 96, dtype=np.float32)[None, :, None] * np.ones((8, 1, 3), np.float32)]
)
SRGB_CODES = np.rint(GRADED * 255).astype(int)
ACES = ocio.Config.CreateFromFile("ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4")


def in_space(name: str) -> NDArray[np.float32]:
    """The graded picture as a camera or renderer would have delivered it in this space."""
    picture = GRADED.astype(np.float32).copy()
    ACES.getProcessor("sRGB - Texture", name).getDefaultCPUProcessor().applyRGB(picture)
    return picture


def linear_rec709() -> NDArray[np.float32]:
    """By the sRGB formula of IEC 61966-2-1, without OpenColorIO."""
    return np.where(GRADED <= 0.04045, GRADED / 12.92, ((GRADED + 0.055) / 1.055) ** 2.4).astype(np.float32)


def cineon() -> NDArray[np.float32]:
    """By Kodak's formula, in codes of 10 bits."""
    black = 10 ** ((95 - 685) / 300)
    return ((685 + 300 * np.log10(linear_rec709() * (1 - black) + black)) / 1023).astype(np.float32)


def difference(path: Path, colour: str | None) -> NDArray[np.int_]:
    with open_clip(path, colour=colour) as clip:
        return np.abs(clip.read(clip.info.first_frame).astype(int) - SRGB_CODES)


def test_a_linear_aces_plate_shows_the_graded_picture(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.exr", in_space("ACEScg"), "half")

    assert difference(path, "ACEScg").max() <= 1


@pytest.mark.parametrize("space", ["ACEScct", "ARRI LogC3 (EI800)", "S-Log3 S-Gamut3.Cine", "ACEScc"])
def test_a_10_bit_log_plate_shows_the_graded_picture(tmp_path: Path, space: str) -> None:
    path = write_picture(tmp_path / "plate.dpx", in_space(space), "uint16", bits=10)

    error = difference(path, space)

    # Ten bits over more stops than the display shows: a step of the log curve is wider than one
    # code of sRGB in saturated colours.
    assert error.max() <= 6
    assert error.mean() < 0.8


def test_a_film_scan_without_a_word_is_taken_as_cineon(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "scan.dpx", cineon(), "uint16", bits=10)

    with open_clip(path) as clip:
        assert clip.info.colour_space == "Cineon"
    assert difference(path, None).max() <= 3


def test_an_exr_without_a_word_is_linear_rec709(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "render.exr", linear_rec709(), "half")

    with open_clip(path) as clip:
        assert clip.info.colour_space == "Linear Rec.709 (sRGB)"
    assert difference(path, None).max() <= 1


def test_an_exr_that_states_its_primaries_needs_no_declaration(tmp_path: Path) -> None:
    ap1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    path = write_picture(tmp_path / "plate.exr", in_space("ACEScg"), "half", chromaticities=ap1)

    with open_clip(path) as clip:
        assert clip.info.colour_space == "ACEScg"
    assert difference(path, None).max() <= 1


def test_a_declaration_beats_the_file(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.exr", GRADED, "float")

    assert difference(path, "sRGB").max() <= 1


def test_highlights_above_white_are_white() -> None:
    shown = conversion_from("ACEScg").to_srgb(np.full((2, 2, 3), 40.0, np.float32))

    assert shown.min() == 255


def test_light_above_white_comes_back_when_exposure_goes_down() -> None:
    plate = np.full((2, 2, 3), 4.0, np.float32)
    conversion = conversion_from("linear")

    assert conversion.shown(plate, Grade()).min() == 255
    # Two stops down is white again, and three half of that in light.
    assert conversion.shown(plate, Grade(exposure_stops=-2.0)).tolist() == [[[255] * 3] * 2] * 2
    assert abs(int(conversion.shown(plate, Grade(exposure_stops=-3.0))[0, 0, 0]) - 188) <= 1


def test_a_picture_of_8_bits_gets_brighter_in_light_and_its_gamma_in_what_is_shown() -> None:
    plate = np.full((2, 2, 3), 128, np.uint8)
    conversion = conversion_from("sRGB")

    assert (conversion.shown(plate, Grade()) == plate).all()
    # 128 is 0.2159 in light by IEC 61966-2-1; twice that is code 175.
    assert abs(int(conversion.shown(plate, Grade(exposure_stops=1.0))[0, 0, 0]) - 175) <= 1
    assert abs(int(conversion.shown(plate, Grade(gamma=2.0))[0, 0, 0]) - 181) <= 1


@pytest.mark.parametrize(
    ("spoken", "name"),
    [
        ("srgb", "sRGB"),
        ("acescct", "ACEScct"),
        ("Rec709", "sRGB"),
        ("logc3", "ARRI LogC3 (EI800)"),
        ("lin_ap1", "ACEScg"),
    ],
)
def test_spaces_answer_to_the_names_people_use(spoken: str, name: str) -> None:
    assert conversion_from(spoken).space == name


def test_an_unknown_space_gets_suggestions() -> None:
    with pytest.raises(BadInputError, match=r"no colour space is called 'ACESccg': did you mean ACEScg"):
        conversion_from("ACESccg")


@pytest.mark.parametrize(
    ("transfer", "space"),
    [
        ("Linear", "Linear Rec.709 (sRGB)"),
        ("ITU-R 709-4", "sRGB"),
        ("Printing density", "Cineon"),
        ("", "Cineon"),
    ],
)
def test_a_dpx_header_tells_log_from_linear_and_video(transfer: str, space: str) -> None:
    assert guess_space("a.dpx", "dpx", is_float=False, metadata={"dpx:Transfer": transfer}) == space


def test_the_studios_config_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCIO", str(write_studio_config(tmp_path)))
    plate = write_picture(tmp_path / "plate_showlog.tif", np.full((4, 4, 3), 0.5, np.float32), "float")
    other = write_picture(tmp_path / "plate.exr", np.full((4, 4, 3), 0.5, np.float32), "float")

    with open_clip(plate) as clip:
        # The show's log is linear doubled, so half becomes white.
        assert clip.info.colour_space == "show log"
        assert clip.read(0).min() >= 254
    with open_clip(other) as clip:
        assert clip.info.colour_space == "show linear"
        assert np.abs(clip.read(0).astype(int) - 188).max() <= 1
    with open_clip(other, colour="ARRI LogC4") as clip:
        assert clip.info.colour_space == "ARRI LogC4"


def test_a_studio_config_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCIO", str(tmp_path / "gone.ocio"))

    with pytest.raises(BadInputError, match=r"the OCIO config 'gone.ocio' named by \$OCIO cannot be loaded"):
        conversion_from("show log")


def write_studio_config(folder: Path) -> Path:
    config = ocio.Config.CreateRaw()
    config.setMajorVersion(2)
    linear = ocio.ColorSpace(name="show linear")
    log = ocio.ColorSpace(name="show log")
    log.setTransform(
        ocio.MatrixTransform([2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]),
        ocio.COLORSPACE_DIR_TO_REFERENCE,
    )
    srgb = ocio.ColorSpace(name="sRGB")
    srgb.setTransform(
        ocio.ExponentWithLinearTransform(gamma=[2.4, 2.4, 2.4, 1], offset=[0.055, 0.055, 0.055, 0]),
        ocio.COLORSPACE_DIR_TO_REFERENCE,
    )
    for space in (linear, log, srgb):
        config.addColorSpace(space)
    config.setRole("default", "show linear")
    config.setRole("scene_linear", "show linear")
    rules = ocio.FileRules()
    rules.insertRule(0, "log plates", "show log", "*_showlog*", "tif")
    rules.setDefaultRuleColorSpace("show linear")
    config.setFileRules(rules)
    path = folder / "show.ocio"
    path.write_text(config.serialize())
    return path
