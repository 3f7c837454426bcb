"""Writers of text that other tools read: shapes, anchors, mattes and states of one clip.

Standard library only, Python 3.9+: an adapter may call a writer inside a host's interpreter.
Each writer is a module with one function ``write_…(scene) -> str`` (or a few, where the tool
wants several files); conversion to the tool's coordinates happens there and nowhere else.
"""

from __future__ import annotations
