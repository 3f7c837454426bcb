"""``python -m masklet.farm.keeper FILE``: holds the server of a worker's session."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from masklet.errors import MaskletError
from masklet.farm.worker_server import keep


def main() -> int:
    """Keep a server until it is not wanted any more; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ready", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--device")
    parser.add_argument("--quality")
    asked = parser.parse_args()
    try:
        keep(asked.ready, weights=asked.weights, device=asked.device, quality=asked.quality)
    except MaskletError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
