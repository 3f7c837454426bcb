"""Everything that differs between devices: which there are, their rules, their memory, what they lack.

Rules are chosen so that a device nobody has measured gives right masks, and fast ones second. What torch's
own reports say of a device is named beside each rule.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from masklet.errors import BadInputError

_KINDS: Final = ("cuda", "mps", "xpu", "cpu")
_NAMES: Final = "auto, cpu, cuda, mps or xpu"
# What torch says where memory is full; for processors and Apple's GPUs it has no class of its own
# (pytorch/pytorch#105839).
_REFUSALS: Final = ("can't allocate memory", "MPS backend out of memory")
_TOLERANCE: Final = 1e-3


@dataclass(frozen=True)
class DeviceRules:
    """How masklet works with one kind of device.

    Attributes:
        weights: What a network's weights and inner arithmetic are kept in. Less than float32 only where
            masks were seen to agree.
        copies_beside_work: Copies may go on while the processor works. On Apple's GPUs such a copy reads
            memory that may have been given back (pytorch/pytorch#139550, #189690).
        channels_last: Convolutions take pictures with their channels last. On Apple's GPUs slices of such
            pictures were convolved and normalised wrongly (pytorch/pytorch#180984, #174345).
        attention_in_blocks: Attention over memory is computed some rows at a time by plain products. On
            Apple's GPUs torch's own gave a wrong shape for values narrower than keys, and ended the
            process for large ones (pytorch/pytorch#176767, #147443).
        own_memory: Its memory is not the machine's own: what waits for it can be moved there.
        tried_first: Nobody has measured masks on this kind: a small clip is tracked before it is used.
    """

    weights: torch.dtype = torch.float32
    copies_beside_work: bool = False
    channels_last: bool = True
    attention_in_blocks: bool = False
    own_memory: bool = True
    tried_first: bool = False


RULES: Final[Mapping[str, DeviceRules]] = MappingProxyType(
    {
        "cpu": DeviceRules(attention_in_blocks=True, own_memory=False),
        "cuda": DeviceRules(weights=torch.bfloat16, copies_beside_work=True),
        "mps": DeviceRules(channels_last=False, attention_in_blocks=True, own_memory=False, tried_first=True),
        "xpu": DeviceRules(tried_first=True),
    }
)
"""By the type of a :class:`torch.device`."""


def rules_of(device: torch.device) -> DeviceRules:
    """The rules for a device; those of processors for kinds that are none of masklet's."""
    return RULES.get(device.type, RULES["cpu"])


def device_count(kind: str) -> int:
    """How many devices of a kind torch finds."""
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    if kind == "xpu":
        return torch.xpu.device_count() if torch.xpu.is_available() else 0
    return int(kind == "cpu")


def find_device(name: str) -> torch.device:
    """The device of that name; ``"auto"`` is the first there is of NVIDIA's, Apple's and Intel's GPUs.

    Raises:
        BadInputError: There is no such device here.
    """
    if name == "auto":
        return torch.device(next(kind for kind in _KINDS if device_count(kind)))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInputError(f"{name} is no device: use {_NAMES}") from error
    if device.type not in _KINDS:
        raise BadInputError(f"masklet does not run on {name}: use {_NAMES}")
    if (device.index or 0) >= device_count(device.type):
        raise BadInputError(f"there is no {name} here: check the driver, or use auto or cpu")
    return device


class Operation(str, Enum):
    """Operations that not every device has: the processor takes their place by name."""

    SMOOTH_RESIZE = "smooth resizing"  # absent from Apple's before torch 2.7, pytorch/pytorch#141287
    CUBIC_RESIZE = "cubic resizing"  # absent before torch 2.6, pytorch/pytorch#136123
    UNEVEN_POOLING = "pooling into uneven cells"  # refused by Apple's, pytorch/pytorch#143864
    LINEAR_SOLVE = "solving linear equations"  # absent before torch 2.7, wrong at times, #98222, #189134


_TRIALS: Final[Mapping[Operation, tuple[Callable[..., Tensor], tuple[tuple[int, ...], ...]]]] = (
    MappingProxyType(
        {
            Operation.SMOOTH_RESIZE: (
                lambda x: F.interpolate(x, size=(5, 5), mode="bilinear", antialias=True),
                ((1, 1, 16, 12),),
            ),
            Operation.CUBIC_RESIZE: (
                lambda x: F.interpolate(x, size=(9, 9), mode="bicubic"),
                ((1, 2, 4, 4),),
            ),
            Operation.UNEVEN_POOLING: (lambda x: F.adaptive_avg_pool2d(x, 5), ((1, 2, 16, 16),)),
            Operation.LINEAR_SOLVE: (lambda a, b: torch.linalg.solve(a @ a.T + 1, b), ((3, 3), (3,))),
        }
    )
)


@cache
def lacking(device: torch.device) -> frozenset[Operation]:
    """What a device that is tried first cannot do, or does wrongly; tried once, on a few numbers."""
    if not rules_of(device).tried_first:
        return frozenset()
    return frozenset(operation for operation in Operation if not _does(device, operation))


def _does(device: torch.device, operation: Operation) -> bool:
    function, shapes = _TRIALS[operation]
    generator = torch.Generator().manual_seed(1)
    given = [torch.rand(shape, generator=generator) for shape in shapes]
    try:
        found = function(*(each.to(device) for each in given)).cpu()
    except (NotImplementedError, RuntimeError, TypeError):
        return False
    return found.shape == function(*given).shape and torch.allclose(found, function(*given), atol=_TOLERANCE)


def perform(operation: Operation, function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """``function(*tensors)``, all on one device: on the processor where the device lacks the operation."""
    device = tensors[0].device
    if not rules_of(device).tried_first or operation not in lacking(device):
        return function(*tensors)
    return function(*(each.cpu() for each in tensors)).to(device)


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """On the device, without waiting for it where that is safe."""
    return tensor.to(device, non_blocking=rules_of(device).copies_beside_work)


def fetchable(tensor: Tensor, device: torch.device) -> Tensor:
    """Where a device can fetch it without the processor's help, where it can do that at all."""
    return tensor.pin_memory() if rules_of(device).copies_beside_work else tensor


def fetched(values: Tensor) -> Callable[[], NDArray[np.float32]]:
    """Start to copy values to main memory; what is returned waits for them, and for nothing behind them."""
    if not rules_of(values.device).copies_beside_work:
        return values.cpu().numpy
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    host.copy_(values, non_blocking=True)
    copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
    copied.record()

    def arrived() -> NDArray[np.float32]:
        copied.synchronize()
        found: NDArray[np.float32] = host.numpy()
        return found

    return arrived


def wait_for(device: torch.device) -> None:
    """Until all that the device was given is done."""
    if device.type in ("cuda", "xpu"):
        getattr(torch, device.type).synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def convolvable(images: Tensor) -> Tensor:
    """Pictures in the layout that convolutions of their device take."""
    layout = torch.channels_last if rules_of(images.device).channels_last else torch.contiguous_format
    return images.contiguous(memory_format=layout)


def is_full(error: BaseException) -> bool:
    """Whether torch means that memory is full."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(each in str(error) for each in _REFUSALS)


def memory_of(device: torch.device) -> int | None:
    """Bytes that a device gives to one process at most; None for processors, whose is the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if device.type == "xpu":
        return int(torch.xpu.get_device_properties(device).total_memory)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return None


class MemoryGauge:
    """What a call needs of a device's memory beside what is held there.

    Args:
        device: Where.
    """

    def __init__(self, device: torch.device) -> None:
        # Apple's GPUs do not tell the most that was held. What torch keeps for later there was once needed.
        self._kind, self._device = device.type, device
        self._before_bytes = 0

    def begin(self) -> None:
        """A call begins."""
        if self._kind in ("cuda", "xpu"):
            of = self._module
            of.reset_peak_memory_stats(self._device)
            self._before_bytes = of.memory_allocated(self._device)

    def end(self) -> int:
        """It has ended: bytes that it needed; 0 on processors, which do not tell."""
        if self._kind in ("cuda", "xpu"):
            return int(self._module.max_memory_allocated(self._device)) - self._before_bytes
        if self._kind == "mps":
            return max(0, torch.mps.driver_allocated_memory() - torch.mps.current_allocated_memory())
        return 0

    def give_back(self) -> None:
        """Let the device have what torch keeps for later."""
        if self._kind in ("cuda", "xpu"):
            self._module.empty_cache()
        elif self._kind == "mps":
            gc.collect()
            torch.mps.empty_cache()

    @property
    def _module(self) -> Any:
        return torch.cuda if self._kind == "cuda" else torch.xpu


def survey() -> dict[str, Any]:
    """What torch finds here, as JSON, for the doctor: versions, devices, and what these lack."""
    found: dict[str, Any] = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "cards": [],
        "others": [],
    }
    try:
        for number in range(device_count("cuda")):
            torch.zeros(1, device=f"cuda:{number}").add_(1)
            free, total = torch.cuda.mem_get_info(number)
            name = torch.cuda.get_device_name(number)
            found["cards"].append({"name": name, "free": free, "total": total})
        for kind in ("mps", "xpu"):
            for number in range(device_count(kind)):
                device = torch.device(kind, number)
                name = "Apple's GPU" if kind == "mps" else torch.xpu.get_device_name(number)
                lacks = sorted(operation.value for operation in lacking(device))
                about = {"kind": kind, "name": name, "total": memory_of(device), "lacks": lacks}
                found["others"].append(about)
    except Exception as error:  # noqa: BLE001  (a driver has many ways to fail, and all are to be told)
        found["error"] = str(error).splitlines()[0]
    return found
