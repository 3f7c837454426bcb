"""Anchors: transforms that follow an object, from its mattes and the plate.

``track`` is where callers come in; ``outline`` reads positions off mattes, ``surface`` follows the
texture inside them (``features`` from frame to frame, ``alignment`` against stored appearance,
``relock`` after an absence), ``poses`` turns transforms into numbers that can be interpolated,
``series`` fills absences, smooths and applies the artist's corrections.

Square coordinates in this package: x multiplied by the pixel aspect, y as it is, origin at the
top-left corner of the plate. A pose is a 3 x 3 matrix from square coordinates of the reference
frame to square coordinates of another.

Shape letters: H and W are the height and width of the plate, h and w those of the working picture,
N counts points, P parameters of a motion, F frames, D numbers of a pose.
"""
