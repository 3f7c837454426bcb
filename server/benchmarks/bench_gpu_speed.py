"""The network beside the official code on one GPU: all sizes, numbers of objects and forms of both."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal
from unittest import mock

import torch
from bench_network import When, our_frame
from bench_official import (
    MEMORIES,
    POINTERS,
    SteadyState,
    official_attention,
    official_frame,
    official_predictor,
)
from torch import Tensor

from masklet_server.engine.accelerate import choose_attention, compile_network, replay_network
from masklet_server.engine.replay import GraphRecorder
from masklet_server.model.checkpoint import prepare_for_inference
from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network

Form = Literal["eager", "graphs", "compiled"]
_WARM_UP = 4  # a recording is made at the third call
_BATCHES = (1, 2, 4, 8, 16)
_ENCODER_BATCHES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Setup:
    """Where and at which size everything runs.

    Attributes:
        device: ``"cuda"``, or ``"cpu"`` to see the same code run.
        side_px: Of the network's square.
        repeats: Timed calls of each.
    """

    device: str
    side_px: int
    repeats: int

    @property
    def cuda(self) -> bool:
        """Whether figures mean anything."""
        return self.device == "cuda"

    @property
    def dtype(self) -> torch.dtype:
        """Of our weights."""
        return torch.bfloat16 if self.cuda else torch.float32

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.cuda:
            torch.cuda.synchronize()


@dataclass
class Contest:
    """One size of network with the same stand-in weights in every form of both codes, made when asked for."""

    setup: Setup
    preset: str
    _ours: dict[str, Network] = field(default_factory=dict)
    _official: dict[bool, Any] = field(default_factory=dict)
    _weights: dict[str, Tensor] = field(default_factory=dict)

    def weights(self) -> dict[str, Tensor]:
        """Random weights, with every object present, since absent ones have no mask to compare."""
        if not self._weights:
            torch.manual_seed(0)
            network = build_network(PRESETS[self.preset])
            with torch.no_grad():
                network.get_parameter("sam_mask_decoder.pred_obj_score_head.layers.2.bias").fill_(10.0)
            self._weights = network.state_dict()
        return self._weights

    def ours(self, form: Form, *, dtype: torch.dtype | None = None) -> Network:
        """Our network: as it is, replayed as graphs, or compiled and replayed."""
        key = f"{form} {dtype}"
        if key not in self._ours:
            with torch.device("meta"):
                network = build_network(replace(PRESETS[self.preset], image_side_px=self.setup.side_px))
            network.load_state_dict({name: w.clone() for name, w in self.weights().items()}, assign=True)
            prepare_for_inference(network, device=self.setup.device, dtype=dtype or self.setup.dtype)
            if form != "eager" and self.setup.cuda:
                for batch in _BATCHES:
                    choose_attention(network, batch)
            if form == "compiled":
                compile_network(network, backend="inductor" if self.setup.cuda else "eager")
            if form != "eager" and self.setup.cuda:
                replay_network(network, GraphRecorder())
            self._ours[key] = network
        return self._ours[key]

    def official(self, *, compiled: bool) -> Any:
        """The official predictor; compiled is its own ``vos_optimized``."""
        if compiled not in self._official:
            with compiler_for(self.setup):
                self._official[compiled] = official_predictor(
                    self.preset,
                    self.weights(),
                    device=self.setup.device,
                    compiled=compiled,
                    side_px=self.setup.side_px,
                )
        return self._official[compiled]


@contextlib.contextmanager
def compiler_for(setup: Setup) -> Iterator[None]:
    """On a CPU compiled code is only traced: whether it can be is seen, and nothing waits for a back end."""
    if setup.cuda:
        yield
        return
    trace = torch.compile

    def traced(function: Any, **options: Any) -> Any:
        return trace(
            function, backend="eager", fullgraph=options.get("fullgraph", False), dynamic=options["dynamic"]
        )

    with mock.patch.object(torch, "compile", traced):
        yield


@torch.inference_mode()
def contest_lines(
    contest: Contest, objects: int, *, ours: tuple[Form, ...], official: tuple[Form, ...]
) -> Iterator[dict[str, Any]]:
    """One line per form, ours beside the official one of the same rank, frames of both alternating."""
    setup = contest.setup
    image, state = steady_state(setup, objects)
    calls: dict[str, Callable[[], Any]] = {}
    parts: dict[str, dict[str, Callable[[], Any]]] = {}
    for form in official:
        predictor = contest.official(compiled=form == "compiled")
        calls[f"official {form}"] = partial(_official_call, setup, predictor, image, state)
        parts[f"official {form}"] = _official_parts(setup, predictor, image, state)
    for form in ours:
        network = contest.ours(form)
        when = When.of(objects, setup.device)
        calls[f"ours {form}"] = partial(our_frame, network, image, state, when)
        parts[f"ours {form}"] = _our_parts(network, image, state, when)
    first_s, peak_mib = {}, {}
    for name, call in calls.items():
        reset_peak(setup)
        started_s = time.perf_counter()
        _warm(call)
        setup.synchronise()
        first_s[name], peak_mib[name] = round(time.perf_counter() - started_s, 1), peak_now_mib(setup)
    frames_ms = time_in_turns(setup, calls)
    for name in calls:
        for call in parts[name].values():
            _warm(call)
        pieces = {piece: time_in_turns(setup, {piece: call})[piece] for piece, call in parts[name].items()}
        yield {
            "case": "steady_state",
            "preset": contest.preset,
            "objects": objects,
            "form": name,
            "ms": frames_ms[name],
            "frames_per_s": round(1e3 / frames_ms[name], 1),
            "encoder_ms": pieces["encoder"],
            "memory_attention_ms": pieces["memory_attention"],
            "rest_ms": round(frames_ms[name] - sum(pieces.values()), 3),
            "first_calls_s": first_s[name],
            "peak_mib": peak_mib[name],
            "times_official": {
                other: round(frames_ms[other] / frames_ms[name], 2)
                for other in calls
                if other.startswith("official") and name.startswith("ours")
            },
        }


@torch.inference_mode()
def encoder_lines(contest: Contest, form: Form) -> Iterator[dict[str, Any]]:
    """What a picture costs when several are encoded together: of one clip, or of several sessions."""
    setup, network = contest.setup, contest.ours(form)
    for batch in _ENCODER_BATCHES:
        images = torch.randn(batch, 3, setup.side_px, setup.side_px, device=setup.device)
        call = partial(network.encode_image, images)
        _warm(call)
        whole_ms = time_in_turns(setup, {"encoder": call})["encoder"]
        yield {
            "case": "encoder_batch",
            "preset": contest.preset,
            "form": f"ours {form}",
            "pictures": batch,
            "ms_per_picture": round(whole_ms / batch, 3),
        }


def steady_state(setup: Setup, objects: int) -> tuple[Tensor, SteadyState]:
    """A picture and full memories, in the type in which both codes keep them."""
    generator = torch.Generator().manual_seed(0)
    grid = setup.side_px // 16
    image = torch.randn(1, 3, setup.side_px, setup.side_px, generator=generator).to(setup.device)
    maps = torch.randn(objects, MEMORIES, 64, grid, grid, generator=generator)
    pointers = torch.randn(objects, POINTERS, 256, generator=generator)
    return image, SteadyState(maps.to(setup.device, setup.dtype), pointers.to(setup.device))


def time_in_turns(setup: Setup, calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds of each call, made in turns so that a drifting clock favours none."""
    times_s: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(setup.repeats):
        for name, call in calls.items():
            setup.synchronise()
            started_s = time.perf_counter()
            call()
            setup.synchronise()
            times_s[name].append(time.perf_counter() - started_s)
    return {name: round(1e3 * statistics.median(times), 3) for name, times in times_s.items()}


