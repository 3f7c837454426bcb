"""Splines out: closed Bezier paths that keep their vertices, from a sequence of mattes."""
