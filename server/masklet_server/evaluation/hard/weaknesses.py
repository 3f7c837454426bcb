"""What is hard for SAM 2 by its makers' own account (arXiv 2408.00714, appendix B), as scenes.

Strong moves of the camera, cuts, long occlusion, exits and returns, crowds, look-alikes, thin fast things,
long clips. Each scene follows from its kind, its number and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.evaluation.hard.material import Material
from masklet_server.evaluation.hard.stage import Actor, Scene

LONG_FRAMES = 5000
_HALF_WIDTH, _HALF_HEIGHT = 2 / 3, 0.5
_LEAD_FRAMES = 12
_RAMP_FRAMES = 6
_GONE_FRAMES = (5, 20, 100, 10, 50)

Track = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Casting:
    """Draws actors and their ways.

    Attributes:
        draw: Random numbers.
        material: What to draw from.
    """

    draw: np.random.Generator
    material: Material

    def thing(self, *, but: int = -1) -> int:
        """One of the things, another one than ``but``."""
        while (index := int(self.draw.integers(len(self.material.things)))) == but:
            pass
        return index

    def ground(self, *things: int) -> NDArray[np.uint8]:
        """A ground that shows none of these things."""
        return self.grounds(1, *things)[0]

    def grounds(self, count: int, *things: int) -> tuple[NDArray[np.uint8], ...]:
        """Different grounds that show none of these things.

        Raises:
            BadInputError: There are not so many.
        """
        taken = {self.material.origins[thing] for thing in things}
        free = [index for index in range(len(self.material.grounds)) if index not in taken]
        if len(free) < count:
            raise BadInputError("there are too few photographs to paint hard clips with: give four or more.")
        return tuple(self.material.grounds[index] for index in self.draw.choice(free, count, replace=False))

    def wander(self, frames: int, *, pace: float, width: float = 0.4, height: float = 0.25) -> Track:
        """``(T, 2)``: about a centre, at about ``pace`` heights a frame at most."""
        time = np.arange(frames)
        way = np.zeros((frames, 2))
        for axis, reach in enumerate((width, height)):
            for share in (0.7, 0.3):
                rate = pace / reach * self.draw.uniform(0.5, 1.0)
                way[:, axis] += reach * share * np.sin(rate * time + self.draw.uniform(0, 2 * np.pi))
        return way

    def actor(
        self, picture: NDArray[np.uint8], places: Track, *, size: float, is_rival: bool = False
    ) -> Actor:
        """An actor that breathes and turns a little."""
        frames = len(places)
        time = np.arange(frames)
        sizes = size * (1 + 0.08 * np.sin(0.05 * time + self.draw.uniform(0, 2 * np.pi)))
        turns = 0.2 * np.sin(0.04 * time + self.draw.uniform(0, 2 * np.pi))
        return Actor(picture, places, sizes, turns, np.ones(frames, np.bool_), is_rival)

    def twin(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The same in a slightly other colour, mirrored at times."""
        gains = self.draw.uniform(0.85, 1.15, 3)
        colour = np.clip(picture[..., :3] * gains, 0, 255)
        twin = np.dstack((colour, picture[..., 3])).astype(np.uint8)
        return np.ascontiguousarray(twin[:, ::-1]) if self.draw.random() < 0.5 else twin

    def slab(self) -> NDArray[np.uint8]:
        """``(s, s, 4)``: a wall, opaque."""
        ground = self.material.grounds[int(self.draw.integers(len(self.material.grounds)))]
        left, top = self.draw.integers(0, ground.shape[0] - 128, 2)
        part = ground[top : top + 128, left : left + 128]
        return np.dstack((part, np.full((128, 128), 255, np.uint8)))


def _occlusion(cast: Casting, number: int) -> Scene:
    """Something covers the target for 5, 20 or 100 frames, while it moves on behind."""
    gone = _GONE_FRAMES[number % len(_GONE_FRAMES)]
    frames = 2 * (_LEAD_FRAMES + _RAMP_FRAMES) + gone
    index = cast.thing()
    size = cast.draw.uniform(0.25, 0.35)
    target = cast.actor(cast.material.things[index], cast.wander(frames, pace=0.01), size=size)
    away = _away(frames, _LEAD_FRAMES, gone, _RAMP_FRAMES)
    side = 1.0 if cast.draw.random() < 0.5 else -1.0
    # It stands beside the picture, and over the target while this is gone.
    aside = np.stack((np.full(frames, side * 1.3), np.zeros(frames)), 1)
    places = aside + away[:, None] * (target.places - aside)
    wall = Actor(
        cast.slab(), places, np.full(frames, 2.0 * size), np.zeros(frames), np.ones(frames, np.bool_)
    )
    other = cast.thing(but=index)
    extra = cast.actor(cast.material.things[other], cast.wander(frames, pace=0.01), size=size)
    return Scene(target=target, behind=(extra,), before=(wall,), grounds=(cast.ground(index, other),))


