"""Packages that the settings ask for and a server has only where they were installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from masklet.findings import Finding, Verdict
from masklet_server.service.settings import ServerSettings


def examine_extras(settings: ServerSettings) -> Iterator[Finding]:
    """Whether what the settings ask for is there; nothing is said of what they do not ask for."""
    asked = (
        ("metrics", settings.metrics_port is not None, "prometheus_client"),
        ("status", settings.status_address is not None, "starlette"),
        ("traces", settings.traces is not None, "opentelemetry"),
    )
    for extra, is_asked, package in asked:
        if is_asked and find_spec(package) is None:
            cause = f"the settings ask for {extra}, and {package} is not installed"
            yield Finding(Verdict.BAD, "packages", cause, f"pip install 'masklet[{extra}]'")
