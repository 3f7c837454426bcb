"""Official checkpoints from Meta's published address, only when somebody asks."""

from __future__ import annotations

import errno
import http
import http.client
import os
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from masklet.errors import WeightsError
from masklet.own_folder import lock_file
from masklet.types import ModelInfo
from masklet_server.model.config import EMBEDDED, PRESETS
from masklet_server.model.store import digest_of, weights_folder, write_record

BASE_ADDRESS: Final = "https://dl.fbaipublicfiles.com/segment_anything_2"
OFFICIAL_LICENCE: Final = "Apache-2.0"
OFFICIAL_NAMES: Final = tuple(name for name in PRESETS if name != EMBEDDED.name)

NO_EGRESS_SETTING: Final = "MASKLET_SERVE_NO_EGRESS"
"""Environment variable of a server that makes no connections: where it is set, nobody fetches weights."""

_YES: Final = ("1", "true", "t", "yes", "y", "on")
"""As the command line reads switches in the environment."""
_READ_BYTES = 1 << 20
_TIMEOUT_S = 60.0
_PAUSE_S = 2.0
_HELD: Final = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""How systems say that somebody else has a lock; anything else means that the disk knows none."""

Progress = Callable[[int, "int | None"], None]
"""Called with bytes done and bytes in all, None while nobody knows."""


def official_address(name: str, base_address: str = BASE_ADDRESS) -> str:
    """Where a checkpoint is published.

    Raises:
        WeightsError: There is no official checkpoint of this name.
    """
    if name not in OFFICIAL_NAMES:
        raise WeightsError(
            f"there is no official checkpoint called {name}: choose {', '.join(OFFICIAL_NAMES)}"
        )
    release = "092824" if name.startswith("sam2.1") else "072824"
    return f"{base_address}/{release}/{name}.pt"


def pull_weights(
    name: str,
    *,
    folder: Path | None = None,
    base_address: str = BASE_ADDRESS,
    progress: Progress | None = None,
    sha256: str | None = None,
    check: Callable[[Path], object] | None = None,
    attempts: int = 3,
    pause_s: float = _PAUSE_S,
) -> ModelInfo:
    """Fetch an official checkpoint into the weights folder.

    What an interrupted run has fetched is kept, and the next one goes on from there. Proxies
    are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``).

    Args:
        name: For example ``sam2.1_hiera_tiny``.
        folder: See :func:`masklet_server.model.store.weights_folder`.
        base_address: Without the release's folder; a studio's mirror, for instance.
        progress: Told about every megabyte.
        sha256: What the file must be, where somebody knows; another one is thrown away.
        check: Told the file before it gets its name; a :class:`masklet.errors.WeightsError` from it says that
            these are no weights, and they are thrown away.
        attempts: Connections in a row without a single new byte before giving up.
        pause_s: Between attempts.

    Raises:
        WeightsError: No such checkpoint, no connection, no room, another file, a server that sends on to
            another machine, or somebody else who fetches it just now.
    """
    if os.environ.get(NO_EGRESS_SETTING, "").strip().lower() in _YES:
        raise WeightsError(
            f"nothing is fetched on this machine, {NO_EGRESS_SETTING} says so: copy the file here and add it "
            "with masklet-server weights add"
        )
    address = official_address(name, base_address)
    place = weights_folder(folder)
    target, part = place / f"{name}.pt", place / f".{name}.pt.part"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(part, name):
            in_vain = 0
            while True:
                before_bytes = _size_of(part)
                trouble = _fetch(address, part, progress)
                if trouble is None:
                    break
                in_vain = 0 if _size_of(part) > before_bytes else in_vain + 1
                if in_vain >= attempts:
                    raise WeightsError(
                        f"{name} could not be fetched to its end ({trouble}): check the connection and "
                        "pull again, what is already here is kept"
                    )
                time.sleep(pause_s)
            info = ModelInfo(name, OFFICIAL_LICENCE, part.stat().st_size, digest_of(part))
            _check_file(part, info, sha256, check)
            part.replace(target)
            _tag_path(part).unlink(missing_ok=True)
            write_record(target, info, origin=address)
    except OSError as error:
        raise WeightsError(
            "the weights folder cannot be written: check its permissions and the room on its disk"
        ) from error
    return info


def _check_file(
    part: Path, info: ModelInfo, sha256: str | None, check: Callable[[Path], object] | None
) -> None:
    """Throw away what is not what was asked for.

    Raises:
        WeightsError: It is not.
    """
    why = None
    if sha256 is not None and info.sha256 != sha256.lower():
        why = (
            f"{info.name} is not the file that was expected: its SHA-256 is {info.sha256}; it was thrown "
            "away, ask whoever named the digest or the address"
        )
    elif check is not None:
        try:
            check(part)
        except WeightsError:
            why = (
                f"what came are no weights ({info.size_bytes / 1e6:.1f} MB): a proxy or a login page may "
                "have answered in place of the site; it was thrown away, look at the address in a browser "
                "and pull again"
            )
    if why is not None:
        part.unlink()
        _tag_path(part).unlink(missing_ok=True)
        raise WeightsError(why)


@contextmanager
def _alone(part: Path, name: str) -> Iterator[None]:
    """While it lasts, no other program adds to the same file: a host's button and a shell, say."""
    handle = os.open(part.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            lock_file(handle)
        except OSError as error:
            if error.errno in _HELD:
                raise WeightsError(
                    f"{name} is being fetched by another program on this machine: wait for it, or stop it "
                    "there"
                ) from error
        yield
    finally:
        os.close(handle)


def _fetch(address: str, part: Path, progress: Progress | None) -> str | None:
    """Add to ``part`` what one connection gives; None when it is complete, else the trouble."""
    start = _size_of(part)
    tag = _tag_path(part).read_text(encoding="utf-8") if start and _tag_path(part).is_file() else ""
    headers = {}
    if start and tag:
        # If the file has changed since, the server sends all of it instead of the rest.
        headers = {"Range": f"bytes={start}-", "If-Range": tag}
    try:
        asked = urllib.request.Request(address, headers=headers)
        with urllib.request.build_opener(_StayingThere).open(asked, timeout=_TIMEOUT_S) as response:
            if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                start = 0
            left = response.headers.get("Content-Length")
            total = start + int(left) if left is not None else None
            _check_room(part, None if left is None else int(left))
            tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
            _tag_path(part).write_text(tag, encoding="utf-8")
            done = start
            with part.open("ab" if start else "wb") as file:
                while block := response.read(_READ_BYTES):
                    file.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, total)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
        elif error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise WeightsError(
                f"the server does not give this file (status {error.code}): check the address"
            ) from error
        return f"status {error.code}"
    except (
        urllib.error.URLError,
        TimeoutError,
        ConnectionError,
        ssl.SSLError,
        http.client.HTTPException,
    ) as error:
        return str(getattr(error, "reason", error))
    if total is not None and done < total:
        return "the connection ended early"
    return None


def _check_room(part: Path, left_bytes: int | None) -> None:
    free_bytes = shutil.disk_usage(part.parent).free
    if left_bytes is not None and left_bytes > free_bytes:
        raise WeightsError(
            f"{left_bytes / 1e6:.0f} MB are to come and the disk of the weights folder has "
            f"{free_bytes / 1e6:.0f} MB free: make room and pull again, what is already here is kept"
        )


class _StayingThere(urllib.request.HTTPRedirectHandler):
    """Follows no server to another machine: nobody said that one could be trusted."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The same request elsewhere on the same machine.

        Raises:
            WeightsError: It is another machine, or a connection that others can read.
        """
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            raise WeightsError(
                f"{before.netloc} sends on to {after.scheme}://{after.netloc}, which was not asked for: "
                "name the address itself with --address if it is to be trusted"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _tag_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")
