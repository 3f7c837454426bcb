"""Opening a folder of annotated clips, whatever its layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.layouts.davis import is_davis, read_davis, split_names
from masklet_server.evaluation.layouts.plain import is_plain, read_plain
from masklet_server.evaluation.layouts.sa_v_tree import is_sa_v, read_sa_v_tree
from masklet_server.evaluation.layouts.youtube_vos import is_youtube_vos, read_youtube_vos

_LAYOUTS: tuple[tuple[Callable[[Path], bool], Callable[[Path], list[AnnotatedClip]]], ...] = (
    (is_plain, read_plain),
    (is_davis, read_davis),
    (is_sa_v, read_sa_v_tree),
    (is_youtube_vos, read_youtube_vos),
)


def read_clips(folder: Path) -> list[AnnotatedClip]:
    """All annotated clips of a folder by name, none of them checked.

    Raises:
        BadInputError: The folder has no known layout, or parts of it are missing.
    """
    if not folder.is_dir():
        raise BadInputError(f"there is no folder {folder.name}: check the path of the data set.")
    clips = next((read(folder) for matches, read in _LAYOUTS if matches(folder)), [])
    if not clips:
        raise BadInputError(
            f"{folder.name} has no layout that is known: give the top folder of a data set like DAVIS, "
            "YouTube-VOS, MOSE, LVOS or SA-V, or one with frames and masks in each sequence's folder."
        )
    return clips


def open_dataset(
    folder: Path,
    *,
    sequences: Sequence[str] = (),
    without: Sequence[str] = (),
    split: str | None = None,
    frame_limit: int | None = None,
) -> list[AnnotatedClip]:
    """The annotated clips of a folder, by name.

    Args:
        folder: A data set in the layout of DAVIS, YouTube-VOS, MOSE, LVOS or SA-V, or with
            ``frames`` and ``masks`` in each sequence's folder.
        sequences: Only these; empty for all.
        without: All but these.
        split: Only those that the data set's own list of this name has, such as ``val``.
        frame_limit: Only so many frames of each.

    Raises:
        BadInputError: The folder has no known layout, a sequence is unknown, or annotations
            are broken.
    """
    if frame_limit is not None and frame_limit < 2:
        raise BadInputError(f"a limit of {frame_limit} frames leaves nothing to judge: give 2 or more.")
    clips = read_clips(folder)
    known = {clip.name for clip in clips}
    unknown = [name for name in (*sequences, *without) if name not in known]
    if unknown:
        raise BadInputError(
            f"{folder.name} has no sequence {unknown[0]}: it has {', '.join(sorted(known)[:8])} …"
        )
    wanted = (set(sequences) or known) - set(without)
    if split is not None:
        wanted &= set(split_names(folder, split))
    chosen = [replace(clip, frame_limit=frame_limit) for clip in clips if clip.name in wanted]
    if not chosen:
        raise BadInputError(
            f"no sequence of {folder.name} is left: check which ones are chosen and left out."
        )
    for clip in chosen:
        clip.check()
    return chosen
