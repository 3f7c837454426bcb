"""Wire messages to values and back; the only module that knows both.

``x_to_wire`` never fails on a valid value. ``x_from_wire`` raises :class:`BadInputError` when a
message makes no valid value, so that what comes over the network is checked exactly once.
"""

from __future__ import annotations

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError
from masklet.kept_codec import (
    locked_masks_from_wire,
    locked_masks_to_wire,
    tracked_mask_from_wire,
    tracked_mask_to_wire,
)
from masklet.mask_codec import mask_from_wire, mask_to_wire
from masklet.state_codec import (
    checked,
    lock_from_wire,
    lock_to_wire,
    looked_up,
    matte_from_wire,
    matte_to_wire,
    overscan_from_wire,
    overscan_to_wire,
    policy_from_wire,
    policy_to_wire,
    range_from_wire,
    range_to_wire,
    state_from_wire,
    state_to_wire,
    unreadable_from_wire,
    unreadable_to_wire,
)
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    Direction,
    FramePrompts,
    MaskFormat,
    ModelInfo,
    ObjectInfo,
    PromptDocument,
    Scribble,
    ServerInfo,
    SessionInfo,
)
from masklet.v1 import server_pb2, session_pb2, values_pb2

_DIRECTION_TO_WIRE = {
    Direction.FORWARD: values_pb2.DIRECTION_FORWARD,
    Direction.BACKWARD: values_pb2.DIRECTION_BACKWARD,
    Direction.BOTH: values_pb2.DIRECTION_BOTH,
}
_DIRECTION_FROM_WIRE = {
    values_pb2.DIRECTION_UNSPECIFIED: Direction.BOTH,
    **{wire: value for value, wire in _DIRECTION_TO_WIRE.items()},
}


def click_to_wire(click: Click) -> values_pb2.Click:
    """The message of a click."""
    return values_pb2.Click(x_px=click.x_px, y_px=click.y_px, positive=click.positive)


def click_from_wire(message: values_pb2.Click) -> Click:
    """The click in a message."""
    return checked(lambda: Click(message.x_px, message.y_px, positive=message.positive))


def box_to_wire(box: Box) -> values_pb2.Box:
    """The message of a box."""
    return values_pb2.Box(
        left_px=box.left_px, top_px=box.top_px, right_px=box.right_px, bottom_px=box.bottom_px
    )


def box_from_wire(message: values_pb2.Box) -> Box:
    """The box in a message."""
    return checked(lambda: Box(message.left_px, message.top_px, message.right_px, message.bottom_px))


def scribble_to_wire(scribble: Scribble) -> values_pb2.Scribble:
    """The message of a stroke."""
    return values_pb2.Scribble(
        xy_px=[value for point in scribble.points_px for value in point],
        width_px=scribble.width_px,
        positive=scribble.positive,
    )


def scribble_from_wire(message: values_pb2.Scribble) -> Scribble:
    """The stroke in a message."""
    xy_px = message.xy_px
    if len(xy_px) % 2:
        raise BadInputError("a stroke arrived with half a point: draw it again")
    points = tuple(zip(xy_px[::2], xy_px[1::2]))  # noqa: B905 (Python 3.9)
    return checked(lambda: Scribble(points, message.width_px, positive=message.positive))


def mask_format_to_wire(mask_format: MaskFormat) -> values_pb2.MaskFormat:
    """The message of a mask format."""
    encoding = (
        values_pb2.MASK_ENCODING_BITS_ZLIB if mask_format.bits else values_pb2.MASK_ENCODING_ALPHA8_ZLIB
    )
    return values_pb2.MaskFormat(max_side_px=mask_format.max_side_px, encoding=encoding)


def mask_format_from_wire(message: values_pb2.MaskFormat) -> MaskFormat:
    """The mask format in a message."""
    return MaskFormat(
        max_side_px=message.max_side_px, bits=message.encoding == values_pb2.MASK_ENCODING_BITS_ZLIB
    )


