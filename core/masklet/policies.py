"""How the memory of one object is used while it is tracked; ``docs/hard-shots.md`` says when which helps."""

from __future__ import annotations

from enum import Enum


class MemoryPolicy(Enum):
    """What an object remembers. Part of what is said: a document gives the same mattes with it."""

    EDITOR = "editor"
    """The newest frames, and the prompted ones on either side."""
    GATED = "gated"
    """Frames of which the network is not sure are no memories, and absences leave none."""
    DISTRACTOR = "distractor"
    """As gated; frames on which a look-alike was near and was not taken are kept for good."""
    MOTION = "motion"
    """As gated; of several masks the one is taken that lies where the object was heading."""
    GUARDED = "guarded"
    """As distractor; while a look-alike is near the mask keeps to where the object was heading."""
    PATHS = "paths"
    """Three hypotheses are followed; once a range is tracked all of it is what the likeliest of them says."""
    RIVALS = "rivals"
    """As distractor; look-alikes are tracked along unseen, and no pixel belongs to two of them."""

    @property
    def starts_over(self) -> bool:
        """Whether tracking begins at the prompts each time: more counts there than the masks behind."""
        return self in (MemoryPolicy.PATHS, MemoryPolicy.RIVALS)

    @staticmethod
    def named(name: str) -> MemoryPolicy:
        """The policy of a name.

        Raises:
            ValueError: There is none.
        """
        known = {policy.value: policy for policy in MemoryPolicy}
        if name not in known:
            raise ValueError(f"there is no policy {name}: it is one of {', '.join(known)}")
        return known[name]
