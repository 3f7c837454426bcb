"""masklet beside DaVinci Resolve Studio and Fusion Studio: a process of its own that talks to them."""
