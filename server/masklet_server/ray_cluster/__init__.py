"""Servers on many machines, placed and watched by Ray Core; what artists send never goes through Ray."""
