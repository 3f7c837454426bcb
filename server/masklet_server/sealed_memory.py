"""Memory that two processes see and neither can make shorter. Linux only, as all that uses it is."""

from __future__ import annotations

import os


def sealed_memory(name: str, size_bytes: int) -> int:
    """The descriptor of fresh memory whose size nobody can change; whoever asks closes it.

    Args:
        name: For people who look at open files.
        size_bytes: Of the memory.

    Raises:
        OSError: None can be had.
    """
    import fcntl

    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, size_bytes)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
