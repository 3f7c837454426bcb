"""How good anything is: data sets, metrics, protocols and reports.

Shapes in this package: masks are ``(h, w)`` bool, True inside the object; pictures are
``(h, w, 3)`` uint8 sRGB; ``h`` and ``w`` are those of the plate.
"""
