"""Whether a folder lies on a disk of this machine: SQLite's log does not work over a network."""

from __future__ import annotations

import sys
from pathlib import Path

from masklet.errors import BadInputError

NETWORK_TYPES = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs"}
    | {"gpfs", "orangefs", "panfs", "wekafs", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph"}
    | {"fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys"}
)
_MOUNTS = Path("/proc/self/mounts")
_REMOTE_DRIVE = 4


def check_local(folder: Path, *, mounts: Path = _MOUNTS) -> None:
    """See that a folder is on a local disk, as far as this system tells.

    Raises:
        BadInputError: It is not.
    """
    kind = network_type(folder.resolve(), mounts=mounts)
    if kind is not None:
        raise BadInputError(
            f"the folder for sessions {folder} lies on a network ({kind}), where a crash can lose what was "
            "written: name a folder on a local disk with --sessions"
        )


def network_type(folder: Path, *, mounts: Path = _MOUNTS) -> str | None:
    """The kind of network file system that a resolved folder lies on; None where it is known to be none."""
    if sys.platform == "win32":
        import ctypes

        return (
            "a network drive"
            if ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == _REMOTE_DRIVE
            else None
        )
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # Blanks in names are written as octal numbers.
        place = Path(fields[1].encode("utf-8", "surrogateescape").decode("unicode_escape"))
        depth = len(place.parts)
        # The last of several on one place is the one that is seen.
        if (folder == place or place in folder.parents) and depth >= best:
            best, kind = depth, fields[2]
    return kind if kind in NETWORK_TYPES else None
