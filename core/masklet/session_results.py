"""What a session makes of its masks: shapes, anchors, mattes, an overlay."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Existing
from masklet.errors import ObjectNotFoundError, ServerFaultError
from masklet.events import MatteFormat, OverlayKind, WorkProgress
from masklet.interpolation import Interpolation
from masklet.matte_files import Exported, read_plan, receive
from masklet.tracked_object import TrackedObject, bad_input
from masklet.transport.interface import AnchorRequest, ExportRequest
from masklet.types import check_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.deliveries import ExportPlan
    from masklet.shapes import ObjectShapes
    from masklet.transport.interface import Transport
    from masklet.types import ClipInfo, FrameRange, SessionInfo

_Made = TypeVar("_Made")


class SessionResults:
    """The half of :class:`masklet.session.Session` that makes things of finished masks.

    Attributes:
        session_id: By which the server knows the session.
        clip: As last heard.
    """

    def __init__(self, transport: Transport, info: SessionInfo) -> None:
        self._transport = transport
        self.session_id = info.session_id
        self.clip: ClipInfo = info.clip

    def info(self) -> SessionInfo:
        """Clip, objects and the states of all frames as they are now."""
        found = self._transport.get_session(self.session_id)
        self.clip = found.clip
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
                tell(on_progress, event)
            elif on_look is not None:
                on_look(event.looking_at, event.done, event.total)
    raise ServerFaultError("the server ended its work without a result: try again")


def tell(on_progress: Callable[[int, int], None] | None, progress: WorkProgress) -> None:
    """Tell how far a work is, where that is known and somebody listens."""
    if on_progress is not None and progress.total:
        on_progress(progress.done, progress.total)
