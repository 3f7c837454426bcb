"""Policies: what an object's memory is made of, and which of the network's masks is taken.

All work over one memory bank. A policy sees the results of a leg, frame by frame from the prompts on, and
nothing else: so a frame is the same however often and in whatever order its clip was tracked.
"""
