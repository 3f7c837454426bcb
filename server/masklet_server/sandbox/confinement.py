"""What a process that decodes may do: compute, read some folders, answer. It cannot be taken back."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from masklet_server.sandbox import landlock, seccomp
from masklet_server.sandbox.seccomp import Rule

_END_WITH_PARENT, _NAME_THREAD = 1, 15
_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OPEN_FILES = 64
_COMPUTING = (
    *("mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "membarrier"),
    *("futex", "set_robust_list", "get_robust_list", "rseq", "sched_yield", "sched_getaffinity"),
    *("nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time", "times"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    *("getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrlimit", "getrusage"),
    # A timer ends nothing but this process.
    *("getrandom", "uname", "sysinfo", "setitimer", "exit", "exit_group"),
)
_READING = (
    *("read", "readv", "pread64", "preadv", "lseek", "close", "fadvise64", "fcntl", "getdents64", "getcwd"),
    *("stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs"),
    *("access", "faccessat", "faccessat2", "readlink", "readlinkat"),
)
# On descriptors that are there already: no other can be had.
_ANSWERING = ("write", "writev", "sendto", "recvfrom", "recvmsg", "poll", "ppoll", "select", "pselect6")


@dataclass(frozen=True)
class Bounds:
    """What decoding one clip may take.

    Attributes:
        memory_bytes: Of the process, beyond what it has when it begins.
        answer_s: Until it has answered one question.
        opening_s: Until a clip is open: movies that do not say how many pictures they have are read whole.
    """

    memory_bytes: int = 4 << 30
    answer_s: float = 30.0
    opening_s: float = 120.0


def confine(folders: Iterable[Path], bounds: Bounds) -> tuple[str, ...]:
    """Put the walls up around this process, as far as the system has them.

    Args:
        folders: What it may read beside its own program.
        bounds: Its memory.

    Returns:
        Which walls the system does not have, for people; empty where all stand.
    """
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    with suppress(OSError):
        # When the machine's memory ends, the kernel takes this process and not the server.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    import resource  # not on Windows, where tests are collected all the same

    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_DATA, _data_bytes() + bounds.memory_bytes),
    ):
        resource.setrlimit(what, (most, most))
    missing = []
    try:
        landlock.confine([*folders, *own_program()])
    except OSError:
        missing.append("Landlock, which hides all folders but the clip's")
    try:
        seccomp.install(seccomp.allowing(_rules()))
    except (OSError, LookupError):
        missing.append(
            "filters of system calls, which keep decoders from the network and from other programs"
        )
    return tuple(missing)


def own_program() -> tuple[Path, ...]:
    """Where Python and its packages lie: libraries import some of their parts when they need them."""
    return tuple(Path(each) for each in dict.fromkeys(sys.path) if os.path.isabs(each))


def _rules() -> list[Rule]:
    rules = [Rule(call) for call in (*_COMPUTING, *_READING, *_ANSWERING)]
    return [
        *rules,
        # Open, but only to read: where the kernel has no Landlock, this is what keeps files whole.
        Rule("open", errno.EACCES, argument=1, mask=_WRITING),
        Rule("openat", errno.EACCES, argument=2, mask=_WRITING),
        # Threads and no processes. The C library falls back to this call where the newer one is not there.
        Rule("clone", errno.EPERM, argument=0, mask=_CLONE_THREAD, values=(_CLONE_THREAD,)),
        Rule("clone3", errno.ENOSYS),
        # Libraries ask whether a file is a terminal.
        Rule("ioctl", errno.ENOTTY),
        Rule("prctl", errno.EPERM, argument=0, values=(_NAME_THREAD,)),
        # To end with an error of its own, and to end nobody else.
        Rule("tgkill", errno.EPERM, argument=0, values=(os.getpid(),)),
    ]


def _data_bytes() -> int:
    """How much memory of its own this process has already."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmData")).split()[1]) << 10
    return 0
