"""What a training run is told: frozen values, read from TOML and checked before anything starts."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from masklet.errors import BadInputError
from masklet_server.model.config import PRESETS, ConvTrunkConfig, NetworkConfig
from masklet_server.training.cast import CastConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

_Value = TypeVar("_Value")

_PRESET_FOLDER = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Phase:
    """One part of the curriculum.

    Attributes:
        until: Share of the whole run at which the phase ends, 0 to 1; phases are in order.
        frames: Clip lengths in frames, one drawn per step.
        sides_px: Sides of the square the network sees, one drawn per step; multiples of 32.
        objects: Object slots per clip.
        image_share: Share of steps that train on still pictures instead of clips.
    """

    until: float
    frames: tuple[int, ...]
    sides_px: tuple[int, ...]
    objects: int = 2
    image_share: float = 0.1


@dataclass(frozen=True)
class PromptConfig:
    """How prompts are simulated.

    Attributes:
        mask_share: Objects of a batch prompted by their mask on the first frame.
        click_share: Objects prompted by one click; the others get a box.
        centre_share: Clicks at the deepest point of their region; the others fall anywhere in it.
        object_share: Correction clicks drawn from the object instead of the error.
        box_noise: Standard deviation of a box edge, over the side of the box.
        box_noise_max_px: No edge moves further.
        corrections: Chances of 0, 1, 2, … correction clicks on a prompted frame.
        correct_later_share: Clips that get correction clicks on one more frame.
    """

    mask_share: float = 0.5
    click_share: float = 0.25
    centre_share: float = 0.6
    object_share: float = 0.1
    box_noise: float = 0.1
    box_noise_max_px: float = 20.0
    corrections: tuple[float, ...] = (0.4, 0.25, 0.2, 0.15)
    correct_later_share: float = 0.4


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses.

    Attributes:
        focal: Weight of the focal loss of the best mask.
        dice: Weight of its dice loss.
        iou: Weight of the L1 error of predicted IoUs.
        presence: Weight of the cross entropy of presence.
        focal_alpha: Weight of object pixels in the focal loss; background has the rest.
        focal_gamma: How much the focal loss forgives pixels that are nearly right.
        boundary: Additional weight of pixels next to the true outline, 0 for none.
        stride_px: Masks are compared on a grid this coarse.
        least_area_px: Smaller objects count neither as present nor as absent.
    """

    focal: float = 20.0
    dice: float = 1.0
    iou: float = 1.0
    presence: float = 1.0
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    boundary: float = 0.0
    stride_px: int = 2
    least_area_px: int = 16


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW and what surrounds it.

    Attributes:
        rate: Learning rate of everything but the trunk, at its peak.
        trunk_rate: Learning rate of the image encoder.
        final_share: Share of the peak rate left at the end of the cosine.
        warm_up_steps: Steps of linear rise from zero.
        weight_decay: Of matrices and convolutions; norms, biases and embeddings have none.
        betas: Of AdamW.
        clip_norm: Gradients are scaled down to this norm.
        ema_decay: Of the averaged weights; it starts lower and gets there with the steps.
        frozen: Prefixes of parameter names that are not trained.
    """

    rate: float = 1e-3
    trunk_rate: float = 1e-3
    final_share: float = 0.01
    warm_up_steps: int = 100
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingConfig:
    """One training run.

    Attributes:
        name: Names the run in logs and file metadata.
        network: The network that is trained.
        phases: The curriculum, in order; the last one ends at 1.
        minutes: Length of the whole run on the wall clock, or None.
        steps: Length of the whole run in steps, or None; exactly one of both is set.
        step_megapixels: Pixels of all frames of one step, in millions; the batch follows from
            it, the side and the clip length, so that steps cost about the same.
        most_clips: No batch is larger.
        seed: Of weights, prompts, clips and curriculum.
        clip_uses: Steps made with each batch of clips, every second one backwards and mirrored.
        step_variants: Ways in which prompts, corrections and memory differ between steps of one
            shape; 0 for any number. A GPU captures each way of each shape once and replays it.
        compile_trunk: Compile the image encoder; each side compiles once.
        memory_as_tracked: Read the tracked maps that the engine reads with this network, instead of the last
            few, of which sometimes fewer than there are slots.
        bfloat16: Learn in mixed precision; None for wherever there is a GPU.
        keep_statistics: Batch norms use the statistics that the weights came with and leave them alone;
            batches of a few clips have none that could replace them.
        cast: Who appears in composed clips.
        prompts: How prompts are simulated.
        losses: What is minimised.
        optimiser: How.
    """

    name: str
    network: NetworkConfig
    phases: tuple[Phase, ...]
    minutes: float | None = None
    steps: int | None = None
    step_megapixels: float = 20.0
    most_clips: int = 128
    seed: int = 1
    clip_uses: int = 1
    step_variants: int = 0
    compile_trunk: bool = False
    memory_as_tracked: bool = False
    bfloat16: bool | None = None
    keep_statistics: bool = False
    cast: CastConfig = field(default_factory=CastConfig)
    prompts: PromptConfig = field(default_factory=PromptConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise BadInputError(
                "A training run has a length in minutes or in steps: set one of them, not both."
            )
        ends = [phase.until for phase in self.phases]
        if not ends or ends[-1] != 1.0 or ends != sorted(ends):
            raise BadInputError("The phases of a training run end in rising order, the last one at 1.")
        for phase in self.phases:
            if any(side % 32 for side in phase.sides_px) or not phase.sides_px:
                raise BadInputError(f"Sides of pictures are multiples of 32, got {list(phase.sides_px)}.")
            if not phase.frames or min(phase.frames) < 1:
                raise BadInputError(f"Clips have one frame or more, got lengths {list(phase.frames)}.")

    def phase_at(self, progress: float) -> Phase:
        """The phase that covers ``progress``, a share of the run from 0 to 1."""
        return next((phase for phase in self.phases if progress < phase.until), self.phases[-1])


def load_config(name_or_path: str | Path) -> TrainingConfig:
    """The run described by a TOML file, or by a preset of this package such as ``embedded``.

    Raises:
        BadInputError: There is no such file or preset, or a value in it is unknown or wrong.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = _PRESET_FOLDER / f"{name_or_path}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(preset.stem for preset in _PRESET_FOLDER.glob("*.toml")))
        raise BadInputError(
            f"There is no training configuration {str(name_or_path)!r}: give a TOML file or one of {known}."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"The training configuration {path.name} cannot be read: {error}.") from error
    return config_from_table(table)


