"""``python -m masklet_server.ray_cluster.launch FOLDER COMMAND…``: starts a server that is nobody's child."""

from __future__ import annotations

import sys
from pathlib import Path

from masklet_server.ray_cluster.device_server import launch

if __name__ == "__main__":
    launch(Path(sys.argv[1]), sys.argv[2:])
