"""What the buttons for results do: have them made, and bring them home as native nodes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from masklet.anchors import Absence, AnchorKind, AnchorTrack
from masklet.errors import BadInputError
from masklet.events import MatteFormat
from masklet.hosting.matte_folders import Delivered, Owner
from masklet.hosting.notices import Notice
from masklet.hosting.plate_files import fingerprint_of
from masklet.interpolation import Interpolation
from masklet.names import clip_stem
from masklet.patterns import FramePattern, frames_matching, group_sequences
from masklet.phrases import phrase
from masklet.said.documents import find
from masklet.shapes import ObjectShapes
from masklet_nuke import documents, node_knobs, plates
from masklet_nuke.anchor_nodes import attach as attach_nodes
from masklet_nuke.anchor_nodes import make_anchor as make_anchor_nodes
from masklet_nuke.folders import own_folder, script_file
from masklet_nuke.inside import Mattes, kept_mattes, read_knobs, show_mattes
from masklet_nuke.prompting import active_uid, plate_frame
from masklet_nuke.records import keep_record
from masklet_nuke.rendering import ensure_rendered
from masklet_nuke.results import Results, Wanted, frame_results
from masklet_nuke.rotos import make_rotos
from masklet_nuke.shifting import shifted_anchor, shifted_shapes
from masklet_nuke.tracking import check_free
from masklet_nuke.undoing import one_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.hosting.workbench import Work
    from masklet_nuke.api import Group, Node, Nuke
    from masklet_nuke.runtime import Runtime


def get_mattes(runtime: Runtime, node: Node) -> None:
    """Write the mattes of all objects, show them in the node, and make a Read of each."""
    _export(runtime, node, MatteFormat.EXR_PER_OBJECT, _take_mattes)


def make_cryptomatte(runtime: Runtime, node: Node) -> None:
    """Write a Cryptomatte of all objects, and make its Read and its node."""
    _export(runtime, node, MatteFormat.CRYPTOMATTE, _take_cryptomatte)


def make_roto(runtime: Runtime, node: Node) -> None:
    """Fit shapes to the active object for Nuke's own curve, and make its Roto."""
    from masklet.hosting.work import plate_work

    uid = _result_uid(runtime, node)
    tolerance_px = float(node[node_knobs.TOLERANCE].value())

    def made(plate: Node, value: object) -> None:
        if isinstance(value, ObjectShapes):
            _take_shapes(runtime, plate, uid, value)

    _work(
        runtime,
        node,
        phrase("Fitting splines"),
        lambda plate, job, server: plate_work.shapes(
            plate, job, server, uid, tolerance_px=tolerance_px, interpolation=Interpolation.NUKE_SMOOTH
        ),
        made,
    )


def make_anchor(runtime: Runtime, node: Node, *, stabilise: bool = False) -> None:
    """Make nodes that follow the active object, or that hold it still."""

    def made(plate: Node, uid: str, track: AnchorTrack) -> str:
        results = Results(runtime.nuke, plate, uid)
        nodes = make_anchor_nodes(results, track, plates.space_of(plate).height_px, stabilise=stabilise)
        names = ", ".join(each.name() for each in nodes)
        return phrase("The anchor is in {names}", names=names) + _unseen(track)

    _anchor(runtime, node, made)


def attach(runtime: Runtime, node: Node) -> None:
    """Have the selected nodes follow the active object's anchor, baked."""
    chosen = [each.fullName() for each in runtime.nuke.selectedNodes() if each.fullName() != node.fullName()]
    if not chosen:
        raise BadInputError(phrase("select the nodes that are to follow in the node graph first"))

    def made(plate: Node, uid: str, track: AnchorTrack) -> str:
        found = [runtime.nuke.toNode(name) for name in chosen]
        followers = [each for each in found if each is not None]
        height_px = plates.space_of(plate).height_px
        nodes = attach_nodes(runtime.nuke, plate, track, followers, height_px, uid)
        names = ", ".join(each.name() for each in nodes)
        return phrase("{names} follow {object} now", names=names, object=track.object) + _unseen(track)

    _anchor(runtime, node, made)


