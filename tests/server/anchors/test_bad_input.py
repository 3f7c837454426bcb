from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.anchors import Absence, AnchorKey, AnchorKind
from masklet.errors import BadInputError, CancelledError, ClipError
from masklet.types import ClipInfo
from masklet_server.anchors.track import track_anchor

KINDS = list(AnchorKind)


class _Noise:
    """Frames -10 to -5 of grey noise; some cannot be read."""

    def __init__(self, *, damaged: frozenset[int] = frozenset(), flat: bool = False) -> None:
        self.info = ClipInfo("noise", 64, 48, -10, -5, missing_frames=(-7,))
        self._damaged, self._flat = damaged, flat

    def read(self, frame: int) -> NDArray[np.uint8]:
        if frame in self._damaged:
            raise ClipError(f"frame {frame} cannot be read")
        if self._flat:
            return np.full((48, 64, 3), 90, np.uint8)
        grey = np.random.default_rng(4).integers(0, 255, (48, 64, 1), np.uint8)
        return np.repeat(np.roll(grey, frame + 10, axis=1), 3, axis=2)


def _matte(left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    matte = np.zeros((48, 64), np.uint8)
    matte[top:bottom, left:right] = 255
    return matte


def _run(matte: NDArray[np.uint8] | None, kind: AnchorKind, **source: object) -> list[AnchorKey]:
    track = track_anchor(
        _Noise(**source),  # type: ignore[arg-type]
        lambda frame: matte,
        kind=kind,
        point_px=(32.0, 24.0),
    )
    return list(track.keys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("edges", [(30, 20, 33, 21), (0, 0, 64, 48), (20, 12, 44, 36), (0, 0, 1, 48)])
def test_specks_full_plates_and_slivers_have_a_key_on_every_frame(
    kind: AnchorKind, edges: tuple[int, int, int, int]
) -> None:
    keys = _run(_matte(*edges), kind)
    assert [key.frame for key in keys] == [-10, -9, -8, -6, -5]
    assert not any(key.held for key in keys)


def _fragments() -> NDArray[np.uint8]:
    matte = np.zeros((48, 64), np.uint8)
    matte[::2, ::2] = 255
    return matte


def _two_that_touch_at_a_point() -> NDArray[np.uint8]:
    return np.maximum(_matte(12, 4, 32, 24), _matte(32, 24, 52, 44))


def _along_the_border() -> NDArray[np.uint8]:
    return 255 - _matte(3, 3, 61, 45)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draw", [_fragments, _two_that_touch_at_a_point, _along_the_border])
def test_fragments_touching_halves_and_frames_have_keys_on_the_plate(
    kind: AnchorKind, draw: Callable[[], NDArray[np.uint8]]
) -> None:
    keys = _run(draw(), kind)
    assert [key.frame for key in keys] == [-10, -9, -8, -6, -5]
    assert all(-5 <= key.x_px <= 69 and -5 <= key.y_px <= 53 for key in keys)


def test_a_speck_is_followed_by_its_centre_with_little_confidence() -> None:
    mattes = {frame: _matte(30 + frame, 20, 33 + frame, 21) for frame in range(-10, -4)}
    track = track_anchor(_Noise(), mattes, kind=AnchorKind.SIMILARITY, reference_frame=-10)
    assert [key.x_px for key in track.keys] == pytest.approx([21.5, 22.5, 23.5, 25.5, 26.5])
    assert max(key.confidence for key in track.keys) <= 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_is_never_seen_has_no_keys(kind: AnchorKind) -> None:
    assert _run(None, kind) == []
    assert _run(np.zeros((48, 64), np.uint8), kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_artist_alone_can_place_an_object_that_is_never_seen(kind: AnchorKind) -> None:
    put = [AnchorKey(-9, 10.0, 12.0, keyed=True), AnchorKey(-5, 20.0, 12.0, keyed=True)]
    track = track_anchor(_Noise(), {}, kind=kind, manual_keys=put, point_px=(1.0, 1.0))
    first, last = track.key_at(-9), track.key_at(-5)
    assert first is not None
    assert last is not None
    assert (first.x_px, last.x_px) == pytest.approx((10.0, 20.0))
    assert 10.0 < track.keys[2].x_px < 20.0


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_is_a_track_of_one_key(kind: AnchorKind) -> None:
    track = track_anchor(
        _Noise(), lambda _: _matte(20, 12, 44, 36), kind=kind, frames=[-9], point_px=(32.0, 24.0)
    )
    (key,) = track.keys
    assert (key.frame, key.jump_px) == (-9, 0.0)
    assert (key.rotation_deg, key.scale_x) == pytest.approx((0.0, 1.0))


def test_a_surface_without_texture_is_followed_by_its_outline_with_little_confidence() -> None:
    mattes = {frame: _matte(30 + frame, 12, 50 + frame, 36) for frame in range(-10, -4)}
    track = track_anchor(_Noise(flat=True), mattes, kind=AnchorKind.SIMILARITY, reference_frame=-10)
    assert track.keys[-1].x_px - track.keys[0].x_px == pytest.approx(5.0, abs=0.3)
    assert max(key.confidence for key in track.keys[1:]) < 0.3


def _ellipse(turn_deg: float, *, half_width: int) -> NDArray[np.uint8]:
    matte = np.zeros((48, 64), np.uint8)
    cv2.ellipse(matte, (32, 24), (18, half_width), turn_deg, 0, 360, 255, -1)
    return matte


@pytest.mark.parametrize(("half_width", "turn_deg"), [(6, 40.0), (18, 0.0)])
def test_what_is_long_and_has_no_texture_turns_with_its_outline_and_what_is_round_does_not(
    half_width: int, turn_deg: float
) -> None:
    mattes = {frame: _ellipse(8.0 * (frame + 10), half_width=half_width) for frame in range(-10, -4)}
    track = track_anchor(_Noise(flat=True), mattes, kind=AnchorKind.SIMILARITY, reference_frame=-10)
    assert track.keys[-1].rotation_deg == pytest.approx(turn_deg, abs=2.0)
    assert max(key.confidence for key in track.keys[1:]) < 0.3


def test_a_damaged_picture_is_passed_by() -> None:
    keys = _run(_matte(20, 12, 44, 36), AnchorKind.AFFINE, damaged=frozenset({-8}))
    assert [key.held for key in keys] == [False, False, True, False, False]


def test_the_reference_moves_to_where_the_object_is_seen() -> None:
    mattes = {-6: _matte(20, 12, 44, 36), -5: _matte(20, 12, 44, 36)}
    track = track_anchor(_Noise(), mattes, kind=AnchorKind.CENTROID, reference_frame=-10)
    assert track.reference_frame == -6
    assert [key.held for key in track.keys] == [True, True, True, False, False]


def test_parameters_that_make_no_sense_are_refused_in_words() -> None:
    def run(**changes: object) -> None:
        arguments: dict[str, object] = {"kind": AnchorKind.SIMILARITY, **changes}
        track_anchor(_Noise(), lambda _: _matte(20, 12, 44, 36), **arguments)  # type: ignore[arg-type]

    with pytest.raises(BadInputError, match="needs the point"):
        run(kind=AnchorKind.POINT)
    with pytest.raises(BadInputError, match="finite"):
        run(point_px=(float("nan"), 2.0))
    with pytest.raises(BadInputError, match="smoothing"):
        run(smoothing_frames=-1.0)
    with pytest.raises(BadInputError, match="none of the frames"):
        run(frames=[-7, 99])


def test_it_reports_progress_and_can_be_cancelled() -> None:
    seen: list[tuple[int, int]] = []
    matte = _matte(20, 12, 44, 36)
    track_anchor(
        _Noise(),
        lambda _: matte,
        kind=AnchorKind.AFFINE,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (10, 10)
    with pytest.raises(CancelledError):
        track_anchor(_Noise(), lambda _: matte, kind=AnchorKind.AFFINE, is_cancelled=lambda: len(seen) > 3)


@pytest.mark.parametrize("absence", list(Absence))
def test_every_rule_for_absences_gives_whole_tracks(absence: Absence) -> None:
    mattes = {-10: _matte(20, 12, 44, 36), -6: _matte(24, 12, 48, 36)}
    track = track_anchor(_Noise(), mattes, kind=AnchorKind.BOX, absence=absence, smoothing_frames=1.0)
    assert len(track.keys) == 5