def config_from_table(table: Mapping[str, Any]) -> TrainingConfig:
    """The run described by a table as TOML gives it; see ``configs/embedded.toml``.

    Raises:
        BadInputError: A key is unknown, or a value has the wrong kind.
    """
    values = dict(table)
    network = values.pop("network", {"preset": "masklet_embedded"})
    phases = values.pop("phases", [])
    if not isinstance(network, dict) or not isinstance(phases, list):
        raise BadInputError("A training configuration has a table [network] and tables [[phases]].")
    values["network"] = network_from_table(network)
    values["phases"] = tuple(_build(Phase, phase, "phases") for phase in phases)
    parts = (
        ("cast", CastConfig),
        ("prompts", PromptConfig),
        ("losses", LossConfig),
        ("optimiser", OptimiserConfig),
    )
    for key, kind in parts:
        values[key] = _build(kind, values.get(key, {}), key)
    return _build(TrainingConfig, values, "the configuration")


def network_from_table(table: Mapping[str, Any]) -> NetworkConfig:
    """A preset named by ``preset``, with other keys (and those under ``trunk``) changed.

    Raises:
        BadInputError: The preset or a key is unknown.
    """
    values = dict(table)
    preset = values.pop("preset", "masklet_embedded")
    if preset not in PRESETS:
        raise BadInputError(f"There is no network {preset!r}: choose one of {', '.join(PRESETS)}.")
    base = PRESETS[preset]
    trunk = values.pop("trunk", None)
    if trunk is not None:
        if not isinstance(base.trunk, ConvTrunkConfig):
            raise BadInputError(
                f"The trunk of {preset} is given by its published weights and cannot be changed."
            )
        values["trunk"] = _build(
            ConvTrunkConfig, {**dataclasses.asdict(base.trunk), **trunk}, "network.trunk"
        )
    known = {item.name: getattr(base, item.name) for item in dataclasses.fields(base)}
    return _build(NetworkConfig, {**known, **values}, "network")


def _build(kind: type[_Value], values: object, where: str) -> _Value:
    """A dataclass of ``kind``; lists become tuples, and kinds of plain values are checked."""
    if not isinstance(values, dict):
        raise BadInputError(f"{where} in a training configuration is a table of values.")
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise BadInputError(f"{where} has no setting {unknown[0]!r}: choose from {', '.join(sorted(hints))}.")
    checked = {key: _checked(value, hints[key], f"{where}.{key}") for key, value in values.items()}
    try:
        return kind(**checked)
    except TypeError as error:
        raise BadInputError(f"{where} is incomplete: {error}.") from error


def _checked(value: object, hint: object, where: str) -> object:
    """``value`` as its field holds it."""
    if isinstance(value, list):
        value = tuple(value)
    plain = (bool, int, float, str)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if hint in plain:
        fits = (
            numeric
            if hint is float
            else isinstance(value, int) and numeric
            if hint is int
            else type(value) is hint
        )
        if not fits:
            raise BadInputError(f"{where} has the wrong kind of value: {value!r}.")
        return float(value) if hint is float else value  # type: ignore[arg-type]
    if str(hint).startswith("tuple") and not isinstance(value, tuple):
        raise BadInputError(f"{where} is a list, got {value!r}.")
    return value
