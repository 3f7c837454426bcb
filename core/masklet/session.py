"""A clip on a server, its objects, and what can be done with them."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, TypeVar

from masklet.errors import ServerUnreachableError
from masklet.found import FindRequest, Look
from masklet.holes import find_holes
from masklet.pictures import AS_IT_IS, PictureRequest
from masklet.scopes import in_order, scopes_named
from masklet.search import Search
from masklet.session_results import SessionResults, tell
from masklet.track import Track
from masklet.tracked_object import PLATE_SIZE, TrackedObject, bad_input
from masklet.transport.interface import TrackRequest, Undone
from masklet.types import CutPolicy, Direction, check_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable
    from types import TracebackType

    from typing_extensions import Unpack

    from masklet.bad_frames import Place
    from masklet.found import FindOptions
    from masklet.holes import Hole
    from masklet.pictures import Grade, Picture
    from masklet.types import (
        FramePrompts,
        FrameRange,
        FrameState,
        MaskFormat,
        MaskUpdate,
        PromptDocument,
        Share,
    )

_Made = TypeVar("_Made")


class Session(SessionResults):
    """A clip on a server with its objects, prompts and masks. Close it, or use ``with``.

    Attributes:
        session_id: By which the server knows it.
        clip: Size, frame range and colour of the clip, and what was assumed or left out, as last heard.
    """

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
                tell(on_progress, event.progress)
        return found

    def prompts(self) -> PromptDocument:
        """All objects and prompts: what is needed to make the same mattes again."""
        return self._transport.get_prompts(self.session_id)

    def load_prompts(self, document: PromptDocument) -> tuple[TrackedObject, ...]:
        """Replace all objects, prompts and masks; return the objects, which have new ids."""
        infos = self._transport.set_prompts_of_session(self.session_id, document)
        return tuple(TrackedObject(self._transport, self.session_id, info) for info in infos)

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
