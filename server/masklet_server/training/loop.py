"""The training loop: from a configuration and a source of clips to weights, checkpoints and a log.

A run may be cut into pieces. In a run measured in steps, pieces together make exactly the steps
of one. In a run measured in minutes, progress follows the clock, so that the learning rate
and the curriculum end with the time whatever the machine's speed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from masklet.errors import WeightsError
from masklet_server.model.header import config_to_json
from masklet_server.model.network import build_network
from masklet_server.training.checkpoints import (
    Position,
    part_of,
    read_checkpoint,
    write_checkpoint,
    write_weights,
)
from masklet_server.training.curriculum import plan_step, rate_share
from masklet_server.training.graphs import GraphedLessons
from masklet_server.training.log import RunLog
from masklet_server.training.optimiser import PartedAdamW
from masklet_server.training.reuse import ReusedClips
from masklet_server.training.stopwatch import DeviceStopwatch
from masklet_server.training.unroll import FIGURES, ClipUnroll
from masklet_server.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from masklet_server.model.network import Network
    from masklet_server.training.clips import ClipBatch, ClipSource
    from masklet_server.training.config import TrainingConfig
    from masklet_server.training.curriculum import StepPlan
    from masklet_server.training.distributed import Team

_SAVING_RESERVE_S = 8.0


@dataclass(frozen=True)
class Piece:
    """How much of a run is made now.

    Attributes:
        minutes: On the wall clock from ``started_s``, files written at the end included; None
            for as long as it takes.
        until: Progress at which this piece ends; 1 ends the run.
        started_s: Reading of ``time.monotonic`` that counts as the start.
        checkpoint_s: Seconds between checkpoints.
        log_steps: Steps between records.
        compact: Write small checkpoints, which resume nearly exactly.
    """

    minutes: float | None
    started_s: float
    until: float = 1.0
    checkpoint_s: float = 150.0
    log_steps: int = 20
    compact: bool = False


class Trainer:
    """One run: the network, its average, the optimiser and how far they are.

    Args:
        config: The run.
        source: Clips, on the team's device.
        team: Where this process stands among others.
        start: Weights to start from; fresh ones from the seed without.
    """

    def __init__(
        self,
        config: TrainingConfig,
        source: ClipSource,
        team: Team,
        *,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.config = config
        self.step = 0
        self.progress = 0.0
        self.elapsed_s = 0.0
        self._clips = ReusedClips(source, times=config.clip_uses)
        self._batch_progress = 0.0
        self._team = team
        torch.manual_seed(config.seed)
        self.network: Network = build_network(config.network)
        if start is not None:
            _load(self.network, start)
        self.network.to(team.device).train()
        _hold_statistics(self.network, config)
        self.optimiser = PartedAdamW(self.network, config.optimiser)
        self.average = WeightAverage(self.network, decay=config.optimiser.ema_decay)
        self._generator = torch.Generator(device=team.device)
        self.watch = DeviceStopwatch(team.device)
        self._graphed: GraphedLessons | None = None
        if config.step_variants and team.device.type == "cuda":
            self._graphed = GraphedLessons(self._learn_from, self.optimiser.parameters, self._generator)
        if config.compile_trunk:
            self.network.image_encoder.trunk.compile(dynamic=False)

    def make_step(self) -> tuple[StepPlan, Tensor]:
        """Train on one batch; its plan and its :data:`FIGURES`, still on the device."""
        if self.step % self.config.clip_uses == 0:
            self._batch_progress = self.progress
        plan = plan_step(self.config, step=self.step, progress=self._batch_progress)
        figures = self.train_on(plan)
        return plan, figures

    def train_on(self, plan: StepPlan) -> Tensor:
        """Train on one batch made to ``plan``."""
        self._generator.manual_seed((self.config.seed * 1_000_003 + self.step) * 64 + self._team.rank)
        self.watch.lap("other")
        batch = self._clips.batch_for(plan, step=self.step)
        self.watch.lap("compose")
        if self._graphed is None:
            self.optimiser.forget_gradients()
            figures = self._learn_from(batch, plan)
        else:
            figures = self._graphed(batch, plan)
        self._team.average_gradients(self.optimiser.parameters)
        self.optimiser.step(
            rate_share=rate_share(self.config.optimiser, step=self.step, progress=self.progress)
        )
        self.average.update(step=self.step)
        self.step += 1
        self.watch.lap("learn")
        return figures

    def _learn_from(self, batch: ClipBatch, plan: StepPlan) -> Tensor:
        """Add the gradients of a batch to the parameters'; its figures."""
        kind = self._team.device.type
        mixed = kind == "cuda" if self.config.bfloat16 is None else self.config.bfloat16
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=mixed):
            unroll = ClipUnroll(self.network, batch, plan, config=self.config, generator=self._generator)
            outcome = unroll.run()
        outcome.loss.backward()  # type: ignore[no-untyped-call]
        return outcome.figures()

    def position(self) -> Position:
        """How far the run is."""
        return Position(self.config.name, self.step, self.progress, self.elapsed_s, self._batch_progress)

    def tensors(self) -> dict[str, Tensor]:
        """Everything to go on from, under the names that checkpoints use."""
        network = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        average = {f"average/{name}": tensor for name, tensor in self.average.state().items()}
        return {**network, **average, **self.optimiser.state(), "source": self._clips.state(step=self.step)}

    def restore(self, folder: Path) -> None:
        """Go on from the newest checkpoint in ``folder``.

        Raises:
            WeightsError: It is missing, damaged or of another network.
        """
        position, tensors = read_checkpoint(folder)
        _load(self.network, part_of(tensors, "network"))
        self.average.restore(part_of(tensors, "average") or self.network.state_dict())
        self.optimiser.restore(tensors)
        self._clips.restore(tensors["source"])
        self.step, self.progress, self.elapsed_s = position.step, position.progress, position.elapsed_s
        self._batch_progress = position.batch_progress


