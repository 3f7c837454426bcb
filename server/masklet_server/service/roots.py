"""Which paths a client may name: those under the server's roots, symbolic links followed first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from masklet.clip_files import check_spelling
from masklet.errors import BadInputError, PathNotAllowedError
from masklet_server.fence import Fence, outside
from masklet_server.identity.caller import tenant_of

MAX_PATH_CHARACTERS = 4096


class Roots:
    """The folders under which clips may be read and mattes written.

    Args:
        folders: None at all closes the server's disk to its clients.

    Raises:
        BadInputError: One of them is not a folder.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.fence = Fence(tuple(_existing(folder) for folder in folders))

    @property
    def any(self) -> bool:
        """True when some path is open at all."""
        return bool(self.fence.folders)

    def clip(self, text: str) -> Path:
        """The path of a clip that may be read: a file, a folder, or a pattern in a folder.

        Frames that are links are followed as well, or one in an open folder would open the disk.

        Raises:
            BadInputError: The text is no absolute path, or none that a file can have.
            PathNotAllowedError: It leads out of the roots.
        """
        path = self._inside(text)
        # Unlike the method of Path, this one is false of what cannot be looked at.
        folder = path if os.path.isdir(path) else path.parent
        wanted = "" if folder == path else path.suffix.lower()
        try:
            with os.scandir(folder) as entries:
                links = [Path(entry.path) for entry in entries if entry.is_symlink()]
        except OSError:
            # Whoever opens the clip says what is wrong, in one place for all such cases.
            return path
        for link in links:
            if (not wanted or link.suffix.lower() == wanted) and not self.fence.holds(_resolved(link)):
                raise outside(link.name)
        return path

    def output(self, text: str) -> Path:
        """A folder that may be written, whether it exists or not; errors as in :meth:`clip`."""
        return self._inside(text)

    def _inside(self, text: str) -> Path:
        if not text or "\0" in text or len(text) > MAX_PATH_CHARACTERS:
            raise BadInputError("this is not a path: give the clip or folder by its full path")
        given = Path(text)
        if not given.is_absolute():
            raise BadInputError(f"{given.name} is a relative path: give the full path, as the server sees it")
        check_spelling(given)
        path = _resolved(given)
        # ".." is refused as such: after a link it does not lead where it seems to lead.
        if ".." in given.parts or not self.fence.holds(path):
            raise PathNotAllowedError(
                f"this server may not open {given.name} where it lies: copy it under one of the server's "
                "roots, or send it as an upload"
            )
        return path


class TenantRoots:
    """The roots of each tenant.

    Args:
        folders: Of every tenant that has none of its own.
        own: Of tenants that have their own, and these only.

    Raises:
        BadInputError: One of them is not a folder.
    """

    def __init__(
        self, folders: Sequence[Path], own: Mapping[str, Sequence[Path]] = MappingProxyType({})
    ) -> None:
        self._common = Roots(folders)
        self._own = {tenant: Roots(each) for tenant, each in own.items()}

    def of(self, account: str) -> Roots:
        """The roots of whoever calls, or of whose a session is."""
        return self._own.get(tenant_of(account), self._common)

    @property
    def has_any(self) -> bool:
        """True where some tenant may open paths."""
        return any(each.any for each in (self._common, *self._own.values()))


def _existing(folder: Path) -> Path:
    try:
        resolved = folder.resolve(strict=True)
    except OSError as error:
        raise BadInputError(f"the root {folder} does not exist: create it or leave it out") from error
    if not resolved.is_dir():
        raise BadInputError(f"the root {folder} is a file: name a folder")
    return resolved


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise PathNotAllowedError(
            f"{path.name} is a link that leads nowhere: give the file itself"
        ) from error