def _exit(cast: Casting, number: int) -> Scene:
    """The target leaves the picture, slowly or at once, and comes back; every other time a twin stays."""
    gone, ramp = (5, 40) if number % 2 == 0 else (25, 2)
    frames = 2 * (_LEAD_FRAMES + ramp) + gone
    index = cast.thing()
    size = cast.draw.uniform(0.25, 0.35)
    inside = cast.wander(frames, pace=0.008, width=0.25, height=0.15)
    away = _away(frames, _LEAD_FRAMES, gone, ramp)
    sides = cast.draw.choice([-1.0, 1.0], 2)
    side = np.where(np.arange(frames) < frames / 2, sides[0], sides[1])
    places = inside + np.stack((away * side * 1.3, np.zeros(frames)), 1)
    picture = cast.material.things[index]
    behind: tuple[Actor, ...] = ()
    if number % 4 >= 2:
        way = cast.wander(frames, pace=0.008, width=0.2, height=0.1) + np.array([0.0, 0.2])
        behind = (cast.actor(cast.twin(picture), way, size=size, is_rival=True),)
    return Scene(
        target=cast.actor(picture, places, size=size),
        behind=behind,
        grounds=(cast.ground(index),),
    )


def _crowd(cast: Casting, number: int) -> Scene:
    """Nine of a kind mill about."""
    frames = 60
    index = cast.thing()
    picture = cast.material.things[index]
    size = cast.draw.uniform(0.18, 0.24)

    def one(*, is_rival: bool) -> Actor:
        centre = cast.draw.uniform((-0.35, -0.2), (0.35, 0.2))
        way = centre + cast.wander(frames, pace=0.012, width=0.25, height=0.2)
        return cast.actor(cast.twin(picture) if is_rival else picture, way, size=size, is_rival=is_rival)

    rivals = [one(is_rival=True) for _ in range(8)]
    return Scene(
        target=one(is_rival=False),
        behind=tuple(rivals[:5]),
        before=tuple(rivals[5:]),
        grounds=(cast.ground(index),),
    )


