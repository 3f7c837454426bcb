"""The clip of the demo: rendered by this project, so that its true masks are known."""
