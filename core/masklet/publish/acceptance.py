"""What an artist has looked at and found right all the same: kept beside the mattes, for these prompts only.

``NAME.accepted.json`` holds it. Other prompts make other mattes, so each entry names the digest of those
that it was said about.
"""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.publish.shot_record import read_json, write_whole
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUFFIX = ".accepted.json"
_KEY = "masklet_accepted"


@dataclass(frozen=True)
class Acceptance:
    """One thing that was accepted.

    Attributes:
        check: Name of the check.
        object_name: Whose frames; empty where the check is not about one object.
        frames: Which; empty where the check is not about frames.
        prompts_sha256: Of the mattes that were looked at.
        by: Who said so.
    """

    check: str
    object_name: str
    frames: tuple[FrameRange, ...]
    prompts_sha256: str
    by: str = ""


def acceptance_name(name: str) -> str:
    """The file beside the mattes called ``name``."""
    return f"{name}{SUFFIX}"


def acceptances_to_json(accepted: Iterable[Acceptance]) -> list[dict[str, Any]]:
    """As JSON can hold them."""
    return [
        {
            **asdict(one),
            "frames": [[span.first, span.last] for span in one.frames],
        }
        for one in accepted
    ]


def acceptances_from_json(content: Any) -> tuple[Acceptance, ...]:
    """Out of parsed JSON.

    Raises:
        BadInputError: It is none.
    """
    try:
        return tuple(
            Acceptance(
                str(one["check"]),
                str(one["object_name"]),
                tuple(FrameRange(int(first), int(last)) for first, last in one["frames"]),
                str(one["prompts_sha256"]),
                str(one["by"]),
            )
            for one in content
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"what was accepted cannot be understood ({error}): accept it again") from error


def read_acceptances(path: Path) -> tuple[Acceptance, ...]:
    """Those in a file; none where there is no such file.

    Raises:
        BadInputError: The file is damaged.
    """
    if not path.exists():
        return ()
    content = read_json(path, "what was accepted in")
    if not isinstance(content, dict):
        raise BadInputError(f"{path.name} is damaged: delete it and accept again")
    return acceptances_from_json(content.get("accepted", ()))


def keep_acceptances(path: Path, accepted: Iterable[Acceptance]) -> None:
    """Write them, whole or not at all.

    Raises:
        OutputError: They cannot be written.
    """
    content = {_KEY: 1, "accepted": acceptances_to_json(accepted)}
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def who() -> str:
    """The user, for people."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