def prompts_to_wire(prompts: FramePrompts) -> values_pb2.FramePrompts:
    """The message of all prompts of one object on one frame."""
    return values_pb2.FramePrompts(
        object_id=prompts.object_id,
        frame=prompts.frame,
        clicks=[click_to_wire(click) for click in prompts.clicks],
        box=None if prompts.box is None else box_to_wire(prompts.box),
        mask=None if prompts.mask is None else mask_to_wire(prompts.mask),
        base=None if prompts.base is None else tracked_mask_to_wire(prompts.base),
        scribbles=[scribble_to_wire(scribble) for scribble in prompts.scribbles],
        source=prompts.source,
    )


def prompts_from_wire(message: values_pb2.FramePrompts) -> FramePrompts:
    """The prompts in a message."""
    clicks = tuple(click_from_wire(click) for click in message.clicks)
    box = box_from_wire(message.box) if message.HasField("box") else None
    mask = mask_from_wire(message.mask) if message.HasField("mask") else None
    base = tracked_mask_from_wire(message.base) if message.HasField("base") else None
    scribbles = tuple(scribble_from_wire(scribble) for scribble in message.scribbles)
    return checked(
        lambda: FramePrompts(
            message.object_id, message.frame, clicks, box, mask, base, scribbles, message.source
        )
    )


def direction_to_wire(direction: Direction) -> values_pb2.Direction.ValueType:
    """The number of a direction."""
    return _DIRECTION_TO_WIRE[direction]


def direction_from_wire(number: values_pb2.Direction.ValueType) -> Direction:
    """The direction of a number; unspecified is both ways."""
    return looked_up(_DIRECTION_FROM_WIRE, number, "a direction")


def clip_to_wire(clip: ClipInfo) -> values_pb2.ClipInfo:
    """The message of a clip."""
    return values_pb2.ClipInfo(
        name=clip.name,
        width_px=clip.width_px,
        height_px=clip.height_px,
        first_frame=clip.first_frame,
        last_frame=clip.last_frame,
        missing_frames=clip.missing_frames,
        pixel_aspect=clip.pixel_aspect,
        frames_per_s=clip.frames_per_s,
        colour_space=clip.colour_space,
        notices=clip.notices,
        unreadable=[unreadable_to_wire(each) for each in clip.unreadable],
        overscan=overscan_to_wire(clip.overscan),
        display_left_px=clip.display_origin_px[0],
        display_top_px=clip.display_origin_px[1],
        frame_times_us=clip.frame_times_us,
        quarter_turns=clip.quarter_turns,
        mirrored=clip.mirrored,
    )


def clip_from_wire(message: values_pb2.ClipInfo) -> ClipInfo:
    """The clip in a message."""
    return checked(lambda: _clip_from_wire(message))


def _clip_from_wire(message: values_pb2.ClipInfo) -> ClipInfo:
    return ClipInfo(
        name=message.name,
        width_px=message.width_px,
        height_px=message.height_px,
        first_frame=message.first_frame,
        last_frame=message.last_frame,
        missing_frames=tuple(message.missing_frames),
        pixel_aspect=message.pixel_aspect,
        frames_per_s=message.frames_per_s if message.HasField("frames_per_s") else None,
        colour_space=message.colour_space,
        notices=tuple(message.notices),
        unreadable=tuple(unreadable_from_wire(each) for each in message.unreadable),
        overscan=overscan_from_wire(message.overscan),
        display_origin_px=(message.display_left_px, message.display_top_px),
        frame_times_us=tuple(message.frame_times_us),
        quarter_turns=message.quarter_turns,
        mirrored=message.mirrored,
    )


def opening_to_wire(request_id: str, reading: ClipReading) -> session_pb2.OpenSessionRequest:
    """The request to open a clip that is read so; which clip is yet to be named."""
    return session_pb2.OpenSessionRequest(
        request_id=request_id,
        colour_space=reading.colour_space or "",
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer or "",
        view=reading.view or "",
        overscan=reading.overscan,
        used=None if reading.frames is None else range_to_wire(reading.frames),
    )


def opening_from_wire(message: session_pb2.OpenSessionRequest) -> ClipReading:
    """How a request wants its clip to be read."""
    return checked(
        lambda: ClipReading(
            colour_space=message.colour_space or None,
            first_frame=message.first_frame if message.HasField("first_frame") else None,
            frame_rate=message.frame_rate if message.HasField("frame_rate") else None,
            layer=message.layer or None,
            view=message.view or None,
            overscan=message.overscan,
            frames=range_from_wire(message.used) if message.HasField("used") else None,
        )
    )


