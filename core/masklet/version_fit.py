"""Which versions of masklet understand each other."""

from __future__ import annotations

from masklet.errors import VersionError


def check_versions(server: str, client: str) -> None:
    """Refuse a server of another protocol: another major version, or before 1.0 another minor one.

    Raises:
        VersionError: They are too far apart.
    """
    ours, theirs = client.split("."), server.split(".")
    digits = 2 if ours[0] == "0" else 1
    if ours[:digits] != theirs[:digits]:
        raise VersionError(f"the server has masklet {server} and this client {client}: update the older one")
