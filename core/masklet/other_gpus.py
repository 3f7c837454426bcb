"""What a doctor says of a GPU of Apple or Intel: masklet was never run on one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.findings import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


def examine_other_gpu(device: Mapping[str, Any], subject: str) -> Iterator[Finding]:
    """Findings about one of them.

    Args:
        device: As the server's survey has it: ``kind``, ``name``, ``total`` bytes, and what it ``lacks``.
        subject: What the doctor calls it.
    """
    yield Finding(
        Verdict.GOOD,
        subject,
        f"{device['name']} ({device['kind']}), float32, up to {device['total'] / 1e9:.1f} GB",
    )
    yield Finding(
        Verdict.NOTE,
        subject,
        f"masklet's makers have never run it on {device['kind']}: a server tries it first, and takes the "
        "processor where masks differ",
    )
    if device["lacks"]:
        yield Finding(Verdict.NOTE, subject, f"runs on the processor instead: {', '.join(device['lacks'])}")