def object_to_wire(info: ObjectInfo) -> values_pb2.ObjectInfo:
    """The message of an object."""
    return values_pb2.ObjectInfo(
        object_id=info.object_id, name=info.name, prompted_frames=info.prompted_frames
    )


def object_from_wire(message: values_pb2.ObjectInfo) -> ObjectInfo:
    """The object in a message."""
    return ObjectInfo(message.object_id, message.name, tuple(message.prompted_frames))


def session_to_wire(session: SessionInfo) -> values_pb2.SessionInfo:
    """The message of a session."""
    return values_pb2.SessionInfo(
        session_id=session.session_id,
        clip=clip_to_wire(session.clip),
        objects=[object_to_wire(info) for info in session.objects],
        states=[state_to_wire(state) for state in session.states],
        locks=[lock_to_wire(lock) for lock in session.locks],
        mattes=[matte_to_wire(matte) for matte in session.mattes],
        cuts=session.cuts,
        policies=[policy_to_wire(policy) for policy in session.policies],
    )


def session_from_wire(message: values_pb2.SessionInfo) -> SessionInfo:
    """The session in a message."""
    return SessionInfo(
        session_id=message.session_id,
        clip=clip_from_wire(message.clip),
        objects=tuple(object_from_wire(info) for info in message.objects),
        states=tuple(state_from_wire(state) for state in message.states),
        locks=tuple(lock_from_wire(lock) for lock in message.locks),
        mattes=tuple(matte_from_wire(matte) for matte in message.mattes),
        cuts=tuple(message.cuts),
        policies=tuple(policy_from_wire(policy) for policy in message.policies),
    )


def document_to_wire(document: PromptDocument) -> values_pb2.PromptDocument:
    """The message of a prompt document."""
    return values_pb2.PromptDocument(
        objects=[object_to_wire(info) for info in document.objects],
        prompts=[prompts_to_wire(prompts) for prompts in document.prompts],
        locks=[lock_to_wire(lock) for lock in document.locks],
        mattes=[matte_to_wire(matte) for matte in document.mattes],
        masks=locked_masks_to_wire(document.masks),
        policies=[policy_to_wire(policy) for policy in document.policies],
    )


def document_from_wire(message: values_pb2.PromptDocument) -> PromptDocument:
    """The prompt document in a message."""
    return PromptDocument(
        objects=tuple(object_from_wire(info) for info in message.objects),
        prompts=tuple(prompts_from_wire(prompts) for prompts in message.prompts),
        locks=tuple(lock_from_wire(lock) for lock in message.locks),
        mattes=tuple(matte_from_wire(matte) for matte in message.mattes),
        masks=locked_masks_from_wire(message.masks),
        policies=tuple(policy_from_wire(policy) for policy in message.policies),
    )


def server_to_wire(info: ServerInfo) -> server_pb2.GetServerInfoResponse:
    """The message of what a server is."""
    return server_pb2.GetServerInfoResponse(
        version=info.version,
        device=info.device,
        model=_model_to_wire(info.model),
        models=[_model_to_wire(model) for model in info.models],
        max_sessions=info.max_sessions,
        max_objects=info.max_objects,
        max_side_px=info.max_side_px,
        max_upload_bytes=info.max_upload_bytes,
        opens_paths=info.opens_paths,
        settings=info.settings,
    )


def server_from_wire(message: server_pb2.GetServerInfoResponse) -> ServerInfo:
    """What a server is, from its message."""
    return ServerInfo(
        version=message.version,
        device=message.device,
        model=_model_from_wire(message.model),
        models=tuple(_model_from_wire(model) for model in message.models),
        max_sessions=message.max_sessions,
        max_objects=message.max_objects,
        max_side_px=message.max_side_px,
        max_upload_bytes=message.max_upload_bytes,
        opens_paths=message.opens_paths,
        settings=message.settings,
    )


def _model_to_wire(model: ModelInfo) -> values_pb2.ModelInfo:
    return values_pb2.ModelInfo(
        name=model.name, licence=model.licence, size_bytes=model.size_bytes, sha256=model.sha256
    )


def _model_from_wire(message: values_pb2.ModelInfo) -> ModelInfo:
    return ModelInfo(message.name, message.licence, message.size_bytes, message.sha256)
