"""Mattes, shapes, anchors, prompts and where they come from, published as one version."""
