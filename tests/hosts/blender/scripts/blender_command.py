"""``blender --command extension WORDS`` in the Python of a module, by Blender's own code.

The wheels have everything of Blender but the program that reads the command line.
"""

import sys

import bpy

# A module starts with the factory's preferences; the application reads the user's.
if bpy.app.version >= (4, 5):
    bpy.ops.wm.read_userpref()

from bl_pkg.bl_extension_cli import cli_extension_handler

words = sys.argv[1:]
if words[:2] != ["--command", "extension"]:
    sys.exit(f"only '--command extension' is known here, not {words}")
sys.exit(cli_extension_handler(words[2:]))
