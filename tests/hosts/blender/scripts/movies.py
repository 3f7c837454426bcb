"""Movies that Blender and the server may see differently: what an artist reads on the first click.

Arguments: the add-on's module, then the movies.
"""

import json
import sys

import bpy

module, *movies = sys.argv[1:]
bpy.ops.preferences.addon_enable(module=module)
answer = {}
for movie in movies:
    clip = bpy.data.movieclips.load(movie)
    bpy.context.scene.active_clip = clip
    try:
        bpy.ops.masklet.click(x_px=20, y_px=20, frame=0)
        sentence = ""
    except RuntimeError as error:
        sentence = str(error).removeprefix("Error: ").strip()
    answer[clip.name] = [sentence, len(clip.masklet_plate.objects)]
print(json.dumps(answer))
