"""Calm in time, on a patterned object that moves over a patterned ground."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet.types import ClipInfo, Presence
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.calm import Neighbour, calm_logits, flow_size, measure_motion, motion_window
from masklet_server.mattes.refined_alpha import Approved, Calming, RefinedAlpha
from masklet_server.mattes.windows import Look, Window
from masklet_server.tracking import ObjectFrame

WIDTH_PX, HEIGHT_PX, GRID = 320, 200, 64
PLATE = Window(0, 0, WIDTH_PX, HEIGHT_PX)
STEP_PX = (5.0, -2.0)
FRAMES = range(1, 8)


def pattern(seed: int, base: float) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    coarse = generator.normal(base, 40, (HEIGHT_PX // 4, WIDTH_PX // 4)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC))


def moved(plane: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
    shift = np.array([[1.0, 0.0, (frame - 4) * STEP_PX[0]], [0.0, 1.0, (frame - 4) * STEP_PX[1]]])
    size = (WIDTH_PX, HEIGHT_PX)
    return np.asarray(cv2.warpAffine(plane, shift, size, borderMode=cv2.BORDER_REFLECT), np.float32)


def scene(frame: int, *, take: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Picture and true alpha; another take is another shot of the same object."""
    alpha = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    cv2.ellipse(alpha, (160, 100), (70, 48), 20, 0, 360, 1.0, -1, cv2.LINE_8)
    alpha = moved(alpha, frame)
    grey = alpha * moved(pattern(1 + take, 150), frame) + (1 - alpha) * pattern(2 + take, 90)
    picture = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.repeat(picture[..., None], 3, axis=-1), alpha


def network_logits(
    alpha: NDArray[np.float32], seed: int, *, wander_cells: float = 0.6
) -> NDArray[np.float16]:
    """Logits of a coarse grid whose outline wanders, differently for each seed."""
    wander = np.random.default_rng(seed).standard_normal((GRID, GRID, 2)).astype(np.float32)
    wander = np.asarray(cv2.GaussianBlur(wander, (0, 0), 3), np.float32)
    wander *= wander_cells / float(wander.std())
    low = cv2.resize(alpha, (GRID, GRID), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:GRID, 0:GRID].astype(np.float32)
    low = cv2.remap(low, x + wander[..., 0], y + wander[..., 1], cv2.INTER_LINEAR)
    low = np.asarray(cv2.GaussianBlur(low, (0, 0), 0.7), np.float32)
    return np.clip(1.5 * np.log((low + 1e-4) / (1 - low + 1e-4)), -12, 12).astype(np.float16)


def calmed(
    frame: int, logits: dict[int, NDArray[np.float16]], pictures: dict[int, NDArray[np.uint8]]
) -> Look:
    looks = {each: Look(PLATE, own) for each, own in logits.items()}
    window = motion_window(list(looks.values()), WIDTH_PX, HEIGHT_PX)
    assert window is not None

    def grey(each: int) -> NDArray[np.uint8]:
        part = np.ascontiguousarray(pictures[each][..., 0][window.slices])
        return np.asarray(cv2.resize(part, flow_size(window), interpolation=cv2.INTER_AREA), np.uint8)

    neighbours = [
        Neighbour(look, measure_motion(grey(frame), grey(each), window))
        for each, look in looks.items()
        if each != frame
    ]
    return Look(PLATE, calm_logits(looks[frame], neighbours))


def error(logits: NDArray[np.float16], truth: NDArray[np.float32]) -> float:
    return float(np.abs(render_alpha(logits, WIDTH_PX, HEIGHT_PX) - truth).sum())


