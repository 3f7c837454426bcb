"""The demo's two ends: its clip, and the comparison with its true masks.

``python -m masklet_server.demo FOLDER FRAMES`` renders the clip and its true masks there;
``python -m masklet_server.demo compare TRUTH FRAME=MATTE…`` scores written mattes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from masklet_server.demo.clip_writer import write_clip
from masklet_server.demo.comparison import compare_mattes

if __name__ == "__main__":
    if sys.argv[1] == "compare":
        pairs = (argument.split("=", 1) for argument in sys.argv[3:])
        mattes = {int(frame): Path(path) for frame, path in pairs}
        json.dump(compare_mattes(mattes, Path(sys.argv[2])), sys.stdout)
    else:
        clip = write_clip(Path(sys.argv[1]), frame_count=int(sys.argv[2]))
        json.dump({"clip": str(clip.pattern), "truth": str(clip.truth), "clicks": clip.clicks}, sys.stdout)
