"""``masklet-server evaluate --hard``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from rich.table import Table

    from masklet_server.evaluation.hard.contest import ClipOutcome, Outcome

ALL = "all together"


@dataclass(frozen=True)
class HardAssignment:
    """What ``evaluate --hard`` was asked for.

    Attributes:
        weights: Name in the weight store, or a file.
        policies: What to compare, in the order of the table.
        weaknesses: Which clips; none for all but the long one.
        clips: Clips of each weakness.
        frames: Of the long clip.
        seed: Another one gives other clips.
        photographs: Folder to take things and grounds from; None for generated ones.
        side_px: Of the network's input; None for that of the weights.
        device: Where the network runs.
        baselines: Measure copying and optical flow too.
        flicker: Measure flicker too.
        json_file: Write all figures there, anew after every clip: a run that is cut short is worth keeping.
        sheet: Write a picture of every fifth of each clip there, a row for each contender.
    """

    weights: str
    policies: tuple[str, ...]
    weaknesses: tuple[str, ...]
    clips: int
    frames: int
    seed: int
    photographs: Path | None
    side_px: int | None
    device: str
    baselines: bool
    flicker: bool
    json_file: Path | None
    sheet: Path | None


def evaluate_hard(asked: HardAssignment) -> None:
    """Generate hard clips, track them with every policy, and print what became of the objects.

    Raises:
        BadInputError: A policy, weakness or folder is none.
    """
    from rich.console import Console

    from masklet_server.evaluation.hard.contest import run_scene
    from masklet_server.evaluation.hard.gallery import Gallery
    from masklet_server.evaluation.hard.material import from_photographs, generated
    from masklet_server.evaluation.hard.weaknesses import SHORT, WEAKNESSES, scenes
    from masklet_server.evaluation.report import measured_with, write_json
    from masklet_server.evaluation.trackers import network_contests

    unknown = [name for name in asked.weaknesses if name not in WEAKNESSES]
    if unknown:
        raise BadInputError(f"there is no weakness {unknown[0]}: it is one of {', '.join(WEAKNESSES)}.")
    console = Console()
    material = generated(asked.seed) if asked.photographs is None else from_photographs(asked.photographs)
    make_contest = network_contests(asked.weights, asked.policies, side_px=asked.side_px, device=asked.device)
    gallery = None if asked.sheet is None else Gallery(asked.policies)
    results: dict[str, list[ClipOutcome]] = {}
    totals: dict[str, dict[str, Outcome]] = {}
    with console.status("generating and tracking") as status:
        for scene in scenes(
            material, asked.weaknesses or SHORT, clips=asked.clips, seed=asked.seed, long_frames=asked.frames
        ):
            status.update(scene.name)
            outcome = run_scene(
                scene,
                make_contest,
                asked.policies,
                baselines=asked.baselines,
                flicker=asked.flicker,
                curve=scene.weakness == "long",
                watch=None if gallery is None else gallery.watcher(scene),
            )
            results.setdefault(scene.weakness, []).append(outcome)
            totals = {weakness: _total(outcomes) for weakness, outcomes in results.items()}
            totals[ALL] = _total([outcome for outcomes in results.values() for outcome in outcomes])
            if asked.json_file is not None:
                write_json(asked.json_file, _as_json(totals, results, asked) | measured_with(asked.weights))
            if gallery is not None and asked.sheet is not None:
                gallery.write(asked.sheet)
    console.print(_table(totals, asked))
    for line in _remarks(totals[ALL], [each for outcomes in results.values() for each in outcomes], asked):
        console.print(line)


def _total(outcomes: Sequence[ClipOutcome]) -> dict[str, Outcome]:
    names = list(outcomes[0].outcomes)
    total = {name: outcomes[0].outcomes[name] for name in names}
    for outcome in outcomes[1:]:
        total = {name: total[name] + outcome.outcomes[name] for name in names}
    return total


def _table(totals: Mapping[str, Mapping[str, Outcome]], asked: HardAssignment) -> Table:
    from rich.table import Table

    table = Table(title=f"hard clips, {Path(asked.weights).name}")
    table.add_column("weakness", no_wrap=True)
    table.add_column("policy", no_wrap=True)
    for heading in ("J&F", "missed returns", "ghosts %", "switches", "on rival %", "lost %", "flicker"):
        table.add_column(heading, justify="right")
    for weakness, by_name in totals.items():
        for number, (name, outcome) in enumerate(by_name.items()):
            table.add_row(weakness if number == 0 else "", name, *_cells(outcome))
        table.add_section()
    return table


def _cells(outcome: Outcome) -> list[str]:
    counts, flicker = outcome.counts, outcome.mean_flicker
    last = "" if flicker is None else f"{flicker:.1f}"
    if counts.j_and_f is None:
        return [""] * 6 + [last]
    return [
        f"{counts.j_and_f:.1f}",
        f"{counts.missed} of {counts.returns}" if counts.returns else "",
        _percent(counts.ghosts, counts.absent),
        str(counts.switches),
        _percent(counts.on_rival, counts.frames),
        _percent(counts.lost, counts.present),
        last,
    ]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else ""


def _remarks(
    total: Mapping[str, Outcome], outcomes: Sequence[ClipOutcome], asked: HardAssignment
) -> list[str]:
    frames = max(1, total[asked.policies[0]].counts.frames)
    encode_ms = 1000 * sum(outcome.encode_s for outcome in outcomes) / frames
    costs = ", ".join(f"{name} {1000 * total[name].seconds / frames:.0f}" for name in asked.policies)
    curves = [(name, curve) for outcome in outcomes for name, curve in outcome.curve.items()]
    return [
        *(
            f"Mean J of each thousand frames, {name}: {', '.join(map(str, _means(curve, 1000)))}"
            for name, curve in curves
        ),
        "Missed returns: not found within five frames of being back. Ghosts: frames without the object that "
        "have a mask. Switches: times a mask went over to a rival. Lost: frames on which it misses it.",
        f"Milliseconds a frame: {encode_ms:.0f} for the picture, once for all; besides: {costs}.",
    ]


def _as_json(
    totals: Mapping[str, Mapping[str, Outcome]],
    results: Mapping[str, Sequence[ClipOutcome]],
    asked: HardAssignment,
) -> dict[str, Any]:
    def figures(outcome: Outcome) -> dict[str, Any]:
        return {
            **asdict(outcome.counts),
            "j_and_f": outcome.counts.j_and_f,
            "flicker": outcome.mean_flicker,
            "seconds": round(outcome.seconds, 3),
        }

    curves = {
        name: _means(curve, 100)
        for outcomes in results.values()
        for outcome in outcomes
        for name, curve in outcome.curve.items()
    }
    return {
        "weights": Path(asked.weights).name,
        "seed": asked.seed,
        "clips": asked.clips,
        "material": "generated" if asked.photographs is None else "photographs",
        "side_px": asked.side_px,
        "encode_s": round(sum(each.encode_s for outcomes in results.values() for each in outcomes), 3),
        "weaknesses": {
            weakness: {name: figures(outcome) for name, outcome in by_name.items()}
            for weakness, by_name in totals.items()
        },
        "clips_one_by_one": {
            f"{weakness} {number}": {name: figures(outcome) for name, outcome in clip.outcomes.items()}
            for weakness, outcomes in results.items()
            for number, clip in enumerate(outcomes, 1)
        },
        **({"mean_j_of_each_hundred_frames": curves} if curves else {}),
    }


def _means(curve: Sequence[float], frames: int) -> list[float]:
    """Of each run of so many frames, in percent."""
    parts = [curve[at : at + frames] for at in range(0, len(curve), frames)]
    return [round(100 * sum(part) / len(part), 1) for part in parts]
