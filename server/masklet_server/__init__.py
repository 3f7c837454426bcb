"""The masklet server: everything heavy. Frames in, network, sessions, mattes out."""
