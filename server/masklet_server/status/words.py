"""Figures as the page writes them."""

from __future__ import annotations

import time


def size(size_bytes: float) -> str:
    """``1.5 GB``."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes:.0f} B"


def span(span_s: float | None) -> str:
    """``34 ms``, ``2 h 5 min``; a dash for what nobody knows."""
    if span_s is None:
        return "–"
    if span_s < 1.0:
        return f"{span_s * 1e3:.0f} ms"
    if span_s < 10.0:
        return f"{span_s:.1f} s"
    if span_s < 60.0:
        return f"{span_s:.0f} s"
    minutes = int(span_s // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days"


def moment(at_s: float) -> str:
    """The time of day where the server stands."""
    return time.strftime("%H:%M:%S", time.localtime(at_s))


def moment_for_programs(at_s: float) -> str:
    """The same as HTML wants it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))
