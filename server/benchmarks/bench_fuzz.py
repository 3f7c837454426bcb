"""Bytes that nobody would send, guided by the code that they reach: ``pip install atheris``.

    python server/benchmarks/bench_fuzz.py --seconds 60 > server/benchmarks/results/fuzz.jsonl
    python server/benchmarks/bench_fuzz.py --seconds 3600 --targets wire references --corpus corpus

Each target of ``fuzz_targets.py`` runs in a process of its own: one that takes longer than five seconds for
an input, or more than a gibibyte, counts as a fault like an error that nobody expects. Prints one JSON line
a target: inputs that were tried, those worth keeping, places of the code that they reach, and how a fault
ended, with its input in base64. Exit code 1 where there was one.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from records import begin, write_line

INSTRUMENTED = ("masklet", "masklet_server")
_MOST_BYTES = 16 << 10
_SECONDS_FOR_ONE = 5
_MOST_MIB = 1024
_TOLD_CHARACTERS = 400


def fuzz(name: str, seconds: int, corpus: Path, faults: Path) -> None:
    """Fuzz one target; ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED), enable_loader_override=False):
        import fuzz_targets
    target = fuzz_targets.TARGETS[name]()
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    words = [
        *(sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}"),
        *(f"-timeout={_SECONDS_FOR_ONE}", f"-rss_limit_mb={_MOST_MIB}", f"-artifact_prefix={faults}/"),
        *("-print_final_stats=1", "-seed=1", "-len_control=0"),
    ]
    atheris.Setup(words, lambda data: fuzz_targets.attempt(target, data))
    atheris.Fuzz()


def run(name: str, seconds: int, kept: Path | None) -> dict[str, Any]:
    """Fuzz one target in a process; what came of it."""
    with tempfile.TemporaryDirectory() as place:
        corpus, faults = (kept or Path(place)) / name, Path(place) / "faults"
        corpus.mkdir(parents=True, exist_ok=True)
        faults.mkdir()
        command = [sys.executable, __file__, "--one", name, "--seconds", str(seconds)]
        done = subprocess.run(
            [*command, "--corpus", str(corpus), "--faults", str(faults)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds + 120,
            # The fuzzer ends its process without a goodbye.
            env={**os.environ, "TMPDIR": place},
        )
        told = done.stderr.decode(errors="replace")
        line: dict[str, Any] = {"target": name, "seconds": seconds}
        for key, pattern in (
            ("inputs", r"stat::number_of_executed_units:\s*(\d+)"),
            ("kept", r"stat::new_units_added:\s*(\d+)"),
            ("slowest_s", r"stat::slowest_unit_time_sec:\s*(\d+)"),
            ("peak_mib", r"stat::peak_rss_mb:\s*(\d+)"),
        ):
            found = re.search(pattern, told)
            line[key] = None if found is None else int(found[1])
        places = re.findall(r"cov: (\d+)", told)
        line["places"] = int(places[-1]) if places else None
        failed = [file for file in faults.iterdir() if not file.name.startswith("slow-unit")]
        line["fault"] = None
        if failed or done.returncode:
            error = re.search(r"=== Uncaught Python exception: ===\n(.*?)\n\n", told + "\n\n", re.S)
            line["fault"] = (error[1] if error else told)[-_TOLD_CHARACTERS:]
            line["input"] = [base64.b64encode(file.read_bytes()).decode()[:4096] for file in failed]
        return line


def main() -> int:
    """Fuzz all targets, or those that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--targets", nargs="*", help="by name; all of them by default")
    parser.add_argument("--corpus", type=Path, help="folder in which inputs worth keeping stay")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--faults", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        fuzz(given.one, given.seconds, given.corpus, given.faults)
        return 0
    from importlib.metadata import version

    from fuzz_targets import TARGETS

    begin("bench_fuzz", atheris=version("atheris"))
    lines = []
    for name in given.targets or TARGETS:
        lines.append(run(name, given.seconds, given.corpus))
        write_line(lines[-1])
    return 1 if any(line["fault"] for line in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main())
