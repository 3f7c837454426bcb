"""masklet's own panel: a window of its own on the desktop, a widget inside hosts that bring Qt."""
