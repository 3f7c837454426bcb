"""A clip on a server, its objects, and what can be done with them."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Existing
from masklet.errors import ObjectNotFoundError, ServerFaultError, ServerUnreachableError
from masklet.events import MatteFormat, OverlayKind, WorkProgress
from masklet.found import FindRequest, Look
from masklet.holes import find_holes
from masklet.interpolation import Interpolation
from masklet.matte_files import Exported, read_plan, receive
from masklet.pictures import AS_IT_IS, PictureRequest
from masklet.scopes import in_order, scopes_named
from masklet.search import Search
from masklet.track import Track
from masklet.tracked_object import PLATE_SIZE, TrackedObject, bad_input
from masklet.transport.interface import AnchorRequest, ExportRequest, TrackRequest, Undone
from masklet.types import CutPolicy, Direction, check_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable
    from types import TracebackType

    from typing_extensions import Unpack

    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.bad_frames import Place
    from masklet.deliveries import ExportPlan
    from masklet.found import FindOptions
    from masklet.holes import Hole
    from masklet.pictures import Grade, Picture
    from masklet.shapes import ObjectShapes
    from masklet.transport.interface import Transport
    from masklet.types import (
        ClipInfo,
        FramePrompts,
        FrameRange,
        FrameState,
        MaskFormat,
        MaskUpdate,
        PromptDocument,
        SessionInfo,
        Share,
    )

_Made = TypeVar("_Made")


class Session:
    """A clip on a server with its objects, prompts and masks. Close it, or use ``with``.

    Attributes:
        session_id: By which the server knows it.
        clip: Size, frame range and colour of the clip, and what was assumed or left out, as last heard.
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
        found = self._transport.get_session(self.session_id)
        self.clip = found.clip
        return found

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
        stale_only: bool = False,
        at_cuts: CutPolicy = CutPolicy.STOP,
        farm: bool = False,
    ) -> Track:
        """Follow objects through the clip.

        Args:
            frames: None for the whole clip.
            objects: None given means all that have prompts.
            direction: From the prompted frames on, before them, or both.
            mask_format: How large the masks are that arrive; the session keeps the full ones.
            stale_only: Only what prompts have overtaken.
            at_cuts: What to do where one shot ends and another begins.
            farm: Nobody waits for it: it takes what others leave of the device.

        Raises:
            NotPromptedError: There is nothing to track yet. Raised when iteration starts.
        """
        request = TrackRequest(frames, self._ids(objects), direction, mask_format, stale_only, at_cuts, farm)
        return Track(self._transport, self.session_id, request)

    def look_at(self, frame: int) -> None:
        """Tell the server which frame is looked at: a track that runs goes there first.

        It counts for a minute. From any thread, also while :meth:`track` is iterated.
        """
        with bad_input():
            check_frame(frame)
        self._transport.look_at(self.session_id, frame)

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

    def pictures(
        self, frames: Iterable[int], *, max_side_px: int = 0, grade: Grade = AS_IT_IS
    ) -> Generator[Picture, None, None]:
        """Pictures of the plate as people look at them, in the order in which they are asked for.

        Args:
            frames: At most :data:`masklet.pictures.MAX_FRAMES`.
            max_side_px: Longest side; 0 for the plate's own size.
            grade: Exposure and gamma.

        Raises:
            BadInputError: These are too many. A picture that cannot be used says why itself.
        """
        request = PictureRequest(tuple(frames), max_side_px, grade)
        return self._transport.fetch_pictures(self.session_id, request)

    def preview(self, prompts: FramePrompts, *, mask_format: MaskFormat = PLATE_SIZE) -> MaskUpdate:
        """The mask that prompts would give; nothing is said and nothing changes.

        Args:
            prompts: All of one object on one frame. Object 0 stands for one that is not there yet.
            mask_format: Of the mask.

        Raises:
            BadInputError: The prompts say nothing, or lie outside the picture.
        """
        return self._transport.preview_prompts(self.session_id, prompts, mask_format)

    def find(
        self,
        *,
        frame: int,
        like: TrackedObject | Look | None = None,
        mask_format: MaskFormat = PLATE_SIZE,
        **others: Unpack[FindOptions],
    ) -> Search:
        """Find everything on a frame, or all that is like something; nothing is said and nothing changes.

        :meth:`masklet.tracked_object.TrackedObject.accept` makes an object one of the things.

        Args:
            frame: The plate's own number.
            like: Only things like this object of the session, or like a look from another one.
            mask_format: Of the masks.
            others: As in :class:`FindRequest`.

        Raises:
            BadInputError: A number is out of bounds.
        """
        object_id = like.object_id if isinstance(like, TrackedObject) else 0
        with bad_input():
            request = FindRequest(
                frame,
                like if isinstance(like, Look) else None,
                object_id,
                mask_format=mask_format,
                **others,
            )
        return Search(self._transport.find(self.session_id, request))

    def undo(self, *, mask_format: MaskFormat = PLATE_SIZE) -> Undone:
        """Take back the last edit: prompts, objects, names, locks or matte settings.

        Args:
            mask_format: How large the mask is that comes back.

        Raises:
            BadInputError: There is nothing to take back.
        """
        return self._transport.undo_prompt(self.session_id, mask_format)

    def redo(self, *, mask_format: MaskFormat = PLATE_SIZE) -> Undone:
        """Make the last edit that was taken back again.

        Args:
            mask_format: How large the mask is that comes back.

        Raises:
            BadInputError: There is none.
        """
        return self._transport.redo_prompt(self.session_id, mask_format)

    def next_frame(
        self,
        *,
        after: int,
        objects: Iterable[TrackedObject | str] = (),
        states: Collection[FrameState] = (),
        backward: bool = False,
    ) -> Place | None:
        """The next frame worth a look, None when there is no more.

        Args:
            after: The frame to go on from; one before the clip's first to begin.
            objects: None given means all.
            states: Any of these; none given means uncertain, stale or without a mask. Locked and corrected
                frames are left out unless asked for.
            backward: Search before the frame instead.
        """
        with bad_input():
            check_frame(after)
        return self._transport.next_frame(
            self.session_id, after=after, object_ids=self._ids(objects), states=states, backward=backward
        )

    def holes(
        self, *, frames: FrameRange | None = None, objects: Iterable[TrackedObject | str] = ()
    ) -> tuple[Hole, ...]:
        """Frames without a matte as things are now, by object, and why; see :mod:`masklet.holes`.

        Args:
            frames: None for the whole clip.
            objects: None given means all.
        """
        return find_holes(self.info(), frames, self._ids(objects))

    def cuts(
        self, *, frames: FrameRange | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[int, ...]:
        """First frames of new shots, looked for without tracking anything."""
        found: tuple[int, ...] = ()
        with closing(self._transport.find_cuts(self.session_id, frames)) as events:
            for event in events:
                found = event.cuts
                _tell(on_progress, event.progress)
        return found

    def shapes(
        self,
        item: TrackedObject | str,
        *,
        tolerance_px: float = 1.0,
        frames: FrameRange | None = None,
        raw_edges: bool = False,
        interpolation: Interpolation = Interpolation.LINEAR,
        on_progress: Callable[[int, int], None] | None = None,
        on_look: Callable[[str, int, int], None] | None = None,
    ) -> ObjectShapes:
        """Bezier shapes of an object's mattes, for a roto node.

        Args:
            item: The object or its name; it is tracked.
            tolerance_px: How far a shape may lie from the matte's edge, in pixels of the plate.
            frames: None for the whole clip.
            raw_edges: Shapes of edges as the network gave them; otherwise these follow the plate's pixels.
            interpolation: How the tool that gets the shapes draws between keys: the tolerance holds under
                this. Exports for tools with another rule get keys added (:mod:`masklet.exchange.redrawing`).
            on_progress: Told what is done and what there is in all.
            on_look: As in :meth:`export`.

        Raises:
            BadInputError: The object has no mask in the range, or the tolerance is not above 0.
        """
        (object_id,) = self._ids((item,))
        events = self._transport.fit_shapes(
            self.session_id,
            object_id,
            frames,
            tolerance_px=tolerance_px,
            raw_edges=raw_edges,
            interpolation=interpolation,
        )
        return _made(events, on_progress, on_look)

    def anchor(
        self,
        item: TrackedObject | str,
        kind: AnchorKind | str,
        *,
        frames: FrameRange | None = None,
        reference_frame: int | None = None,
        point_px: tuple[float, float] | None = None,
        absence: Absence | str = Absence.HOLD,
        smoothing_frames: float = 0.0,
        manual_keys: Iterable[AnchorKey] = (),
        on_progress: Callable[[int, int], None] | None = None,
    ) -> AnchorTrack:
        """A transform that follows an object, for effects to hang on.

        Args:
            item: The object or its name; it is tracked.
            kind: What to follow.
            frames: None for the whole clip.
            reference_frame: Where rotation is 0 and scale is 1; None for where most of it shows.
            point_px: On the reference frame: the point to stick to, needed for ``point``.
            absence: What the anchor does while the object is not seen.
            smoothing_frames: Width of the smoothing; 0 for none.
            manual_keys: Put by hand; they stay exactly as they are.
            on_progress: Told the frames done and the frames in all.

        Raises:
            BadInputError: The object has no mask in the range, or a word or value cannot be used.
        """
        (object_id,) = self._ids((item,))
        with bad_input():
            if reference_frame is not None:
                check_frame(reference_frame)
            request = AnchorRequest(
                object_id,
                AnchorKind(kind),
                frames,
                reference_frame,
                point_px,
                Absence(absence),
                smoothing_frames,
                tuple(manual_keys),
            )
        return _made(self._transport.track_anchor(self.session_id, request), on_progress)

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
        raw_edges: bool = False,
        on_server: bool = False,
        existing: Existing = Existing.KEEP,
        on_progress: Callable[[int, int], None] | None = None,
        on_look: Callable[[str, int, int], None] | None = None,
    ) -> Exported:
        """Write mattes at plate resolution into ``folder``.

        Args:
            folder: On this machine; made if its parent exists.
            matte_format: What files hold them.
            frames: None for the whole clip. Frames without a mask make no file.
            objects: None given means all.
            base_name: First part of file names; None for the clip's name.
            raw_edges: Edges as the network gave them; otherwise they follow the plate's pixels.
            on_server: The folder is one that the server sees, and it writes there itself.
            existing: What becomes of files that are there. A run writes over files of the same run (same
                prompts, weights and settings) only, unless told otherwise.
            on_progress: Told the frames done and the frames in all.
            on_look: Told, before that, the object that is looked at a second time, in windows with finer
                cells, the frames of that look that are done, and its frames in all.

        Raises:
            ExistingFilesError: The folder holds files that may not be written over; nothing was written.
            OutputError: The folder is missing, read-only or full. Finished files stay.
        """
        request = ExportRequest(
            frames=frames,
            object_ids=self._ids(objects),
            matte_format=matte_format,
            server_folder=str(folder) if on_server else None,
            base_name=base_name,
            raw_edges=raw_edges,
            client_folder=None if on_server else Path(folder).absolute(),
            existing=existing,
        )
        with closing(self._transport.export_mattes(self.session_id, request)) as events:
            return receive(events, Path(folder), existing=existing, on_progress=on_progress, on_look=on_look)

    def check_export(
        self,
        folder: Path | str,
        *,
        matte_format: MatteFormat = MatteFormat.EXR_LAYERS,
        overlays: Iterable[OverlayKind] = (),
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        base_name: str | None = None,
        raw_edges: bool = False,
        on_server: bool = False,
        existing: Existing = Existing.KEEP,
    ) -> ExportPlan | None:
        """See, before hours of tracking depend on it, whether an export may write into ``folder``.

        The words are those of :meth:`export`; ``overlays`` are looked at too. Nothing is written.

        Returns:
            What the export of mattes would write; None where the server is too old to tell.

        Raises:
            ExistingFilesError: The folder holds files that may not be written over.
        """
        request = ExportRequest(
            frames=frames,
            object_ids=self._ids(objects),
            matte_format=matte_format,
            server_folder=str(folder) if on_server else None,
            base_name=base_name,
            raw_edges=raw_edges,
            client_folder=None if on_server else Path(folder).absolute(),
            existing=existing,
            plan_only=True,
        )
        with closing(self._transport.export_mattes(self.session_id, request)) as events:
            plan = read_plan(events, Path(folder), existing)
        for kind in overlays:
            asked = replace(request, overlay_kind=kind)
            with closing(self._transport.export_overlay(self.session_id, asked)) as events:
                read_plan(events, Path(folder), existing)
        return plan

    def export_overlay(
        self,
        folder: Path | str,
        *,
        kind: OverlayKind = OverlayKind.MOVIE,
        frames: FrameRange | None = None,
        objects: Iterable[TrackedObject | str] = (),
        base_name: str | None = None,
        existing: Existing = Existing.KEEP,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Exported:
        """Write a movie, or a sheet of some frames, with the masks drawn over the clip.

        Raises:
            ExistingFilesError: The file is there and may not be written over, as in :meth:`export`.
            OutputError: The folder is missing, read-only or full.
        """
        request = ExportRequest(
            frames=frames,
            object_ids=self._ids(objects),
            overlay_kind=kind,
            base_name=base_name,
            client_folder=Path(folder).absolute(),
            existing=existing,
        )
        with closing(self._transport.export_overlay(self.session_id, request)) as events:
            return receive(events, Path(folder), existing=existing, on_progress=on_progress)

    def share(self, user: str, rights: Iterable[str] = ("prompt", "track", "export")) -> tuple[Share, ...]:
        """Let another user of the server work in this session; that one finds it in its list of sessions.

        Args:
            user: As the server knows that one.
            rights: Some of ``read``, ``prompt``, ``track``, ``export``, in place of what was shared with that
                user before. Each of them includes reading.

        Returns:
            With whom the session is shared now.

        Raises:
            BadInputError: There is no such right, or no such name.
            NotPermittedError: The session is somebody else's.
        """
        with bad_input():
            scopes = in_order(scopes_named(rights))
        return self._transport.share_session(self.session_id, user, scopes)

    def unshare(self, user: str) -> tuple[Share, ...]:
        """Take back what was shared with a user; what that one is at ends with the call in hand.

        Raises:
            NotPermittedError: The session is somebody else's.
        """
        return self._transport.unshare_session(self.session_id, user)

    def shares(self) -> tuple[Share, ...]:
        """With whom this session is shared, as its owner is told.

        Raises:
            NotPermittedError: The session is somebody else's.
        """
        return self._transport.list_shares(self.session_id)

    def close(self) -> None:
        """Forget the session on the server. Twice is fine; somebody else's stays."""
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


def _made(
    events: Generator[WorkProgress | _Made, None, None],
    on_progress: Callable[[int, int], None] | None,
    on_look: Callable[[str, int, int], None] | None = None,
) -> _Made:
    """What a work made, at its end."""
    with closing(events):
        for event in events:
            if not isinstance(event, WorkProgress):
                return event
            if event.looking_at is None:
                _tell(on_progress, event)
            elif on_look is not None:
                on_look(event.looking_at, event.done, event.total)
    raise ServerFaultError("the server ended its work without a result: try again")


def _tell(on_progress: Callable[[int, int], None] | None, progress: WorkProgress) -> None:
    if on_progress is not None and progress.total:
        on_progress(progress.done, progress.total)
