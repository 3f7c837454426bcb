"""Filters of system calls: which ones a process may make from now on, until it ends.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst. A filter is a program for the kernel's BPF
machine that looks at the number and the arguments of a call and says what becomes of it.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from masklet_server.sandbox.call_numbers import CALLS, MACHINES

_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000
# Since this number both kinds of machine count calls alike. What a C library tries of these has a fallback,
# which it takes where the kernel says that there is no such call.
_NEW_CALLS = 424
_NO_NEW_PRIVILEGES, _SET_FILTER, _ALL_THREADS = 38, 1, 1
_SECCOMP = {"x86_64": 317, "aarch64": 277}

Program = list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Rule:
    """What becomes of a call.

    Attributes:
        call: Its name.
        error: The number of the error that it gives; 0 where it is made.
        argument: Of which argument, counted from 0, the other two speak; None where they do not matter.
        mask: The bits of it that are looked at, of the lower 32.
        values: What these have to be, for the call to be made; the error is given where they are another.
    """

    call: str
    error: int = 0
    argument: int | None = None
    mask: int = 0xFFFFFFFF
    values: tuple[int, ...] = (0,)


def is_known() -> bool:
    """True on a system and a machine for which filters can be written."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def allowing(rules: Iterable[Rule], *, machine: str | None = None) -> Program:
    """A filter that makes the calls of some rules and gives errors for all others."""
    machine = machine or platform.machine()
    program = _beginning(machine)
    numbers = CALLS[machine]
    for rule in rules:
        # Of calls that a machine does not have, there is nothing to say.
        if rule.call in numbers:
            program += _rule(rule, numbers[rule.call])
    program += [
        (_LOAD, 0, 0, _NUMBER_AT),
        (0x35, 0, 1, _NEW_CALLS),  # at least
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return program


def refusing(rules: Iterable[Rule], *, machine: str | None = None) -> Program:
    """A filter that makes all calls but those that some rules refuse."""
    machine = machine or platform.machine()
    program, numbers = _beginning(machine), CALLS[machine]
    for rule in rules:
        if rule.call in numbers:
            program += _rule(rule, numbers[rule.call])
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _beginning(machine: str) -> Program:
    program: Program = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, MACHINES[machine]),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":
        # The same calls under other numbers, for programs of 32 bits.
        program += [(_ANY_BIT, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    return program


def _rule(rule: Rule, number: int) -> Program:
    refused = (_RETURN, 0, 0, _ERRNO | (rule.error or errno.EPERM))
    if rule.argument is None:
        return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW) if not rule.error else refused]
    at = _ARGUMENTS_AT + 8 * rule.argument + (4 if sys.byteorder == "big" else 0)
    choices = len(rule.values)
    return [
        (_EQUAL, 0, 4 + choices, number),
        (_LOAD, 0, 0, at),
        (_AND, 0, 0, rule.mask),
        *[(_EQUAL, choices - place, 0, value) for place, value in enumerate(rule.values)],
        refused,
        (_RETURN, 0, 0, _ALLOW),
    ]


def install(program: Program, *, all_threads: bool = False) -> None:
    """Put a filter in force, for this thread and those it starts, or for all; it cannot be taken back.

    Raises:
        OSError: The kernel has no such thing, or does not let this process have it.
    """
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    steps = ctypes.create_string_buffer(code, len(code))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    described = _Program(len(program), ctypes.addressof(steps))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    call = library.syscall
    call.restype = ctypes.c_long
    number = ctypes.c_long(_SECCOMP[platform.machine()])
    if call(number, _SET_FILTER, _ALL_THREADS if all_threads else 0, ctypes.byref(described)):
        raise OSError(ctypes.get_errno(), "seccomp")
