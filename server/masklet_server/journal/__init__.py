"""Journals: what of a session survives its process, one SQLite file each."""
