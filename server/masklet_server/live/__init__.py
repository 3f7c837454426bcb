"""Clips that grow and streams without an end, tracked as frames come, forward only, in bounded memory."""
