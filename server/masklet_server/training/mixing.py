"""The mean of several weights of one network, where some go on from others.

Such weights lie in one valley of the loss, and between them is often better than either end: M. Wortsman et
al., "Model soups" (ICML 2022) and "Robust fine-tuning of zero-shot models" (CVPR 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from masklet_server.model.checkpoint import Checkpoint


def mixed_weights(checkpoints: Sequence[Checkpoint], shares: Sequence[float]) -> dict[str, Tensor]:
    """The weighted mean of all floating-point tensors, by name; what counts steps is the first one's.

    Args:
        checkpoints: One or more, of the same network.
        shares: One for each, above 0; only their proportions matter.

    Raises:
        BadInputError: The networks differ, or the shares do not fit.
    """
    if len(shares) != len(checkpoints) or any(share <= 0 for share in shares):
        raise BadInputError(
            f"{len(checkpoints)} weights need as many shares above 0, got {', '.join(map(str, shares))}."
        )
    first = checkpoints[0]
    if any(other.config != first.config for other in checkpoints[1:]):
        raise BadInputError("Only weights of the same network can be mixed: give those of one start.")
    whole = sum(shares)
    mixed: dict[str, Tensor] = {}
    for name, tensor in first.state.items():
        if not tensor.is_floating_point():
            mixed[name] = tensor
            continue
        parts = zip(checkpoints, shares, strict=True)
        mixed[name] = sum((share / whole) * one.state[name].float() for one, share in parts)  # type: ignore[assignment]
    return mixed
