"""The SAM 2 network, one module per part of the paper (Ravi et al. 2024, arXiv 2408.00714).

Shape letters, the same in every module of this package:

=====  =====================================================================
``S``  side of the square picture that the network sees, a multiple of 32
``B``  batch: pictures in the image encoder, objects everywhere behind it
``C``  width of the embedding; the skips have ``C/4`` and ``C/8`` channels
``M``  channels of a memory map
``h``  rows of the embedding, ``S/16``; ``w`` its columns, the same number
``N``  tokens: ``h * w`` or, in prompts, points
``T``  memory maps an object attends to
``P``  object pointers it attends to
``K``  candidate masks
``D``  channels of one attention head; ``H`` attention heads
=====  =====================================================================

Importing this package costs nothing: torch comes with its modules.
"""
