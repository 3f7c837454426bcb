"""Puts masklet into host applications: what goes there, where it goes, and how it is taken out again."""
