"""The list of objects."""
