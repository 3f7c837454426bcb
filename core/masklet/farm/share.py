"""Files on the disk that all workers share: whole or not at all, and a sentence where it takes none."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from masklet.errors import OutputError
from masklet.publish.shot_record import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; fine where it is there.

    Raises:
        OutputError: The share is full, or may not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be made ({error.strerror}): make room on the share, or open it for "
            "the farm's user"
        ) from error


def keep_file(path: Path, data: bytes) -> None:
    """Write a file into a folder that may not be there yet.

    Raises:
        OutputError: It cannot be written.
    """
    make_folder(path.parent)
    write_whole(path, data)


def keep_first(path: Path, data: bytes) -> None:
    """Write a file unless it is there: of some workers that begin at once, the first one's stays.

    Raises:
        OutputError: It cannot be written.
    """
    make_folder(path.parent)
    mine = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    write_whole(mine, data)
    try:
        _take_name(mine, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written ({error.strerror}): make room on the share, or open it for the "
            "farm's user"
        ) from error
    finally:
        with suppress(OSError):
            mine.unlink()


def _take_name(mine: Path, path: Path) -> None:
    """Give a file its name.

    Raises:
        FileExistsError: Another one has it.
    """
    if os.name == "nt":
        mine.rename(path)
        return
    try:
        os.link(mine, path)
    except FileExistsError:
        raise
    except OSError:
        # Some shares know no links.
        with path.open("xb") as file:
            file.write(mine.read_bytes())
