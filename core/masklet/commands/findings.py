"""What a doctor finds: values that can be made, compared and shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How grave a finding is."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        verdict: BAD keeps masklet from working; NOTE is worth knowing.
        subject: What was looked at.
        cause: What is the case.
        repair: What helps; empty when nothing needs help.
    """

    verdict: Verdict
    subject: str
    cause: str
    repair: str = ""
