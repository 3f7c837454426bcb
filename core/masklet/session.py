"""A clip on a server, its objects, and what can be done with them."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, ObjectNotFoundError, ServerUnreachableError
from masklet.events import MatteFormat, OverlayKind, TrackFinished, TrackStarted
from masklet.matte_files import Exported, receive
from masklet.transport.interface import ExportRequest, TrackRequest, Undone
from masklet.types import Box, Click, Direction, FramePrompts, Mask, MaskFormat, MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import TracebackType

    from masklet.events import TrackEvent
    from masklet.transport.interface import Transport
    from masklet.types import ClipInfo, FrameRange, ObjectInfo, PromptDocument, SessionInfo

PLATE_SIZE = MaskFormat()
"""Masks as large as the plate, 256 steps of coverage."""


@contextmanager
def _bad_input() -> Iterator[None]:
    """A value that refuses its arguments, as the error that all of the client raises."""
    try:
        yield
    except ValueError as error:
        raise BadInputError(str(error)) from error


class TrackedObject:
    """One object of a session: what the artist points at.

    Every method that says something about the object answers with its mask on that frame, at the
    plate's size. Coordinates are pixels from the plate's top-left corner, pixel centres at
    half-integers; frame numbers are the plate's own.

    Attributes:
        object_id: For ever.
        name: Of EXR layers and files; :meth:`rename` changes it.
    """

    def __init__(self, transport: Transport, session_id: str, info: ObjectInfo) -> None:
        self._transport = transport
        self._session_id = session_id
        self.object_id = info.object_id
        self.name = info.name

    def click(self, *, frame: int, x_px: float, y_px: float, positive: bool = True) -> MaskUpdate:
        """Add a click: on the object, or with ``positive=False`` on what must not be part of it.

        Raises:
            BadInputError: The coordinates are not finite or lie outside the plate.
            FrameMissingError: The clip has no such frame.
        """
        with _bad_input():
            click = Click(x_px, y_px, positive=positive)
        return self._transport.add_click(self._session_id, self.object_id, frame, click, PLATE_SIZE)

    def box(
        self, *, frame: int, left_px: float, top_px: float, right_px: float, bottom_px: float
    ) -> MaskUpdate | None:
        """Say that the object fills this rectangle. Replaces what was said on this frame.

        Raises:
            BadInputError: An edge is not finite, or the box has no area.
        """
        with _bad_input():
            box = Box(left_px, top_px, right_px, bottom_px)
        return self.prompt(FramePrompts(self.object_id, frame, box=box))

    def mask(self, *, frame: int, mask: Mask) -> MaskUpdate | None:
        """Say exactly what the object is on this frame. Replaces what was said there."""
        return self.prompt(FramePrompts(self.object_id, frame, mask=mask))

    def prompt(self, prompts: FramePrompts) -> MaskUpdate | None:
        """Replace all that is said on one frame; None when that is now nothing."""
        return self._transport.set_prompts(self._session_id, prompts, PLATE_SIZE)

    def clear(self, *, frame: int) -> None:
        """Take back all that was said on one frame."""
        self.prompt(FramePrompts(self.object_id, frame))

    def rename(self, name: str) -> None:
        """Give the object another name.

        Raises:
            NameTakenError: Another object of the session has it.
            BadInputError: The name cannot be one of a layer: empty, a slash, a dot in it.
        """
        self.name = self._transport.rename_object(self._session_id, self.object_id, name).name

    def remove(self) -> None:
        """Forget the object with its prompts and masks. The others do not notice."""
        self._transport.remove_object(self._session_id, self.object_id)


class Track:
    """A track that runs: iterate to get each mask as soon as it exists.

    Leaving the loop early, or :meth:`cancel` from any thread, stops the track after the frame in
    hand; what is finished is kept in the session.

    Attributes:
        started: The plan, known once the first mask is asked for.
        finished: How it ended; None while it runs or when the loop was left early.
    """

    def __init__(self, transport: Transport, session_id: str, request: TrackRequest) -> None:
        self._transport = transport
        self._session_id = session_id
        self._events = transport.track(session_id, request)
        self.started: TrackStarted | None = None
        self.finished: TrackFinished | None = None

    def __iter__(self) -> Generator[MaskUpdate, None, None]:
        with closing(self.events()) as events:
            for event in events:
                if isinstance(event, MaskUpdate):
                    yield event

    def events(self) -> Generator[TrackEvent, None, None]:
        """Everything that happens, the plan and the end too, for those who show progress."""
        with closing(self._events) as events:
            for event in events:
                if isinstance(event, TrackStarted):
                    self.started = event
                elif isinstance(event, TrackFinished):
                    self.finished = event
                yield event

    def cancel(self) -> None:
        """Stop after the frame in hand; the loop then ends by itself."""
        self._transport.cancel(self._session_id)


class Session:
    """A clip on a server with its objects, prompts and masks. Close it, or use ``with``.

    Attributes:
        session_id: By which the server knows it.
        clip: Size, frame range and colour of the clip.
    """

    def __init__(self, transport: Transport, info: SessionInfo) -> None:
        self._transport = transport
        self.session_id = info.session_id
        self.clip: ClipInfo = info.clip

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A server that is gone holds no session any more, and saying so here would hide the error
        # that told first.
        with suppress(ServerUnreachableError):
            self.close()

    def info(self) -> SessionInfo:
        """Clip, objects and the states of all frames as they are now."""
        return self._transport.get_session(self.session_id)

    def object(self, name: str) -> TrackedObject:
        """The object of this name, added to the session if there is none yet.

        Raises:
            BadInputError: The name cannot be one of a layer: empty, a slash, a dot in it.
        """
        for info in self.info().objects:
            if info.name == name:
                return TrackedObject(self._transport, self.session_id, info)
        return TrackedObject(
            self._transport, self.session_id, self._transport.add_object(self.session_id, name)
        )

    def objects(self) -> tuple[TrackedObject, ...]:
        """All objects in the order in which they were added."""
        return tuple(TrackedObject(self._transport, self.session_id, info) for info in self.info().objects)

    def track(
        self,
        *,
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        direction: Direction = Direction.BOTH,
        mask_format: MaskFormat = PLATE_SIZE,
    ) -> Track:
        """Follow objects through the clip.

        Args:
            frames: None for the whole clip.
            objects: None given means all that have prompts.
            direction: From the prompted frames on, before them, or both.
            mask_format: How large the masks are that arrive; the session keeps the full ones.

        Raises:
            NotPromptedError: There is nothing to track yet. Raised when iteration starts.
        """
        request = TrackRequest(frames, self._ids(objects), direction, mask_format)
        return Track(self._transport, self.session_id, request)

    def masks(
        self,
        *,
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        mask_format: MaskFormat = PLATE_SIZE,
    ) -> Generator[MaskUpdate, None, None]:
        """The masks that exist, frame by frame, without tracking anything."""
        request = TrackRequest(frames, self._ids(objects), mask_format=mask_format)
        return self._transport.fetch_masks(self.session_id, request)

    def undo(self) -> Undone:
        """Take back the last change of prompts.

        Raises:
            BadInputError: There is nothing to take back.
        """
        return self._transport.undo_prompt(self.session_id, PLATE_SIZE)

    def prompts(self) -> PromptDocument:
        """All objects and prompts: what is needed to make the same mattes again."""
        return self._transport.get_prompts(self.session_id)

    def load_prompts(self, document: PromptDocument) -> tuple[TrackedObject, ...]:
        """Replace all objects, prompts and masks; return the objects, which have new ids."""
        infos = self._transport.set_prompts_of_session(self.session_id, document)
        return tuple(TrackedObject(self._transport, self.session_id, info) for info in infos)

    def export(
        self,
        folder: Path | str,
        *,
        matte_format: MatteFormat = MatteFormat.EXR_LAYERS,
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        base_name: str | None = None,
        on_server: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Exported:
        """Write mattes at plate resolution into ``folder``.

        Args:
            folder: On this machine; made if its parent exists.
            matte_format: What files hold them.
            frames: None for the whole clip. Frames without a mask make no file.
            objects: None given means all.
            base_name: First part of file names; None for the clip's name.
            on_server: The folder is one that the server sees, and it writes there itself.
            on_progress: Told the frames done and the frames in all.

        Raises:
            OutputError: The folder is missing, read-only or full. Finished files stay.
        """
        request = ExportRequest(
            frames=frames,
            object_ids=self._ids(objects),
            matte_format=matte_format,
            server_folder=str(folder) if on_server else None,
            base_name=base_name,
        )
        with closing(self._transport.export_mattes(self.session_id, request)) as events:
            return receive(events, Path(folder), on_progress=on_progress)

    def export_overlay(
        self,
        folder: Path | str,
        *,
        kind: OverlayKind = OverlayKind.MOVIE,
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        base_name: str | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Exported:
        """Write a movie, or a sheet of some frames, with the masks drawn over the clip.

        Raises:
            OutputError: The folder is missing, read-only or full.
        """
        request = ExportRequest(
            frames=frames, object_ids=self._ids(objects), overlay_kind=kind, base_name=base_name
        )
        with closing(self._transport.export_overlay(self.session_id, request)) as events:
            return receive(events, Path(folder), on_progress=on_progress)

    def close(self) -> None:
        """Forget the session on the server. Twice is fine."""
        self._transport.close_session(self.session_id)

    def _ids(self, objects: Iterable[TrackedObject | str]) -> tuple[int, ...]:
        wanted = list(objects)
        if all(isinstance(item, TrackedObject) for item in wanted):
            return tuple(item.object_id for item in wanted if isinstance(item, TrackedObject))
        by_name = {info.name: info.object_id for info in self.info().objects}
        ids = []
        for item in wanted:
            if isinstance(item, TrackedObject):
                ids.append(item.object_id)
            elif item in by_name:
                ids.append(by_name[item])
            else:
                raise ObjectNotFoundError(f"the session has no object {item!r}: it has {', '.join(by_name)}")
        return tuple(ids)
