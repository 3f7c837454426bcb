"""Generated clips of what is hard for a tracker, with exact masks, and what became of the objects on them."""