def _anchor(runtime: Runtime, node: Node, make: Callable[[Node, str, AnchorTrack], str]) -> None:
    from masklet.hosting.work import plate_work

    uid = _result_uid(runtime, node)
    kind = AnchorKind(str(node[node_knobs.FOLLOW].value()))
    absence = Absence(str(node[node_knobs.ABSENCE].value()))
    frame = plate_frame(runtime, node)
    point = None
    if kind is AnchorKind.POINT:
        said = find(documents.objects(node), uid)
        clicks = [] if said is None else [click for click in said.at(frame).clicks if click.positive]
        if not clicks:
            raise BadInputError(
                phrase("a point needs a click on this frame: click the place to follow first")
            )
        point = clicks[-1].x_px, clicks[-1].y_px

    def made(plate: Node, value: object) -> None:
        if not isinstance(value, AnchorTrack):
            return
        moved = shifted_anchor(value, plates.frame_map(plate).shift)
        _make(runtime, plate, phrase("anchor"), lambda: make(plate, uid, moved), value)

    _work(
        runtime,
        node,
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
            smoothing_frames=0.0,
        ),
        made,
    )


def _export(
    runtime: Runtime,
    node: Node,
    matte_format: MatteFormat,
    take: Callable[[Runtime, Node, Delivered], str],
) -> None:
    from masklet.hosting.work import plate_work

    _result_uid(runtime, node)
    nuke, uid = runtime.nuke, runtime.host.adopt(node)
    uids = [said.uid for said in documents.objects(node)]
    source = runtime.host.source(node)
    base_name = clip_stem(source.path)
    folder = own_folder(nuke, node) / f"{base_name}_{matte_format.value}"
    owner = Owner(uid, fingerprint_of(source), script_file(nuke))
    earlier = [(Path(own.file).parent, Path(own.file).name) for own in kept_mattes(node).values()]

    def made(plate: Node, value: object) -> None:
        if isinstance(value, Delivered):
            _make(runtime, plate, phrase("mattes"), lambda: take(runtime, plate, value))

    _work(
        runtime,
        node,
        phrase("Getting mattes"),
        lambda plate, job, server: plate_work.export(
            plate,
            job,
            server,
            folder,
            owner=owner,
            earlier=earlier,
            uids=uids,
            matte_format=matte_format,
            base_name=base_name,
        ),
        made,
    )


def _take_mattes(runtime: Runtime, node: Node, delivered: Delivered) -> str:
    shift = plates.frame_map(node).shift
    mattes = dict(kept_mattes(node))
    for said in documents.objects(node):
        files = delivered.files.get(said.uid)
        if files:
            mattes[said.uid] = _sequence(said.name, files, shift)
    there = {said.uid: said.name for said in documents.objects(node)}
    shown = {uid: Mattes(**{**asdict(mattes[uid]), "name": there[uid]}) for uid in there if uid in mattes}
    if not shown:
        raise BadInputError(phrase("no object has a mask yet: track first, then get the mattes"))
    show_mattes(runtime.nuke, cast("Group", node), shown)
    for uid, own in shown.items():
        lines = tuple(read_knobs(own).split("\n"))
        Results(runtime.nuke, node, uid).make([Wanted("mattes", "Read", f"{own.name} mattes", lines)])
    count = sum(len(files) for files in delivered.files.values())
    return phrase(
        "Mattes of {count} frames are in {folder}", count=count, folder=delivered.folder
    ) + _why_there(runtime.nuke, delivered)


