"""What the .blend file keeps: the objects of a plate, what was said about them, and where results lie."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import bpy
from bpy.props import PointerProperty

from masklet.clip_reading import ClipReading
from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.shown.palette import PALETTE
from masklet.matte_settings import MAX_DISTANCE_PX, MAX_GAMMA, MIN_GAMMA, MatteSettings
from masklet.names import checked_object_name, free_object_name
from masklet.phrases import text_of
from masklet.said.documents import Document, SaidObject, new_uid, said_from_json, said_to_json

from .fields import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    StringProperty,
)
from .listening import listener
from .preferences import object_colours


@lru_cache(maxsize=512)
def _said(uid: str, name: str, text: str) -> SaidObject:
    return said_from_json(uid, name, text)


def _renamed(item: MaskletObject, context: bpy.types.Context) -> None:
    if item.name == item.kept_name:
        return
    others = [other.name for other in _siblings(item) if other.uid != item.uid]
    try:
        name = checked_object_name(item.name, others)
    except MaskletError as error:
        listener().tell(item.id_data, notice_of(error))
        name = item.kept_name or free_object_name(others)
    item.kept_name = name
    if item.name != name:
        item.name = name
    listener().request_synchronise(item.id_data)


def _redraw(item: MaskletObject, context: bpy.types.Context) -> None:
    listener().redraw()


def _siblings(item: MaskletObject) -> Any:
    return item.id_data.masklet_plate.objects


def _matte_getter(field: str) -> Any:
    def get(item: MaskletObject) -> Any:
        return getattr(item.prompts().matte, field)

    return get


def _matte_setter(field: str) -> Any:
    def put(item: MaskletObject, value: Any) -> None:
        said = item.prompts()
        try:
            matte = MatteSettings(**{**asdict(said.matte), field: value})
        except ValueError as error:
            listener().tell(item.id_data, Notice(text_of(error)))
            return
        item.said = said_to_json(replace(said, matte=matte))
        listener().request_synchronise(item.id_data)

    return put


def _matte(field: str) -> dict[str, Any]:
    return {"get": _matte_getter(field), "set": _matte_setter(field)}


def _kept(description: str, *, kind: Any = StringProperty) -> Any:
    """A property that the file keeps and nobody edits."""
    return kind(name="", description=description, options={"HIDDEN"})


class MaskletObject(bpy.types.PropertyGroup):
    """One object of a plate."""

    name: StringProperty(
        name="Name", description="Name of the object, of its layers and its files", update=_renamed
    )
    kept_name: _kept("The name that was accepted last")
    uid: _kept("Names the object in this file for ever")
    colour: FloatVectorProperty(
        name="Colour",
        description="Colour of the object's mask in the viewer",
        subtype="COLOR_GAMMA",
        size=3,
        min=0.0,
        max=1.0,
        default=PALETTE[0],
        update=_redraw,
    )
    is_shown: BoolProperty(
        name="Show", description="Draw the object's mask in the viewer", default=True, update=_redraw
    )
    said: _kept("Prompts, locks and matte settings, as a prompt document")
    locked_masks: _kept("The masks of locked frames")
    states: _kept("The state of each frame when it was heard of last")
    matte_folder: StringProperty(
        name="Mattes", description="Where the mattes of this object lie", subtype="DIR_PATH"
    )
    matte_pattern: _kept("The name of the mattes' files, with the frame's number left open")
    anchor_owner: _kept("Names the anchor that was made last")
    grow_px: FloatProperty(
        name="Grow",
        description="Move the matte's edge outwards, in pixels; negative shrinks",
        min=-MAX_DISTANCE_PX,
        max=MAX_DISTANCE_PX,
        soft_min=-20.0,
        soft_max=20.0,
        subtype="PIXEL",
        **_matte("grow_px"),
    )
    feather_px: FloatProperty(
        name="Feather",
        description="Soften the matte to either side of its edge, in pixels",
        min=0.0,
        max=MAX_DISTANCE_PX,
        soft_max=40.0,
        subtype="PIXEL",
        **_matte("feather_px"),
    )
    fill_holes_px: IntProperty(
        name="Fill Holes",
        description="Fill holes of up to this area, in pixels",
        min=0,
        soft_max=5000,
        subtype="PIXEL",
        **_matte("fill_holes_px"),
    )
    drop_specks_px: IntProperty(
        name="Remove Specks",
        description="Remove pieces of up to this area, in pixels",
        min=0,
        soft_max=5000,
        subtype="PIXEL",
        **_matte("drop_specks_px"),
    )
    black: FloatProperty(
        name="Clip Black", description="Coverage up to here becomes 0", min=0.0, max=1.0, **_matte("black")
    )
    white: FloatProperty(
        name="Clip White", description="Coverage from here on becomes 1", min=0.0, max=1.0, **_matte("white")
    )
    gamma: FloatProperty(
        name="Gamma",
        description="Gamma of the coverage in between; above 1 makes it denser",
        min=MIN_GAMMA,
        max=MAX_GAMMA,
        soft_min=0.2,
        soft_max=5.0,
        **_matte("gamma"),
    )
    exclusive: BoolProperty(
        name="No Overlap",
        description="Share no pixel with other objects that have this on",
        **_matte("exclusive"),
    )
    calm: FloatProperty(
        name="Reduce Flicker",
        description="Even out flicker that the plate's motion does not explain, in mattes and masks",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        **_matte("calm"),
    )
    invert: BoolProperty(name="Invert", description="Turn the matte inside out", **_matte("invert"))

    def as_said(self) -> SaidObject:
        """Everything said about the object.

        Raises:
            BadInputError: The text in the file was damaged.
        """
        said = self.prompts()
        if not self.locked_masks:
            return said
        return replace(said, masks=_said(self.uid, self.kept_name, self.locked_masks).masks)

    def prompts(self) -> SaidObject:
        """The same without the masks of locked frames, which may be many and are not for drawing.

        Raises:
            BadInputError: The text in the file was damaged.
        """
        return _said(self.uid, self.kept_name, self.said)

    def take(self, said: SaidObject) -> None:
        """Keep this in place of what was said before."""
        self.uid = said.uid
        self.kept_name = said.name
        if self.name != said.name:
            self.name = said.name
        text = said_to_json(replace(said, masks=()))
        if self.said != text:
            self.said = text
        masks = SaidObject(said.uid, said.name, locks=said.locks, masks=said.masks)
        text = said_to_json(masks) if said.masks else ""
        if self.locked_masks != text:
            self.locked_masks = text


class MaskletPlate(bpy.types.PropertyGroup):
    """What is kept of a clip or an image."""

    uid: _kept("Names the plate in this file for ever")
    known_name: _kept("The datablock's name when it was used last, by which copies are known")
    objects: CollectionProperty(
        type=MaskletObject, name="Objects", description="What is tracked on this plate"
    )
    active_index: IntProperty(
        name="Active Object", description="The object that clicks go to", update=_redraw
    )
    session_id: _kept("The server's session for this plate")
    fingerprint: _kept("Of the plate's first picture, by which another plate is known")
    show_finished: BoolProperty(
        name="Finished Matte",
        description="Show the matte of this frame as Get Mattes will write it, not the tracked outline",
        update=_redraw,
    )
    session_path: _kept("Where the plate's pictures were when the session was opened")
    size_px: IntVectorProperty(
        name="", description="Width and height of the plate", size=2, options={"HIDDEN"}
    )
    frame_shift: _kept("From the scene's frames to the plate's own", kind=IntProperty)
    colour_space: StringProperty(
        name="Input Space",
        description="OpenColorIO space of the plate; empty to let its files say",
    )
    layer: StringProperty(
        name="Layer",
        description="Layer or part of an EXR that is the plate; empty for the one that its name tells",
    )
    view: StringProperty(
        name="View",
        description="View of a stereo EXR that is the plate; empty for its first",
    )

    first_frame: _kept("Of a movie in prompt documents; Blender counts from 0", kind=IntProperty)
    frame_rate: _kept("Pictures a second, as a prompt document says; empty where none does")

    def reading(self) -> ClipReading:
        """How the plate's files are read, as far as the artist says."""
        return ClipReading(
            self.colour_space or None,
            first_frame=self.first_frame or None,
            # A text, because Blender keeps numbers in 32 bits.
            frame_rate=float(self.frame_rate) if self.frame_rate else None,
            layer=self.layer or None,
            view=self.view or None,
        )

    def take_reading(self, said: ClipReading) -> None:
        """Take what a document says of reading the files where the artist has said nothing yet."""
        self.colour_space = self.colour_space or said.colour_space or ""
        self.layer = self.layer or said.layer or ""
        self.view = self.view or said.view or ""
        self.first_frame = self.first_frame or said.first_frame or 0
        self.frame_rate = self.frame_rate or (str(said.frame_rate) if said.frame_rate else "")

    def active(self) -> MaskletObject | None:
        """The object that clicks go to."""
        if 0 <= self.active_index < len(self.objects):
            found: MaskletObject = self.objects[self.active_index]
            return found
        return None

    def object_of(self, uid: str) -> MaskletObject | None:
        """The object of this uid."""
        return next((item for item in self.objects if item.uid == uid), None)

    def document(self) -> Document:
        """Everything said about this plate.

        Raises:
            BadInputError: A text in the file was damaged.
        """
        return tuple(item.as_said() for item in self.objects)

    def add(self, name: str) -> MaskletObject:
        """A new object, which becomes the active one.

        Raises:
            BadInputError: The name cannot be used.
            NameTakenError: Another object has it.
        """
        taken = [item.name for item in self.objects]
        chosen = checked_object_name(name, taken) if name else free_object_name(taken)
        return self.append(SaidObject(new_uid(), chosen))

    def append(self, said: SaidObject) -> MaskletObject:
        """A new object that says this; it becomes the active one."""
        used = {tuple(round(part, 2) for part in item.colour) for item in self.objects}
        colours = object_colours()
        free = (colour for colour in colours if tuple(round(part, 2) for part in colour) not in used)
        colour = next(free, colours[len(self.objects) % len(colours)])
        item: MaskletObject = self.objects.add()
        item.take(said)
        item.colour = colour
        self.active_index = len(self.objects) - 1
        return item

    def remove(self, uid: str) -> None:
        """Forget an object; the one before it becomes active."""
        for index, item in enumerate(self.objects):
            if item.uid == uid:
                self.objects.remove(index)
                self.active_index = max(0, min(self.active_index, len(self.objects) - 1))
                return

    def take(self, document: Document) -> None:
        """Make the objects say exactly this."""
        wanted = {said.uid: said for said in document}
        for uid in [item.uid for item in self.objects if item.uid not in wanted]:
            self.remove(uid)
        for said in document:
            item = self.object_of(said.uid)
            if item is None:
                self.append(said)
            else:
                item.take(said)


CLASSES = (MaskletObject, MaskletPlate)
_HOLDERS: tuple[Any, ...] = (bpy.types.MovieClip, bpy.types.Image)


def register() -> None:
    """Give clips and images a place for masklet."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for holder in _HOLDERS:
        holder.masklet_plate = PointerProperty(
            type=MaskletPlate, name="masklet", description="What masklet keeps of this plate"
        )  # type: ignore[func-returns-value]


def unregister() -> None:
    """Take the place away; what the file holds stays in it."""
    for holder in _HOLDERS:
        del holder.masklet_plate
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
