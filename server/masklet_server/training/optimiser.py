"""AdamW over a network's parameters, by part, and what is done to gradients before a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from masklet_server.training.config import OptimiserConfig

_TRUNK = "image_encoder.trunk."
_MOMENTS = {"moment1": "exp_avg", "moment2": "exp_avg_sq"}
_UNDECAYED = ("token", "embed", "tpos_enc", "pos_enc")


class PartedAdamW:
    """AdamW (Loshchilov and Hutter, 2019) with a rate per part and exact, nameable state.

    Args:
        network: Parameters under the ``frozen`` prefixes of ``config`` stop requiring gradients.
        config: Rates and decay.
    """

    def __init__(self, network: nn.Module, config: OptimiserConfig) -> None:
        self._config = config
        self._named: dict[str, nn.Parameter] = {}
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(config.frozen) if config.frozen else True)
            if parameter.requires_grad:
                self._named[name] = parameter
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self._named.items():
            key = (name.startswith(_TRUNK), _is_decayed(name, parameter))
            groups.setdefault(key, []).append(parameter)
        self._adamw = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "peak_rate": config.trunk_rate if in_trunk else config.rate,
                    "weight_decay": config.weight_decay if decayed else 0.0,
                }
                for (in_trunk, decayed), parameters in groups.items()
            ],
            lr=config.rate,
            betas=config.betas,
            fused=True,
        )

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        """All that are trained."""
        return tuple(self._named.values())

    def step(self, *, rate_share: float) -> None:
        """Clip gradients and take a step; gradients that are not finite change nothing."""
        for group in self._adamw.param_groups:
            group["lr"] = rate_share * group["peak_rate"]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self._config.clip_norm, foreach=True)
        # Fused AdamW skips its step where this is 1. Asking the host would stop the device's queue.
        found = (~torch.isfinite(norm)).float()
        self._adamw.found_inf = found  # type: ignore[attr-defined]
        self._adamw.grad_scale = None  # type: ignore[attr-defined]
        self._adamw.step()

    def forget_gradients(self) -> None:
        """Start the next step's gradients from nothing."""
        self._adamw.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Moments and step counts as ``moment1/NAME``, ``moment2/NAME``, ``count/NAME``."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self._named.items():
            held: Mapping[str, Any] = self._adamw.state.get(parameter, {})
            for prefix, key in _MOMENTS.items():
                if key in held:
                    tensors[f"{prefix}/{name}"] = held[key]
            if "step" in held:
                tensors[f"count/{name}"] = held["step"]
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a :meth:`state`; parameters and moments it does not name start afresh."""
        for name, parameter in self._named.items():
            if f"count/{name}" not in tensors:
                continue
            held = {
                key: tensors[f"{prefix}/{name}"].to(parameter.device, parameter.dtype).clone()
                if f"{prefix}/{name}" in tensors
                else torch.zeros_like(parameter)
                for prefix, key in _MOMENTS.items()
            }
            count = tensors[f"count/{name}"].to(parameter.device, torch.float32).clone()
            self._adamw.state[parameter] = {"step": count, **held}


def _is_decayed(name: str, parameter: Tensor) -> bool:
    """True for matrices and kernels: not for norms, biases, scales, tokens and embeddings."""
    wide = sum(size > 1 for size in parameter.shape) >= 2
    return wide and not any(part in name for part in _UNDECAYED)
