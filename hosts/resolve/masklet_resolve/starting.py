"""``masklet resolve``: connect, take the clip, open the panel, bring results back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.types import FrameRange
from masklet_resolve import fusionscript, records
from masklet_resolve.bringing_back import Wanted, bring_to_comp, bring_to_timeline, read_results
from masklet_resolve.clips import take_comp, take_item
from masklet_resolve.connecting import Edition, connect, current_comp, current_timeline
from masklet_resolve.files_only import write_files
from masklet_resolve.panel_seam import show_panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.exchange.record import Entry
    from masklet.hosting.work.connection import ConnectionSettings
    from masklet_resolve.clips import TakenClip
    from masklet_resolve.connecting import Application

    Say = Callable[[str], None]
    """Told a sentence."""


@dataclass(frozen=True)
class Taken:
    """What is under the playhead.

    Attributes:
        application: That answered.
        clip: The clip.
        item: On the timeline; None in Fusion Studio.
        comp: In Fusion Studio; None on a timeline.
    """

    application: Application
    clip: TakenClip
    item: Any = None
    comp: Any = None


def take(say: Say, scripts: Any = None) -> Taken:
    """Connect and take the clip that is under the playhead, or what the open composition reads.

    Args:
        say: Told what answered, and what had to be assumed of the clip.
        scripts: Blackmagic's module; None looks for it on this machine.

    Raises:
        BadInputError: Nothing answers, the free edition does, or there is no clip.
    """
    application = connect(scripts if scripts is not None else fusionscript.load())
    say(str(application.words))
    if application.edition is Edition.FUSION_STUDIO:
        comp = current_comp(application)
        taken = Taken(application, take_comp(comp), comp=comp)
    else:
        _, timeline = current_timeline(application)
        clip, item = take_item(timeline, application.resolve)
        taken = Taken(application, clip, item=item)
    clip = taken.clip
    used = clip.used
    say(f"{clip.name}: {clip.path}, {used.first}-{used.last}")
    for sentence in clip.told:
        say(sentence)
    return taken


def open_panel(say: Say, settings: ConnectionSettings, scripts: Any = None) -> int:
    """Take the clip and show the panel with it; the exit code."""

    def bring_back(tell: Say, folder: Path) -> bool:
        return bring(tell, folder, Wanted(), scripts)

    return show_panel(take(say, scripts).clip, settings, bring_back)


def bring(say: Say, folder: Path, wanted: Wanted, scripts: Any = None) -> bool:
    """Bring a run's results to the clip under the playhead, or into the open composition.

    Returns:
        False where a part of it did not come.

    Raises:
        BadInputError: There is no clip, no result, or nothing was to be brought.
    """
    scene, name = read_results(folder)
    taken = take(say, scripts)
    if taken.comp is not None:
        say(str(bring_to_comp(taken.comp, taken.clip, scene, folder, "Loader1")))
        _keep_record(say, folder, name, records.of_tools(scene, taken.clip))
        return True
    brought = bring_to_timeline(taken.application, taken.clip, taken.item, scene, folder, wanted)
    for sentence in brought.done:
        say(str(sentence))
    for failure in brought.failed:
        say(str(phrase("not done: {reason}", reason=failure)))
    if not (brought.done or brought.failed):
        raise BadInputError(
            phrase("{folder} holds nothing to bring: export mattes, shapes or anchors", folder=folder.name)
        )
    _keep_record(say, folder, name, tuple(brought.entries))
    return not brought.failed


def _keep_record(say: Say, folder: Path, name: str, entries: tuple[Entry, ...]) -> None:
    file, told = records.write(folder, name, entries)
    for sentence in told:
        say(str(sentence))
    say(str(phrase("what was kept, approximated and lost: {file}", file=file.name)))


def write_only(say: Say, folder: Path, used: FrameRange | None) -> tuple[Path, ...]:
    """Write files for an edition that takes nothing else.

    Args:
        say: Told the files.
        folder: Of a run with ``--export json``.
        used: The plate's frames that the clip shows; None for all.

    Raises:
        BadInputError: There is no result.
    """
    scene, name = read_results(folder)
    clip = scene.clip
    files = write_files(scene, used or FrameRange(clip.first_frame, clip.last_frame), folder, name)
    for file in files:
        say(str(phrase("wrote {file}", file=str(file))))
    return files