def _take_cryptomatte(runtime: Runtime, node: Node, delivered: Delivered) -> str:
    said = documents.objects(node)
    files = next(iter(delivered.files.values()), ())
    if not files:
        raise BadInputError(phrase("no object has a mask yet: track first, then get the Cryptomatte"))
    own = _sequence("cryptomatte", files, plates.frame_map(node).shift)
    results = Results(runtime.nuke, node, runtime.host.uid(node))
    results.make(
        [
            Wanted("cryptomatte-files", "Read", "cryptomatte files", tuple(read_knobs(own).split("\n"))),
            Wanted("cryptomatte", "Cryptomatte", "cryptomatte", (), ("cryptomatte-files",)),
        ]
    )
    picked, uid = results.find("cryptomatte"), active_uid(node)
    if picked is not None:
        picked["matteList"].setValue(next(one.name for one in said if one.uid == uid))
    return phrase("The Cryptomatte is in {folder}", folder=delivered.folder) + _why_there(
        runtime.nuke, delivered
    )


def _take_shapes(runtime: Runtime, node: Node, uid: str, shapes: ObjectShapes) -> None:
    def make() -> str:
        moved = shifted_shapes(shapes, plates.frame_map(node).shift)
        made = make_rotos(runtime.nuke, runtime.rotopaint, Results(runtime.nuke, node, uid), moved)
        told = phrase(
            "{name} is a Roto with {keys} keys, at most {off} px off the matte's edge",
            name=made.nodes[0].name(),
            keys=made.keys,
            off=f"{shapes.report.largest_distance_px:.2f}",
        )
        if made.is_every_frame:
            return told + " " + phrase("(this Nuke draws otherwise between keys, so every frame has one)")
        return told

    _make(runtime, node, phrase("roto"), make, shapes)


def _make(
    runtime: Runtime,
    node: Node,
    name: str,
    make: Callable[[], str],
    result: ObjectShapes | AnchorTrack | None = None,
) -> None:
    """Make nodes in one step of undo, frame them, keep a record of the result, and tell of it."""
    from masklet.errors import MaskletError
    from masklet.hosting.notices import notice_of

    try:
        with one_step(runtime.nuke, f"masklet: {name}"):
            told = make()
            uid = runtime.host.uid(node)
            uids = [said.uid for said in documents.objects(node)]
            frame_results(runtime.nuke, node, [uid, *uids], uid)
        clip = runtime.memory(node).clip
        if result is not None and clip is not None:
            told += keep_record(runtime.nuke, node, clip, result)
    except MaskletError as error:
        runtime.tell(node, notice_of(error))
        if not runtime.host.has_interface:
            raise
    else:
        runtime.tell(node, Notice(told, is_alarm=False))


def _work(runtime: Runtime, node: Node, name: str, work: Work, made: Callable[[Node, object], None]) -> None:
    runtime.start(node, name, work, wait=not runtime.host.has_interface, on_made=made)


def _result_uid(runtime: Runtime, node: Node) -> str:
    """Of the object that results are made of, once everything that they need is there."""
    check_free(runtime, node)
    uid = active_uid(node)
    ensure_rendered(runtime.nuke, node)
    return uid


def _sequence(name: str, files: Sequence[Path], shift: int) -> Mattes:
    sequences, _ = group_sequences([file.name for file in files])
    pattern, frames = next(iter(sequences.items()))
    folder = files[0].parent
    parsed = FramePattern.parse(pattern)
    # Frames of earlier runs lie there as well.
    there = frames_matching(parsed, [file.name for file in folder.iterdir()]) if parsed else frames
    return Mattes(name, (folder / pattern).as_posix(), min(there), max(there), shift)


def _unseen(track: AnchorTrack) -> str:
    count = sum(len(gap.frames) for gap in track.gaps)
    if not count:
        return ""
    return phrase("; on {count} frames it was not seen, and does what while hidden says", count=count)


def _why_there(nuke: Nuke, delivered: Delivered) -> str:
    told = f", {phrase('because {reason}', reason=delivered.reason)}" if delivered.reason else ""
    if not script_file(nuke):
        told += phrase(". This script was never saved: save it, then get them again to have them beside it")
    return told
