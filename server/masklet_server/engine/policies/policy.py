"""What there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from masklet.errors import BadInputError


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How the memory of one object is used.

    Attributes:
        name: As documents, settings and reports have it.
        selective: Only frames that show the object are remembered, however long ago they are, and pointers
            come from such frames alone. False for the ways of the profile.
        least_quality: The least effective IoU of a frame that is remembered: the network's expected IoU
            times how sure it is of the object, 0 to 1.
        anchors: Frames kept for good because a rival was near on them and was not taken.
        anchor_quality: Expected IoU above which a frame may be one.
        motion_weight: What the box's foreseen place counts in the choice between the network's masks; 0 to
            choose by expected IoU alone.
        keeps_to_path: While a rival is near, the mask may not leave the place where the object was heading.
        paths: Hypotheses followed at once, each with a memory of its own; what was tracked before may change
            as a leg goes on, so a leg is tracked from its prompts each time.
        foresees: The box's motion is followed, to tell it from rivals.
        rivals: Look-alikes tracked along at most. They have a past of their own: as with ``paths``.
    """

    name: str
    selective: bool = False
    least_quality: float = 0.0
    anchors: int = 0
    anchor_quality: float = 0.8
    motion_weight: float = 0.0
    keeps_to_path: bool = False
    paths: int = 1
    foresees: bool = False
    rivals: int = 0


EDITOR_WAYS = Policy(name="editor")
"""The ways of the profile and nothing else."""

GATED = Policy(name="gated", selective=True, least_quality=0.3)
"""Frames of which the network is not sure are no memories, and absences leave none."""

DISTRACTOR = Policy(name="distractor", selective=True, least_quality=0.3, anchors=3)
"""Frames on which a look-alike was near and was not taken are kept as anchors."""

MOTION = Policy(name="motion", selective=True, least_quality=0.3, motion_weight=0.15)
"""Of the network's masks the one is taken that lies where the object was heading, too."""

GUARDED = Policy(
    name="guarded", selective=True, least_quality=0.3, anchors=3, anchor_quality=0.8, keeps_to_path=True
)
"""As with ``distractor``, and while a look-alike is near the mask keeps to where the object was heading."""

PATHS = Policy(name="paths", selective=True, least_quality=0.1, paths=3)
"""Three hypotheses are followed, and of a leg that is done all is what the likeliest of them says."""

RIVALS = Policy(name="rivals", selective=True, least_quality=0.3, anchors=3, foresees=True, rivals=2)
"""As with ``distractor``, and look-alikes are tracked along: each pixel is the object's or one of theirs."""

RIVAL_TRACK = Policy(name="rival track", selective=True, least_quality=0.3, foresees=True)
"""Of look-alikes that are tracked along; nobody chooses it."""

POLICIES = MappingProxyType(
    {policy.name: policy for policy in (EDITOR_WAYS, GATED, DISTRACTOR, MOTION, GUARDED, PATHS, RIVALS)}
)


def policy_named(name: str, trail: str) -> Policy:
    """The policy of that name.

    Args:
        name: One of :data:`POLICIES`.
        trail: Of the profile: policies go with legs, and with nothing that depends on history.

    Raises:
        BadInputError: There is none, or the profile follows the official predictor.
    """
    if name not in POLICIES:
        raise BadInputError(f"there is no policy {name}: it is one of {', '.join(POLICIES)}")
    if trail != "leg" and name != EDITOR_WAYS.name:
        raise BadInputError(
            f"the policy {name} does not go with the official profiles: use the profile editor"
        )
    return POLICIES[name]
