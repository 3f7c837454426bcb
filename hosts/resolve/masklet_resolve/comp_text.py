"""Text of Fusion's tools for one clip: masks, mattes and paths in the time of its composition.

Everything is called ``masklet_…``, so that what an earlier run brought is known and replaced, and nothing of
the artist's is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.exchange.fusion import fusion_tools, quoted
from masklet.exchange.identifiers import Identifiers

if TYPE_CHECKING:
    from masklet.exchange.scene import ExchangeScene, MatteSequence
    from masklet_resolve.time_base import TimeBase

PREFIX = "masklet_"
_NOTHING = "SomethingThatWontMatchHopefully"
"""What Fusion itself writes where a channel of an EXR is to be empty."""


@dataclass(frozen=True)
class CompText:
    """Tools for one composition.

    Attributes:
        tools: Entries of a table of tools.
        names: Of all of them.
        chain: Those that the plate goes through, in their order; each leaves it as it is.
    """

    tools: str
    names: tuple[str, ...]
    chain: tuple[str, ...]

    @property
    def setting(self) -> str:
        """To paste into a composition."""
        return f"{{\n\tTools = ordered() {{\n{self.tools}\t}},\n}}\n"


def comp_text(scene: ExchangeScene, time: TimeBase, source: str = "MediaIn1") -> CompText:
    """What is known of the clip as tools.

    A tool that leads nowhere can make a render of Resolve fail (davinci-resolve-mcp, 19.1 to 21.0). So
    each mask lies on a BrightnessContrast that changes nothing yet, each Transform has Blend 0, and the
    plate goes through all of them: the artist turns them up, or takes the masks elsewhere.

    Args:
        scene: In the plate's frames.
        time: Of the composition.
        source: The tool that the chain begins with.
    """
    named = replace(
        time.scene(scene),
        mattes=(),
        shapes=tuple(
            replace(one, name=f"{PREFIX}{one.name}")
            for one in time.scene(scene).shapes
            if any(piece.visible for piece in one.pieces)
        ),
        anchors=tuple(replace(one, name=f"{PREFIX}{one.name}") for one in time.scene(scene).anchors),
    )
    made = fusion_tools(named)
    text, names, chain = made.text, list(made.names), []
    identifiers = Identifiers()
    for name in names:
        identifiers.of(name)
    before = source
    for what, mask in made.masks.items():
        hold = identifiers.of(f"{what} hold")
        text += _hold(hold, before, mask)
        names.append(hold)
        chain.append(hold)
        before = hold
    for mattes in scene.mattes:
        for layer in mattes.layers or ("",):
            loader = identifiers.of(f"{PREFIX}{layer or mattes.files.partition('%')[0]} matte")
            bitmap, hold = identifiers.of(f"{loader} mask"), identifiers.of(f"{loader} hold")
            text += _loader(loader, mattes, layer, time)
            text += _bitmap(bitmap, loader) + _hold(hold, before, bitmap)
            names += [loader, bitmap, hold]
            chain.append(hold)
            before = hold
    for transform in made.transforms.values():
        text = _through(text, transform, before)
        chain.append(transform)
        before = transform
    return CompText(text, tuple(names), tuple(chain))


def whole_comp(text: CompText, time: TimeBase) -> str:
    """A composition of its own for Resolve's clips: from MediaIn through all tools to MediaOut."""
    first, last = time.comp_first, time.comp_first + time.frames - 1
    end = text.chain[-1] if text.chain else "MediaIn1"
    return (
        "Composition {\n"
        f"\tCurrentTime = {first},\n\tRenderRange = {{ {first}, {last} }},\n"
        f"\tGlobalRange = {{ {first}, {last} }},\n"
        "\tTools = ordered() {\n"
        "\t\tMediaIn1 = MediaIn {\n\t\t\tInputs = {\n\t\t\t},\n\t\t},\n"
        f"{text.tools}"
        "\t\tMediaOut1 = MediaOut {\n\t\t\tInputs = {\n"
        '\t\t\t\tIndex = Input { Value = "0", },\n'
        f'\t\t\t\tInput = Input {{ SourceOp = "{end}", Source = "Output", }},\n\t\t\t}},\n\t\t}},\n'
        "\t},\n}\n"
    )


def _hold(name: str, before: str, mask: str) -> str:
    return (
        f"\t\t{name} = BrightnessContrast {{\n\t\t\tInputs = {{\n"
        f'\t\t\t\tInput = Input {{ SourceOp = "{before}", Source = "Output", }},\n'
        f'\t\t\t\tEffectMask = Input {{ SourceOp = "{mask}", Source = "Mask", }},\n'
        "\t\t\t\tGain = Input { Value = 1, },\n\t\t\t},\n\t\t},\n"
    )


def _bitmap(name: str, loader: str) -> str:
    return (
        f"\t\t{name} = BitmapMask {{\n\t\t\tInputs = {{\n"
        f'\t\t\t\tImage = Input {{ SourceOp = "{loader}", Source = "Output", }},\n'
        "\t\t\t},\n\t\t},\n"
    )


def _loader(name: str, mattes: MatteSequence, layer: str, time: TimeBase) -> str:
    """A Loader that shows file N of the mattes where the composition shows the plate's frame N."""
    first, last = mattes.first_frame, mattes.last_frame
    length = last - first + 1
    start = time.comp_of(first)
    picture = "PNGFormat" if mattes.files.endswith(".png") else "OpenEXRFormat"
    channels = ""
    if layer and picture == "OpenEXRFormat":
        wanted = {"Red": _NOTHING, "Green": _NOTHING, "Blue": _NOTHING, "Alpha": f"{layer}.A"}
        channels = "".join(
            f'\t\t\t\t["Clip1.{picture}.{key}Name"] = Input {{ Value = FuID {{ {quoted(value)} }}, }},\n'
            for key, value in wanted.items()
        )
    return (
        f"\t\t{name} = Loader {{\n\t\t\tClips = {{\n\t\t\t\tClip {{\n"
        f'\t\t\t\t\tID = "Clip1",\n\t\t\t\t\tFilename = {quoted(mattes.first_file)},\n'
        f'\t\t\t\t\tFormatID = "{picture}",\n\t\t\t\t\tStartFrame = {first},\n'
        f"\t\t\t\t\tLengthSetManually = true,\n\t\t\t\t\tTrimIn = 0,\n\t\t\t\t\tTrimOut = {length - 1},\n"
        f"\t\t\t\t\tLength = {length},\n\t\t\t\t\tGlobalStart = {start},\n"
        f"\t\t\t\t\tGlobalEnd = {start + length - 1},\n\t\t\t\t}},\n\t\t\t}},\n"
        f"\t\t\tInputs = {{\n{channels}\t\t\t}},\n\t\t}},\n"
    )


def _through(text: str, transform: str, before: str) -> str:
    """The Transform with the plate going through it, at Blend 0."""
    head = f"\t\t{transform} = Transform {{\n\t\t\tInputs = {{\n"
    into = (
        f'\t\t\t\tInput = Input {{ SourceOp = "{before}", Source = "Output", }},\n'
        "\t\t\t\tBlend = Input { Value = 0, },\n"
    )
    return text.replace(head, head + into)
