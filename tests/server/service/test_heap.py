from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from masklet_server.service.heap import keep_together

if sys.argv[1] == "together":
    keep_together()
begun = threading.Barrier(9)
held = []

def work():
    begun.wait()
    held.append([bytes(2000 + each) for each in range(2000)])
    begun.wait()

for _ in range(8):
    threading.Thread(target=work).start()
begun.wait()
begun.wait()
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, stream)
library.fflush(stream)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_two_arenas_instead_of_one_each() -> None:
    def arenas(word: str) -> int:
        environment = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, word], capture_output=True, check=True, env=environment
        )
        return done.stdout.count(b"<heap nr=")

    assert arenas("apart") > 2
    assert arenas("together") <= 2


FREED = """
from masklet_server.service.heap import give_back, keep_together


def resident_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


keep_together()
# Small enough for the heap, with something that stays between what goes.
held = [b"x" * 100_000 for _ in range(600)]
stays = held[::2]
held = None
before = resident_kib()
give_back()
print(before - resident_kib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked")
def test_free_memory_between_what_is_used_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, check=True, text=True)

    # Thirty megabytes were freed.
    assert int(done.stdout) > 20_000
