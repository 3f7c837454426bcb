"""The targets of the fuzz drill, with bytes that nobody would send: a value or a sentence, never a fault."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "server" / "benchmarks" / "fuzz_targets.py"


def loaded() -> ModuleType:
    """The module with the targets: benchmarks are no package."""
    specification = importlib.util.spec_from_file_location("benchmarks_fuzz_targets", FILE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up while they are made.
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


fuzz_targets = loaded()
TRIES = 60


def changed(seed: bytes, chance: random.Random) -> bytes:
    """A seed with some bytes flipped, left out, doubled or cut off."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + chance.randint(1, 8)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 64)] or b"\xff"
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(data)


@pytest.mark.parametrize("name", fuzz_targets.TARGETS)
def test_what_nobody_would_send_is_no_fault(name: str) -> None:
    target, chance = fuzz_targets.TARGETS[name](), random.Random(7)
    assert target.seeds

    for seed in (b"", *target.seeds):
        fuzz_targets.attempt(target, seed)
    for _ in range(TRIES):
        fuzz_targets.attempt(target, changed(chance.choice(list(target.seeds)), chance))


def test_every_decoder_of_the_wire_is_a_target() -> None:
    assert len(fuzz_targets.decoders()) > 30


def test_a_fault_is_not_taken_for_a_refusal() -> None:
    def fail(data: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fuzz_targets.attempt(fuzz_targets.Target(fail, (ValueError,), [b"x"]), b"x")
