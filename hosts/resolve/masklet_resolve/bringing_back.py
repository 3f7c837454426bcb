"""What a run made of a clip, brought into Resolve or Fusion: mattes, masks and paths, markers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError
from masklet.exchange.json_reading import read_json
from masklet.phrases import Phrase, phrase
from masklet_resolve import records
from masklet_resolve.clips import check_steady, comp_start
from masklet_resolve.comp_text import comp_text, whole_comp
from masklet_resolve.connecting import current_timeline
from masklet_resolve.fusion_comps import OpenComp
from masklet_resolve.markers import mark_states
from masklet_resolve.matte_clips import MatteWay, as_clip_matte, import_mattes, on_track_above

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.exchange.record import Entry
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet_resolve.api import FusionComp, TimelineItem
    from masklet_resolve.clips import TakenClip
    from masklet_resolve.connecting import Application


@dataclass(frozen=True)
class Wanted:
    """What is to be brought.

    Attributes:
        mattes: Where the mattes go; None to import none.
        comp: Masks, mattes and paths as tools of a composition.
        markers: States as markers of the timeline.
    """

    mattes: MatteWay | None = MatteWay.CLIP_MATTE
    comp: bool = True
    markers: bool = True


@dataclass
class Brought:
    """What came of it.

    Attributes:
        done: A sentence for each thing that is there now.
        failed: A sentence for each that is not.
        entries: What was kept, approximated and lost.
    """

    done: list[Phrase] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def read_results(folder: Path) -> tuple[ExchangeScene, str]:
    """The scene that a run wrote with ``--export json``, and the name of its files.

    Raises:
        BadInputError: There is none, or there are several.
    """
    found = [file for file in sorted(folder.glob("*.json")) if _is_exchange(file)]
    if len(found) != 1:
        raise BadInputError(
            phrase(
                "{folder} holds {count} exchange documents: write the shot with --export json into a "
                "folder of its own",
                folder=folder.name,
                count=len(found),
            )
        )
    return read_json(found[0].read_text(encoding="utf-8")), found[0].stem


def bring_to_timeline(
    application: Application,
    clip: TakenClip,
    item: TimelineItem,
    scene: ExchangeScene,
    folder: Path,
    wanted: Wanted,
) -> Brought:
    """Bring a scene to a clip of the timeline; what one part refuses keeps no other from coming.

    Args:
        application: Resolve Studio.
        clip: As it was taken.
        item: The same.
        scene: In the plate's frames.
        folder: Where the composition's text is kept.
        wanted: What to bring.
    """
    brought = Brought()

    def bring(what: str, work: Callable[[], Phrase], entries: tuple[Entry, ...] = ()) -> None:
        try:
            done = work()
        except MaskletError as error:
            brought.failed.append(str(error))
            brought.entries.append(records.lost(clip, what, str(error)))
        else:
            brought.done.append(done)
            brought.entries += entries or (records.kept(clip, what, str(done)),)

    def matte(mattes: MatteSequence) -> Phrase:
        if wanted.mattes is MatteWay.TRACK:
            return on_track_above(application, clip, mattes)
        import_mattes(application, mattes)
        return as_clip_matte(application, item, mattes)

    for mattes in scene.mattes if wanted.mattes is not None else ():
        bring("mattes", lambda mattes=mattes: matte(mattes))  # type: ignore[misc]
    if wanted.comp:
        tools = records.of_tools(scene, clip)
        bring("composition", lambda: _comp_of_item(clip, item, scene, folder), tools)
    if wanted.markers and scene.states:
        bring("review states", lambda: mark_states(current_timeline(application)[1], clip, scene))
    return brought


def bring_to_comp(
    comp: FusionComp, clip: TakenClip, scene: ExchangeScene, folder: Path, source: str
) -> Phrase:
    """Bring masks, mattes and paths into a composition that is open.

    Raises:
        BadInputError: Fusion does not take them.
    """
    time = clip.time.starting_at(comp_start(comp)) if clip.place is not None else clip.time
    text = comp_text(scene, time, source)
    OpenComp(comp).paste(text, folder / "masklet_resolve.setting")
    return phrase(
        "{count} tools are in the composition, from frame {first} on",
        count=len(text.names),
        first=time.comp_first,
    )


def _comp_of_item(clip: TakenClip, item: TimelineItem, scene: ExchangeScene, folder: Path) -> Phrase:
    check_steady(clip)
    if item.GetFusionCompCount():
        comp = item.GetFusionCompByIndex(1)
        if comp is None:
            raise BadInputError(phrase("Resolve does not hand out the composition of {name}", name=clip.name))
        return bring_to_comp(comp, clip, scene, folder, "MediaIn1")
    time = replace(clip.time, comp_first=0)
    file = folder / "masklet_resolve.comp"
    text = comp_text(scene, time)
    file.write_text(whole_comp(text, time), encoding="utf-8", newline="\n")
    comp = item.ImportFusionComp(str(file))
    if comp is None:
        raise BadInputError(
            phrase(
                "Resolve did not import {file} as a composition: import it on Fusion's page",
                file=str(file),
            )
        )
    missing = [name for name in (*text.names, "MediaOut1") if comp.FindTool(name) is None]
    if missing:
        raise BadInputError(
            phrase(
                "the composition came without {names}: import {file} by hand",
                names=", ".join(missing[:3]),
                file=str(file),
            )
        )
    start = comp_start(comp)
    if start != time.comp_first:
        # Keys would lie beside the clip: the same again, in the time that Resolve says now.
        return bring_to_comp(comp, clip, scene, folder, "MediaIn1")
    return phrase("a composition with {count} tools is on {name}", count=len(text.names), name=clip.name)


def _is_exchange(file: Path) -> bool:
    if file.name.endswith((".record.json", ".shot.json", ".masklet.json", ".version.json")):
        return False
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == "masklet-exchange"
