"""Anchors as Empties, for things to hang on: keyed, or led by a track.

A keyed Empty has place, rotation and scale. With a camera it is the camera's child and lies on a plane
before it, so that it covers the anchor in the camera's picture wherever the camera goes; the plate fills
the picture. Without a camera it lies on an upright plate: X to the right, Z upwards, the middle of the
picture at the origin, one unit high, as seen from the front. An Empty led by a track has a place only, and
follows changes of the camera's lens.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Matrix, Vector

from masklet.errors import BadInputError
from masklet.phrases import phrase

from .curves import remove_curves, write_curve
from .picture_planes import before_camera, upright
from .tags import Role, Tag, find, write_tag

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack

    from .coordinates import FrameMap, PlateSpace

WEIGHT = "weight"
"""Custom property of an Empty whose anchor fades, for drivers: 1 where the effect shows, 0 where not."""

CAMERA_DISTANCE = 10.0
"""How far before the camera Empties lie unless asked otherwise, in units of the scene."""

_PATHS = ("location", "rotation_euler", "scale", f'["{WEIGHT}"]')
_FOLLOW = "masklet track"
_ATTACH = "masklet anchor"


def find_empty(owner: str) -> bpy.types.Object | None:
    """The Empty that was made for ``owner``; None where there is none any more."""
    return find(bpy.data.objects, Role.EMPTY, owner)


def write_empty(
    anchor: AnchorTrack,
    scene: bpy.types.Scene,
    frames: FrameMap,
    space: PlateSpace,
    *,
    owner: str,
    camera: bpy.types.Object | None = None,
    distance: float = CAMERA_DISTANCE,
) -> bpy.types.Object:
    """Make the keyed Empty of an anchor, or bring the one that exists up to date.

    Rotation, scale and place are keyed on every frame. Shear has no place in an object's transform and is
    left out.

    Args:
        anchor: From the server.
        scene: Gets the Empty; its render settings give the shape of the camera's picture.
        frames: Where the plate lies in the scene.
        space: The plate.
        owner: Whose Empty it is; finds it again.
        camera: Through which the plate is seen; None for an upright plate at the origin.
        distance: Before the camera, in units of the scene.

    Raises:
        BadInputError: The anchor has no keys.
    """
    if not anchor.keys:
        raise BadInputError(
            phrase("the object of {name} is never seen, so there is nothing to follow", name=anchor.name)
        )
    empty = _empty(anchor.name, scene, owner)
    plane = upright(space) if camera is None else before_camera(camera, scene, distance)
    _put_before(empty, camera)
    _remove_constraint(empty, _FOLLOW)
    empty.empty_display_size = plane.height / 20
    empty.rotation_mode = "XYZ"
    times = [frames.scene_frame(key.frame) for key in anchor.keys]
    places = [plane.at(key.x_px / space.width_px, key.y_px / space.height_px) for key in anchor.keys]
    turns = [plane.turn(math.radians(key.rotation_deg)) for key in anchor.keys]
    sizes = [plane.size(key.scale_x, key.scale_y) for key in anchor.keys]
    for path, vectors in (("location", places), ("rotation_euler", turns), ("scale", sizes)):
        for index in range(3):
            keys = [(time, vector[index]) for time, vector in zip(times, vectors)]
            write_curve(empty, path, keys, index=index)
    _write_weight(empty, [(time, key.weight) for time, key in zip(times, anchor.keys)])
    return empty


def write_follower(
    name: str,
    scene: bpy.types.Scene,
    clip: bpy.types.MovieClip,
    track: bpy.types.MovieTrackingTrack,
    *,
    owner: str,
    camera: bpy.types.Object,
    distance: float = CAMERA_DISTANCE,
) -> bpy.types.Object:
    """Make the Empty that a track leads, or let the one that exists be led by it; keys are taken away.

    Args:
        name: For a new Empty.
        scene: Gets the Empty.
        clip: Holds the track.
        track: Leads, through Blender's Follow Track constraint.
        owner: Whose Empty it is; finds it again.
        camera: Through which the plate is seen.
        distance: Before the camera, in units of the scene.
    """
    empty = _empty(name, scene, owner)
    remove_curves(empty, _PATHS.__contains__)
    _put_before(empty, None)
    empty.rotation_euler, empty.scale = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    place = camera.matrix_world.normalized() @ Vector((0.0, 0.0, -distance))
    empty.location = place.to_tuple()
    empty.empty_display_size = before_camera(camera, scene, distance).height / 20
    follow(empty, clip, track, camera=camera)
    return empty


def follow(
    follower: bpy.types.Object,
    clip: bpy.types.MovieClip,
    track: bpy.types.MovieTrackingTrack,
    *,
    camera: bpy.types.Object,
) -> bpy.types.FollowTrackConstraint:
    """Let an object be led by a track, at the depth from the camera at which it stands. Twice is once."""
    constraint = _constraint(follower, _FOLLOW, "FOLLOW_TRACK")
    assert isinstance(constraint, bpy.types.FollowTrackConstraint)
    constraint.use_active_clip = constraint.use_3d_position = constraint.use_undistorted_position = False
    constraint.clip = clip
    constraint.track = track.name
    constraint.camera = camera
    constraint.frame_method = "STRETCH"
    return constraint


def attach(follower: bpy.types.Object, empty: bpy.types.Object) -> bpy.types.ChildOfConstraint:
    """Let an object go along with an anchor's Empty from where both are now, turning and growing with it.

    Attached again it stays where it is now and goes along from here. The object's own animation is left
    alone.

    Raises:
        BadInputError: The object is the Empty, or the Empty hangs on it already.
    """
    ancestor: bpy.types.Object | None = empty
    while ancestor is not None:
        if ancestor == follower:
            raise BadInputError(
                phrase("{name} cannot hang on itself: select another object", name=follower.name)
            )
        ancestor = ancestor.parent
    # What was written a moment ago has no place in the world before this.
    if bpy.context.view_layer is not None:
        bpy.context.view_layer.update()
    place = unattached = follower.matrix_world.copy()
    constraint = _constraint(follower, _ATTACH, "CHILD_OF")
    assert isinstance(constraint, bpy.types.ChildOfConstraint)
    if constraint.target is not None:
        unattached = (constraint.target.matrix_world @ constraint.inverse_matrix).inverted_safe() @ place
    constraint.target = empty
    # The constraint puts target @ inverse before what the object does by itself.
    constraint.inverse_matrix = empty.matrix_world.inverted_safe() @ place @ unattached.inverted_safe()
    return constraint


def detach(follower: bpy.types.Object) -> None:
    """Take back :func:`attach`; an object that is not attached stays as it is."""
    _remove_constraint(follower, _ATTACH)


def _empty(name: str, scene: bpy.types.Scene, owner: str) -> bpy.types.Object:
    """The owner's Empty, made where it is missing, and in the scene in any case."""
    empty = find_empty(owner)
    if empty is None:
        empty = bpy.data.objects.new(name, None)
        write_tag(empty, Tag(Role.EMPTY, owner))
    if scene.objects.get(empty.name) is None:
        scene.collection.objects.link(empty)
    return empty


def _put_before(empty: bpy.types.Object, camera: bpy.types.Object | None) -> None:
    empty.parent = camera
    if camera is not None:
        empty.parent_type = "OBJECT"
        # A camera sees the same whatever its scale, but its children grow with it.
        scale = Matrix.Diagonal(camera.matrix_world.to_scale()).to_4x4()
        empty.matrix_parent_inverse = scale.inverted_safe()


def _constraint(follower: bpy.types.Object, name: str, kind: Any) -> bpy.types.Constraint:
    constraint = follower.constraints.get(name)
    if constraint is None:
        constraint = follower.constraints.new(kind)
        constraint.name = name
    return constraint


def _remove_constraint(follower: bpy.types.Object, name: str) -> None:
    constraint = follower.constraints.get(name)
    if constraint is not None:
        follower.constraints.remove(constraint)


def _write_weight(empty: bpy.types.Object, keys: list[tuple[int, float]]) -> None:
    path = f'["{WEIGHT}"]'
    if all(weight == 1.0 for _, weight in keys):
        remove_curves(empty, path.__eq__)
        empty.pop(WEIGHT, None)
    else:
        empty[WEIGHT] = 1.0
        write_curve(empty, path, keys)
