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
