"""Everything that is asked of a large GPU, in one run that prints what matters most first.

    python server/benchmarks/bench_gpu.py --until-s 540 > server/benchmarks/results/gpu_h100.jsonl
    python server/benchmarks/bench_gpu.py --small          # the same code on a CPU, in a minute

One JSON line per figure, as soon as it is there, so that a run which is cut short is still worth
keeping. A case that fails says so in its line and the next one goes on; one that would not fit into
what is left of ``--until-s`` is named and left out. ``--only`` runs chosen cases, for the rest of
the list in a second run. Needs the package ``sam2``.

Both codes get the same stand-in weights. ``official compiled`` is the official package's own
``vos_optimized``; ours is ``eager``, replayed as CUDA ``graphs``, or ``compiled`` and replayed.
"""

from __future__ import annotations

import argparse
import platform
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from bench_gpu_attention import attention_lines
from bench_gpu_engine import (
    agreement_lines,
    engine_lines,
    first_mask_lines,
    memory_lines,
    recompilation_lines,
    session_lines,
)
from bench_gpu_speed import Contest, Setup, contest_lines, encoder_lines
from records import begin, write_line

_SIZES = ("tiny", "small", "base_plus", "large")
_LARGE = ("large_1_uncompiled", "large_1_compiled")


@dataclass(frozen=True)
class Case:
    """One entry of the list.

    Attributes:
        name: For ``--only``.
        estimate_s: How long it may take on an H100, compilation included: a guess until it was run.
        lines: Runs it.
    """

    name: str
    estimate_s: float
    lines: Callable[[], Iterator[dict[str, Any]]]


class Contests:
    """The contest of one size at a time: another size takes its place, and its memory."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._contest: Contest | None = None

    def of(self, size: str) -> Contest:
        """Made now unless it was the last one asked for."""
        preset = f"sam2.1_hiera_{size}"
        if self._contest is None or self._contest.preset != preset:
            self._contest = None
            torch.compiler.reset()
            if self._setup.cuda:
                torch.cuda.empty_cache()
            self._contest = Contest(self._setup, preset)
        return self._contest


def all_cases(setup: Setup, contests: Contests, *, small: bool) -> list[Case]:
    """What to run, the most wanted first."""
    tiny, large = partial(contests.of, "tiny"), partial(contests.of, "large")
    many = 3 if small else 16

    def speed(
        size: Callable[[], Contest], objects: int, *, ours: tuple[Any, ...], official: tuple[Any, ...]
    ) -> Callable[[], Iterator[dict[str, Any]]]:
        return lambda: contest_lines(size(), objects, ours=ours, official=official)

    uncompiled: dict[str, Any] = {"ours": ("eager", "graphs"), "official": ("eager",)}
    compiled: dict[str, Any] = {"ours": ("compiled",), "official": ("compiled",)}
    frames = (5, 10) if small else (50, 500)
    cases = [
        Case("attention", 15, lambda: attention_lines(setup)),
        Case("tiny_1_uncompiled", 15, speed(tiny, 1, **uncompiled)),
        Case("tiny_16_uncompiled", 25, speed(tiny, many, **uncompiled)),
        Case("tiny_1_compiled", 150, speed(tiny, 1, **compiled)),
        Case("tiny_16_compiled", 60, speed(tiny, many, **compiled)),
        Case(_LARGE[0], 20, speed(large, 1, **uncompiled)),
        Case("engine", 25, lambda: engine_lines(tiny(), (1, many), small=small)),
        Case("sessions", 20, lambda: session_lines(tiny(), (1, 2) if small else (1, 4, 8), small=small)),
        Case("memory", 45, lambda: memory_lines(tiny(), frames)),
        Case("first_mask", 20, lambda: first_mask_lines(tiny(), 6 if small else 200)),
        Case("agreement", 20, lambda: agreement_lines(tiny(), small=small)),
        Case("recompilations", 40, lambda: recompilation_lines(tiny(), small=small)),
        Case("encoder_batch", 10, lambda: encoder_lines(tiny(), "graphs")),
        Case(_LARGE[1], 240, speed(large, 1, **compiled)),
    ]
    if small:
        # What differs from others in its numbers alone.
        return [case for case in cases if case.name not in ("tiny_16_compiled", *_LARGE)]
    for size in _SIZES:
        for objects in (1, 4, 16):
            for kind, options, estimate_s in (("uncompiled", uncompiled, 25), ("compiled", compiled, 200)):
                name = f"{size}_{objects}_{kind}"
                if not any(case.name == name for case in cases):
                    cases.append(
                        Case(name, estimate_s, speed(partial(contests.of, size), objects, **options))
                    )
    return cases


def run(cases: list[Case], about: dict[str, Any], *, until_s: float, started_s: float) -> None:
    """Run the cases in order and print their lines."""
    for case in cases:
        at_s = time.monotonic() - started_s
        if at_s + case.estimate_s > until_s:
            write_line({"case": case.name, "left_out": "no time left", "at_s": round(at_s)})
            continue
        try:
            for line in case.lines():
                at_s = time.monotonic() - started_s
                write_line({**line, **about, "at_s": round(at_s, 1)})
        # Whatever one case dies of, the others are worth their time on a borrowed device.
        except Exception as error:  # noqa: BLE001
            reason = "".join(traceback.format_exception(error))[-1500:]
            write_line({"case": case.name, "error": reason, **about})


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="tiny shapes on the CPU: does it all run?")
    parser.add_argument("--until-s", type=float, default=540.0, help="start no case that would end later")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="run these cases, in the list's order")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    arguments = parser.parse_args()
    started_s = time.monotonic()
    if not arguments.small and not torch.cuda.is_available():
        parser.error("there is no GPU here: use --small to run the same code on a CPU")
    setup = Setup("cpu", side_px=64, repeats=1) if arguments.small else Setup("cuda", 1024, repeats=20)
    cases = all_cases(setup, Contests(setup), small=arguments.small)
    if arguments.only:
        cases = [case for case in cases if case.name in arguments.only]
    if arguments.list:
        for case in cases:
            print(f"{case.name:24} about {case.estimate_s:.0f} s")
        return
    about = {
        "device": torch.cuda.get_device_name() if setup.cuda else platform.processor() or "cpu",
        "torch": torch.__version__,
        "side_px": setup.side_px,
        "dtype": str(setup.dtype).removeprefix("torch."),
    }
    begin("bench_gpu", footage="noise and discs; weights are synthetic but for the embedded model's", **about)
    run(cases, about, until_s=arguments.until_s, started_s=started_s)


if __name__ == "__main__":
    main()
