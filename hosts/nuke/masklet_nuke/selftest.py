"""For the real Nuke: builds every result from a small example, reads it back, and prints a table.

``nuke -t …/masklet_nuke/selftest.py [FILE]`` or, with Nuke as a Python module,
``python -m masklet_nuke.selftest [FILE]``. FILE, which ends in .json, gets the table. No server is needed.
Start a Nuke for this: it makes nodes in the script that is open.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    # Nuke was given this file alone: its folder's parent holds the packages.
    sys.path.append(str(Path(__file__).resolve().parents[1]))

import masklet
from masklet.errors import MaskletError
from masklet.frame_runs import shown
from masklet.said.documents import SaidObject
from masklet.types import Click, FramePrompts, FrameRange
from masklet_nuke import documents, example, plates
from masklet_nuke.anchor_nodes import attach, make_anchor
from masklet_nuke.farm import missing
from masklet_nuke.inside import Mattes, show_mattes
from masklet_nuke.masklet_node import make_node
from masklet_nuke.rendering import alpha_of
from masklet_nuke.results import Results, Wanted, frame_results
from masklet_nuke.rotos import make_rotos

if TYPE_CHECKING:
    from masklet.mask import Mask
    from masklet_nuke.api import Group, Node, Nuke, Rotopaint

GOOD, WRONG, NOT_DONE = "good", "wrong", "not done"
_PX = 0.01
_AREA_SHARE = 0.02


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Attributes:
        what: Was looked at.
        verdict: "good", "wrong", or "not done" where this Nuke may not.
        told: What was found.
    """

    what: str
    verdict: str
    told: str


class _NotDoneError(Exception):
    """This Nuke may not do it."""


def check_all(nuke: Nuke, rotopaint: Rotopaint, folder: Path) -> list[Check]:
    """Every check, in order; none keeps the others from being made.

    Args:
        nuke: The module.
        rotopaint: Its module for shapes.
        folder: For pictures; it is left as it is afterwards.
    """
    shot = _Shot(nuke, rotopaint, folder)
    return [_checked(what, check) for what, check in shot.checks()]


def _checked(what: str, check: Callable[[], str]) -> Check:
    try:
        return Check(what, GOOD, check())
    except _NotDoneError as reason:
        return Check(what, NOT_DONE, str(reason))
    except AssertionError as error:
        return Check(what, WRONG, str(error))
    except Exception as error:  # noqa: BLE001 - a table is wanted, whatever Nuke says
        return Check(what, WRONG, f"{type(error).__name__}: {error}")


