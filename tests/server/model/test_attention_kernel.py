"""The kernel without a GPU: interpreted for its values, compiled for its size, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from masklet_server.model.attention_split import kernel_is_there

pytestmark = pytest.mark.skipif(not kernel_is_there(), reason="Triton is not installed")

_TESTS = Path(__file__).parents[2]
_COMPILE = """
import json
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from masklet_server.model.attention_kernel import _KEYS, _OPTIONS, _QUERIES, _partial_attention

kinds = dict.fromkeys(("query", "key", "value", "valid"), "*bf16")
kinds |= dict.fromkeys(("out", "log_sum"), "*fp32")
kinds |= dict.fromkeys(("queries", "keys", "part_keys"), "i32") | {"scale_log2": "fp32"}
constants = dict(width=256, value_width=64, masked=False, block_queries=_QUERIES, block_keys=_KEYS)
source = ASTSource(_partial_attention, kinds | dict.fromkeys(constants, "constexpr"), constexprs=constants)
compiled = compile(source, target=GPUTarget("cuda", 90, 32), options=dict(_OPTIONS))
print(json.dumps({"shared": compiled.metadata.shared, "wgmma": "wgmma" in compiled.asm["ptx"]}))
"""


def run(*arguments: str, **environment: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, float] = json.loads(done.stdout)
    return result


def test_the_kernel_gives_exact_attention_whatever_the_parts() -> None:
    errors = run(str(_TESTS / "fakes" / "interpreted_kernel.py"))

    half = errors.pop("float16")
    assert len(errors) == 7
    assert max(errors.values()) < 3e-6, errors
    # The weights and the result are rounded, each to a part in 2048; the sums of 512 of them are not.
    assert half < 2e-3


def test_the_kernel_compiles_for_a_large_gpu_and_fits_it(tmp_path: Path) -> None:
    found = run("-c", _COMPILE, TRITON_CACHE_DIR=str(tmp_path))

    assert found["shared"] <= 227 * 1024
    assert found["wgmma"]