def test_an_outline_that_wanders_is_nearer_to_the_truth_after_calming_and_wanders_less() -> None:
    scenes = {frame: scene(frame) for frame in FRAMES}
    pictures = {frame: picture for frame, (picture, _) in scenes.items()}
    logits = {frame: network_logits(alpha, frame) for frame, (_, alpha) in scenes.items()}

    def around(frame: int) -> dict[int, NDArray[np.float16]]:
        return {each: logits[each] for each in range(frame - 2, frame + 3)}

    calm = {frame: calmed(frame, around(frame), pictures).logits for frame in (3, 4, 5)}

    before = sum(error(logits[frame], scenes[frame][1]) for frame in calm)
    after = sum(error(calm[frame], scenes[frame][1]) for frame in calm)
    assert after < 0.75 * before

    def flicker(own: dict[int, NDArray[np.float16]]) -> float:
        alphas = [
            moved(render_alpha(own[frame], WIDTH_PX, HEIGHT_PX), 8 - frame) for frame in calm
        ]  # All brought to where the object is on frame 4.
        return float(sum(np.abs(b - a).sum() for a, b in itertools.pairwise(alphas)))

    assert flicker(calm) < 0.6 * flicker(logits)


def test_a_moving_outline_that_is_right_neither_lags_nor_smears() -> None:
    scenes = {frame: scene(frame) for frame in (2, 3, 4, 5, 6)}
    logits = {frame: network_logits(alpha, 0, wander_cells=0.0) for frame, (_, alpha) in scenes.items()}

    calm = calmed(4, logits, {frame: picture for frame, (picture, _) in scenes.items()}).logits

    own = error(calm, scenes[4][1])
    assert own < 1.15 * error(logits[4], scenes[4][1])
    before, after = error(calm, scenes[3][1]), error(calm, scenes[5][1])
    assert min(before, after) > 2.5 * own
    assert 0.9 < before / after < 1.1


def test_across_a_cut_a_frame_stays_as_it_is() -> None:
    pictures = {frame: scene(frame, take=0 if frame == 4 else 10)[0] for frame in (2, 3, 4, 5, 6)}
    shifted = np.roll(network_logits(scene(4)[1], 0), 6, axis=1)
    own = network_logits(scene(4)[1], 1)

    calm = calmed(4, {4: own, **dict.fromkeys((2, 3, 5, 6), shifted)}, pictures).logits

    assert np.abs((calm > 0).astype(int) - (own > 0)).sum() <= 0.01 * (own > 0).sum()


def test_what_passes_in_front_for_one_frame_stays_cut_out() -> None:
    pictures, logits = {}, {}
    for frame in (2, 3, 4, 5, 6):
        picture, alpha = scene(frame)
        if frame == 4:
            picture[:, 150:190] = pattern(7, 120)[:, 150:190, None].astype(np.uint8)
            alpha[:, 150:190] = 0
        pictures[frame], logits[frame] = picture, network_logits(alpha, 0, wander_cells=0.0)

    calm = calmed(4, logits, pictures).logits

    inside = slice(32, 36)  # Cells well within the bar that passes.
    assert (logits[4][:, inside] < 0).all()
    assert (calm[:, inside] < 0).mean() > 0.97


def test_what_has_no_neighbours_stays_to_the_last_digit() -> None:
    own = network_logits(scene(4)[1], 1)

    assert np.array_equal(calm_logits(Look(PLATE, own), []), own)


class Plate:
    """The scene as a source; remembers what was read, and cannot read some."""

    def __init__(self, broken: Sequence[int] = ()) -> None:
        self.reads: list[int] = []
        self._given: list[weakref.ref[NDArray[np.uint8]]] = []
        self._broken = broken

    @property
    def info(self) -> ClipInfo:
        return ClipInfo("plate", WIDTH_PX, HEIGHT_PX, FRAMES[0], FRAMES[-1])

    def read(self, frame: int) -> NDArray[np.uint8]:
        self.reads.append(frame)
        if frame in self._broken:
            raise ClipError(f"frame {frame} cannot be read")
        picture = scene(frame)[0]
        self._given.append(weakref.ref(picture))
        return picture

    @property
    def kept(self) -> int:
        """How many of its pictures are still held by someone."""
        return sum(given() is not None for given in self._given)


