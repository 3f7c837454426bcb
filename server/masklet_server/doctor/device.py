"""The device that the network runs on, and its driver; in a process of its own, which a driver may kill."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from masklet.device_survey import survey_devices
from masklet.findings import Finding, Verdict
from masklet.other_gpus import examine_other_gpu
from masklet_server.service.settings import ServerSettings

_OTHERS = ("mps", "xpu")


def examine_device(settings: ServerSettings) -> Iterator[Finding]:
    """What torch finds on this machine, and what NVIDIA's driver says of itself."""
    found = survey_devices("device")
    if isinstance(found, Finding):
        yield found
        return
    yield from examine_torch(found, settings, driver=_driver())


def examine_torch(
    found: Mapping[str, Any], settings: ServerSettings, *, driver: str | None
) -> Iterator[Finding]:
    """What is to be said of what torch found.

    Args:
        found: As the probe prints it.
        settings: Which device is wanted, and how much of its memory.
        driver: NVIDIA's, None where there is none.
    """
    cards, wanted = found["cards"], settings.device
    other = _other_device(found, wanted)
    if driver is not None:
        yield Finding(Verdict.GOOD, "driver", f"NVIDIA {driver}, torch {found['torch']}")
    if found.get("error"):
        yield Finding(
            Verdict.BAD if wanted.startswith("cuda") else Verdict.NOTE,
            "device",
            f"the card cannot be used ({found['error']})",
            "update the driver, or install the torch that fits it",
        )
    if wanted.startswith(_OTHERS) and other is None:
        cause = f"the settings want {wanted}, and torch finds no such device"
        yield Finding(Verdict.BAD, "device", cause, "update the driver or torch, or say device auto")
        return
    if other is not None:
        yield from examine_other_gpu(other, "device")
        return
    if not cards:
        if wanted.startswith("cuda"):
            cause = f"the settings want {wanted}, and torch finds no card"
            repair = (
                "install torch with CUDA from pytorch.org"
                if driver
                else "install the driver, or say device auto"
            )
            yield Finding(Verdict.BAD, "device", cause, repair)
        elif driver is not None and not found["cuda"]:
            cause = "there is a card, and this torch is for processors"
            yield Finding(Verdict.NOTE, "device", cause, "install torch with CUDA from pytorch.org")
        else:
            threads = found["threads"]
            yield Finding(Verdict.GOOD, "device", f"the processor, {threads} threads, torch {found['torch']}")
        return
    number = int(wanted.partition(":")[2] or 0) if wanted.startswith("cuda") else 0
    if wanted == "cpu":
        yield Finding(Verdict.NOTE, "device", f"the processor, as asked for, beside {cards[0]['name']}")
        return
    if number >= len(cards):
        cause = f"the settings want {wanted}, and there are {len(cards)} cards"
        yield Finding(Verdict.BAD, "device", cause, "name one of them; the first is cuda:0")
        return
    card = cards[number]
    yield Finding(
        Verdict.GOOD,
        "device",
        f"{card['name']}, {card['free'] / 1e9:.1f} of {card['total'] / 1e9:.1f} GB free",
    )
    if settings.store.memory_bytes > 0.9 * card["total"]:
        yield Finding(
            Verdict.NOTE,
            "device",
            f"trackers may hold {settings.store.memory_bytes / 2**30:.0f} GiB, more than the card can give",
            f"say memory-gib = {max(1, int(card['total'] * 0.7 / 2**30))} in the settings",
        )


def _other_device(found: Mapping[str, Any], wanted: str) -> Mapping[str, Any] | None:
    """The GPU of Apple or Intel that would be used; None where it is another device."""
    kinds = _OTHERS if wanted == "auto" and not found["cards"] else (wanted.partition(":")[0],)
    fitting = [one for kind in kinds for one in found.get("others", ()) if one["kind"] == kind]
    number = int(wanted.partition(":")[2] or 0)
    return fitting[number] if number < len(fitting) else None


def _driver() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    asked = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None
