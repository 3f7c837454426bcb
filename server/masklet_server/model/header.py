"""What weights say of themselves: the header of a ``safetensors`` file and the network described in it.

Read within limits and without torch: weights are passed on between people, and a header is the part of them
that can be anything.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path
from types import MappingProxyType
from typing import Any

from masklet_server.model.config import ConvTrunkConfig, HieraConfig, NetworkConfig

MAX_HEADER_BYTES = 8 << 20
"""The largest official checkpoint needs 0.2 MiB."""
MAX_NAME_CHARACTERS = 128
_MAX_CONFIG_CHARACTERS = 1 << 16
# What a field may be, both ends included: far beyond any network of this family, and quick to build.
_RANGES = MappingProxyType(
    {
        "image_side_px": (64, 4096),
        "width": (1, 4096),
        "channels": (1, 8192),
        "heads": (1, 64),
        "decoder_heads": (1, 64),
        "stages": (0, 256),
        "global_blocks": (0, 1024),
        "windows": (1, 256),
        "background_side": (1, 256),
        "kernel": (1, 31),
        "expansion": (1, 16),
        "attention_blocks": (0, 64),
        "memory_width": (1, 4096),
        "memory_frames": (1, 256),
        "recent_maps": (0, 256),
        "recent_step": (1, 256),
        "pointers": (0, 1024),
        "memory_layers": (0, 64),
        "memory_feed_forward": (1, 65_536),
        "memory_mask_channels": (1, 4096),
        "decoder_feed_forward": (1, 65_536),
    }
)
_LISTS = frozenset({"channels", "stages", "global_blocks", "windows", "memory_mask_channels"})
_LONGEST = 64
_TOKEN_PX = 16


def config_to_json(config: NetworkConfig) -> str:
    """The configuration as JSON, for a file's header."""
    return json.dumps(dataclasses.asdict(config))


def config_from_json(text: str) -> NetworkConfig:
    """The inverse of :func:`config_to_json`.

    Raises:
        ValueError: The text describes no network, or one of absurd size.
    """
    if len(text) > _MAX_CONFIG_CHARACTERS:
        raise ValueError("the text describes no network: it is too long")
    try:
        fields: dict[str, Any] = dict(json.loads(text))
        trunk = _checked(dict(fields.pop("trunk")))
        parsed = HieraConfig(**trunk) if "heads" in trunk else ConvTrunkConfig(**trunk)
        config = NetworkConfig(trunk=parsed, **_checked(fields))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the text describes no network") from error
    four = (*_resolutions(parsed), len(config.memory_mask_channels) - 1)
    if set(four) != {4} or config.image_side_px % _TOKEN_PX or config.pointer_time not in ("none", "signed"):
        raise ValueError("the text describes no network of this family")
    return config


def _resolutions(trunk: HieraConfig | ConvTrunkConfig) -> tuple[int, ...]:
    """How many resolutions each part of a trunk speaks of."""
    return len(trunk.stages), len(trunk.channels), len(getattr(trunk, "windows", trunk.stages))


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with lists as tuples.

    Raises:
        ValueError: One is out of its range.
    """
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "recent_maps" and value is None:
            checked[name] = value
            continue
        if name in ("name", "pointer_time"):
            if not isinstance(value, str) or len(value) > MAX_NAME_CHARACTERS or not value.isprintable():
                raise ValueError(f"{name} is no name")
            checked[name] = value
            continue
        low, high = _RANGES[name]
        if isinstance(value, list) != (name in _LISTS):
            raise ValueError(f"{name} is one number, or several, where a network has it otherwise")
        values = value if isinstance(value, list) else [value]
        if len(values) > _LONGEST or not all(type(one) is int and low <= one <= high for one in values):
            raise ValueError(f"{name} is none of a network of this family")
        checked[name] = tuple(values) if isinstance(value, list) else value
    return checked


def metadata_of(path: Path) -> dict[str, str]:
    """The metadata in the header of a ``safetensors`` file; empty for any other and for a damaged one."""
    if path.suffix != ".safetensors":
        return {}
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= MAX_HEADER_BYTES else None
    except (OSError, ValueError, struct.error, RecursionError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(value, str)}
