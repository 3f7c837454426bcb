"""Who is told when an artist changes a value: properties and preferences know no more than this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from masklet.hosting.notices import Notice


class Listener(Protocol):
    """The loop, as values see it; a plate is its datablock."""

    @property
    def server_sentence(self) -> str:
        """What the last test of the connection told."""
        ...

    def tell(self, plate: Any, notice: Notice | None) -> None:
        """Show a sentence."""
        ...

    def request_synchronise(self, plate: Any) -> None:
        """Send what was said, once it has come to rest."""
        ...

    def redraw(self) -> None:
        """Have viewers drawn again."""
        ...


_find: list[Callable[[], Listener]] = []


def listen(find: Callable[[], Listener]) -> None:
    """Say who listens from now on."""
    _find[:] = [find]


def listener() -> Listener:
    """Who listens; there is somebody as soon as the add-on is registered."""
    return _find[0]()