def train(
    trainer: Trainer,
    folder: Path,
    piece: Piece,
    *,
    report: Callable[[str], None],
    licence: str = "Apache-2.0",
) -> None:
    """Make one piece of a run; checkpoint, weights and log lie in ``folder`` afterwards.

    Ctrl-C ends the piece early and loses nothing. ``licence`` is noted in the file of the weights.

    Raises:
        OutputError: The disk is full or read-only.
    """
    writer = _Writer(trainer, folder, piece, report=report, licence=licence)
    clock = _Clock(trainer, piece)
    try:
        while clock.goes_on():
            plan, figures = trainer.make_step()
            clock.advance()
            writer.after_step(plan, figures)
    except KeyboardInterrupt:
        report("interrupted: writing a checkpoint")
    writer.finish()


class _Clock:
    """Moves a run's progress on, by steps or by the wall clock."""

    def __init__(self, trainer: Trainer, piece: Piece) -> None:
        self._trainer = trainer
        self._piece = piece
        self._team = trainer._team
        now_s = time.monotonic()
        self._last_s = now_s
        self._first_s = now_s
        self._first_progress = trainer.progress
        minutes = piece.minutes if piece.minutes is not None else trainer.config.minutes
        reserve_s = 0.0 if minutes is None else min(_SAVING_RESERVE_S, 0.1 * 60 * minutes)
        self._end_s = None if minutes is None else piece.started_s + 60 * minutes - reserve_s

    def goes_on(self) -> bool:
        out_of_time = self._end_s is not None and self._last_s >= self._end_s
        return not out_of_time and self._trainer.progress < self._piece.until

    def advance(self) -> None:
        trainer, piece = self._trainer, self._piece
        now_s = self._team.lead_decides(time.monotonic())
        trainer.elapsed_s += now_s - self._last_s
        self._last_s = now_s
        if trainer.config.steps is not None:
            trainer.progress = trainer.step / trainer.config.steps
        elif self._end_s is not None:
            share = (now_s - self._first_s) / max(self._end_s - self._first_s, 1e-3)
            trainer.progress = self._first_progress + (piece.until - self._first_progress) * min(share, 1.0)


