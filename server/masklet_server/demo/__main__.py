"""``python -m masklet_server.demo FOLDER FRAMES`` renders the demo's clip and its true masks there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from masklet_server.demo.clip_writer import write_clip

if __name__ == "__main__":
    clip = write_clip(Path(sys.argv[1]), frame_count=int(sys.argv[2]))
    json.dump({"clip": str(clip.pattern), "truth": str(clip.truth), "clicks": clip.clicks}, sys.stdout)
