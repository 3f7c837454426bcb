"""What strangers' bytes meet first, each as a function of bytes: for ``bench_fuzz.py`` and the tests.

A target takes any bytes, ends or raises what its callers expect, and anything else is a fault. Where more can
be said of a right answer, it asserts that. ``SEEDS`` are where a fuzzer begins.
"""

from __future__ import annotations

import atexit
import importlib
import inspect
import io
import json
import re
import shutil
import socket
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from masklet import prompts as documents
from masklet.errors import BadInputError, MaskletError
from masklet.exchange.json_reading import read_json
from masklet.patterns import FramePattern, group_sequences
from masklet.png import read_mask_picture
from masklet.transport.bridge_wire import ClosedError, MalformedError, Wire
from masklet_server.audit.chain import Link, link_in, linked
from masklet_server.identity.caller import StaleTokenError, named
from masklet_server.identity.plain_tokens import TokenTable
from masklet_server.identity.register import Register
from masklet_server.identity.signed_tokens import SignedTokens, make_token
from masklet_server.journal import records
from masklet_server.media.references import refuse_references
from masklet_server.model.header import config_from_json
from masklet_server.sandbox.wire import GoneError, LateError, Line
from masklet_server.service.roots import Roots
from masklet_server.service.sentence import for_the_wire
from masklet_server.service.sizes import check_sizes

_CODECS = (
    *("codec", "event_codec", "find_codec", "geometry_codec", "kept_codec", "mask_codec", "sharing_codec"),
    "state_codec",
)
_MESSAGE = re.compile(r"(\w+_pb2)\.(\w+)")
_DEEPEST = 5


@dataclass(frozen=True)
class Target:
    """One way in.

    Attributes:
        run: Takes the bytes.
        expected: What its callers translate into a sentence.
        seeds: Where to begin.
    """

    run: Callable[[bytes], None]
    expected: tuple[type[Exception], ...]
    seeds: Sequence[bytes]


@cache
def decoders() -> tuple[tuple[type[Message], Callable[[Any], object]], ...]:
    """Every function that makes a value of a message, with the message's class."""
    modules = [importlib.import_module(f"masklet.{name}") for name in _CODECS]
    modules.append(importlib.import_module("masklet_server.cluster.codec"))
    found = []
    for module in modules:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            told = _MESSAGE.fullmatch(str(function.__annotations__.get("message", "")))
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if name.endswith("_from_wire") and is_own and told:
                messages = importlib.import_module(f"masklet.v1.{told[1]}")
                found.append((getattr(messages, told[2]), function))
    return tuple(found)


def filled(kind: type[Message], depth: int = 0) -> Message:
    """A message with something in every field."""
    message = kind()
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            if depth < _DEEPEST:
                inner = filled(field.message_type._concrete_class, depth + 1)
                if field.is_repeated:
                    getattr(message, field.name).add().CopyFrom(inner)
                else:
                    getattr(message, field.name).CopyFrom(inner)
            continue
        value: Any = 2
        if field.type == FieldDescriptor.TYPE_STRING:
            value = "hero"
        elif field.type == FieldDescriptor.TYPE_BYTES:
            value = zlib.compress(bytes(4))
        elif field.type == FieldDescriptor.TYPE_BOOL:
            value = True
        elif field.type == FieldDescriptor.TYPE_ENUM:
            value = field.enum_type.values[-1].number
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    return message


def wire(data: bytes) -> None:
    """A message, and the value in it."""
    if not data:
        return
    kind, decode = decoders()[data[0] % len(decoders())]
    try:
        message = kind.FromString(data[1:])
    except DecodeError:
        return
    check_sizes(message)
    decode(message)


def document(data: bytes) -> None:
    """A prompt document, and a scene of shapes and anchors."""
    text = data.decode(errors="replace")
    for read in (documents.from_json, read_json):
        try:
            read(text)
        except MaskletError:
            continue


