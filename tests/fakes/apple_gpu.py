"""A stand-in for Apple's GPU, or Intel's: tensors that say they are there, and refuse what it refuses.

Neither was at hand. The processor computes the values, so it is shown that the tracker asks for nothing that
is refused, not that masks are right there, nor how fast. Each rule names torch's own report of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

MPS = torch.device("mps", 0)
XPU = torch.device("xpu", 0)

ABSENT = (
    "aten::_upsample_bilinear2d_aa",  # pytorch/pytorch#141287
    "aten::_upsample_bicubic2d_aa",  # pytorch/pytorch#141287
    "aten::upsample_bicubic2d",  # pytorch/pytorch#136123
    "aten::_linalg_solve_ex",  # pytorch/pytorch#98222
)
"""No kernel in some torch of the last years: NotImplementedError, or the processor where torch is told so."""

_WIDE = (torch.float64, torch.complex128)
_LARGEST_BYTES = 1 << 32  # pytorch/pytorch#124335


class OnMps(Tensor):
    """A tensor that says it is on the device; ``held`` is where its values are."""

    held: Tensor
    place: ClassVar[torch.device] = MPS

    @staticmethod
    def __new__(cls, held: Tensor) -> OnMps:
        if held.dtype in _WIDE and cls.place.type == "xpu":
            # Intel's Arc cards have no such numbers; words of its compiler.
            raise RuntimeError("Required aspect fp64 is not supported on the device")
        if held.dtype in _WIDE:
            # pytorch's own words, aten/src/ATen/native/mps/OperationUtils.mm
            raise TypeError(
                f"Cannot convert a MPS Tensor to {held.dtype} dtype as the MPS framework doesn't support "
                "float64. Please use float32 instead."
            )
        if held.numel() * held.itemsize >= _LARGEST_BYTES:
            raise RuntimeError("[MPSNDArray initWithDevice:]: total bytes of NDArray > 2**32")
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=cls.place,
            requires_grad=held.requires_grad,
        )
        made.held = held
        return cast(OnMps, made)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"OnMps({self.held!r})"

    @classmethod
    def __torch_dispatch__(
        cls,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        raise AssertionError("the stand-in works inside of apple_gpu() alone")


@dataclass
class AppleGpu(TorchDispatchMode):
    """While it is active, ``mps`` exists, or ``xpu``.

    Attributes:
        falls_back: As with ``PYTORCH_ENABLE_MPS_FALLBACK=1``: what has no kernel runs on the processor.
            What a kernel refuses, and float64, is refused all the same.
        fell_back: What ran there, by name.
        ran: How many operations ran on the device.
        wrong: What is computed wrongly, by name, as on a driver with a fault.
    """

    falls_back: bool = False
    fell_back: set[str] = field(default_factory=set)
    ran: int = 0
    wrong: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Else torch imports its compiler, which takes seconds, to keep it away from this mode.
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        name = func.name().partition(".")[0]
        target = given.get("device")
        tensors: list[Tensor] = []
        tree_map_only(Tensor, tensors.append, (tuple(args), given))
        ours = [each for each in tensors if isinstance(each, OnMps)]
        to_device = _is_mps(target)
        if not ours and not to_device:
            return func(*args, **given)
        if to_device:
            given["device"] = torch.device("cpu")
        off_device = target is not None and not to_device
        if name not in ("aten::_to_copy", "aten::copy_"):
            _refuse_mixture(name, tensors)
        _refuse(name, args, given, ours)
        if name in ABSENT and OnMps.place is MPS:
            if not self.falls_back:
                raise NotImplementedError(
                    f"The operator '{name}.out' is not currently implemented for the MPS device."
                )
            self.fell_back.add(name)
        self.ran += 1
        plain_args, plain = tree_map_only(OnMps, lambda each: each.held, (tuple(args), given))
        result = func(*plain_args, **plain)
        if name in self.wrong:
            result = result * 1.5
        if off_device:
            return result
        if name == "aten::copy_" and not isinstance(args[0], OnMps):
            return args[0]
        if name.endswith("_") and not name.endswith("__") and isinstance(args[0], OnMps):
            return args[0]
        if plain.get("out") is not None:
            return given["out"]
        return tree_map_only(Tensor, OnMps, result)


class _Calls(TorchFunctionMode):
    """The few calls for which this torch, built without Apple's part, would look for the device itself."""

    def __init__(self, gpu: AppleGpu) -> None:
        super().__init__()
        self._gpu = gpu

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        first = args[0] if args else None
        if func is torch.tensor and _is_mps(given.get("device")):
            return OnMps(func(*args, **{**given, "device": "cpu"}))
        if func is Tensor.to and not isinstance(first, OnMps):
            target = given.get("device", args[1] if len(args) > 1 else None)
            if isinstance(target, str | torch.device) and _is_mps(target):
                if given.get("non_blocking"):
                    raise AssertionError(
                        "a copy that nobody waits for reads freed memory: pytorch/pytorch#139550, #189690"
                    )
                dtypes = [each for each in (*args[2:], given.get("dtype")) if isinstance(each, torch.dtype)]
                self._gpu.ran += 1
                return OnMps(first.to(*dtypes, copy=True))
        if func is Tensor.pin_memory and torch.cuda.is_available() is False:
            raise RuntimeError("Cannot access accelerator device when none is available.")
        if isinstance(first, OnMps):
            if func in (Tensor.item, Tensor.__float__, Tensor.__int__, Tensor.__bool__, Tensor.tolist):
                return func(first.held)
            if func is Tensor.numpy:
                raise TypeError(
                    f"can't convert {OnMps.place} device type tensor to numpy. Use Tensor.cpu() first."
                )
            if func is Tensor.copy_:
                if given.get("non_blocking") or len(args) > 2:
                    raise AssertionError("a copy that nobody waits for: pytorch/pytorch#189690")
                first.held.copy_(args[1].held if isinstance(args[1], OnMps) else args[1])
                return first
            if func in _GUARDED:
                plain = tree_map_only(OnMps, lambda each: each.held, (tuple(args), given))
                return tree_map_only(Tensor, OnMps, func(*plain[0], **plain[1]))
            if func is torch.nn.functional.scaled_dot_product_attention:
                if first.shape[-1] != args[2].shape[-1] and OnMps.place is MPS:
                    raise AssertionError("values narrower than keys: pytorch/pytorch#176767")
                self._gpu.ran += 1
                plain = tree_map_only(OnMps, lambda each: each.held, (tuple(args), given))
                return OnMps(func(*plain[0], **plain[1]))
        return func(*args, **given)


