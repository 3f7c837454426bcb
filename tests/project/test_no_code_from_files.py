"""Nothing that is shipped runs what a file or a client says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = [
    path
    for folder in ("core/masklet", "server/masklet_server")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.name.endswith(("_pb2.py", "_pb2_grpc.py"))
]
NEVER_IMPORTED = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
NEVER_CALLED = {"eval", "exec", "compile", "__import__"}


def names_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each module that is imported and each function that is called by its plain name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, f"import {each.name.partition('.')[0]}") for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, f"import {(node.module or '').partition('.')[0]}"
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.lineno, f"call {node.func.id}"
            said = ast.unparse(node.func)
            safe = any(
                each.arg == "weights_only" and ast.unparse(each.value) == "True" for each in node.keywords
            )
            pickles = any(
                each.arg == "allow_pickle" and ast.unparse(each.value) != "False" for each in node.keywords
            )
            if (said == "torch.load" and not safe) or pickles:
                yield node.lineno, f"unpickling {said}"
            if any(each.arg == "shell" and ast.unparse(each.value) != "False" for each in node.keywords):
                yield node.lineno, "shell"


def test_no_source_unpickles_evaluates_or_asks_a_shell() -> None:
    refused = {
        *(f"import {each}" for each in NEVER_IMPORTED),
        *(f"call {each}" for each in NEVER_CALLED),
        "shell",
    }
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SHIPPED
        for line, name in names_of(ast.parse(path.read_text(encoding="utf-8")))
        if name in refused or name.startswith("unpickling")
    ]

    assert len(SHIPPED) > 200
    assert found == []


def test_what_it_looks_for_is_found() -> None:
    text = "import pickle\ntorch.load(a)\ntorch.load(a, weights_only=True)\neval(b)\nrun(c, shell=True)"

    assert {name for _, name in names_of(ast.parse(text))} == {
        "import pickle",
        "unpickling torch.load",
        "call eval",
        "call run",
        "shell",
    }
