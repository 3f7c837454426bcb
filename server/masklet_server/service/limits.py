"""What one client may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass

from masklet.errors import LimitError
from masklet_server.sessions.scheduler import TURN_S
from masklet_server.sessions.worker_threads import DISK_S

CHUNK_BYTES = 1 << 20
"""Of files on the wire, both ways: small enough that a prompt never waits long behind one."""


@dataclass(frozen=True)
class ServiceLimits:
    """Bounds of the service; those of sessions are in :mod:`masklet_server.sessions.store`.

    Attributes:
        max_upload_bytes: Of all files of one upload.
        max_uploads_bytes: Of all uploads the server holds.
        max_user_uploads_bytes: Of those that one user may have of these.
        max_tenant_uploads_bytes: Of those that all users of one tenant may have.
        max_upload_files: Files of one upload.
        max_user_upload_files: Of all uploads of one user: files without a byte take room as well.
        upload_kept_s: How long an upload waits to be opened.
        disk_s: How long a disk may take for one picture, one file or one look into a folder.
        turn_s: How long the device may be at one frame before that is given up.
        stalled_s: How long a client may leave what is sent to it unread.
        first_message_s: How long a call may take to say what it wants.
        silence_s: How long a client may say nothing in the middle of an upload.
    """

    max_upload_bytes: int = 32 << 30
    max_uploads_bytes: int = 128 << 30
    max_user_uploads_bytes: int = 64 << 30
    max_tenant_uploads_bytes: int = 96 << 30
    max_upload_files: int = 100_000
    max_user_upload_files: int = 1_000_000
    upload_kept_s: float = 3600.0
    disk_s: float = DISK_S
    turn_s: float = TURN_S
    stalled_s: float = 30.0
    first_message_s: float = 10.0
    silence_s: float = 120.0

    def check_upload(
        self,
        files: int,
        upload_bytes: int,
        user_bytes: int,
        tenant_bytes: int,
        all_bytes: int,
        *,
        user_files: int = 0,
    ) -> None:
        """Refuse an upload that is too large, itself or together with others of its user, tenant or of all.

        Raises:
            LimitError: The message names the limit.
        """
        if files > self.max_upload_files:
            raise LimitError(f"an upload has at most {self.max_upload_files} files: send a shorter clip")
        if user_files > self.max_user_upload_files:
            raise LimitError(
                f"your uploads have the {self.max_user_upload_files} files that each user of this server may "
                "have: close sessions on uploaded clips, or send a movie"
            )
        if upload_bytes > self.max_upload_bytes:
            raise LimitError(
                f"an upload has at most {_described(self.max_upload_bytes)}: send a shorter clip, "
                "or compress it"
            )
        if user_bytes > self.max_user_uploads_bytes:
            raise LimitError(
                f"your uploads would fill more than the {_described(self.max_user_uploads_bytes)} that each "
                "user of this server has: close sessions on uploaded clips, or send a shorter clip"
            )
        if tenant_bytes > self.max_tenant_uploads_bytes:
            raise LimitError(
                f"uploads of your tenant fill the {_described(self.max_tenant_uploads_bytes)} that each has "
                "here: close sessions on uploaded clips, or ask colleagues to close theirs"
            )
        if all_bytes > self.max_uploads_bytes:
            raise LimitError(
                f"the server's uploads fill the {_described(self.max_uploads_bytes)} they may take: "
                "close sessions on uploaded clips, or try again later"
            )


def _described(size_bytes: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.4g} {name}"
    return f"{size_bytes} bytes"
