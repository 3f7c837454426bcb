"""All that is asked of a version before it is published. Plain rules: plug-ins and commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.publish.file_checks import files_as_written, nothing_newer, prompts_match
from masklet.publish.frame_checks import range_complete, reviewed
from masklet.publish.picture_checks import colour_space, names, pixel_aspect, resolution
from masklet.publish.problems import Check

if TYPE_CHECKING:
    from masklet.publish.collected import Collected
    from masklet.publish.problems import Problem

CHECKS = (
    Check("range-complete", "Every frame has its matte", range_complete),
    Check("reviewed", "No uncertain frame unreviewed", reviewed),
    Check("resolution", "Resolution of the plate", resolution),
    Check("pixel-aspect", "Pixel aspect of the plate", pixel_aspect),
    Check("colour-space", "Mattes are data, the plate's colour space is known", colour_space),
    Check("names", "Names of layers and files", names),
    Check("prompts-match", "Mattes match the prompts", prompts_match),
    Check("nothing-newer", "Nothing newer than its source", nothing_newer),
    Check("files-as-written", "Files are whole and as they were written", files_as_written),
)


def check_named(name: str) -> Check:
    """The check of a name in :data:`CHECKS`."""
    return next(check for check in CHECKS if check.name == name)


def validate(collected: Collected) -> tuple[Problem, ...]:
    """Everything that is wrong and was not accepted."""
    return tuple(problem for check in CHECKS for problem in check.problems(collected))
