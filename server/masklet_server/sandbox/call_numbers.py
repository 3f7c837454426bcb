"""Numbers of system calls. Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h."""

from __future__ import annotations

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls a machine, by its name."""

_PAIRS: dict[str, tuple[int, int]] = {
    **{"read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62)},
    **{"mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216)},
    **{"madvise": (28, 233), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135)},
    **{"rt_sigreturn": (15, 139), "ioctl": (16, 29), "pread64": (17, 67), "readv": (19, 65)},
    **{"writev": (20, 66), "preadv": (295, 69), "sched_yield": (24, 124), "nanosleep": (35, 101)},
    **{"getpid": (39, 172), "socket": (41, 198), "connect": (42, 203), "sendto": (44, 206)},
    **{"recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "clone": (56, 220)},
    **{"execve": (59, 221), "execveat": (322, 281), "exit": (60, 93), "uname": (63, 160)},
    **{"fcntl": (72, 25), "getcwd": (79, 17), "gettimeofday": (96, 169), "getrusage": (98, 165)},
    **{
        "setitimer": (38, 103),
        "sysinfo": (99, 179),
        "times": (100, 153),
        "getuid": (102, 174),
        "getgid": (104, 176),
    },
    **{"geteuid": (107, 175), "getegid": (108, 177), "sigaltstack": (131, 132), "statfs": (137, 43)},
    **{"fstatfs": (138, 44), "prctl": (157, 167), "gettid": (186, 178), "futex": (202, 98)},
    **{"sched_getaffinity": (204, 123), "getdents64": (217, 61), "restart_syscall": (219, 128)},
    **{"fadvise64": (221, 223), "clock_gettime": (228, 113), "clock_getres": (229, 114)},
    **{"clock_nanosleep": (230, 115), "exit_group": (231, 94), "tgkill": (234, 131)},
    **{"openat": (257, 56), "newfstatat": (262, 79), "readlinkat": (267, 78), "faccessat": (269, 48)},
    **{"pselect6": (270, 72), "ppoll": (271, 73), "set_robust_list": (273, 99)},
    **{"get_robust_list": (274, 100), "prlimit64": (302, 261), "getrandom": (318, 278)},
    **{"rseq": (334, 293), "clone3": (435, 435), "faccessat2": (439, 439)},
    **{"membarrier": (324, 283), "statx": (332, 291), "io_uring_setup": (425, 425)},
}
_OF_PCS = {
    **{"open": 2, "stat": 4, "lstat": 6, "poll": 7, "access": 21, "select": 23, "fork": 57, "vfork": 58},
    **{"readlink": 89, "getrlimit": 97, "time": 201},
}

CALLS: dict[str, dict[str, int]] = {
    "x86_64": {**_OF_PCS, **{name: pair[0] for name, pair in _PAIRS.items()}},
    "aarch64": {name: pair[1] for name, pair in _PAIRS.items()},
}
"""By machine and by name."""
