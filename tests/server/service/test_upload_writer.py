"""A file that arrives while its call breaks off."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from masklet.v1 import session_pb2
from masklet_server.service.contents import ContentKey, ContentStore, GrowingContent
from masklet_server.service.upload_writer import Upload, UploadWriter

CONTENT = b"a plate" * 100


def test_a_call_that_breaks_off_during_the_last_chunk_leaves_a_whole_file_or_one_to_build_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContentStore(tmp_path / "contents", kept_s=60.0, max_contents=10, clock_s=lambda: 0.0)
    writer = UploadWriter(Upload("a" * 32, "ann", "clip", tmp_path / "one"), store, digests_of_files=True)
    digest = hashlib.sha256(CONTENT).digest()
    start = session_pb2.UploadFileStart(frame=1, suffix=".png", size_bytes=len(CONTENT), sha256=digest)
    writer.start(start)
    write, closing = GrowingContent.write, threading.Thread(target=writer.close)

    def write_while_it_closes(growing: GrowingContent, chunk: bytes) -> None:
        write(growing, chunk)
        closing.start()
        closing.join(0.2)

    monkeypatch.setattr(GrowingContent, "write", write_while_it_closes)
    writer.write(CONTENT)
    closing.join()

    again = UploadWriter(Upload("b" * 32, "ann", "clip", tmp_path / "two"), store, digests_of_files=True)
    start.held_bytes = store.held_bytes(ContentKey("ann", digest))
    again.start(start)
    again.check_complete()
    assert [each.read_bytes() for each in (tmp_path / "two").iterdir()] == [CONTENT]
