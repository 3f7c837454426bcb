"""``masklet-server train``, ``train-probe``, ``train-plot`` and ``train-compact``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masklet_server.training.cast import CastConfig
    from masklet_server.training.clips import ClipSource

_ConfigArgument = Annotated[str, typer.Argument(help="A TOML file, or a preset such as embedded.")]
_PackOption = Annotated[Path, typer.Option("--pack", help="Material made by `masklet-server material pack`.")]
_DeviceOption = Annotated[
    str | None, typer.Option("--device", help="cuda or cpu; the GPU by default if there is one.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of training to the server's command line."""
    app.command("train")(train)
    app.command("train-probe")(probe)
    app.command("train-plot")(plot)
    app.command("train-compact")(compact_checkpoint)


def train(
    config: _ConfigArgument,
    pack: _PackOption = Path("runs/material.pack"),
    out: Annotated[Path, typer.Option("--out", help="Folder of checkpoint, weights and log.")] = Path(
        "runs/train"
    ),
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Folder of a run to go on from; may be the same as --out.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", help="Weights to start from, as safetensors, instead of random ones."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Stop, with a checkpoint, after so much time in all.")
    ] = None,
    until: Annotated[
        float,
        typer.Option("--until", help="Share of the run at which this piece ends; 0.5 for the first half."),
    ] = 1.0,
    step_megapixels: Annotated[
        float | None,
        typer.Option("--step-megapixels", help="Batch by pixels of all frames of a step, in millions."),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Small checkpoints, from which a run goes on nearly exactly.")
    ] = False,
    clip_uses: Annotated[
        int | None, typer.Option("--clip-uses", help="Steps made with each batch of clips.")
    ] = None,
    autotune: Annotated[
        bool, typer.Option("--autotune", help="Let cuDNN try its kernels for each new size of step.")
    ] = False,
    device: _DeviceOption = None,
) -> None:
    """Train a network on composed clips; several GPUs with `torchrun -m masklet_server.training train …`."""
    started_s = time.monotonic()
    import dataclasses

    from safetensors.torch import load_file

    from masklet_server.training.config import load_config
    from masklet_server.training.distributed import join_team
    from masklet_server.training.loop import Piece, Trainer
    from masklet_server.training.loop import train as run_piece

    run = load_config(config)
    if step_megapixels is not None:
        run = dataclasses.replace(run, step_megapixels=step_megapixels)
    if clip_uses is not None:
        run = dataclasses.replace(run, clip_uses=clip_uses)
    team = join_team(device)
    _prepare(str(team.device), autotune=autotune)
    source = _composer(pack, str(team.device), seed=run.seed * 1000 + team.rank, cast=run.cast)
    weights = None if start is None else load_file(start)
    trainer = Trainer(run, source, team, start=weights)
    if resume is not None:
        trainer.restore(resume)
    typer.echo(f"{run.name} on {team.device}, ready after {time.monotonic() - started_s:.1f} s")
    piece = Piece(minutes=minutes, started_s=started_s, until=until, compact=compact)
    run_piece(trainer, out, piece, report=typer.echo)
    team.disband()


def probe(
    config: _ConfigArgument = "embedded",
    pack: _PackOption = Path("runs/material.pack"),
    megapixels: Annotated[str, typer.Option(help="Step sizes to try, in millions of pixels.")] = "20,40",
    shapes: Annotated[str, typer.Option(help="Clip lengths and sides to try.")] = "4x384,8x448",
    steps: Annotated[int, typer.Option(help="Timed steps of each.")] = 8,
    profile: Annotated[
        bool, typer.Option("--profile", help="Also list what takes most time in a step.")
    ] = False,
    device: _DeviceOption = None,
) -> None:
    """Measure how fast this machine trains, and how much of it is composing clips."""
    started_s = time.monotonic()
    from masklet_server.training.config import load_config
    from masklet_server.training.distributed import join_team
    from masklet_server.training.probe import Trial, profile_step, run_trial

    run = load_config(config)
    team = join_team(device)
    _prepare(str(team.device), autotune=False)
    source = _composer(pack, str(team.device), seed=1, cast=run.cast)
    typer.echo(f"ready after {time.monotonic() - started_s:.1f} s")
    sizes = [tuple(int(part) for part in shape.split("x")) for shape in shapes.split(",")]
    trials = [Trial(float(size), *shape) for shape in sizes for size in megapixels.split(",")]
    for trial in trials:
        result = run_trial(run, source, team, trial, steps=steps)
        typer.echo(f"{result}, after {time.monotonic() - started_s:.0f} s")
    if team.device.type == "cuda":
        _prepare(str(team.device), autotune=True)
        result = run_trial(run, source, team, trials[0], steps=steps)
        typer.echo(f"with cuDNN's autotuning, {result}, after {time.monotonic() - started_s:.0f} s")
    if profile:
        profile_step(run, source, team, trials[0], typer.echo)


def compact_checkpoint(
    run: Annotated[Path, typer.Argument(help="Folder of a run with a checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the small checkpoint to.")],
) -> None:
    """Make a small copy of a checkpoint, from which the run goes on nearly exactly."""
    from masklet_server.training.checkpoints import read_checkpoint, write_checkpoint

    position, tensors = read_checkpoint(run)
    written = write_checkpoint(out, position, tensors, compact=True)
    typer.echo(f"{written.name}: {sum(file.stat().st_size for file in written.iterdir()) / 1e6:.1f} MB")


def plot(
    log: Annotated[Path, typer.Argument(help="log.jsonl of a run.")],
    picture: Annotated[Path, typer.Argument(help="PNG to write.")],
) -> None:
    """Draw the curves of a run."""
    from masklet_server.training.log import plot_log

    plot_log(log, picture)


def _prepare(device: str, *, autotune: bool) -> None:
    """Let the device use its fast paths: none of them matters to a result beside bfloat16."""
    import torch

    if device.startswith("cuda"):
        torch.backends.cudnn.benchmark = autotune
        torch.set_float32_matmul_precision("high")


def _composer(pack: Path, device: str, *, seed: int, cast: CastConfig) -> ClipSource:
    from masklet_server.training.composer import ClipComposer, ComposerConfig
    from masklet_server.training.material.pack import load_material

    material = load_material(pack, device=device)
    return ClipComposer(material, device=device, seed=seed, config=ComposerConfig(cast=cast))