def reset_peak(setup: Setup) -> None:
    """Forget the largest amount of memory so far."""
    if setup.cuda:
        torch.cuda.reset_peak_memory_stats()


def peak_now_mib(setup: Setup) -> float | None:
    """The largest amount of GPU memory in use since :func:`reset_peak`, weights included."""
    return round(torch.cuda.max_memory_allocated() / 2**20, 1) if setup.cuda else None


def _warm(call: Callable[[], Any]) -> None:
    for _ in range(_WARM_UP):
        call()


def _our_parts(
    network: Network, image: Tensor, state: SteadyState, when: When
) -> dict[str, Callable[[], Any]]:
    embedding = network.encode_image(image).embedding

    def attention() -> Tensor:
        return network.attend_memory(
            embedding,
            maps=state.maps,
            slots=when.slots,
            pointers=state.pointers,
            pointer_distance=when.distance,
            max_distance=POINTERS - 1.0,
        )

    return {"encoder": partial(network.encode_image, image), "memory_attention": attention}


def _official_call(setup: Setup, predictor: Any, image: Tensor, state: SteadyState) -> Any:
    with torch.autocast("cuda", torch.bfloat16, enabled=setup.cuda):
        return official_frame(predictor, image, state)


def _official_parts(
    setup: Setup, predictor: Any, image: Tensor, state: SteadyState
) -> dict[str, Callable[[], Any]]:
    """The encoder, and what conditions all objects on their memories one after the other."""

    def encoder() -> Any:
        with torch.autocast("cuda", torch.bfloat16, enabled=setup.cuda):
            return predictor.forward_image(image)

    def attention() -> None:
        with torch.autocast("cuda", torch.bfloat16, enabled=setup.cuda):
            official_attention(predictor, encoded, state)

    encoded = encoder()
    return {"encoder": encoder, "memory_attention": attention}
