"""Nuke as a host of the artist's loop: what the loop asks, answered from the script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from masklet.hosting.work.connection import ConnectionSettings
from masklet.said.documents import find
from masklet_nuke import documents, node_knobs, plates
from masklet_nuke.api import Node
from masklet_nuke.node_knobs import text
from masklet_nuke.undoing import no_step
from masklet_nuke.words import IN_NUKE

if TYPE_CHECKING:
    from masklet.hosting.plate_files import PlateSource
    from masklet.hosting.ports import KeptSession
    from masklet.said.documents import Document, SaidObject
    from masklet_nuke.api import Nuke

_MAX_SIDE_PX = 1024


class NukeHost:
    """Implements :class:`masklet.hosting.ports.Host`; a plate's handle is its Masklet node.

    Args:
        nuke: The module.
        keep_ticking: Has the loop called again and again from the main thread.
        redraw: Shows what changed: in the panel, and in the knobs of states.
    """

    max_side_px = _MAX_SIDE_PX

    def __init__(self, nuke: Nuke, keep_ticking: Callable[[], None], redraw: Callable[[bool], None]) -> None:
        self.nuke = nuke
        self._keep_ticking = keep_ticking
        self._redraw = redraw

    def plates(self) -> Iterator[Node]:
        """Masklet nodes that were given objects."""
        return plates.adopted(self.nuke)

    def find(self, uid: str) -> Node | None:
        """Looked up anew, since an undo may have taken the node."""
        return next((node for node in self.plates() if text(node, node_knobs.UID) == uid), None)

    def uid(self, plate: Node) -> str:
        """Empty where the node was given none."""
        return text(plate, node_knobs.UID)

    def adopt(self, plate: Node) -> str:
        """As :func:`.plates.adopt`."""
        return plates.adopt(self.nuke, plate)

    def source(self, plate: Node) -> PlateSource:
        """As :func:`.plates.source_of`."""
        return plates.source_of(plate)

    def document(self, plate: Node) -> Document:
        """What the script keeps."""
        return documents.document(plate)

    def take(self, plate: Node, document: Document) -> None:
        """Make the script say this, as no step of its undo."""
        with no_step(self.nuke):
            documents.take(plate, document)

    def uids(self, plate: Node) -> Sequence[str]:
        """Of the objects, in their order."""
        return [said.uid for said in documents.objects(plate)]

    def prompts(self, plate: Node, uid: str) -> SaidObject:
        """What is said about an object, without the masks of locked frames."""
        said = find(documents.objects(plate), uid)
        assert said is not None, "the loop asks for objects that are there"
        return said

    def session(self, plate: Node) -> KeptSession:
        """The session that the script remembers."""
        return documents.session(plate)

    def keep_session(self, plate: Node, session: KeptSession, size_px: tuple[int, int]) -> None:
        """Write it into the script."""
        with no_step(self.nuke):
            documents.keep_session(plate, session, size_px)

    def states(self, plate: Node) -> Mapping[str, str]:
        """Of frames, as the script keeps them."""
        return documents.states(plate)

    def keep_states(self, plate: Node, states: Mapping[str, str]) -> None:
        """Write them into the script."""
        with no_step(self.nuke):
            documents.keep_states(plate, states)

    @property
    def has_interface(self) -> bool:
        """False for ``nuke -t`` and ``nuke -x``."""
        return bool(self.nuke.GUI)

    def keep_ticking(self) -> None:
        """As it was given."""
        self._keep_ticking()

    @property
    def is_playing(self) -> bool:
        """Nuke does not say; what is fetched is shown in the panel, which asks when it is looked at."""
        return False

    def shown_uids(self, plate: Node) -> Sequence[str]:
        """All objects: none is hidden in a script."""
        return self.uids(plate)

    def redraw(self, *, panels: bool = True, everything: bool = False) -> None:
        """As it was given; pictures alone, or all."""
        self._redraw(panels or everything)

    def connection_settings(self) -> ConnectionSettings:
        """Of the node that was worked with last, else of the first: one Nuke works with one server."""
        node = next(self.plates(), None)
        if node is None:
            return ConnectionSettings(words=IN_NUKE)
        machines = node.knob(node_knobs.OTHER_MACHINES)
        return ConnectionSettings(
            address=text(node, node_knobs.SERVER).strip(),
            token_file=text(node, node_knobs.TOKEN_FILE).strip(),
            tls_ca_file=text(node, node_knobs.TLS_CA).strip(),
            helper_python=text(node, node_knobs.HELPER).strip(),
            may_go_online=machines is None or bool(machines.value()),
            words=IN_NUKE,
        )