_GUARDED = (Tensor.__getitem__, Tensor.__setitem__, Tensor.nonzero, Tensor.contiguous)


def _is_mps(device: Any) -> bool:
    return device is not None and torch.device(device).type == OnMps.place.type


def _refuse_mixture(name: str, tensors: Sequence[Tensor]) -> None:
    """Numbers without dimensions may come from the processor, and nothing else."""
    there = any(isinstance(each, OnMps) for each in tensors)
    here = any(not isinstance(each, OnMps) and each.dim() > 0 for each in tensors)
    indexing = name in ("aten::index", "aten::index_put_")
    if there and here and not indexing:
        raise RuntimeError(f"Expected all tensors to be on the same device, {OnMps.place} and cpu, in {name}")


def _refuse(name: str, args: Sequence[Any], given: Mapping[str, Any], ours: Sequence[OnMps]) -> None:
    """What a kernel itself refuses, or computes wrongly without a word."""
    copies = name in ("aten::_to_copy", "aten::copy_")
    if copies and (given.get("non_blocking") or (name == "aten::copy_" and len(args) > 2 and args[2])):
        raise AssertionError("a copy that nobody waits for reads freed memory: pytorch/pytorch#189690")
    if name in ("aten::pin_memory", "aten::_pin_memory", "aten::is_pinned"):
        raise RuntimeError(f"{name} is not for {OnMps.place}")
    if OnMps.place is not MPS:
        return
    if name == "aten::_adaptive_avg_pool2d":
        sizes = zip(ours[0].shape[-2:], args[1], strict=True)
        if any(size % wanted for size, wanted in sizes):
            # pytorch/pytorch#143864
            raise RuntimeError("Adaptive pool MPS: input sizes must be divisible by output sizes.")
    if name == "aten::cumsum" and ours[0].dtype == torch.int64:
        raise RuntimeError("MPS does not support cumsum op with int64 input.")  # pytorch/pytorch#96610
    if name in ("aten::convolution", "aten::native_batch_norm", "aten::avg_pool2d"):
        x = ours[0]
        if (
            x.shape[1] > 1
            and x.held.is_contiguous(memory_format=torch.channels_last)
            and (not x.held.is_contiguous())
        ):
            raise AssertionError(f"channels last in {name}: pytorch/pytorch#180984, #174345")
    if name == "aten::_softmax.out" or (name == "aten::_softmax" and given.get("out") is not None):
        raise AssertionError("a softmax in place")


@contextmanager
def apple_gpu(monkeypatch: pytest.MonkeyPatch, *, falls_back: bool = False) -> Iterator[AppleGpu]:
    """A machine with the stand-in, and without other GPUs."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    told: Mapping[str, Callable[[], int]] = {
        "recommended_max_memory": lambda: 5 << 30,
        "driver_allocated_memory": lambda: 300 << 20,
        "current_allocated_memory": lambda: 200 << 20,
    }
    for name, answer in told.items():
        monkeypatch.setattr(torch.mps, name, answer)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: None)
    with _active(monkeypatch, AppleGpu(falls_back=falls_back)) as gpu:
        yield gpu


@contextmanager
def intel_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    """A machine with an Intel GPU of 12 GiB, and without others: it refuses float64, no more is known."""
    monkeypatch.setattr(OnMps, "place", XPU)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    told: Mapping[str, Callable[..., Any]] = {
        "device_count": lambda: 1,
        "get_device_name": lambda _: "Intel Arc",
        "get_device_properties": lambda _: SimpleNamespace(total_memory=12 << 30),
        "reset_peak_memory_stats": lambda _: None,
        "memory_allocated": lambda _: 200 << 20,
        "max_memory_allocated": lambda _: 300 << 20,
        "empty_cache": lambda: None,
        # Asked whenever a device is named; this torch was built without Intel's part.
        "_lazy_init": lambda: None,
    }
    for name, answer in told.items():
        # Refused where this torch has no such function: the code would call what is not there.
        monkeypatch.setattr(torch.xpu, name, answer)
    with _active(monkeypatch, AppleGpu()) as gpu:
        yield gpu


@contextmanager
def _active(monkeypatch: pytest.MonkeyPatch, gpu: AppleGpu) -> Iterator[AppleGpu]:
    from masklet_server.model import devices

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    # As torch does for parameters that go to another kind of device.
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    devices.lacking.cache_clear()
    try:
        with _Calls(gpu), gpu:
            yield gpu
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
        devices.lacking.cache_clear()
