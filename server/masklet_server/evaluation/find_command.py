"""``masklet-server evaluate-find``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from masklet.types import ClipInfo
    from masklet_server.evaluation.hard.material import Material
    from masklet_server.evaluation.hard.stage import GeneratedFrames

_LEAST_SHARE = 0.002
_OF_A_KIND, _OTHERS = 5, 4


def evaluate_find(
    photographs: Annotated[
        Path, typer.Option(help="Folder of photographs with instance masks: images, masks, meta.json.")
    ],
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    pictures: Annotated[int | None, typer.Option(help="Only so many of the photographs.")] = None,
    crowds: Annotated[int, typer.Option(help="Generated crowds of one kind among others.")] = 12,
    seed: Annotated[int, typer.Option(help="Another one gives other crowds.")] = 1,
    layers: Annotated[int, typer.Option(help="Look for small things in parts, too.")] = 0,
    clicks: Annotated[int, typer.Option(help="Along each side of the picture; 0: as usual.")] = 0,
    limit: Annotated[int, typer.Option(help="Things in a picture.")] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Measure how much of what is in pictures is found, and how much of a kind."""
    from rich.console import Console
    from rich.table import Table

    from masklet.found import FindRequest
    from masklet_server.evaluation.hard.material import from_photographs
    from masklet_server.evaluation.report import measured_with, write_json
    from masklet_server.evaluation.searches import LoneSession, Tally
    from masklet_server.evaluation.trackers import network_trackers

    console = Console()
    make_tracker = network_trackers(weights, device=device)
    tallies = {name: Tally() for name in ("photographs", "generated crowds", "all of a kind")}

    def everything(frame: int) -> FindRequest:
        return FindRequest(frame, limit=limit, per_side=clicks, layers=layers)

    with console.status("looking") as status:
        for photograph in islice(photographs_in(photographs), pictures):
            things, seconds = LoneSession(photograph, make_tracker).find(everything(0))
            tallies["photographs"].add(photograph.truths, things, seconds)
            status.update(f"{tallies['photographs'].pictures} photographs")
        material = from_photographs(photographs)
        for number in range(crowds):
            frames = crowd(material, number, seed)
            session = LoneSession(frames, make_tracker)
            seen = [mask for mask in frames.all_visible(0) if mask.mean() >= _LEAST_SHARE]
            tallies["generated crowds"].add(seen, *session.find(everything(0)))
            object_id = session.say(0, frames.visible(0))
            alike = [mask for mask in frames.rivals(0) if mask.mean() >= _LEAST_SHARE]
            found = session.find(FindRequest(0, object_id=object_id, limit=limit, layers=layers))
            tallies["all of a kind"].add(alike, *found)
            status.update(f"{number + 1} of {crowds} crowds")
    table = Table(title=f"{Path(weights).name}: what is found")
    figures = {name: tally.as_json() for name, tally in tallies.items()}
    table.add_column("pictures")
    for heading in figures["photographs"]:
        table.add_column(heading, justify="right")
    for name, values in figures.items():
        table.add_row(name, *(f"{value:g}" for value in values.values()))
    console.print(table)
    if json_file is not None:
        asked = {
            "pictures": pictures,
            "crowds": crowds,
            "seed": seed,
            "layers": layers,
            "clicks": clicks,
            "limit": limit,
        }
        write_json(json_file, {"figures": figures, "asked": asked, **measured_with(weights)})


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture with the masks of the things on it: a frame source of one frame, 0.

    Attributes:
        info: Of the picture.
        picture: ``(h, w, 3)``.
        truths: ``(h, w)`` each.
    """

    info: ClipInfo
    picture: NDArray[np.uint8]
    truths: list[NDArray[np.bool_]]

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture, whatever the frame."""
        return self.picture


def photographs_in(folder: Path) -> Iterator[Photograph]:
    """Photographs with the masks of all things of at least a five-hundredth of the picture.

    Raises:
        BadInputError: The folder has none.
    """
    import cv2
    import numpy as np

    from masklet.errors import BadInputError
    from masklet.types import ClipInfo

    files = sorted((folder / "images").glob("*.jpg"))
    if not files:
        raise BadInputError(f"{folder} has no photographs: it needs images/*.jpg and masks/*.png")
    for file in files:
        picture = cv2.imread(str(file))
        labels = cv2.imread(str(folder / "masks" / f"{file.stem}.png"), cv2.IMREAD_UNCHANGED)
        if picture is None or labels is None:
            raise BadInputError(f"{file} or its masks cannot be read")
        masks = [np.asarray(labels == label) for label in np.unique(labels) if label]
        height_px, width_px = picture.shape[:2]
        yield Photograph(
            ClipInfo(file.name, width_px, height_px, 0, 0),
            np.ascontiguousarray(picture[..., ::-1]),
            [mask for mask in masks if mask.mean() >= _LEAST_SHARE],
        )


def crowd(material: Material, number: int, seed: int) -> GeneratedFrames:
    """One picture with things of one kind, some of which hide others a little, and things of other kinds."""
    import numpy as np

    from masklet_server.evaluation.hard.stage import GeneratedFrames, Scene
    from masklet_server.evaluation.hard.weaknesses import Casting

    cast = Casting(np.random.default_rng((seed, 99, number)), material)
    kind = cast.thing()
    picture = material.things[kind]
    others = [cast.thing(but=kind) for _ in range(_OTHERS)]
    count = _OF_A_KIND + _OTHERS
    # A jittered grid: things touch, and few are hidden.
    cells = np.array([(x, y) for y in (-0.3, 0.0, 0.3) for x in (-0.42, 0.0, 0.42)])[:count]
    places = cast.draw.permutation(cells + cast.draw.uniform(-0.07, 0.07, cells.shape))
    actors = []
    for place, each in zip(places, [kind] * _OF_A_KIND + others, strict=True):
        shown = material.things[each] if each != kind else cast.twin(picture)
        size = cast.draw.uniform(0.24, 0.34)
        actors.append(cast.actor(shown, np.tile(place, (1, 1)), size=size, is_rival=each == kind))
    target = cast.actor(picture, np.tile(places[0], (1, 1)), size=0.3)
    return GeneratedFrames(
        Scene(
            target=target,
            behind=tuple(actors[1:]),
            grounds=(cast.ground(kind, *others),),
            name=f"crowd of a kind {number + 1}",
            seed=seed + number,
        )
    )