class _Writer:
    """Writes log records, checkpoints and weights of a piece, in the leading process only."""

    def __init__(
        self, trainer: Trainer, folder: Path, piece: Piece, *, report: Callable[[str], None], licence: str
    ) -> None:
        self._trainer = trainer
        self._folder = folder
        self._piece = piece
        self._report = report
        self._licence = licence
        self._leads = trainer._team.leads
        self._log = RunLog(folder / "log.jsonl")
        self._figures: list[Tensor] = []
        self._plan: StepPlan | None = None
        self._clips = 0
        self._frames = 0
        self._since_s = time.monotonic()
        self._saved_s = self._since_s

    def after_step(self, plan: StepPlan, figures: Tensor) -> None:
        self._figures.append(figures)
        self._clips += plan.clips
        self._frames += plan.clips * plan.frames
        self._plan = plan
        if self._trainer.step % self._piece.log_steps == 0:
            self._record(plan)
        if time.monotonic() - self._saved_s > self._piece.checkpoint_s:
            self._save()

    def finish(self) -> None:
        if self._figures and self._plan is not None:
            self._record(self._plan)
        self._save()
        self._report(f"step {self._trainer.step}, {100 * self._trainer.progress:.1f} % of the run")

    def _record(self, plan: StepPlan) -> None:
        if not self._leads:
            self._figures.clear()
            return
        means = torch.stack(self._figures)  # (steps, figures)
        # Still pictures have no tracked frames: their zeros do not count.
        tracked = means[:, FIGURES.index("j_tracked")]
        j_tracked = tracked.sum() / (tracked > 0).sum().clamp(min=1)
        values = [*means.mean(dim=0).tolist(), j_tracked.item()]
        now_s = time.monotonic()
        seconds = now_s - self._since_s
        laps = self._trainer.watch.take_shares()
        record: dict[str, float | int | str] = {
            "step": self._trainer.step,
            "progress": round(self._trainer.progress, 5),
            **{name: round(value, 5) for name, value in zip(FIGURES, values[:-1], strict=True)},
            "j_tracked": round(values[-1], 5),
            "rate": rate_share(
                self._trainer.config.optimiser, step=self._trainer.step, progress=self._trainer.progress
            )
            * self._trainer.config.optimiser.rate,
            "frames": plan.frames,
            "side_px": plan.side_px,
            "clips_per_s": round(self._clips / seconds, 2),
            "frames_per_s": round(self._frames / seconds, 2),
            "compose_share": round(laps.get("compose", 0.0), 3),
            "elapsed_s": round(self._trainer.elapsed_s, 2),
        }
        self._log.add(record)
        self._report(
            f"step {record['step']:>6}  {100 * self._trainer.progress:5.1f} %  loss {values[0]:7.4f}"
            f"  J prompted {record['j_prompted']:.3f}  tracked {record['j_tracked']:.3f}"
            f"  presence {record['presence_right']:.3f}  {record['clips_per_s']} clips/s"
            f"  {record['frames_per_s']} frames/s  composing {100 * laps.get('compose', 0.0):.0f} %"
        )
        self._figures.clear()
        self._clips = self._frames = 0
        self._since_s = now_s

    def _save(self) -> None:
        if self._leads:
            trainer = self._trainer
            write_checkpoint(self._folder, trainer.position(), trainer.tensors(), compact=self._piece.compact)
            network = trainer.config.network
            write_weights(
                self._folder / "weights.safetensors",
                trainer.average.state(),
                metadata={
                    "name": network.name,
                    "licence": self._licence,
                    "config": config_to_json(network),
                },
            )
        self._saved_s = time.monotonic()


def _hold_statistics(network: Network, config: TrainingConfig) -> None:
    """Keep batch norms of frozen parts, or all of them, from learning the statistics of batches."""
    for name, module in network.named_modules():
        frozen = bool(config.optimiser.frozen) and f"{name}.".startswith(config.optimiser.frozen)
        if isinstance(module, torch.nn.BatchNorm2d) and (frozen or config.keep_statistics):
            module.eval()


def _load(network: Network, weights: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    different = [
        name for name, tensor in own.items() if name not in weights or weights[name].shape != tensor.shape
    ]
    different += [name for name in weights if name not in own]
    if different:
        raise WeightsError(
            f"These weights are of another network; the first that differ are {', '.join(different[:3])}."
            " Train with the configuration that they were made with."
        )
    network.load_state_dict({name: weights[name].to(tensor.dtype) for name, tensor in own.items()})
