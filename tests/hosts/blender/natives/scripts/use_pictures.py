"""Plate, mattes and masks in the compositor and on strips, at other frames and sizes than the plate's own.

Arguments: the document with shapes, the first file of the plate, the first file of the mattes, the plate as
a movie, a folder.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import rendering
from documents import shapes_of

from masklet.errors import MaskletError
from masklet_blender.natives import compositor, mattes, sequencer
from masklet_blender.natives.coordinates import PlateSpace, frames_of_clip, frames_of_image
from masklet_blender.natives.mask_drawing import drawing_of
from masklet_blender.natives.masks import mask_raster, write_mask

START, OFFSET = 21, 2
document = json.loads(Path(sys.argv[1]).read_text())
plate, matte_file, folder = Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[5])
info = document["clip"]
size_px = (info["width_px"], info["height_px"])
movie = sys.argv[4]
answer = {}
scene = bpy.context.scene
rendering.prepare(size_px, pixel_aspect=info["pixel_aspect"])

# A clip that begins later in the scene, and with a later picture of the plate.
clip = bpy.data.movieclips.load(str(plate))
clip.colorspace_settings.is_data = True
clip.frame_start, clip.frame_offset = START, OFFSET
frames = frames_of_clip(clip)
answer["plate_frame_at_start"] = frames.plate_frame(START)
shown_at = frames.scene_frame(document["render"][1])
tree, result = rendering.empty_tree()
node = tree.nodes.new("CompositorNodeMovieClip")
node.clip = clip
tree.links.new(node.outputs["Image"], result)
answer["clip"] = rendering.render(shown_at, folder / "clip.exr")

# The plate as an image in an editor that begins elsewhere.
image = bpy.data.images.load(str(plate))
image.source = "SEQUENCE"
image.colorspace_settings.is_data = True
node = tree.nodes.new("CompositorNodeImage")
node.image = image
node.frame_start, node.frame_offset, node.frame_duration = 31, 1001, 100
tree.links.new(node.outputs["Image"], result)
answer["image"] = rendering.render(
    frames_of_image(image, node).scene_frame(document["render"][1]), folder / "image.exr"
)

# A movie, whose pictures masklet numbers from 0, as a clip and as an image.
movie_clip = bpy.data.movieclips.load(movie)
movie_clip.colorspace_settings.is_data = True
movie_clip.frame_start, movie_clip.frame_offset = 5, 1
node = tree.nodes.new("CompositorNodeMovieClip")
node.clip = movie_clip
tree.links.new(node.outputs["Image"], result)
answer["movie_clip"] = rendering.render(frames_of_clip(movie_clip).scene_frame(4), folder / "movie_clip.exr")
movie_image = bpy.data.images.load(movie)
movie_image.colorspace_settings.is_data = True
node = tree.nodes.new("CompositorNodeImage")
node.image = movie_image
node.frame_start, node.frame_offset, node.frame_duration = 3, 1, 100
tree.links.new(node.outputs["Image"], result)
answer["movie_image"] = rendering.render(
    frames_of_image(movie_image, node).scene_frame(4), folder / "movie_image.exr"
)
bpy.data.images.remove(movie_image)

# The mattes, twice, then through the group.
files = mattes.MatteFiles.of_file(matte_file)
for _ in range(2):
    matte = mattes.load_matte(files, name="blob matte", owner="blob")
shown = mattes.shown_frames(files, frames)
answer["matte"] = {
    "name": matte.name,
    "source": matte.source,
    "is_data": matte.colorspace_settings.is_data,
    "alpha": matte.alpha_mode,
    "images": sorted(one.name for one in bpy.data.images if one.source == "SEQUENCE"),
    "shown": [shown.frame_start, shown.frame_offset, shown.frame_duration],
}
try:
    mattes.load_matte(mattes.MatteFiles(folder / "gone", files.pattern), name="x", owner="blob")
except MaskletError as error:
    answer["missing"] = str(error)

if bpy.app.version >= (5, 0, 0):
    scene.compositing_node_group = None
else:
    scene.node_tree.nodes.clear()
group = compositor.write_group(compositor.ImageMatte(matte, shown), name="blob", owner="blob")
placed = compositor.add_to_scene(scene, group, clip)
answer["placed_once"] = compositor.add_to_scene(scene, group, clip) == placed
answer["sockets"] = [[socket.name for socket in placed.inputs], [socket.name for socket in placed.outputs]]
answer["cut_by_files"] = rendering.render(shown_at, folder / "cut_by_files.exr")
scene.render.resolution_percentage = 50
answer["half_by_files"] = rendering.render(shown_at, folder / "half_by_files.exr")
scene.render.resolution_percentage = 100

# The artist builds something of their own into the group; then splines take the place of the files.
blur = group.nodes.new("CompositorNodeBlur")
blur.name = "my blur"
drawing = drawing_of(shapes_of(document), frames, raster=mask_raster(scene))
mask = write_mask(drawing, owner="blob")
space = PlateSpace(*size_px, info["pixel_aspect"])
answer["same_group"] = (
    compositor.write_group(compositor.MaskMatte(mask, space), name="blob", owner="blob") == group
)
answer["kept"] = "my blur" in group.nodes
answer["cut_by_splines"] = rendering.render(shown_at, folder / "cut_by_splines.exr")
scene.render.resolution_percentage = 50
answer["half_by_splines"] = rendering.render(shown_at, folder / "half_by_splines.exr")
scene.render.resolution_percentage = 100
# Back and forth leaves one source.
for matte_of in (compositor.ImageMatte(matte, shown), compositor.MaskMatte(mask, space)):
    compositor.write_group(matte_of, name="blob", owner="blob")
answer["nodes"] = sorted(node.bl_idname for node in group.nodes)
answer["cut_again"] = rendering.render(shown_at, folder / "cut_again.exr")

scene.sequence_editor_create()
editor = scene.sequence_editor
strips = editor.strips if hasattr(editor, "strips") else editor.sequences
strip = strips.new_image("plate", str(plate), 1, START)
for _ in range(2):
    sequencer.mask_strip(strip, mask)
answer["strip"] = [[one.type, one.input_mask_type, one.input_mask_id.name] for one in strip.modifiers]
print(json.dumps(answer))
