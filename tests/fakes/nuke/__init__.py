"""A stand-in for Nuke, written by hand: it refuses what the real one refuses, and draws nothing.

Each rule says where it is from: DOC is Foundry's Python guide and reference (14.0 to 17.1), FIELD a report of
somebody who ran it, KNOWN what scripts in public repositories rely on. Nothing here was compared with Nuke
itself.
"""

from typing import TYPE_CHECKING

from fakes.nuke.application import FakeNuke as FakeNuke

if TYPE_CHECKING:
    from fakes.nuke import rotopaint
    from fakes.nuke.nodes import FakeNode
    from masklet_nuke.api import Group, Nuke, Rotopaint

    def _is_typed(node: FakeNode) -> tuple[Nuke, Group, Rotopaint]:
        """The stand-in has every call that the adapter makes, with its types."""
        return FakeNuke(), node, rotopaint
