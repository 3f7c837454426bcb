"""What a doctor finds: values that can be made, compared and shown."""

from __future__ import annotations

from collections.abc import Sequence
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

    @property
    def line(self) -> str:
        """For people."""
        repair = f" -> {self.repair}" if self.repair else ""
        return f"{self.verdict.value:4}  {self.subject}: {self.cause}{repair}"


def is_well(findings: Sequence[Finding]) -> bool:
    """True where nothing keeps masklet from working."""
    return all(finding.verdict is not Verdict.BAD for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """For programs."""
    return {
        "ok": is_well(findings),
        "findings": [
            {
                "verdict": finding.verdict.value.lower(),
                "subject": finding.subject,
                "cause": finding.cause,
                "repair": finding.repair,
            }
            for finding in findings
        ],
    }
