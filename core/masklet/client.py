"""Connect to a server, or start one, and open clips there.

::

    import masklet

    with masklet.connect() as server:
        session = server.open("plate.%04d.exr")
        hero = session.object("hero")
        hero.click(frame=1001, x_px=640, y_px=360)
        for update in session.track():
            print(update.frame, update.presence.value)
        session.export("mattes")
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from masklet.clip_files import find_files, is_here
from masklet.clip_reading import ClipReading
from masklet.errors import (
    BadInputError,
    LimitError,
    MaskletError,
    PathNotAllowedError,
    ServerUnreachableError,
    SessionNotFoundError,
)
from masklet.extras import wire_sentence
from masklet.session import Session
from masklet.settings import read_settings
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import ClipFile
from masklet.types import SessionInfo
from masklet.version import VERSION
from masklet.version_fit import check_versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from masklet.events import Waiting
    from masklet.transport.interface import Transport
    from masklet.types import FrameRange, PromptDocument, ServerInfo, SessionSummary


def connect(
    address: str | None = None,
    *,
    token: str | None = None,
    token_file: Path | str | None = None,
    tls_ca_file: Path | str | None = None,
    tls_cert_file: Path | str | None = None,
    tls_key_file: Path | str | None = None,
    weights: str | None = None,
    device: str | None = None,
    quality: str | None = None,
) -> Server:
    """A server that answers; close it, or use ``with``.

    What is not given comes from the environment (:mod:`masklet.settings`). With no address at all
    a server of one's own is started on this machine and stopped again by :meth:`Server.close`.

    Args:
        address: ``host:port``. The connection uses TLS unless the host is this machine and no
            certificate is given.
        token: By which the server lets in.
        token_file: Holds it instead, and is read again when the server does not take it any more: whoever
            signs in anew need not connect anew.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        tls_cert_file: A certificate of your own, for a server that asks for one.
        tls_key_file: Its private key.
        weights: Name or file, for a server of one's own.
        device: ``cpu``, ``cuda``, ``cuda:1``, for a server of one's own.
        quality: ``fast``, ``balanced`` or ``best``, for a server of one's own; None as its model was trained.

    Raises:
        ServerUnreachableError: No server answers there, or one's own did not start.
        AccessDeniedError: The server does not take the token.
        BadInputError: The token file or a certificate cannot be read.
        WeightsError: There are no such weights.
        VersionError: Server and client are too far apart.
    """
    lacking = wire_sentence()
    if lacking is not None:
        raise ServerUnreachableError(lacking)
    from masklet.transport.opening import open_transport

    settings = read_settings()
    transport, local = open_transport(
        ServerChoice.of(
            settings,
            address=address,
            token=token,
            token_file=token_file,
            tls_ca_file=tls_ca_file,
            tls_cert_file=tls_cert_file,
            tls_key_file=tls_key_file,
            weights=weights,
            device=device,
            quality=quality,
        )
    )
    return _checked(Server(transport, own=local))


def connect_through_helper(
    address: str | None = None,
    *,
    token_file: Path | str | None = None,
    tls_ca_file: Path | str | None = None,
    weights: str | None = None,
    device: str | None = None,
    quality: str | None = None,
    python: Path | str | None = None,
) -> Server:
    """As :func:`connect`, for host applications: gRPC runs in a helper process, not in this one.

    What is not given comes from the environment (:mod:`masklet.settings`). The helper, and a server of
    one's own, end with :meth:`Server.close` or with this process.

    Args:
        address: ``host:port``; None to have a server started on this machine.
        token_file: Holds the token by which the server lets in.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        weights: Name or file, for a server of one's own.
        device: ``cpu``, ``cuda``, ``cuda:1``, for a server of one's own.
        quality: ``fast``, ``balanced`` or ``best``, for a server of one's own; None as its model was trained.
        python: The interpreter that has masklet with gRPC; None for ``MASKLET_PYTHON`` or what
            ``masklet install`` wrote down.

    Raises:
        HelperError: The helper cannot be started.
        ServerUnreachableError: No server answers there, or one's own did not start.
        AccessDeniedError: The server does not take the token.
        BadInputError: The token file or the certificate cannot be read.
        WeightsError: There are no such weights.
        VersionError: Server, helper and client are too far apart.
    """
    from masklet.transport.bridge import BridgeTransport
    from masklet.transport.helper_environment import find_helper_python

    settings = read_settings()
    choice = ServerChoice.of(
        settings,
        address=address,
        token_file=token_file,
        tls_ca_file=tls_ca_file,
        weights=weights,
        device=device,
        quality=quality,
    )
    transport = BridgeTransport(choice, Path(python) if python else find_helper_python())
    return _checked(Server(transport, own=transport if choice.is_own else None))


def _checked(server: Server) -> Server:
    """The server once it has answered; closed again if it does not."""
    try:
        check_versions(server.info().version, VERSION)
    except MaskletError:
        server.close()
        raise
    return server


class OwnServer(Protocol):
    """A server that was started for this client alone."""

    def stop(self) -> None:
        """Stop it; twice is fine."""
        ...


class Server:
    """A server and the connection to it.

    Args:
        transport: What carries calls there.
        own: The server behind it when it is one's own; stopped by :meth:`close`.
    """

    def __init__(self, transport: Transport, *, own: OwnServer | None = None) -> None:
        self._transport = transport
        self._own = own

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_own(self) -> bool:
        """True when this client started the server."""
        return self._own is not None

    def info(self) -> ServerInfo:
        """Version, device, models and limits."""
        return self._transport.server_info()

    def open(
        self,
        clip: Path | str,
        *,
        colour_space: str | None = None,
        first_frame: int | None = None,
        frame_rate: float | None = None,
        layer: str | None = None,
        view: str | None = None,
        overscan: bool = False,
        frames: FrameRange | None = None,
        upload: bool | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        on_waiting: Callable[[Waiting], None] | None = None,
    ) -> Session:
        """Open a session on a clip.

        Args:
            clip: A movie, a pattern such as ``plate.%04d.exr`` or ``plate.####.exr``, a folder with
                one sequence, or a single picture.
            colour_space: Name of the input space for OpenColorIO; None to let the files say.
            first_frame: The number of a movie's first picture; None for 0. Sequences have their own.
            frame_rate: Pictures a second, which goes before what the files say; None to let them say.
            layer: Of an EXR with several, the layer or part that is the plate; None for the one that its
                name tells, which ``session.clip.notices`` says.
            view: Of a stereo EXR; None for its default view.
            overscan: True to matte what the files hold beyond the display window as well. Coordinates
                stay those of the display window.
            frames: Those that are used, as far as that is known. Size and colour are taken from them, so
                that a slate does not decide.
            upload: True sends the files, False has the server open the path. None lets the server
                open what it sees and sends what it does not.
            on_progress: Told, from any thread, what is done and what there is in all while files are sent.
                An exception raised in it ends the sending and comes out here; another attempt goes on
                from there.
            on_waiting: Told the place in the queue of a server that is full, every few seconds, until there
                is room. An exception raised in it gives the place up and comes out here. None: a full server
                is an error.

        Raises:
            ClipError: There is no such clip, or it cannot be read.
            PathNotAllowedError: The server may not open this path, and it is not to be uploaded.
            LimitError: The clip is larger than the server allows, or it is full and nobody wants to wait.
            BadInputError: The first frame, the rate or the space makes no sense, for this clip.
        """
        reading = _reading(
            colour_space, first_frame, frame_rate, layer=layer, view=view, overscan=overscan, frames=frames
        )
        path = Path(clip).expanduser()
        here = is_here(str(path))
        if upload is None and here and not self.is_own and not self.info().opens_paths:
            upload = True
        if not upload:
            # A path of this machine is made complete, without links or ".." for the server to doubt;
            # one that only the server knows goes as it is.
            sent = str(path.parent.resolve() / path.name) if here or self.is_own else str(clip)
            try:
                return self._opened(on_waiting, path=sent, reading=reading)
            except PathNotAllowedError:
                if upload is False or not here:
                    raise
        return self._open_uploaded(str(path), reading, on_progress, on_waiting)

    def sessions(self) -> tuple[SessionSummary, ...]:
        """Your own sessions on the server and those that others share with you, the one used last first.

        :meth:`resume` takes one up again.
        """
        return self._transport.list_sessions()

    def resume(self, session_id: str) -> Session:
        """A session that is already on the server.

        Raises:
            SessionNotFoundError: It was closed or never existed.
        """
        return Session(self._transport, self._transport.get_session(session_id))

    def restore(
        self,
        session_id: str,
        clip: Path | str,
        prompts: PromptDocument,
        *,
        colour_space: str | None = None,
        first_frame: int | None = None,
        frame_rate: float | None = None,
        layer: str | None = None,
        view: str | None = None,
        overscan: bool = False,
        upload: bool | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        on_waiting: Callable[[Waiting], None] | None = None,
    ) -> Session:
        """A session that was, or one like it: for work that outlives a server.

        A server that still holds the session gives it back as it is, masks included; what ``prompts``
        say is not compared. Otherwise the clip is opened again and everything in ``prompts`` said again:
        objects keep their names and get new ids, masks come with the next track.

        Args:
            session_id: Of the session that was; the same id on the result tells that it still was there.
            clip: As in :meth:`open`.
            prompts: From :meth:`masklet.session.Session.prompts` after the last edit.
            colour_space: As in :meth:`open`.
            first_frame: As in :meth:`open`.
            frame_rate: As in :meth:`open`.
            layer: As in :meth:`open`.
            view: As in :meth:`open`.
            overscan: As in :meth:`open`.
            upload: As in :meth:`open`.
            on_progress: As in :meth:`open`.
            on_waiting: As in :meth:`open`.

        Raises:
            ClipError: The clip is not there any more, or cannot be read.
            BadInputError: A prompt does not fit the clip, which is another than it was.
        """
        try:
            return self.resume(session_id)
        except SessionNotFoundError:
            session = self.open(
                clip,
                colour_space=colour_space,
                first_frame=first_frame,
                frame_rate=frame_rate,
                layer=layer,
                view=view,
                overscan=overscan,
                upload=upload,
                on_progress=on_progress,
                on_waiting=on_waiting,
            )
        try:
            session.load_prompts(prompts)
        except MaskletError:
            with suppress(MaskletError):
                session.close()
            raise
        return session

    def close(self) -> None:
        """Let the connection go, and stop the server if it is one's own. Twice is fine."""
        with suppress(MaskletError):
            self._transport.close()
        if self._own is not None:
            self._own.stop()

    def _open_uploaded(
        self,
        clip: str,
        reading: ClipReading,
        on_progress: Callable[[int, int], None] | None,
        on_waiting: Callable[[Waiting], None] | None,
    ) -> Session:
        files = find_files(clip)
        size_bytes = sum(file.path.stat().st_size for file in files)
        limit_bytes = self.info().max_upload_bytes
        if size_bytes > limit_bytes:
            raise LimitError(
                f"the clip has {size_bytes / 1e9:.1f} GB and the server takes {limit_bytes / 1e9:.1f} GB: "
                "put it where the server can open it, or send a shorter range"
            )
        upload_id = self._transport.upload(
            Path(clip).name,
            [ClipFile(file.path, file.frame) for file in files],
            on_progress=on_progress,
        )
        return self._opened(on_waiting, upload_id=upload_id, reading=reading)

    def _opened(self, on_waiting: Callable[[Waiting], None] | None, **clip: Any) -> Session:
        """A session, once the server has room for it."""
        ticket = "" if on_waiting is None else secrets.token_hex(16)
        while not isinstance(opened := self._transport.open_session(**clip, ticket=ticket), SessionInfo):
            if on_waiting is not None:
                on_waiting(opened)
        return Session(self._transport, opened)


def _reading(
    colour_space: str | None, first_frame: int | None, frame_rate: float | None, **pictures: Any
) -> ClipReading:
    try:
        return ClipReading(colour_space, first_frame, frame_rate, **pictures)
    except ValueError as error:
        raise BadInputError(str(error)) from error
