"""What the artist said: objects, prompts and the way back. The truth from which a session is rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from masklet.drawn_masks import check_mask_stays
from masklet.errors import (
    BadInputError,
    FrameMissingError,
    LimitError,
    ObjectNotFoundError,
)
from masklet.events import EditKind
from masklet.matte_settings import MatteSettings
from masklet.names import checked_object_name, free_object_name
from masklet.said import edits as saying
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    MemoryPolicy,
    ObjectInfo,
    ObjectMatte,
    ObjectPolicy,
    Overscan,
    PromptDocument,
)
from masklet_server.sessions.contents import Change, Contents, uid_of
from masklet_server.sessions.drawn_sizes import check_room, drawn_bytes, wrong_size
from masklet_server.sessions.history import MAX_UNDO_BYTES, Edit, History
from masklet_server.sessions.said import Said

MAX_CLICKS = 64
"""Per object and frame: more help nobody, and the network's time grows with them."""
MAX_SCRIBBLES = 64


class PromptBook:
    """Objects and prompts of one session, with the way back and forth.

    Every method checks before it changes anything, so that an error leaves the book as it was.
    What is said is one value that is replaced as a whole: one thread may read while another writes.
    """

    def __init__(self, clip: ClipInfo, *, max_objects: int, undo_bytes: int = MAX_UNDO_BYTES) -> None:
        self._clip = clip
        self._max_objects = max_objects
        self._next_id = 1
        self._next_edit = 1
        self.contents = Contents()
        self.history = History(max_bytes=undo_bytes)

    @property
    def next_ids(self) -> tuple[int, int]:
        """The numbers of the next object and of the next edit."""
        return self._next_id, self._next_edit

    def see(self, clip: ClipInfo) -> None:
        """Know that other frames of the clip can be used than before."""
        self._clip = clip

    def restore(self, contents: Contents, next_ids: tuple[int, int]) -> None:
        """Know again what was said."""
        self.contents = contents
        self._next_id, self._next_edit = next_ids

    def objects(self) -> tuple[ObjectInfo, ...]:
        """All objects in the order in which they were added."""
        return tuple(self.object(object_id) for object_id in self.contents.names)

    def object(self, object_id: int) -> ObjectInfo:
        """One object.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        contents = self.contents
        if object_id not in contents.names:
            raise ObjectNotFoundError(
                f"this session has no object number {object_id}: it was removed or never added. "
                "List the objects"
            )
        return ObjectInfo(object_id, contents.names[object_id], contents.prompted_frames(object_id))

    def name_of(self, object_id: int) -> str | None:
        """An object's name, None where there is no such object."""
        return self.contents.names.get(object_id)

    def prompted_frames(self, object_id: int) -> tuple[int, ...]:
        """Frames with prompts of this object, ascending."""
        return self.contents.prompted_frames(object_id)

    def find(self, object_id: int, frame: int) -> FramePrompts | None:
        """What is said about an object on a frame, None where nothing is."""
        said = self.contents.prompts.get((object_id, frame))
        return None if said is None else said.prompts

    def document(self) -> PromptDocument:
        """Everything, ordered by object and frame."""
        contents = self.contents
        return PromptDocument(
            objects=self.objects(),
            prompts=tuple(contents.prompts[key].prompts for key in sorted(contents.prompts)),
            locks=self.locks(),
            mattes=self.mattes(),
            policies=self.policies(),
        )

    def locks(self) -> tuple[LockedRange, ...]:
        """All locked ranges, by object and frame."""
        locks = self.contents.locks
        return tuple(LockedRange(owner, frames) for owner in sorted(locks) for frames in locks[owner])

    def mattes(self) -> tuple[ObjectMatte, ...]:
        """Settings of all mattes that are not left as they are."""
        mattes = self.contents.mattes
        return tuple(ObjectMatte(owner, mattes[owner]) for owner in sorted(mattes))

    def policies(self) -> tuple[ObjectPolicy, ...]:
        """Of all objects whose memory is not used as it is without any."""
        policies = self.contents.policies
        return tuple(ObjectPolicy(owner, policies[owner]) for owner in sorted(policies))

    def add_object(self, name: str) -> ObjectInfo:
        """Add an object; an empty name gets a free one.

        Raises:
            BadInputError: The name cannot be a layer or a file.
            NameTakenError: Another object has it.
            LimitError: The session is full.
        """
        if len(self.contents.names) >= self._max_objects:
            raise LimitError(
                f"a session holds at most {self._max_objects} objects: remove one or open another session"
            )
        taken = self.contents.names.values()
        chosen = checked_object_name(name, taken) if name else free_object_name(taken)
        object_id = self._next_id
        self._next_id += 1
        self._keep(EditKind.ADD_OBJECT, object_id, saying.AddObject(uid_of(object_id), chosen))
        return self.object(object_id)

    def rename_object(self, object_id: int, name: str) -> ObjectInfo:
        """Give an object another name; errors as in :meth:`add_object`."""
        before = self.object(object_id)
        others = (other for owner, other in self.contents.names.items() if owner != object_id)
        chosen = checked_object_name(name, others)
        if before.name != chosen:
            self._keep(EditKind.RENAME_OBJECT, object_id, saying.RenameObject(uid_of(object_id), chosen))
        return self.object(object_id)

    def remove_object(self, object_id: int) -> None:
        """Forget an object and all that is said about it, until that is taken back."""
        self.object(object_id)
        self._keep(EditKind.REMOVE_OBJECT, object_id, saying.RemoveObject(uid_of(object_id)))

    def set_lock(self, object_id: int, frames: FrameRange, *, locked: bool) -> Edit | None:
        """Lock frames of an object against tracking, or unlock them; None where that changes nothing.

        Raises:
            ObjectNotFoundError: The session has no such object.
            BadInputError: The range leaves the clip.
        """
        self.object(object_id)
        self._check_range(frames)
        change = saying.SetLock(uid_of(object_id), frames, locked)
        if self.contents.after(change).locks == self.contents.locks:
            return None
        return self._keep(EditKind.LOCKS, object_id, change)

    def set_matte(self, object_id: int, settings: MatteSettings) -> None:
        """Choose how the matte of an object is finished.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        self.object(object_id)
        change = saying.SetMatte(uid_of(object_id), settings)
        if self.contents.after(change).mattes != self.contents.mattes:
            self._keep(EditKind.MATTE, object_id, change)

    def set_policy(self, object_id: int, policy: MemoryPolicy) -> Edit | None:
        """Choose how the memory of an object is used; None where that changes nothing.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        self.object(object_id)
        if self.contents.policy(object_id) is policy:
            return None
        return self._keep(EditKind.POLICY, object_id, saying.SetPolicy(uid_of(object_id), policy))

    def check(self, prompts: FramePrompts) -> FramePrompts:
        """The prompts as they will be kept: a box is cut at the edge of the picture.

        Raises:
            ObjectNotFoundError: The session has no such object.
            FrameMissingError: The clip has no such frame.
            BadInputError: A click, box or stroke lies outside the picture, a mask has another size, or
                there are too many clicks or strokes.
            LimitError: There are too many drawn masks in the session.
        """
        self.object(prompts.object_id)
        self._check_frame(prompts.frame)
        if self.contents.is_locked(prompts.object_id, prompts.frame):
            raise BadInputError(
                f"frame {prompts.frame} is locked for {self.name_of(prompts.object_id)}: "
                "unlock it first, then correct it"
            )
        if len(prompts.clicks) > MAX_CLICKS:
            raise BadInputError(
                f"one frame takes at most {MAX_CLICKS} clicks for an object: remove some, draw a mask, or "
                "click on another frame"
            )
        for click in prompts.clicks:
            self._check_click(click)
        self._check_scribbles(prompts)
        mask, clip = prompts.mask, self._clip
        if mask is not None and (mask.width_px, mask.height_px) != (clip.width_px, clip.height_px):
            raise wrong_size(mask.width_px, mask.height_px, clip)
        if mask is not None:
            place = (prompts.object_id, prompts.frame)
            others = (said for key, said in self.contents.prompts.items() if key != place)
            check_room(drawn_bytes(others) + len(mask.alpha))
        return prompts if prompts.box is None else replace(prompts, box=self._cut_box(prompts.box))

    def check_mask_stays(self, prompts: FramePrompts) -> None:
        """See :func:`masklet.drawn_masks.check_mask_stays`."""
        before = self.find(prompts.object_id, prompts.frame)
        check_mask_stays(before, prompts, self.object(prompts.object_id).name)

    def with_click(self, object_id: int, frame: int, click: Click) -> FramePrompts:
        """What is said about an object on a frame, with one click more; errors: :meth:`check_mask_stays`."""
        self.check_mask_stays(FramePrompts(object_id, frame, (click,)))
        before = self.find(object_id, frame) or FramePrompts(object_id, frame)
        return replace(before, clicks=(*before.clicks, click))

    def put(self, prompts: FramePrompts) -> Edit:
        """Keep checked prompts in place of what was said there; empty ones take it back.

        Raises:
            ObjectNotFoundError: The object has gone since they were checked.
        """
        self.object(prompts.object_id)
        change = saying.SetPrompts(uid_of(prompts.object_id), prompts)
        return self._keep(EditKind.PROMPTS, prompts.object_id, change, frame=prompts.frame)

    def take_back(self) -> None:
        """Take back the last edit."""
        self.contents = self.history.last_done().before
        self.history.step_back()

    def make_again(self) -> None:
        """Make the last edit that was taken back again."""
        self.contents = self.history.last_undone().after
        self.history.step_forward()

    def replaced_by(self, document: PromptDocument) -> Replacement:
        """The document's objects under new ids, with its prompts, locks and masks, all checked.

        The ids are taken from this book: nobody else gets them, whatever becomes of the replacement.

        Raises:
            BadInputError: The document contradicts itself or does not fit the clip; as in
                :meth:`add_object` and :meth:`check`.
        """
        book = PromptBook(self._clip, max_objects=self._max_objects)
        # Ids are never reused, or a late answer about an old object would hit a new one.
        book._next_id = self._next_id
        ids: dict[int, int] = {}
        for info in document.objects:
            if info.object_id in ids:
                raise BadInputError(
                    f"two objects of the document have the number {info.object_id}: repair it"
                )
            ids[info.object_id] = book.add_object(info.name).object_id
        checked: dict[tuple[int, int], Said] = {}
        for prompts in document.prompts:
            own = book.check(replace(prompts, object_id=_own_id(ids, prompts.object_id)))
            if own.is_empty or (own.object_id, own.frame) in checked:
                raise BadInputError(
                    f"the document's prompts on frame {own.frame} are empty or said twice: repair it"
                )
            checked[own.object_id, own.frame] = Said.of(own)
        for matte in document.mattes:
            book.set_matte(_own_id(ids, matte.object_id), matte.settings)
        for chosen in document.policies:
            book.set_policy(_own_id(ids, chosen.object_id), chosen.policy)
        # All at once: thousands one after the other would take as many copies of them all.
        book.contents = replace(book.contents, prompts={key: checked[key] for key in sorted(checked)})
        for lock in document.locks:
            book.set_lock(_own_id(ids, lock.object_id), lock.frames, locked=True)
        masks = []
        for kept in document.masks:
            object_id = _own_id(ids, kept.object_id)
            if book.contents.is_locked(object_id, kept.frame) and kept.frame in self._clip.frames:
                masks.append(replace(kept, object_id=object_id))
        self._next_id = book._next_id
        return Replacement(book.contents, tuple(masks), tuple(ids.values()))

    def replace_all(self, contents: Contents) -> Edit:
        """Say everything anew, as one edit."""
        return self._replace(EditKind.DOCUMENT, 0, contents)

    def _keep(self, kind: EditKind, object_id: int, change: Change, *, frame: int | None = None) -> Edit:
        return self._replace(kind, object_id, self.contents.after(change), frame=frame)

    def _replace(
        self, kind: EditKind, object_id: int, contents: Contents, *, frame: int | None = None
    ) -> Edit:
        edit = Edit(self._next_edit, kind, object_id, self.contents, contents, frame)
        self._next_edit += 1
        self.contents = contents
        self.history.add(edit)
        return edit

    def _check_frame(self, frame: int) -> None:
        clip = self._clip
        if frame not in clip.frames:
            raise FrameMissingError(
                f"frame {frame} is not in the clip, which has {clip.frames.shown}: choose a frame inside it"
            )
        for unreadable in clip.unreadable:
            if unreadable.frame == frame:
                raise FrameMissingError(unreadable.reason)
        if frame in clip.missing:
            raise FrameMissingError(f"the clip has no picture for frame {frame}: prompt another frame")

    def _check_range(self, frames: FrameRange) -> None:
        clip = self._clip
        if frames.first < clip.first_frame or frames.last > clip.last_frame:
            raise BadInputError(
                f"the clip, which has {clip.frames.shown}, does not hold {frames.worded}: "
                "choose a range inside it"
            )

    def _check_click(self, click: Click) -> None:
        width_px, height_px = self._clip.width_px, self._clip.height_px
        if not (0 <= click.x_px <= width_px and 0 <= click.y_px <= height_px):
            beyond = self._clip.overscan
            x_px, y_px = click.x_px - beyond.left_px, click.y_px - beyond.top_px
            at = f", which begins at ({-beyond.left_px}, {-beyond.top_px})" if beyond != Overscan() else ""
            raise BadInputError(
                f"the click at ({x_px:g}, {y_px:g}) lies outside the picture of "
                f"{width_px} x {height_px} pixels{at}: click inside it"
            )

    def _check_scribbles(self, prompts: FramePrompts) -> None:
        if len(prompts.scribbles) > MAX_SCRIBBLES:
            raise BadInputError(
                f"one frame takes at most {MAX_SCRIBBLES} strokes for an object: remove some, draw a mask, "
                "or draw on another frame"
            )
        width_px, height_px = self._clip.width_px, self._clip.height_px
        for scribble in prompts.scribbles:
            half_px = scribble.width_px / 2
            if not any(
                -half_px <= x_px <= width_px + half_px and -half_px <= y_px <= height_px + half_px
                for x_px, y_px in scribble.points_px
            ):
                raise BadInputError(
                    f"a stroke lies outside the picture of {width_px} x {height_px} pixels: draw it inside"
                )

    def _cut_box(self, box: Box) -> Box:
        width_px, height_px = self._clip.width_px, self._clip.height_px
        left_px, right_px = max(box.left_px, 0.0), min(box.right_px, float(width_px))
        top_px, bottom_px = max(box.top_px, 0.0), min(box.bottom_px, float(height_px))
        if left_px >= right_px or top_px >= bottom_px:
            raise BadInputError(
                f"the box lies outside the picture of {width_px} x {height_px} pixels: draw it inside"
            )
        return Box(left_px, top_px, right_px, bottom_px)


@dataclass(frozen=True, eq=False)
class Replacement:
    """What a document makes.

    Attributes:
        contents: All that it says, under new ids.
        masks: Of its locked frames, under these.
        object_ids: In the order of the document.
    """

    contents: Contents
    masks: tuple[LockedMask, ...]
    object_ids: tuple[int, ...]


def _own_id(ids: Mapping[int, int], object_id: int) -> int:
    if object_id not in ids:
        raise BadInputError(f"the document speaks of object {object_id}, which it does not list: repair it")
    return ids[object_id]
