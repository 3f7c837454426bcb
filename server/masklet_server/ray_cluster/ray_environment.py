"""Ray as this cluster uses it: which one, what it may do, and the words that its own errors become."""

from __future__ import annotations

import os
from importlib import metadata

from masklet.errors import MaskletError, ServerUnreachableError
from masklet_server.ray_cluster.node import NODE_VARIABLE, Node

RAY_VERSION = "2.60"
"""What of it listens where was looked at in this one."""
NAMESPACE = "masklet"
HEALTH = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""A machine that does not answer for three seconds has gone."""


class RayMissingError(ServerUnreachableError):
    """Ray is not installed here, or another one."""

    kind = "ray-missing"


def check_installed() -> None:
    """See that the Ray that was tested is here, without importing it.

    Raises:
        RayMissingError: It is not.
    """
    try:
        found = metadata.version("ray")
    except metadata.PackageNotFoundError:
        raise RayMissingError(
            "Ray is not installed, which places a cluster's servers: pip install 'masklet[cluster]'"
        ) from None
    if found.split(".")[:2] != RAY_VERSION.split("."):
        raise RayMissingError(
            f"Ray {found} is installed and masklet was tested with {RAY_VERSION}: "
            f"pip install 'ray~={RAY_VERSION}.0' on every machine of the cluster"
        )


def ray_environment(node: Node) -> dict[str, str]:
    """The variables of every process of Ray on a machine: a token is asked for, nothing is sent home.

    Whatever the caller's environment says to Ray does not count: one word there opens a cluster to everybody.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    kept |= {
        NODE_VARIABLE: str(node.folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(node.token_file),
        "RAY_USAGE_STATS_ENABLED": "0",
        # It kills what is largest when memory is short, which is not Ray's to decide here.
        "RAY_memory_monitor_refresh_ms": "0",
        # Of the caller's terminal.
        "RAY_COLOR_PREFIX": "0",
    }
    if node.with_tls:
        kept |= {
            "RAY_USE_TLS": "1",
            "RAY_TLS_SERVER_CERT": str(node.certificate),
            "RAY_TLS_SERVER_KEY": str(node.certificate_key),
            "RAY_TLS_CA_CERT": str(node.authority),
        }
    return kept


def server_environment() -> dict[str, str]:
    """The variables of a masklet server that a process of Ray starts: nothing of Ray's, least its token."""
    left_out = ("RAY_", NODE_VARIABLE)
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


_SENTENCES = (
    (
        ("InvalidAuthToken", "Authentication token is missing"),
        "the cluster at {head} has another key: copy cluster.key anew from the machine where masklet cluster "
        "up ran, and name it with --key",
    ),
    (
        ("Version mismatch",),
        "the machines of a cluster need the same Ray and the same Python, and those of {head} are others: "
        "install the same ones here",
    ),
    (
        ("Failed to connect", "Timed out", "TimedOut", "UNAVAILABLE", "Unavailable"),
        # With another authority's certificate it does not, either.
        "Ray's head at {head} does not answer: is that machine on, its cluster up, and the cluster.key here "
        "(--key) that machine's?",
    ),
)


def ray_error(words: str, head: str) -> MaskletError:
    """What Ray said on its error output, as one sentence."""
    for signs, sentence in _SENTENCES:
        if any(sign in words for sign in signs):
            return ServerUnreachableError(sentence.format(head=head))
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    reason = lines[-1][:300] if lines else "it gave no reason"
    return ServerUnreachableError(f"Ray at {head} failed: {reason}")