def journal(data: bytes) -> None:
    """Records of a journal, behind their checksums."""
    if not data:
        return
    choice, content = data[0], data[1:]
    if choice % 2:
        records.said_from_bytes(1, content)
        return
    value = json.loads(content)
    readers: Sequence[Callable[[Any], object]] = (
        records.shares_from_json,
        records.reference_from_json,
        records.track_from_json,
        records.entry_from_json,
        records.seen_from_json,
        records.way_from_json,
        records.answer_from_json,
        records.stale_from_json,
        lambda content: records.contents_from_json(content, {}),
    )
    readers[choice // 2 % len(readers)](value)


def picture(data: bytes) -> None:
    """A mask as a PNG."""
    read_mask_picture(data)


def references(data: bytes) -> None:
    """What may be a movie that names other files."""
    refuse_references(io.BytesIO(data), "plate.mov")


def weights(data: bytes) -> None:
    """What weights say of their network."""
    config_from_json(data.decode(errors="replace"))


def helper(data: bytes) -> None:
    """What a host's helper receives."""
    ours, theirs = _pair(data, over_tcp=True)
    line = Wire(ours)
    try:
        while True:
            line.receive(max_bytes=1 << 20)
    finally:
        line.close()
        line.release()
        theirs.close()


def decoder(data: bytes) -> None:
    """What the server receives from a decoder that is in somebody's hands."""
    ours, theirs = _pair(data)
    line = Line(ours)
    try:
        while True:
            line.receive(within_s=1.0)
    finally:
        line.close()
        theirs.close()


def token(data: bytes) -> None:
    """What comes as a token: nothing but the one that was made is anybody's."""
    tokens, good = _signed()
    text = data.decode("latin-1")
    found = tokens.identity_of(text)
    # A signature can be spelled in more than one way.
    said = text.rpartition(".")[0]
    assert found is None or said == good.rpartition(".")[0], "a token that nobody made is somebody's"


def token_files(data: bytes) -> None:
    """Files of tokens, as an editor or a disk may leave them."""
    file = _place() / "tokens"
    file.write_bytes(data)
    file.chmod(0o600)
    for read in (TokenTable.read, Register.read):
        try:
            read(file)
        except BadInputError:
            continue


def audit(data: bytes) -> None:
    """A line of an audit log."""
    link_in(data)


def path(data: bytes) -> None:
    """A path that a client names: below the root, or refused."""
    root = _place() / "root"
    text = (
        str(root / "clip") + data.decode(errors="surrogateescape")
        if data[:1] == b"+"
        else data.decode(errors="surrogateescape")
    )
    roots = Roots([root])
    for read in (roots.clip, roots.output):
        found = read(text)
        assert root.resolve() in (found, *found.parents), "a path leads out of its root"


def names(data: bytes) -> None:
    """Names of files in a folder, and what is said about them."""
    text = data.decode(errors="replace")
    told = for_the_wire(text)
    assert told.isprintable()
    group_sequences(text.split("\n"))
    FramePattern.parse(text)


def _pair(data: bytes, *, over_tcp: bool = False) -> tuple[socket.socket, socket.socket]:
    if over_tcp:
        with socket.create_server(("127.0.0.1", 0)) as door:
            theirs = socket.create_connection(door.getsockname())
            ours, _ = door.accept()
    else:
        ours, theirs = socket.socketpair()
    # More than a socket holds would wait for a reader.
    theirs.sendall(data[:65_536])
    theirs.shutdown(socket.SHUT_WR)
    return ours, theirs


@cache
def _place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="masklet-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "root" / "clip").mkdir(parents=True)
    (folder / "root" / "out").symlink_to(folder)
    return folder


@cache
def _signed() -> tuple[SignedTokens, str]:
    register = _place() / "signed.json"
    good, _ = make_token(register, named("ann"), 30 * 86_400.0)
    return SignedTokens(register), good


def _seeds_of_wire() -> list[bytes]:
    return [bytes([number]) + filled(kind).SerializeToString() for number, (kind, _) in enumerate(decoders())]


_MASK = {"width_px": 2, "height_px": 2, "alpha_zlib_base64": "eJz7/x8AAwAB/g=="}
_DOCUMENT = {
    "masklet_prompts": 3,
    "clip": "plate.%04d.exr",
    "plate": {"width_px": 64, "height_px": 48, "first": 1, "last": 9},
    "track": {"first": 1, "last": 9, "direction": "both"},
    "objects": [
        {
            "name": "hero",
            "locks": [[1, 2]],
            "matte": {"grow_px": -1.5},
            "frames": [
                {"frame": 1, "clicks": [{"x_px": 1.0, "y_px": 2.0, "positive": True}]},
                {"frame": 2, "box": {"left_px": 1, "top_px": 1, "right_px": 5, "bottom_px": 5}},
                {"frame": 3, "mask": _MASK},
                {"frame": 4, "scribbles": [{"points_px": [[1.0, 2.0]], "width_px": 3.0, "positive": True}]},
            ],
        }
    ],
}
_CONTRADICTED = (AttributeError, KeyError, TypeError, ValueError, IndexError, BadInputError)
"""What recovery takes for a damaged journal."""


def _boxes(*parts: tuple[bytes, bytes]) -> bytes:
    return b"".join(struct.pack(">I", len(content) + 8) + kind + content for kind, content in parts)


def _movie() -> bytes:
    reference = bytes(7) + b"\x01" + _boxes((b"alis", bytes(4)))
    media = _boxes((b"hdlr", bytes(8) + b"vide"), (b"minf", _boxes((b"dinf", _boxes((b"dref", reference))))))
    header = _boxes((b"trak", _boxes((b"mdia", media))))
    packed = _boxes((b"cmvd", bytes(4) + zlib.compress(_boxes((b"moov", header)))))
    return _boxes((b"moov", header)) + _boxes((b"moov", _boxes((b"cmov", packed))))


def _register() -> bytes:
    _signed()
    return (_place() / "signed.json").read_bytes()


_JOURNAL = (
    b'\x00{"ann": ["read"]}',
    b'\x01{"prompts": {"frame": 1, "clicks": []}, "drawn": [2, 2, "8"]}\n' + zlib.compress(bytes(4)),
    b"\x0a[false, 1]",
    b'\x0c[1, 1, 1, "click"]',
    b"\x0e[[1, 3]]",
)
_HELPER = struct.pack("<4sIQ", b"MSKB", 13, 2) + b'{"blobs":[2]}ab'
_DECODER = struct.pack("=II", 8, 2) + b'{"a": 1}ab'
_NETWORK = b'{"trunk": {"stages": [1], "channels": [8]}}'

TARGETS: dict[str, Callable[[], Target]] = {
    "wire": lambda: Target(wire, (MaskletError,), _seeds_of_wire()),
    "document": lambda: Target(document, (), [json.dumps(_DOCUMENT).encode()]),
    "journal": lambda: Target(journal, _CONTRADICTED, _JOURNAL),
    "picture": lambda: Target(picture, (BadInputError,), [_png()]),
    "references": lambda: Target(references, (MaskletError,), [_movie(), b"#EXTM3U\n", b"ffconcat "]),
    "weights": lambda: Target(weights, (ValueError,), [_NETWORK]),
    "helper": lambda: Target(helper, (ClosedError, MalformedError), [_HELPER]),
    "decoder": lambda: Target(decoder, (GoneError, LateError), [_DECODER]),
    "token": lambda: Target(token, (StaleTokenError,), [_signed()[1].encode()]),
    "token_files": lambda: Target(token_files, (), [b"ann:a-token-of-sixteen\n", _register()]),
    "audit": lambda: Target(audit, (ValueError,), [linked({"user": "ann"}, Link())[0]]),
    "path": lambda: Target(path, (MaskletError,), [b"+/plate.%04d.png", b"/etc/passwd", b"+/../out/x"]),
    "names": lambda: Target(names, (MaskletError,), [b"plate.0001.png\nplate.0002.png", b"plate.%04d.exr"]),
}
"""By name; made when they are asked for."""


def _png() -> bytes:
    from masklet.png import write_mask
    from masklet.types import Mask

    return write_mask(Mask(4, 2, bytes(range(8))))


def attempt(target: Target, data: bytes) -> None:
    """Run a target; what it raises besides what is expected is a fault."""
    try:
        target.run(data)
    except target.expected:
        return
