"""Bring anchors home as Empties and tracks, and hang objects on them.

What makes them is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import BadInputError, MaskletError
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase

from ..fields import BoolProperty, EnumProperty, FloatProperty
from ..natives.coordinates import PlateSpace
from ..plates import PlateBlock, frame_map, props, size_px
from ..runtime import runtime
from .recording import with_record
from .running import AskingOperator, ObjectOperator, active_of, failed, frame_of, plate_of, scene_of

if TYPE_CHECKING:
    from .running import Result

_KINDS = (
    ("CENTROID", "Centre", "The middle of the matte"),
    ("TOP", "Top", "The highest point of the matte"),
    ("BOTTOM", "Bottom", "The lowest point of the matte"),
    ("LEFT", "Left", "The leftmost point of the matte"),
    ("RIGHT", "Right", "The rightmost point of the matte"),
    ("BOX", "Box", "The box around the matte, with its size"),
    ("SIMILARITY", "Surface", "The surface inside the matte: place, rotation and scale"),
    ("AFFINE", "Surface, Sheared", "The surface inside the matte, shear as well"),
    ("PLANAR", "Plane", "A flat surface inside the matte, in perspective"),
    ("POINT", "Point", "The place on the surface that was clicked on this frame"),
)
_ABSENCES = (
    ("HOLD", "Hold", "Stay where the object was seen last"),
    ("EXTRAPOLATE", "Extrapolate", "Go on as the object moved, slowing down"),
    ("FADE", "Fade", "Hold, and fade out"),
    ("CUT", "Cut", "Hold, and cut out"),
)


class MASKLET_OT_anchor(AskingOperator, bpy.types.Operator):
    """Follow the active object with an Empty or a track, for effects to hang on"""

    bl_idname = "masklet.anchor"
    bl_label = "Make Anchor"
    bl_options = {"UNDO"}

    kind: EnumProperty(
        name="Follow",
        description="What the anchor follows",
        items=_KINDS,
        default="SIMILARITY",
    )
    form: EnumProperty(
        name="As",
        description="What the anchor becomes in Blender",
        items=(
            ("EMPTY", "Empty", "An Empty with keyframes: place, rotation and scale"),
            ("TRACK", "Clip Track", "A track of the clip, as if Blender had tracked it"),
            ("FOLLOWER", "Track and Empty", "A track, and an Empty that follows it: place only"),
        ),
    )
    absence: EnumProperty(
        name="While Hidden",
        description="What the anchor does while the object cannot be seen",
        items=_ABSENCES,
    )
    before_camera: BoolProperty(
        name="In Front of Camera",
        description="Where the scene's camera sees the object; off: on an upright plate at the origin",
        default=True,
    )
    smoothing_frames: FloatProperty(
        name="Smoothing", description="Frames to smooth over; 0 for none", min=0.0, soft_max=15.0
    )

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Have the object followed."""
        from masklet.anchors import Absence, AnchorKind
        from masklet.hosting.work import plate_work

        item = active_of(block)
        kind, absence = AnchorKind[self.kind], Absence[self.absence]
        frame = frame_of(context, block)
        point = None
        if kind is AnchorKind.POINT:
            clicks = [click for click in item.as_said().at(frame).clicks if click.positive]
            if not clicks:
                raise BadInputError(
                    phrase("a point needs a click on this frame: click the place to follow first")
                )
            point = clicks[-1].x_px, clicks[-1].y_px
        if self.form != "EMPTY" and not isinstance(block, bpy.types.MovieClip):
            raise BadInputError(phrase("tracks belong to clips: open the plate in the Movie Clip Editor"))
        if self.form == "FOLLOWER" and context.scene.camera is None:
            raise BadInputError(
                phrase("an Empty follows a track before a camera: add a camera to the scene first")
            )
        self._uid = item.uid
        uid, smoothing_frames = item.uid, self.smoothing_frames
        return runtime().start(
            block,
            phrase("Making an anchor"),
            lambda plate, job, server: plate_work.anchor(
                plate,
                job,
                server,
                uid,
                kind=kind,
                absence=absence,
                reference_frame=None if point is None else frame,
                point_px=point,
                smoothing_frames=smoothing_frames,
            ),
            wait=wait,
            on_made=self.keep,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Make the Empty or the track, and keep the record of what was not kept."""
        from masklet.anchors import AnchorTrack

        sentence = self._made(context, block, value)
        if not sentence or not isinstance(value, AnchorTrack):
            return sentence
        owner = f"{self._uid} {value.kind.value} {self.form}"
        return with_record(block, sentence, value, owner=owner, as_track=self.form != "EMPTY")

    def _made(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        from masklet.anchors import AnchorTrack

        from ..natives.empties import write_empty, write_follower
        from ..natives.tracks import write_track

        item = props(block).object_of(self._uid)
        if item is None or not isinstance(value, AnchorTrack):
            return ""
        scene, owner = scene_of(context), f"{item.uid} {value.kind.value}"
        frames = frame_map(block, context.space_data)
        space = PlateSpace(*size_px(block), value.pixel_aspect)
        track = None
        if self.form != "EMPTY" and isinstance(block, bpy.types.MovieClip):
            track = write_track(value, block, frames, space, owner=owner)
            if self.form == "TRACK" or scene.camera is None:
                return phrase("The anchor is the track {name}", name=track.name)
            empty = write_follower(value.name, scene, block, track, owner=owner, camera=scene.camera)
        else:
            camera = scene.camera if self.before_camera else None
            empty = write_empty(value, scene, frames, space, owner=owner, camera=camera)
        item.anchor_owner = owner
        unseen = sum(len(gap.frames) for gap in value.gaps)
        if unseen:
            return phrase(
                "The anchor is {name}; on {count} frames the object was not seen or not tracked, and it does "
                "there what While Hidden says",
                name=empty.name,
                count=unseen,
            )
        if any(key.jump_px > 0.0 for key in value.keys):
            return phrase("The anchor is {name}; it leaps where the object comes back", name=empty.name)
        return phrase("The anchor is {name}", name=empty.name)


class MASKLET_OT_attach(ObjectOperator, bpy.types.Operator):
    """Hang the selected objects of the scene on the active object's anchor, from where they are now"""

    bl_idname = "masklet.attach"
    bl_label = "Attach Selected Objects"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        from ..natives.empties import find_empty

        reason = super().why_not(context)
        if reason is not None:
            return reason
        owner = active_of(plate_of(context)).anchor_owner
        empty = find_empty(owner) if owner else None
        if empty is None:
            return phrase("Make an anchor as an Empty first")
        if not any(chosen != empty for chosen in context.view_layer.objects.selected):
            return phrase("Select the objects to attach in the 3D View")
        return None

    def execute(self, context: bpy.types.Context) -> Result:
        """Hang them."""
        from ..natives.empties import attach, find_empty

        empty = find_empty(active_of(plate_of(context)).anchor_owner)
        if empty is None:
            return {"CANCELLED"}
        chosen = [found for found in context.view_layer.objects.selected if found != empty]
        try:
            for follower in chosen:
                attach(follower, empty)
        except MaskletError as error:
            return failed(self, error)
        names = ", ".join(found.name for found in chosen)
        self.tell(phrase("{empty} carries {names} now", empty=empty.name, names=names))
        return {"FINISHED"}


CLASSES = (MASKLET_OT_anchor, MASKLET_OT_attach)
