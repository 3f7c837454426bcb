"""Who runs the network's parts: OpenVINO once they are exported, torch before that and where it fails."""

from __future__ import annotations

import copy
import hashlib
import importlib.metadata
import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path
from torch import Tensor

from masklet_server.engine.processor import exporting
from masklet_server.engine.processor.forms import ATTEND, CLICKED, FORMS, FUSE, IMAGE, REFINED, TRACKED, Form
from masklet_server.engine.processor.library import openvino
from masklet_server.engine.processor.models import CompiledPart, WrongResultError
from masklet_server.model.mask_decoder import MaskPredictions
from masklet_server.model.network import ImageFeatures, Network

_LOG = logging.getLogger(__name__)

_LAYOUT = 1
"""Counts up when forms change, so that parts exported by an earlier version are not taken."""


def cache_folder(weights_sha256: str) -> Path:
    """Where the parts of some weights are kept here: a folder for every version of what made them."""
    versions = (
        weights_sha256,
        importlib.metadata.version("openvino"),
        importlib.metadata.version("torch"),
        importlib.metadata.version("masklet"),
        str(_LAYOUT),
    )
    name = hashlib.sha256(" ".join(versions).encode()).hexdigest()[:32]
    return user_cache_path("masklet") / "processor" / name


class ProcessorBackend:
    """Gives each new tracker the fastest network that is ready.

    Parts that are not exported yet are exported meanwhile, by a process that ends with this one.

    A tracker keeps the one it was given: the two round differently in the sixth digit, and tracking twice
    must give the same bytes.

    Args:
        network: Prepared for inference in float32 on the processor.
        weights: Its file, for the process that exports.
        folder: Where parts are kept, see :func:`cache_folder`.
    """

    def __init__(self, network: Network, weights: Path, folder: Path) -> None:
        self._network = network
        self._weights = weights
        self._folder = folder
        self._fast: Network | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Take the parts that are kept here, or start to export them; returns at once."""
        if self._use_exported():
            return
        _LOG.info(
            "preparing faster processing for this model, once, in the background: "
            "clips that are opened in a minute or two will use it"
        )
        process = exporting.start(self._weights, self._folder)
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()

    def network(self) -> Network:
        """What a new tracker should use."""
        return self._fast or self._network

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        # What it says is read to its end first: its input must stay open, or it ends.
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace").strip()
        with process:
            code = process.wait()
        if code == 0:
            self._use_exported()
        else:
            _LOG.warning("faster processing could not be prepared, torch goes on: %s", said[-300:])

    def _use_exported(self) -> bool:
        with self._lock:
            if self._fast is None and exporting.is_exported(self._folder):
                try:
                    self._fast = fast_network(self._network, self._folder)
                # Whatever a library dislikes about this processor, torch remains.
                except Exception as error:  # noqa: BLE001
                    _LOG.warning("faster processing is not possible here, torch goes on: %s", error)
                    return True
                _LOG.info("clips that are opened from now on are processed by OpenVINO")
            return self._fast is not None


def fast_network(network: Network, folder: Path) -> Network:
    """A network with the same weights whose parts run on OpenVINO.

    A part that fails, or computes something else, is run by torch from then on.

    Args:
        network: Prepared for inference in float32 on the processor.
        folder: Holds its exported parts.

    Raises:
        RuntimeError: A part cannot be read.
    """
    core = openvino().Core()
    threads = torch.get_num_threads()
    parts = {
        form: _Part(form, CompiledPart(core, exporting.file_of(folder, form), threads=threads))
        for form in FORMS
    }
    fast = copy.copy(network)
    for name, method in vars(_Methods(network, parts)).items():
        if not name.startswith("_"):
            setattr(fast, name, method)
    return fast


class _Part:
    """A compiled part, until it fails."""

    def __init__(self, form: Form, compiled: CompiledPart) -> None:
        self._name = form.name
        self._compiled: CompiledPart | None = compiled

    def run(self, arguments: Sequence[Tensor], exact: Callable[[], tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        compiled = self._compiled
        if compiled is None or torch.is_grad_enabled():
            return exact()
        try:
            return compiled(arguments, exact)
        except (RuntimeError, WrongResultError) as error:
            self._compiled = None
            _LOG.warning("%s is run by torch from now on: %s", self._name, str(error)[-300:])
            return exact()


class _Methods:
    """The network's own methods, each over a compiled part; public names are those they replace."""

    def __init__(self, network: Network, parts: dict[Form, _Part]) -> None:
        self._network = network
        self._parts = parts
        self.encode_image = self._encode_image
        self.attend_memory = self._attend_memory
        self.predict = self._predict
        self.fuse = self._fuse

    def _encode_image(self, images: Tensor) -> ImageFeatures:
        def exact() -> tuple[Tensor, ...]:
            found = self._network.encode_image(images)
            return found.embedding, found.skip8, found.skip4

        if images.shape[-1] != self._network.config.image_side_px:
            return ImageFeatures(*exact())
        return ImageFeatures(*self._parts[IMAGE].run((images,), exact))

    def _attend_memory(self, embedding: Tensor, **given: Any) -> Tensor:
        def exact() -> tuple[Tensor, ...]:
            return (self._network.attend_memory(embedding, **given),)

        maps, pointers = given["maps"], given["pointers"]
        if embedding.shape[0] != 1 or pointers.shape[1] != self._network.config.pointers:
            return exact()[0]
        ones = torch.ones(())
        map_valid, pointer_valid = given.get("map_valid"), given.get("pointer_valid")
        arguments = (
            embedding,
            maps,
            given["slots"],
            pointers,
            given["pointer_distance"].float() / max(given["max_distance"], 1.0),
            ones.expand(maps.shape[:2]).bool() if map_valid is None else map_valid,
            ones.expand(pointers.shape[:2]).bool() if pointer_valid is None else pointer_valid,
        )
        return self._parts[ATTEND].run(arguments, exact)[0]

    def _predict(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        points: Tensor | None,
        labels: Tensor | None,
        mask_logits: Tensor | None,
    ) -> MaskPredictions:
        def exact() -> tuple[Tensor, ...]:
            found = self._network.predict(features, embedding, points, labels, mask_logits)
            return found.logits, found.ious, found.tokens, found.presence_logit

        arguments: tuple[Tensor, ...] = (embedding, features.skip8, features.skip4)
        if features.skip8.shape[0] != 1:
            return MaskPredictions(*exact())
        if points is None or labels is None:
            found = self._parts[TRACKED].run(arguments, exact) if mask_logits is None else exact()
        elif points.shape[0] != 1 or embedding.shape[0] != 1:
            found = exact()
        elif mask_logits is None:
            found = self._parts[CLICKED].run((*arguments, points, labels.long()), exact)
        else:
            found = self._parts[REFINED].run((*arguments, points, labels.long(), mask_logits), exact)
        return MaskPredictions(*found)

    def _fuse(self, embedding: Tensor, mask: Tensor) -> Tensor:
        def exact() -> tuple[Tensor, ...]:
            return (self._network.fuse(embedding, mask),)

        return exact()[0] if embedding.shape[0] != 1 else self._parts[FUSE].run((embedding, mask), exact)[0]
