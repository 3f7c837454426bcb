"""Blender's own data from masklet's values: masks, images, tracks, empties, node groups.

Plain functions: values in, datablocks out. Nothing here asks a server, draws, or registers a class. What is
made carries a tag (:mod:`.tags`) and is looked up by it each time, so that nothing points into memory that
an undo has freed. The caller is an operator with ``UNDO``, or pushes an undo step of its own.
"""
