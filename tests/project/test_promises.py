"""Each test that the table of promises names exists, and each row names one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "promises.md"
BESIDE = "tests/server/service"
ROWS = [
    line
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not re.match(r"\|[-| ]+\|$|\|( \|)? Promise", line)
]
PLANNED = {*(f"L{number}" for number in range(1, 8)), *(f"F{number}" for number in (*range(1, 13), 14, 15))}


def named(row: str) -> list[tuple[Path, str]]:
    """File and test of each that a row names."""
    found = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
    return [(ROOT / (file if "/" in file else f"{BESIDE}/{file}"), test) for file, test in found]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:60])
def test_a_promise_names_tests_that_exist(row: str) -> None:
    assert named(row)
    for file, test in named(row):
        assert file.is_file(), file
        tree = ast.parse(file.read_text(encoding="utf-8"))
        known = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        known |= {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert test in known, f"{file.relative_to(ROOT)} has no {test}"


def test_every_load_and_every_fault_of_the_plan_has_its_row() -> None:
    assert {row.split("|")[1].strip() for row in ROWS} >= PLANNED


def test_records_that_are_named_lie_with_the_results() -> None:
    records = re.findall(r"\]\(\.\./(server/benchmarks/results/[\w.]+)\)", PAGE.read_text(encoding="utf-8"))

    assert records
    for record in records:
        assert (ROOT / record).is_file(), record
