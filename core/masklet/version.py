"""The version of masklet, of the library, the server and the hosts alike."""

from __future__ import annotations

VERSION = "0.1.0"
