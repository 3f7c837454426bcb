"""The viewer: the plate, what is on it, and the hand that points at it."""
