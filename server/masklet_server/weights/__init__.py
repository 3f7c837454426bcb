"""Weights that masklet comes with, and what they are: see MODEL_CARD.md."""
