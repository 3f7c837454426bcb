"""A plate's document as a file: ``*.masklet.json``, which any host opens and the command line can run.

It is a prompt document (:mod:`masklet.prompts`) with one key more, ``kept``: what only hosts want to know,
such as colours, states of frames and the session. The command line reads past it, and a document of the
command line opens without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import BadInputError, OutputError
from masklet.hosting.notices import ChangedMeanwhileError
from masklet.hosting.plate_files import is_still_at
from masklet.hosting.ports import KeptSession
from masklet.hosting.shown.palette import PALETTE
from masklet.names import clip_stem
from masklet.phrases import phrase
from masklet.prompts import PlateShape, Shot, from_json, to_json
from masklet.said.documents import Document, from_prompts, new_uid, to_prompts

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour

SUFFIX = ".masklet.json"
_KEY = "kept"
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class Look:
    """How an object is shown.

    Attributes:
        colour: Of its overlay and its lane.
        is_shown: False where its eye is closed.
    """

    colour: Colour
    is_shown: bool = True


@dataclass(frozen=True)
class KeptPlate:
    """Everything that a document keeps of one plate.

    Attributes:
        path: Absolute: a movie, a pattern such as ``plate.%04d.exr``, or a single picture.
        uid: Of the plate, for ever; empty until it has one.
        reading: How the clip is read where its files do not say.
        shape: Size and range of the plate, as the server reads it; None until it was read.
        document: Everything said.
        looks: How objects are shown, by uid; those that are missing look as new ones do.
        states: Of frames, by uid, as :func:`masklet.hosting.shown.frame_book.to_json` writes them.
        session: By which to come back to the masks.
        notes: What a document of an earlier version does not hold, a sentence each.
    """

    path: str
    uid: str = ""
    reading: ClipReading = AS_FILES_SAY
    shape: PlateShape | None = None
    document: Document = ()
    looks: Mapping[str, Look] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    session: KeptSession = field(default_factory=KeptSession)
    notes: tuple[str, ...] = ()

    def look(self, uid: str) -> Look:
        """How an object is shown; by its place among the others where nothing was chosen."""
        place = next((number for number, said in enumerate(self.document) if said.uid == uid), 0)
        return self.looks.get(uid) or Look(PALETTE[place % len(PALETTE)])


def document_beside(path: str) -> Path:
    """Where a plate's document lies unless the artist says otherwise."""
    return Path(path).parent / f"{clip_stem(path)}{SUFFIX}"


def is_document(path: str) -> bool:
    """True for what is opened as a document, False for a clip; told by the name."""
    return path.lower().endswith(".json")