class _Shot:
    """The example in a script."""

    def __init__(self, nuke: Nuke, rotopaint: Rotopaint, folder: Path) -> None:
        self.nuke, self.rotopaint = nuke, rotopaint
        plate, self.mattes = example.write_pictures(folder)
        self.read = nuke.nodes.Read(name="masklet_example")
        self.read.readKnobs(f'file "{plate}"\nfirst {example.FIRST}\nlast {example.LAST}')
        self.node: Group = make_node(nuke)
        self.node.setInput(0, self.read)
        plates.adopt(nuke, self.node)
        self.results = Results(nuke, self.node, "u1")

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "prompts in knobs", self.prompts
        yield "prompts copied and pasted", self.pasted
        yield "plate opened by path", self.plate
        yield "Roto, read back between keys", self.roto
        yield "Roto, rendered between keys", self.rendered
        yield "Transform", self.transform
        yield "Tracker4", self.tracker
        yield "CornerPin2D", self.corner_pin
        yield "stabiliser", self.stabiliser
        yield "attached node", self.attached
        yield "Read of mattes", self.matte_read
        yield "mattes in the node", self.inside
        yield "a missing matte is an error", self.missing_matte
        yield "Cryptomatte", self.cryptomatte
        yield "Backdrop, and nothing twice", self.backdrop
        yield "Python beside masklet", self.python

    def prompts(self) -> str:
        said = (SaidObject("u1", 'héro [1] "$a" {b}', (FramePrompts(0, 1001, (Click(60.5, 90.25),)),)),)
        documents.take(self.node, said)
        assert documents.document(self.node) == said, f"read back as {documents.document(self.node)!r}"
        return "texts with brackets, braces, quotes and accents come back"

    def pasted(self) -> str:
        before = documents.document(self.node)
        with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
            file = (Path(folder) / "node.nk").as_posix()
            for node in list(self.nuke.root().nodes()):
                node.setSelected(node.fullName() == self.node.fullName())
            self.nuke.nodeCopy(file)
            self.nuke.nodePaste(file)
        copies = [
            node
            for node in plates.masklet_nodes(self.nuke)
            if node.fullName() != self.node.fullName() and documents.document(node) == before
        ]
        assert copies, "no node with the same prompts was pasted"
        assert plates.adopt(self.nuke, copies[0]) != plates.adopt(self.nuke, self.node), "both have one name"
        for copy in copies:
            self.nuke.delete(copy)
        return "the copy has the prompts, and a name of its own"

    def plate(self) -> str:
        shape = self.read.format()
        if (shape.width(), shape.height()) != (example.WIDTH_PX, example.HEIGHT_PX):
            raise _NotDoneError(f"this Nuke reads the plate as {shape.width()} x {shape.height()}")
        source = plates.source_of(self.node)
        size = source.width_px, source.height_px
        assert size == (example.WIDTH_PX, example.HEIGHT_PX), f"size {size}"
        return f"{source.path}, {size[0]} x {size[1]}, colour space {source.reading.colour_space}"

    def roto(self) -> str:
        made = make_rotos(self.nuke, self.rotopaint, self.results, example.shapes())
        assert made.off_px < _PX, f"{made.off_px:.3f} px off its place"
        assert not made.is_every_frame, (
            "drawn otherwise between keys than was measured: every frame got a key"
        )
        return f"{made.keys} keys, at most {made.off_px:.5f} px off between them"

    def rendered(self) -> str:
        roto = self.results.find("roto 1")
        assert roto is not None, "there is no Roto"
        told = []
        for frame in (example.FIRST, 1010, 1019):
            try:
                mask = alpha_of(self.nuke, roto, frame, self.node)
            except MaskletError as error:
                raise _NotDoneError(str(error)) from error
            mask = mask.in_8_bits()
            middle, area = _middle_and_area(mask)
            (piece, *_) = example.shapes().pieces
            path = piece.path_at(frame)
            wanted = sum(v.x_px for v in path) / 4, sum(v.y_px for v in path) / 4
            apart = math.hypot(middle[0] - wanted[0], middle[1] - wanted[1])
            share = area / (math.pi * 40.0 * 26.0)
            assert apart < 0.5, f"frame {frame}: its middle is {apart:.2f} px off"
            assert abs(share - 1) < _AREA_SHARE, f"frame {frame}: {share:.3f} of its area"
            told.append(f"{frame}: {apart:.2f} px")
        return ", ".join(told)

    def transform(self) -> str:
        make_anchor(self.results, example.anchor(), example.HEIGHT_PX)
        node = self._found("transform similarity follow")
        return self._moves(node, invert="invert_matrix", inverted=False)

    def tracker(self) -> str:
        knob = self._found("tracker similarity follow")["tracks"]
        for key in example.anchor().keys:
            # 31 columns a track; the third and fourth are its place.
            x, y = knob.getValueAt(key.frame, 2), knob.getValueAt(key.frame, 3)
            apart = math.hypot(x - key.x_px, y - (example.HEIGHT_PX - key.y_px))
            assert apart < _PX, f"frame {key.frame}: {apart:.3f} px off"
        return f"a track of {len(example.anchor().keys)} frames"

    def corner_pin(self) -> str:
        node = self._found("cornerpin similarity follow")
        for key in example.anchor().keys:
            assert key.corners is not None
            for number, corner in zip((4, 3, 2, 1), key.corners):
                x, y = (node[f"to{number}"].getValueAt(key.frame, axis) for axis in (0, 1))
                apart = math.hypot(x - corner[0], y - (example.HEIGHT_PX - corner[1]))
                assert apart < _PX, f"to{number} on frame {key.frame}: {apart:.3f} px off"
        return "four corners, from the bottom left counter-clockwise"

    def stabiliser(self) -> str:
        make_anchor(self.results, example.anchor(), example.HEIGHT_PX, stabilise=True)
        return self._moves(
            self._found("transform similarity stabilise"), invert="invert_matrix", inverted=True
        )

    def attached(self) -> str:
        blur = self.nuke.nodes.Blur(name="masklet_follower")
        below = self.nuke.nodes.NoOp(name="masklet_below")
        below.setInput(0, blur)
        (node,) = attach(self.nuke, self.node, example.anchor(), [blur], example.HEIGHT_PX, "u1")
        above = below.input(0)
        assert above is not None, "what it fed is fed by nothing"
        assert above.fullName() == node.fullName(), f"what it fed is fed by {above.fullName()}"
        return self._moves(node, invert="invert_matrix", inverted=False)

    def matte_read(self) -> str:
        own = self._mattes()
        from masklet_nuke.inside import read_knobs

        (node,) = self.results.make(
            [Wanted("mattes", "Read", "hero mattes", tuple(read_knobs(own).split("\n")))]
        )
        assert bool(node["raw"].value()), "not raw"
        assert str(node["on_error"].value()) == "error", f"on_error is {node['on_error'].value()}"
        assert str(node["frame_mode"].value()) == "start at", f"frame_mode is {node['frame_mode'].value()}"
        return f"raw, {shown((FrameRange(own.first, own.last),))}, an error where a file is missing"

    def inside(self) -> str:
        show_mattes(self.nuke, self.node, {"u1": self._mattes()})
        names = sorted(each.name() for each in self.node.nodes())
        assert {"alpha", "layer_hero", "mattes_hero", "range"} <= set(names), f"inside are {names}"
        return f"{', '.join(names)}; frames {self.node.firstFrame()} to {self.node.lastFrame()}"

    def missing_matte(self) -> str:
        writer = self.nuke.nodes.Write(name="masklet_farm")
        writer.setInput(0, self.node)
        try:
            with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
                writer["file"].setValue((Path(folder) / "out.%04d.png").as_posix())
                assert not missing(writer, example.FIRST), missing(writer, example.FIRST)
                sentence = missing(writer, example.LAST + 5)
                assert sentence, "nothing is said of a frame without a matte"
                try:
                    self.nuke.execute(writer, example.LAST + 5, example.LAST + 5)
                except RuntimeError as error:
                    return f"{sentence} Nuke: {error}"
                raise AssertionError("Nuke rendered a frame without a matte")
        finally:
            self.nuke.delete(writer)

    def cryptomatte(self) -> str:
        try:
            self.results.make([Wanted("cryptomatte", "Cryptomatte", "cryptomatte")])
        except RuntimeError as error:
            raise _NotDoneError(f"this Nuke has no Cryptomatte ({error})") from error
        node = self._found("cryptomatte")
        node["matteList"].setValue("hero")
        assert str(node["matteList"].value()) == "hero", f"picked {node['matteList'].value()}"
        return "picked by name"

    def backdrop(self) -> str:
        before = len(self.nuke.root().nodes())
        make_anchor(self.results, example.anchor(), example.HEIGHT_PX)
        make_rotos(self.nuke, self.rotopaint, self.results, example.shapes())
        assert len(self.nuke.root().nodes()) == before, "nodes were made again instead of found"
        frame_results(self.nuke, self.node, ["u1"], "p1")
        frame_results(self.nuke, self.node, ["u1"], "p1")
        count = len([node for node in self.nuke.root().nodes() if node.Class() == "BackdropNode"])
        assert count == 1, f"{count} Backdrops"
        return "one, and each result once"

    def python(self) -> str:
        loaded = sorted({"google.protobuf", "grpc", "torch"} & set(sys.modules))
        ours = Path(masklet.__file__).resolve().parents[1]
        files = {name: getattr(sys.modules[name], "__file__", None) for name in loaded}
        own = [name for name, file in files.items() if file and ours in Path(file).resolve().parents]
        assert not own, f"masklet brought {', '.join(own)}"
        return f"Python {sys.version.split()[0]}; loaded by others: {', '.join(loaded) or 'nothing of these'}"

    def _mattes(self) -> Mattes:
        return Mattes("hero", self.mattes.pattern, example.FIRST, example.LAST)

    def _found(self, role: str) -> Node:
        node = self.results.find(role)
        assert node is not None, f"there is no {role}"
        return node

    def _moves(self, node: Node, *, invert: str, inverted: bool) -> str:
        track = example.anchor()
        start = track.keys[0]
        assert bool(node[invert].value()) is inverted, f"{invert} is {node[invert].value()}"
        for key in track.keys:
            x, y = (node["translate"].getValueAt(key.frame, axis) for axis in (0, 1))
            apart = math.hypot(x - (key.x_px - start.x_px), y - (start.y_px - key.y_px))
            turn = node["rotate"].getValueAt(key.frame) + key.rotation_deg
            assert apart < _PX, f"frame {key.frame}: {apart:.3f} px off"
            assert abs(turn) < 0.01, f"frame {key.frame}: {turn:.3f} degrees off"
        half = track.keys[4], track.keys[5]
        x = node["translate"].getValueAt(half[0].frame + 0.5, 0)
        off = x - ((half[0].x_px + half[1].x_px) / 2 - start.x_px)
        assert abs(off) < _PX, f"between two keys: {off:.3f} px off a straight line"
        return f"{len(track.keys)} keys, straight between them"


