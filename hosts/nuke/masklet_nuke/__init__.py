"""masklet in Nuke: a Masklet node whose prompts are knobs, and native nodes made of its results.

Runs in Nuke's own Python (3.9 to 3.11) with the standard library alone. Importing the package imports no
module of Nuke.
"""
