"""Exports the network's parts into files, in a process of its own: ``python -m … WEIGHTS FOLDER``.

Tracing a part takes seconds of Python, which would hold up the clicks of whoever works on the server
meanwhile. The process ends with its standard input, so that it does not outlive the server.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
import warnings
from pathlib import Path

from masklet_server.engine.processor.forms import FORMS, Form
from masklet_server.engine.processor.library import openvino
from masklet_server.model.network import Network

_NICENESS = 10


def file_of(folder: Path, form: Form) -> Path:
    """Where a part lies; its constants lie beside it, with the suffix ``.bin``."""
    return folder / f"{form.name}.xml"


def is_exported(folder: Path) -> bool:
    """Whether all parts are there."""
    return all(file_of(folder, form).is_file() for form in FORMS)


def start(weights: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start to export the parts of these weights; the process ends by itself, or when ``stdin`` is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(weights.resolve()), str(folder.resolve())],
        # Python looks for modules in the working folder first, and the server's is the artist's.
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def export(network: Network, form: Form, target: Path) -> None:
    """Write one part, whole or not at all.

    Args:
        network: Prepared for inference, in float32 on the processor.
        form: Which part.
        target: Ends in ``.xml``.
    """
    import torch

    library = openvino()
    dims = {name: torch.export.Dim(name, min=1, max=4096) for axes in form.axes for name in axes.values()}
    open_axes = tuple({axis: dims[name] for axis, name in axes.items()} or None for axes in form.axes)
    module = form.make(network).eval()
    examples = form.examples(network.config)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Optional arguments that are left out have no axes.
        program = torch.export.export(module, examples, dynamic_shapes=open_axes)
        model = library.convert_model(program)
    model.reshape(
        {
            index: [-1 if axis in axes else size for axis, size in enumerate(example.shape)]
            for index, (example, axes) in enumerate(zip(examples, form.axes, strict=True))
        }
    )
    temporary = target.with_name(f".{uuid.uuid4().hex}.xml")
    try:
        library.save_model(model, temporary, compress_to_fp16=False)
        # The constants first: whoever sees the model finds them.
        temporary.with_suffix(".bin").replace(target.with_suffix(".bin"))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_suffix(".bin").unlink(missing_ok=True)


def main() -> None:
    """Export what is missing."""
    weights, folder = Path(sys.argv[1]), Path(sys.argv[2])
    threading.Thread(target=_end_with_input, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    import torch

    from masklet_server.model.checkpoint import load_network

    torch.set_num_threads(1)
    network = load_network(weights)
    for form in FORMS:
        target = file_of(folder, form)
        if not target.is_file():
            export(network, form, target)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
