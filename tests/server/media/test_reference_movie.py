from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from generated_media import write_movie
from masklet.errors import ClipError
from masklet_server.media.source import open_clip


def write_reference(path: Path, movie: Path) -> None:
    """The movie's header with its data reference turned into an alias to the movie beside it.

    Layout: Apple, "QuickTime File Format Specification", data reference atoms; alias record: FFmpeg.
    """
    stored = movie.read_bytes()
    at = stored.find(b"dref") - 4
    old_bytes = struct.unpack(">I", stored[at : at + 4])[0]
    name = movie.name.encode()
    whole = name + b"\0" * (len(name) % 2)
    alias = b"".join(
        (
            *(bytes(4 + 10), bytes([4]), b"disk".ljust(27, b"\0"), bytes(12)),
            *(bytes([len(name)]), name.ljust(63, b"\0"), bytes(16), struct.pack(">hh", 1, 1), bytes(16)),
            *(struct.pack(">hH", 2, len(whole)), whole, struct.pack(">hH", -1, 0)),
        )
    )
    entry = struct.pack(">I4s", 8 + len(alias), b"alis") + alias
    atom = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    changed = bytearray(stored[:at] + atom + stored[at + old_bytes :])
    start, end = 0, len(stored)
    while start < end - 8:
        size = struct.unpack(">I", stored[start : start + 4])[0]
        if start < at < start + size:
            # One of the atoms around it: longer by as much, and what comes next lies in it.
            changed[start : start + 4] = struct.pack(">I", size + len(atom) - old_bytes)
            start, end = start + 8, start + size
        elif start == at:
            break
        else:
            start += size
    path.write_bytes(changed)


def test_a_movie_whose_pictures_lie_in_another_file_is_refused(tmp_path: Path) -> None:
    pictures = [np.full((32, 32, 3), 200, np.uint8)] * 3
    secret = write_movie(tmp_path / "secret.mov", pictures, codec="prores_ks", pixel_format="yuv422p10le")
    write_reference(tmp_path / "plate.mov", secret)
    with av.open(str(tmp_path / "plate.mov"), options={"enable_drefs": "1"}) as followed:
        assert len(list(followed.decode(video=0))) == 3

    with pytest.raises(ClipError, match="keeps its pictures in other files"):
        open_clip(tmp_path / "plate.mov")
