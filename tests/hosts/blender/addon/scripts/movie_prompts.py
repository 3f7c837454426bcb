"""Prompt documents of a movie that belongs at 1001; the server is one that remembers.

Arguments: a folder with plate.mov and shot.prompts.json, the checkout.
"""

import json
import sys
from pathlib import Path

import bpy

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(root / "tests"), str(root / "server")]

import masklet_blender  # noqa: E402

masklet_blender.register()

from fakes.prompted_server import PromptedServer  # noqa: E402
from masklet.client import Server  # noqa: E402
from masklet.hosting.work.connection import Connection  # noqa: E402
from masklet_blender import plates  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402

runtime().connection = Connection(lambda settings: Server(PromptedServer()))
clip = bpy.data.movieclips.load(str(folder / "plate.mov"))
bpy.context.scene.active_clip = clip


def refusal(operator, **values):
    try:
        operator(**values)
    except RuntimeError as error:
        return str(error)
    return ""


# The server of this test has another plate; what is asked here is what the file holds.
said = refusal(bpy.ops.masklet.import_prompts, filepath=str(folder / "shot.prompts.json"))
held = [[said.frame for said in item.as_said().frames] for item in plates.props(clip).objects]
reading = plates.source_of(clip).reading
refusal(bpy.ops.masklet.export_prompts, filepath=str(folder / "again.prompts.json"))
print(
    json.dumps(
        {
            "import": said,
            "in the file": held,
            "to the server": [reading.colour_space, reading.first_frame, reading.frame_rate],
            "again": json.loads((folder / "again.prompts.json").read_text()),
        }
    )
)