def to_text(kept: KeptPlate, file: Path) -> str:
    """The document as it is written to ``file``."""
    # A clip beside its document is found again wherever both are moved to.
    clip = Path(kept.path)
    named = clip.name if clip.parent == file.parent else kept.path
    shot = Shot(named, to_prompts(kept.document), reading=kept.reading, plate=kept.shape)
    content = json.loads(to_json(shot))
    content[_KEY] = {
        "plate": kept.uid,
        "path": kept.path,
        "session": {
            "id": kept.session.session_id,
            "fingerprint": kept.session.fingerprint,
            "path": kept.session.path,
        },
        "objects": [
            {
                "uid": said.uid,
                "colour": list(kept.look(said.uid).colour),
                "shown": kept.look(said.uid).is_shown,
                "states": kept.states.get(said.uid, ""),
            }
            for said in kept.document
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def from_text(text: str, file: Path) -> KeptPlate:
    """The plate in a document that lies at ``file``.

    Raises:
        BadInputError: The text is no prompt document, or was damaged.
    """
    shot = from_json(text)
    kept = json.loads(text).get(_KEY)
    try:
        return _kept(shot, kept if isinstance(kept, dict) else {}, file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            phrase(
                "what {name} keeps for hosts cannot be understood ({fault}): take the key {key} out of it to "
                "open its prompts",
                name=file.name,
                fault=str(error),
                key=_KEY,
            )
        ) from error


def read(file: Path) -> tuple[KeptPlate, str]:
    """The plate in a file, and the stamp of what was read, for :func:`write`.

    Raises:
        BadInputError: The file cannot be read, is too large, or is no prompt document.
    """
    try:
        with file.open("rb") as content:
            data = content.read(_MAX_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else "not text"
        raise BadInputError(
            phrase("the document {name} cannot be read ({fault}): check the path", name=file, fault=fault)
        ) from error
    if len(data) > _MAX_BYTES:
        raise BadInputError(
            phrase("the document {name} is larger than 1 GB: it is none of masklet's", name=file)
        )
    return from_text(text, file), _stamp(data)


def write(file: Path, kept: KeptPlate, stamp: str | None) -> str:
    """Write a document, whole or not at all.

    Args:
        file: Where.
        kept: What.
        stamp: Of what is expected there: as :func:`read` or the last call gave it; empty where there should
            be no file; None writes over whatever is there.

    Returns:
        The stamp of what is there now.

    Raises:
        ChangedMeanwhileError: Something else is there; nothing was written.
        OutputError: The folder is missing, read-only or full.
    """
    data = to_text(kept, file).encode("utf-8")
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        # One that has gone takes nothing of anybody's with it.
        if stamp is not None and _stamp_of(file) not in ("", stamp):
            raise ChangedMeanwhileError(
                phrase(
                    "{name} was changed by somebody else since it was read here: open it again to have "
                    "theirs, or save yours under another name",
                    name=file.name,
                )
            )
        try:
            with temporary.open("wb") as content:
                content.write(data)
                content.flush()
                os.fsync(content.fileno())
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            phrase(
                "the document {name} cannot be written ({fault}): check folder, rights and space",
                name=file,
                fault=error.strerror,
            )
        ) from error
    return _stamp(data)


def _kept(shot: Shot, own: dict[str, Any], file: Path) -> KeptPlate:
    names = [info.name for info in shot.document.objects]
    objects = own.get("objects", [])
    if len(objects) != len(names):
        # The command line has written it anew, or somebody by hand: names are all there is.
        objects = []
    uids = {name: str(item["uid"]) for name, item in zip(names, objects)}  # noqa: B905  (as long, as seen)
    session = own.get("session", {})
    return KeptPlate(
        _path(shot.clip, str(own.get("path", "")), file),
        str(own.get("plate", "")) or new_uid(),
        shot.reading,
        shot.plate,
        from_prompts(shot.document, uids),
        {str(item["uid"]): Look(_colour(item["colour"]), bool(item["shown"])) for item in objects},
        {str(item["uid"]): str(item["states"]) for item in objects},
        KeptSession(
            str(session.get("id", "")), str(session.get("fingerprint", "")), str(session.get("path", ""))
        ),
        shot.notes,
    )


def _path(clip: str, known: str, file: Path) -> str:
    """Where the clip lies: beside the document, or where it was when the document was written."""
    beside = str((file.parent / clip).absolute())
    if known and not is_still_at(beside) and is_still_at(known):
        return known
    return beside


def _colour(values: Any) -> Colour:
    red, green, blue = (min(1.0, max(0.0, float(value))) for value in values)
    return (red, green, blue)


def _stamp_of(file: Path) -> str:
    try:
        return _stamp(file.read_bytes())
    except FileNotFoundError:
        return ""


def _stamp(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_document(kept: KeptPlate, document: Document) -> KeptPlate:
    """The plate saying something else; looks and states of objects that are gone go with them."""
    uids = {said.uid for said in document}
    looks = {uid: kept.look(uid) for uid in [said.uid for said in kept.document] if uid in uids}
    taken = {look.colour for look in looks.values()}
    for place, said in enumerate(document):
        if said.uid not in looks:
            free = [colour for colour in PALETTE if colour not in taken]
            looks[said.uid] = Look(free[0] if free else PALETTE[place % len(PALETTE)])
            taken.add(looks[said.uid].colour)
    states = {uid: text for uid, text in kept.states.items() if uid in uids}
    return replace(kept, document=document, looks=looks, states=states)
