"""Video mattes from clicks: the client library of the masklet server."""

from __future__ import annotations

__version__ = "0.1.0"
