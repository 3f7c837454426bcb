"""Mattes out: coverage at plate resolution from the network's logits, as files for compositing.

``alpha`` makes coverage, ``naming`` gives objects safe layer and file names, ``exr`` and ``png``
encode one file, ``export`` strings them together for a range of frames, ``files`` writes whole
files or none, ``overlay`` shows people what came out.

Shape letters in this package: H and W are the height and width of the plate, h and w those of the
network's mask grid.
"""