def _middle_and_area(mask: Mask) -> tuple[tuple[float, float], float]:
    across = down = area = 0.0
    for y in range(mask.height_px):
        row = [code / 255 for code in mask.alpha[y * mask.width_px : (y + 1) * mask.width_px]]
        covered = sum(row)
        if covered:
            area += covered
            down += covered * (y + 0.5)
            across += sum(value * (x + 0.5) for x, value in enumerate(row) if value)
    return ((across / area, down / area) if area else (0.0, 0.0)), area


def table(checks: list[Check]) -> str:
    """The checks as lines."""
    wide = max(len(check.what) for check in checks)
    return "\n".join(f"{check.verdict:8}  {check.what:{wide}}  {check.told}" for check in checks)


def main() -> int:
    """Print the table; 1 where anything is wrong."""
    from masklet_nuke.api import this_nuke, this_rotopaint

    nuke = this_nuke()
    with tempfile.TemporaryDirectory(prefix="masklet-selftest-") as folder:
        checks = check_all(nuke, this_rotopaint(), Path(folder))
    print(f"masklet self-test in Nuke {nuke.NUKE_VERSION_STRING}, {sys.platform}")
    print(table(checks))
    files = [name for name in sys.argv[1:] if name.endswith(".json")]
    for name in files:
        kept = {
            "nuke": nuke.NUKE_VERSION_STRING,
            "platform": sys.platform,
            "checks": [asdict(c) for c in checks],
        }
        Path(name).write_text(json.dumps(kept, indent=1) + os.linesep, encoding="utf-8")
    return 1 if any(check.verdict == WRONG for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
