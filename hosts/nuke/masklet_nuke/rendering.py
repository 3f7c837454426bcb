"""Pictures that Nuke renders for the server: a plate that is no file, and mattes drawn by hand.

In the main thread, and never while Nuke tells of a knob: buttons call this.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, CancelledError, ClipError
from masklet.phrases import phrase
from masklet_nuke import plates
from masklet_nuke.exr_alpha import read_alpha
from masklet_nuke.folders import own_folder
from masklet_nuke.undoing import no_step
from masklet_nuke.upstream import pictures_hash, plain_read, plate_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.mask import Mask
    from masklet_nuke.api import Node, Nuke
    from masklet_nuke.plates import Rendered

MOST_FRAMES = 100_000


def ensure_rendered(nuke: Nuke, node: Node) -> Rendered | None:
    """Render a plate that is no file, unless what was rendered shows the same; None for a plain Read.

    Half-float EXRs of the picture as it flows through the script, once, for its whole range.

    Raises:
        ClipError: Nuke could not render it.
        CancelledError: The artist stopped it.
    """
    above = plate_input(node)
    if plain_read(above) is not None:
        return None
    wanted = pictures_hash(above)
    first, last = above.firstFrame(), above.lastFrame()
    done = plates.rendered(node)
    space = plates.working_space(nuke)
    asked = wanted, first, last, space
    if (
        done is not None
        and (done.hash, done.first, done.last, done.colour_space) == asked
        and _is_whole(done)
    ):
        return done
    if last - first >= MOST_FRAMES:
        raise ClipError(
            phrase(
                "what {name} shows goes from frame {first} to {last}, which is too long to render: put a "
                "FrameRange above it",
                name=node.name(),
                first=first,
                last=last,
            )
        )
    plates.adopt(nuke, node)
    folder = own_folder(nuke, node) / f"{node.name()}_plate_{wanted}"
    pattern = (folder / "plate.%04d.exr").as_posix()
    with _writer(nuke, above, pattern, "rgb", "16 bit half", "Zip (1 scanline)") as writer:
        _execute(nuke, writer, node, first, last)
    made = plates.Rendered(pattern, wanted, first, last, space)
    plates.keep_rendered(nuke, node, made)
    return made


def alpha_of(nuke: Nuke, drawn: Node, frame: int, space_of: Node) -> Mask:
    """The alpha of a node on one frame of the script, at the plate's size.

    Args:
        nuke: The module.
        drawn: Whose alpha it is: the plate's, or a Roto.
        frame: Of the script.
        space_of: The Masklet node.

    Raises:
        ClipError: Nuke could not render it.
        BadInputError: It is empty there.
    """
    space = plates.space_of(space_of)
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        file = (Path(folder) / "alpha.exr").as_posix()
        with _writer(nuke, drawn, file, "alpha", "32 bit float", "none") as writer:
            _execute(nuke, writer, drawn, frame, frame)
        mask = read_alpha(Path(file), width_px=space.width_px, height_px=space.height_px)
    if not any(mask.alpha):
        raise BadInputError(
            phrase(
                "the alpha of {name} is empty on frame {frame}: draw the object there first",
                name=drawn.name(),
                frame=frame,
            )
        )
    return mask


def _is_whole(done: Rendered) -> bool:
    folder, _, name = done.path.rpartition("/")
    # Only the name is a pattern: in the folder's, a percent sign is a percent sign.
    return all(Path(folder, name % frame).is_file() for frame in range(done.first, done.last + 1))


@contextmanager
def _writer(
    nuke: Nuke, above: Node, path: str, channels: str, datatype: str, compression: str
) -> Iterator[Node]:
    """A Write that is there for a moment; no step of undo."""
    with no_step(nuke):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        writer = nuke.nodes.Write(name="masklet_write")
        writer.setInput(0, above)
        for knob, value in (
            ("file", path),
            ("file_type", "exr"),
            ("datatype", datatype),
            ("compression", compression),
            ("channels", channels),
            ("raw", True),
        ):
            writer[knob].setValue(value)
        try:
            yield writer
        finally:
            nuke.delete(writer)


def _execute(nuke: Nuke, writer: Node, shown: Node, first: int, last: int) -> None:
    at = nuke.frame()
    try:
        nuke.execute(writer, first, last)
    except RuntimeError as error:
        fault = str(error) or type(error).__name__
        if "cancel" in fault.lower():
            raise CancelledError(phrase("The render was stopped: nothing was sent")) from error
        raise ClipError(
            phrase(
                "Nuke could not render what {name} shows ({fault}): look at it in the viewer first",
                name=shown.name(),
                fault=fault,
            )
        ) from error
    finally:
        with suppress(RuntimeError):
            nuke.frame(at)