def _look_alike(cast: Casting, number: int) -> Scene:
    """A twin or two cross the target's way, before it and behind it."""
    frames = 60
    index = cast.thing()
    picture = cast.material.things[index]
    size = cast.draw.uniform(0.25, 0.35)
    target = cast.actor(picture, cast.wander(frames, pace=0.008, width=0.3, height=0.1), size=size)
    rivals = []
    for turn in range(1 + number % 2):
        meeting = int(cast.draw.integers(20, 40))
        pace = cast.draw.uniform(0.015, 0.03) * (1.0 if turn % 2 == 0 else -1.0)
        way = target.places[meeting] + np.stack(
            ((np.arange(frames) - meeting) * pace, 0.05 * np.sin(0.1 * np.arange(frames))), 1
        )
        rivals.append(cast.actor(cast.twin(picture), way, size=size, is_rival=True))
    front = (number // 2) % 2 == 0
    return Scene(
        target=target,
        behind=() if front else tuple(rivals),
        before=tuple(rivals) if front else (),
        grounds=(cast.ground(index),),
    )


def _camera(cast: Casting, number: int) -> Scene:
    """The camera is thrown about, and in every other scene jumps within its set."""
    frames = 60
    index = cast.thing()
    other = cast.thing(but=index)
    size = cast.draw.uniform(0.25, 0.4)
    camera = np.ones((frames, 3))
    camera[:, :2] = 0.0
    for start in range(8, frames, 12):
        # Half a height within four frames, and back.
        throw = cast.draw.uniform(-0.35, 0.35, 2) * np.array([1.0, 0.7])
        ramp = np.clip((np.arange(frames) - start) / 4.0, 0.0, 1.0)
        camera[:, :2] += throw * (ramp - np.clip((np.arange(frames) - start - 6) / 4.0, 0.0, 1.0))[:, None]
    if number % 2:
        for start in (20, 40):
            camera[start : start + 20, 2] *= cast.draw.uniform(1.2, 1.5)
            camera[start : start + 20, :2] += cast.draw.uniform(-0.15, 0.15, 2)
    return Scene(
        target=cast.actor(cast.material.things[index], cast.wander(frames, pace=0.01, width=0.2), size=size),
        behind=(cast.actor(cast.material.things[other], cast.wander(frames, pace=0.01), size=size),),
        grounds=(cast.ground(index, other),),
        camera=camera,
    )


def _cut(cast: Casting, number: int) -> Scene:
    """Another shot for ten frames, every other time with a twin in it, and back to the first from nearer."""
    frames, first, last = 50, 18, 28
    index = cast.thing()
    picture = cast.material.things[index]
    size = cast.draw.uniform(0.25, 0.35)
    there = np.ones(frames, np.bool_)
    there[first:last] = False
    target = cast.actor(picture, cast.wander(frames, pace=0.008, width=0.2, height=0.1), size=size)
    target = Actor(picture, target.places, target.sizes, target.turns, there)
    other = cast.thing(but=index)
    seen = cast.twin(picture) if number % 2 else cast.material.things[other]
    stranger = cast.actor(seen, cast.wander(frames, pace=0.008, width=0.3), size=size)
    stranger = Actor(seen, stranger.places, stranger.sizes, stranger.turns, ~there, is_rival=bool(number % 2))
    grounds = cast.grounds(2, index, other)
    camera = np.zeros((frames, 3))
    camera[:, 2] = 1.0
    camera[last:] = (*cast.draw.uniform(-0.15, 0.15, 2), 1.25)
    return Scene(
        target=target,
        behind=(stranger,),
        grounds=grounds,
        ground_at=(~there).astype(np.int64),
        camera=camera,
    )


def _thin(cast: Casting, number: int) -> Scene:
    """A stick that flies about and spins, blurred by the shutter."""
    frames = 50
    index = cast.thing()
    thing = cast.material.things[index]
    side = thing.shape[0]
    square = np.zeros_like(thing)
    width = side // 8
    squeezed = cv2.resize(thing, (width, side), interpolation=cv2.INTER_AREA)
    square[:, (side - width) // 2 : (side - width) // 2 + width] = squeezed
    pace = 0.05 if number % 2 == 0 else 0.1
    stick = cast.actor(square, cast.wander(frames, pace=pace, width=0.45, height=0.3), size=0.5)
    turns = stick.turns + cast.draw.uniform(0.1, 0.25) * np.arange(frames)
    return Scene(
        target=Actor(square, stick.places, stick.sizes, turns, stick.shown),
        grounds=(cast.ground(index),),
        moments=4,
    )


def _long(cast: Casting, number: int, frames: int = LONG_FRAMES) -> Scene:
    """Everything in turn: a twin crosses, a wall covers, the target leaves and comes back."""
    index = cast.thing()
    picture = cast.material.things[index]
    time = np.arange(frames)
    places = cast.wander(frames, pace=0.008, width=0.3, height=0.15)
    away = np.zeros(frames)
    covered = np.zeros(frames)
    crossing = np.zeros((frames, 2))
    for start in range(0, frames, 300):
        span = slice(start, min(start + 300, frames))
        near = time[span] - start
        side = float(cast.draw.choice([-1.0, 1.0]))
        away[span] = side * 1.3 * np.clip(np.minimum((near - 220) / 10.0, (260 - near) / 10.0), 0.0, 1.0)
        covered[span] = np.clip(np.minimum((near - 120) / 6.0, (150 - near) / 6.0), 0.0, 1.0)
        crossing[span, 0] = (near - 60) * 0.02 * side
    target = cast.actor(picture, places + np.stack((away, np.zeros(frames)), 1), size=0.3)
    aside = np.stack((np.full(frames, 1.3), np.zeros(frames)), 1)
    wall = Actor(
        cast.slab(),
        aside + covered[:, None] * (places - aside),
        np.full(frames, 0.65),
        np.zeros(frames),
        np.ones(frames, np.bool_),
    )
    twin = cast.actor(cast.twin(picture), places + crossing, size=0.3, is_rival=True)
    return Scene(target=target, behind=(twin,), before=(wall,), grounds=(cast.ground(index),))


_MAKERS: MappingProxyType[str, Callable[..., Scene]] = MappingProxyType(
    {
        "occlusion": _occlusion,
        "exit": _exit,
        "crowd": _crowd,
        "look-alike": _look_alike,
        "camera": _camera,
        "cut": _cut,
        "thin": _thin,
        "long": _long,
    }
)

WEAKNESSES = tuple(_MAKERS)
"""All of them. ``long`` takes as long as the others together many times over."""

SHORT = tuple(name for name in WEAKNESSES if name != "long")


def scenes(
    material: Material, weaknesses: Sequence[str], *, clips: int, seed: int, long_frames: int = LONG_FRAMES
) -> Iterator[Scene]:
    """Scenes of each weakness in turn; ``clips`` of each, of ``long`` one."""
    for weakness in weaknesses:
        for number in range(1 if weakness == "long" else clips):
            draws = (seed, WEAKNESSES.index(weakness), number)
            cast = Casting(np.random.default_rng(draws), material)
            extra = {"frames": long_frames} if weakness == "long" else {}
            made = _MAKERS[weakness](cast, number, **extra)
            yield replace(made, name=f"{weakness} {number + 1}", weakness=weakness, seed=seed + number)


def _away(frames: int, lead: int, gone: int, ramp: int) -> Track:
    """0 where it is, 1 while it is away: from ``lead + ramp`` on, for ``gone`` frames."""
    time = np.arange(frames)
    return np.clip(np.minimum((time - lead) / ramp, (lead + 2 * ramp + gone - 1 - time) / ramp), 0.0, 1.0)
