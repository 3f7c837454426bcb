from __future__ import annotations

from pathlib import Path

import pytest

from masklet_server.model.attention_split import kernel_is_there


@pytest.mark.skipif(not kernel_is_there(), reason="Triton is not installed")
@pytest.mark.filterwarnings("ignore")  # of Triton's, about its own settings
def test_the_kernel_compiles_for_a_large_gpu_and_fits_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from masklet_server.model.attention_kernel import _KEYS, _OPTIONS, _QUERIES, _partial_attention

    pointers = dict.fromkeys(("query", "key", "value", "valid"), "*bf16")
    results = dict.fromkeys(("out", "log_sum"), "*fp32")
    numbers = dict.fromkeys(("queries", "keys", "part_keys"), "i32") | {"scale_log2": "fp32"}
    constants = {
        "width": 256,
        "value_width": 64,
        "masked": False,
        "block_queries": _QUERIES,
        "block_keys": _KEYS,
    }
    source = ASTSource(
        _partial_attention,
        pointers | results | numbers | dict.fromkeys(constants, "constexpr"),
        constexprs=constants,
    )

    compiled = compile(source, target=GPUTarget("cuda", 90, 32), options=dict(_OPTIONS))

    assert compiled.metadata.shared <= 227 * 1024
    assert "wgmma" in compiled.asm["ptx"]