class Tracked:
    """Results of one object on all frames."""

    def __init__(self) -> None:
        self._found = {
            frame: ObjectFrame(
                1,
                frame,
                network_logits(scene(frame)[1], frame),
                4.0,
                0.9,
                Presence.PRESENT,
                np.zeros(2, np.float16),
            )
            for frame in FRAMES
        }

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return self._found.get(frame)

    def frames_of(self, object_id: int) -> Sequence[int]:
        return list(FRAMES)

    def of(self, frame: int) -> ObjectFrame:
        return self._found[frame]


def same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Equal but for rounding, which depends on where arrays lie in memory."""
    return np.allclose(one, other, rtol=0, atol=2e-3)


def calming(results: Tracked, *, strength: float = 1.0, cuts: Sequence[int] = ()) -> Calming:
    return Calming(results, lambda _: strength, cuts)


def test_frames_asked_in_order_are_read_once_each_and_only_a_few_are_kept() -> None:
    plate, results = Plate(), Tracked()
    coverage = RefinedAlpha(plate, calming=calming(results))

    kept = []
    for frame in FRAMES:
        coverage(results.of(frame))
        kept.append(plate.kept)

    assert plate.reads == list(FRAMES)
    assert max(kept) == 3  # Of the frame in hand and the two that come next.


def test_a_frame_is_the_same_whichever_frames_were_asked_before() -> None:
    results = Tracked()
    warm = RefinedAlpha(Plate(), calming=calming(results))
    for frame in (7, 2, 3):
        warm(results.of(frame))

    assert same(warm(results.of(4)), RefinedAlpha(Plate(), calming=calming(results))(results.of(4)))


def test_strength_says_how_much_and_none_is_none() -> None:
    results = Tracked()
    alone = RefinedAlpha(Plate())(results.of(4))
    none, half, full = (
        RefinedAlpha(Plate(), calming=calming(results, strength=strength))(results.of(4))
        for strength in (0.0, 0.3, 1.0)
    )

    assert same(none, alone)
    assert 0 < np.abs(half - alone).sum() < np.abs(full - alone).sum()


def test_an_approved_frame_comes_of_what_it_was_approved_with_and_changes_nothing_around() -> None:
    results = Tracked()

    def look(result: ObjectFrame) -> list[Look]:
        return [Look(Window(0, 0, WIDTH_PX, HEIGHT_PX), np.flip(result.logits, 0))]

    def coverage(approved: Approved | None) -> RefinedAlpha:
        return RefinedAlpha(
            Plate(),
            look=look,
            calming=calming(results),
            approved=lambda result: approved if result.frame == 4 else None,
        )

    free = coverage(None)
    around = [(results.of(frame), look(results.of(frame))) for frame in (2, 3, 5, 6)]
    as_free = coverage(Approved(look(results.of(4)), around))
    alone = coverage(Approved((), ()))

    assert same(as_free(results.of(4)), free(results.of(4)))
    assert same(alone(results.of(4)), RefinedAlpha(Plate())(results.of(4)))
    assert not same(alone(results.of(4)), free(results.of(4)))
    assert same(alone(results.of(5)), free(results.of(5)))


@pytest.mark.parametrize("cuts", [(4, 5), (2, 4, 5, 7)])
def test_nothing_is_asked_across_a_known_cut(cuts: Sequence[int]) -> None:
    results = Tracked()

    calm = RefinedAlpha(Plate(), calming=calming(results, cuts=cuts))(results.of(4))

    assert same(calm, RefinedAlpha(Plate())(results.of(4)))


def test_a_frame_that_cannot_be_read_is_not_asked_and_keeps_its_mask() -> None:
    results = Tracked()
    coverage = RefinedAlpha(Plate(broken=(5,)), calming=calming(results))

    assert np.isfinite(coverage(results.of(4))).all()
    # Its own edges, as it was tracked: the artist's mask is not lost with the file.
    assert np.isfinite(coverage(results.of(5))).all()
